package backup

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/klauspost/compress/gzip"

	"github.com/millpond/millpond/internal/db"
)

// Restore makes the data directory from a backup. A directory with something in
// it is replaced only with Force, and only by a whole, sound backup.
func Restore(ctx context.Context, file, dir string, opts Options) (m *Manifest, err error) {
	dir, err = filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("restore to %s: %w", dir, err)
	}
	if len(entries) > 0 && !opts.Force {
		return nil, fmt.Errorf("%s is not empty; restore to another --data-dir, or replace what is there with --force", dir)
	}
	in, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("read the backup: %w", err)
	}
	defer in.Close()
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return nil, fmt.Errorf("restore to %s: %w", dir, err)
	}
	temp, err := os.MkdirTemp(filepath.Dir(dir), "."+filepath.Base(dir)+".restoring-")
	if err != nil {
		return nil, fmt.Errorf("restore to %s: %w", dir, err)
	}
	defer os.RemoveAll(temp) // what is left of it
	if m, err = extract(ctx, in, temp); err != nil {
		return nil, fmt.Errorf("%s cannot be restored, and nothing was changed: %w", file, err)
	}
	if !m.WithoutRecords {
		if err := db.Check(ctx, filepath.Join(temp, records)); err != nil {
			return nil, fmt.Errorf("%s cannot be restored, and nothing was changed: %w", file, err)
		}
	}
	return m, swap(temp, dir)
}

// swap puts the new directory in the place of the old.
func swap(temp, dir string) error {
	old := temp + ".old"
	err := os.Rename(dir, old)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("put the restored directory in place: %w", err)
	}
	if err := os.Rename(temp, dir); err != nil {
		back := os.Rename(old, dir)
		if errors.Is(back, fs.ErrNotExist) {
			back = nil
		}
		return errors.Join(fmt.Errorf("put the restored directory in place: %w", err), back)
	}
	if err := os.RemoveAll(old); err != nil {
		return fmt.Errorf("the backup is restored, but what was there before is still at %s: %w", old, err)
	}
	return nil
}

// extract unpacks the files and compares them with the manifest.
func extract(ctx context.Context, in io.Reader, to string) (*Manifest, error) {
	z, err := gzip.NewReader(in)
	if err != nil {
		return nil, fmt.Errorf("it is no backup: %w", err)
	}
	root, err := os.OpenRoot(to)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	found := map[string]Entry{}
	var manifest *Manifest
	for t := tar.NewReader(z); ; {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("it is damaged: %w", err)
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if h.Typeflag != tar.TypeReg || !filepath.IsLocal(h.Name) || strings.Contains(h.Name, `\`) || manifest != nil {
			return nil, fmt.Errorf("it holds %q, which no backup does", h.Name)
		}
		if h.Name == manifestName {
			manifest = &Manifest{}
			if err := json.NewDecoder(io.LimitReader(t, 1<<30)).Decode(manifest); err != nil {
				return nil, fmt.Errorf("its manifest is damaged: %w", err)
			}
			continue
		}
		e, err := extractFile(root, h, t)
		if err != nil {
			return nil, err
		}
		found[h.Name] = e
	}
	// To the end, where the archive's own checksum is.
	if _, err := io.Copy(io.Discard, z); err != nil {
		return nil, fmt.Errorf("it is damaged: %w", err)
	}
	return manifest, manifest.compare(found)
}

func extractFile(root *os.Root, h *tar.Header, r io.Reader) (Entry, error) {
	e := Entry{Path: h.Name}
	if err := root.MkdirAll(path.Dir(h.Name), 0o700); err != nil {
		return e, err
	}
	f, err := root.OpenFile(h.Name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fs.FileMode(h.Mode)&0o777)
	if err != nil {
		return e, err
	}
	sum := sha256.New()
	e.Size, err = io.Copy(io.MultiWriter(f, sum), r)
	if err == nil {
		err = f.Sync()
	}
	e.SHA256 = hex.EncodeToString(sum.Sum(nil))
	if err = errors.Join(err, f.Close()); err != nil {
		return e, fmt.Errorf("unpack %s: %w", h.Name, err)
	}
	return e, nil
}

func (m *Manifest) compare(found map[string]Entry) error {
	switch {
	case m == nil:
		return errors.New("it ends before its manifest: the file is cut short, or is no backup")
	case m.Format != format:
		return fmt.Errorf("it has format %d, but this program knows only %d: use the release that wrote it (millpond %s), or a newer one", m.Format, format, m.Version)
	case len(m.Files) != len(found):
		return fmt.Errorf("it holds %d files, but its manifest names %d", len(found), len(m.Files))
	}
	for _, e := range m.Files {
		if found[e.Path] != e {
			return fmt.Errorf("its file %s is damaged or missing", e.Path)
		}
	}
	return nil
}
