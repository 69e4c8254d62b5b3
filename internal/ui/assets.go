package ui

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
)

//go:embed static
var staticFiles embed.FS

// assets serves the static files below a folder that is named by a hash of them all, so that
// browsers may keep them for ever and modules find each other by plain relative names.
type assets struct {
	files map[string][]byte // by plain name
	root  string            // "/static/<hash>/"
}

func newAssets() (*assets, error) {
	a := &assets{files: map[string][]byte{}}
	sum := sha256.New()
	err := fs.WalkDir(staticFiles, "static", func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		body, err := staticFiles.ReadFile(p)
		if err != nil {
			return err
		}
		a.files[strings.TrimPrefix(p, "static/")] = body
		sum.Write([]byte(p))
		sum.Write(body)
		return nil
	})
	a.root = "/static/" + hex.EncodeToString(sum.Sum(nil)[:6]) + "/"
	return a, err
}

// url gives the address of a file by its plain name.
func (a *assets) url(name string) string { return a.root + name }

func (a *assets) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name, ours := strings.CutPrefix(r.URL.Path, a.root)
	body, ok := a.files[name]
	if !ours || !ok {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Type", mime.TypeByExtension(path.Ext(name)))
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("X-Content-Type-Options", "nosniff")
	_, _ = w.Write(body) // the visitor may have gone: nobody is left to tell
}
