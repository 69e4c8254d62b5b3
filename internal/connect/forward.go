package connect

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/uuid"

	"github.com/millpond/millpond/internal/sparkerr"
)

// forwardPrefix marks files that go to a place in the server's file system (copyFromLocalToFs)
// rather than to the session.
const forwardPrefix = "forward_to_fs/"

// forwardTo gives the place below dir that a forwarded file goes to. Like Spark, which calls it
// unsafe, a server allows that only if it was told to.
func forwardTo(dir, name string) (string, error) {
	if dir == "" {
		return "", sparkerr.Plain(sparkerr.ClassJavaUnsupported, "Uploading artifact file to local file system destination path is not supported.")
	}
	to := "/" + strings.TrimPrefix(name, forwardPrefix)
	rel, err := filepath.Rel(dir, to)
	if err != nil || rel == "." || !filepath.IsLocal(rel) {
		return "", sparkerr.Plain(sparkerr.ClassJavaUnsupported, "Uploading artifact file to %s is not supported: this server takes files below %s.", to, dir)
	}
	return rel, nil
}

// forward moves a file that has arrived to its place below dir; what is there is replaced.
func forward(root *os.Root, from, dir, to string) (err error) {
	place, err := os.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("copy to %s: %w", to, err)
	}
	defer place.Close()
	if err := place.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return fmt.Errorf("copy to %s: %w", to, err)
	}
	in, err := root.Open(from)
	if err != nil {
		return fmt.Errorf("copy to %s: %w", to, err)
	}
	defer func() { err = errors.Join(err, in.Close(), root.Remove(from)) }()
	part := filepath.Join(filepath.Dir(to), "."+uuid.NewString()+partEnding)
	out, err := place.Create(part)
	if err != nil {
		return fmt.Errorf("copy to %s: %w", to, err)
	}
	if _, err = io.Copy(out, in); err == nil {
		err = out.Sync()
	}
	if err = errors.Join(err, out.Close()); err == nil {
		err = place.Rename(part, to)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("copy to %s: %w", to, err), place.Remove(part))
	}
	return nil
}
