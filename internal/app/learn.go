package app

import (
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"sync"

	"github.com/millpond/millpond/content"
	"github.com/millpond/millpond/internal/learn"
	"github.com/millpond/millpond/internal/learn/course"
	"github.com/millpond/millpond/internal/rest"
)

// readCourse begins to read the study course: some hundreds of files, while the rest is opened.
func (a *App) readCourse() {
	var files fs.FS = content.Files
	if a.cfg.CourseDir != "" {
		files = os.DirFS(a.cfg.CourseDir)
	}
	a.course = sync.OnceValues(func() (*course.Course, error) { return course.Load(files) })
	go func() { _, _ = a.course() }() // openLearn meets the error
}

// openLearn adds the study course to the API. What it gives also hears the MLflow requests of
// labs.
func (a *App) openLearn(mux *rest.Mux) (http.Handler, error) {
	c, err := a.course()
	if err != nil {
		return nil, fmt.Errorf("read the study course: %w", err)
	}
	s := learn.New(learn.Options{Course: c, Records: a.store, Log: a.heard, MLflow: mux, Connect: a.ConnectAddr()})
	s.Mount(mux)
	return s.Witness(mux), nil
}
