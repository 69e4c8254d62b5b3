package app

import (
	"fmt"
	"net/http"
	"os"
	"sync"

	"github.com/millpond/millpond/content"
	"github.com/millpond/millpond/internal/learn"
	"github.com/millpond/millpond/internal/learn/course"
	"github.com/millpond/millpond/internal/rest"
)

// readCourse gives the study course, read when somebody asks for it: some hundreds of files. A
// directory that its writers work in is read now, so that they hear of faults.
func (a *App) readCourse() (func() *course.Course, error) {
	if a.cfg.CourseDir != "" {
		c, err := course.Load(os.DirFS(a.cfg.CourseDir))
		if err != nil {
			return nil, fmt.Errorf("read the study course: %w", err)
		}
		return func() *course.Course { return c }, nil
	}
	return sync.OnceValue(func() *course.Course {
		c, err := course.Load(content.Files)
		if err != nil { // the tests of the content forbid it
			a.log.Error("the study course cannot be read", "error", err)
			return &course.Course{}
		}
		return c
	}), nil
}

// openLearn adds the study course to the API. What it gives also hears the MLflow requests of
// labs.
func (a *App) openLearn(mux *rest.Mux) (http.Handler, error) {
	c, err := a.readCourse()
	if err != nil {
		return nil, err
	}
	s := learn.New(learn.Options{Course: c, Records: a.store, Log: a.heard, MLflow: mux, Connect: a.ConnectAddr()})
	s.Mount(mux)
	return s.Witness(mux), nil
}
