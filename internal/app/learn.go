package app

import (
	"fmt"
	"io/fs"
	"net/http"
	"os"

	"github.com/millpond/millpond/content"
	"github.com/millpond/millpond/internal/learn"
	"github.com/millpond/millpond/internal/learn/course"
	"github.com/millpond/millpond/internal/rest"
)

// openLearn adds the study course to the API. What it gives also hears the MLflow requests of
// labs.
func (a *App) openLearn(mux *rest.Mux) (http.Handler, error) {
	var files fs.FS = content.Files
	if a.cfg.CourseDir != "" {
		files = os.DirFS(a.cfg.CourseDir)
	}
	c, err := course.Load(files)
	if err != nil {
		return nil, fmt.Errorf("read the study course: %w", err)
	}
	s := learn.New(learn.Options{Course: c, Records: a.store, Log: a.heard, MLflow: mux, Connect: a.ConnectAddr()})
	s.Mount(mux)
	return s.Witness(mux), nil
}
