package mlimport

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/millpond/millpond/internal/artifact"
)

// local is the directory of this machine that an address of artifacts means,
// and whether it means one: a path, file:, or mlflow-artifacts: of a server
// whose directory is known.
func (i *importer) local(address string) (string, bool) {
	if filepath.IsAbs(address) {
		return address, true
	}
	u, err := url.Parse(address)
	if err != nil || address == "" {
		return "", false
	}
	switch u.Scheme {
	case "file":
		return u.Path, true
	case "": // relative to where the server ran
		return filepath.Join(i.base, address), true
	case "mlflow-artifacts":
		if i.opts.Artifacts == "" {
			return "", false
		}
		p := path.Clean("/" + u.Path)
		return filepath.Join(i.opts.Artifacts, filepath.FromSlash(p)), true
	}
	return "", false
}

// checkArtifacts asks for the old server's directory before anything is
// written, if it will be needed.
func (i *importer) checkArtifacts(ctx context.Context, experiments []experiment) error {
	if i.opts.Artifacts != "" {
		if info, err := os.Stat(i.opts.Artifacts); err != nil || !info.IsDir() {
			return fmt.Errorf("--artifacts %s is no directory", i.opts.Artifacts)
		}
		return nil
	}
	for _, e := range experiments {
		if strings.HasPrefix(e.Location, "mlflow-artifacts:") && e.Name != "Default" {
			return fmt.Errorf("nothing was imported: experiment %s keeps its artifacts behind the old server (%s); "+
				"name the directory it keeps them in (its --artifacts-destination, by default mlartifacts) with --artifacts", e.Name, e.Location)
		}
		err := i.src.runs(ctx, e, func(r *run) error {
			if e.Name == "Default" && strings.HasPrefix(r.Location, "mlflow-artifacts:") {
				return fmt.Errorf("nothing was imported: run %s keeps its artifacts behind the old server (%s); "+
					"name the directory it keeps them in (its --artifacts-destination, by default mlartifacts) with --artifacts", r.ID, r.Location)
			}
			return errEnough
		})
		if err != nil && !errors.Is(err, errEnough) {
			return err
		}
	}
	return nil
}

// errEnough ends a walk that has seen what it wanted.
var errEnough = errors.New("enough")

// copyArtifacts copies a directory of artifacts into this server's store. One
// that was never made is empty.
func (i *importer) copyArtifacts(ctx context.Context, old, now, owner string) error {
	dir, ours := i.local(old)
	if !ours {
		i.sum.Elsewhere++
		return nil
	}
	root, err := os.OpenRoot(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read its artifacts: %w", err)
	}
	defer root.Close()
	to := strings.TrimPrefix(now, "mlflow-artifacts:/")
	return fs.WalkDir(root.FS(), ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		n, err := i.copyFile(ctx, root, p, to+"/"+p)
		if errors.Is(err, artifact.ErrInvalidPath) || errors.Is(err, errUnreadable) {
			i.sum.Missing = append(i.sum.Missing, owner+": "+p+": "+err.Error())
			return nil
		}
		if err == nil {
			i.sum.Files++
			i.sum.Bytes += n
		}
		return err
	})
}

// errUnreadable is that of a file that is none, or that a link names which
// leads out of its directory.
var errUnreadable = errors.New("cannot be read")

func (i *importer) copyFile(ctx context.Context, root *os.Root, from, to string) (int64, error) {
	f, err := root.Open(from)
	if err != nil {
		return 0, fmt.Errorf("%w: %w", errUnreadable, err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return 0, fmt.Errorf("%w: not a regular file", errUnreadable)
	}
	if _, err := artifact.Clean(to); err != nil || i.opts.DryRun {
		return info.Size(), err
	}
	return i.opts.Files.Put(ctx, to, f)
}
