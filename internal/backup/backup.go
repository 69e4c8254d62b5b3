// Package backup puts a data directory into one file, and back.
//
// In comes a data directory that may be in use; out comes a tar.gz of the
// records as of one moment and all other files, closed by a manifest of their
// checksums. [Restore] believes nothing but that manifest: what is missing,
// changed or unexpected makes it leave everything as it was. A backup appears
// under its name only when it is whole, and so does a restored directory. The
// package does not know what the files mean.
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
	"path/filepath"
	"strings"
	"time"

	"github.com/klauspost/compress/gzip"

	"github.com/millpond/millpond/internal/db"
)

const (
	format       = 1
	manifestName = "MANIFEST.json"
	records      = "millpond.db"
)

// Manifest says what a backup holds.
type Manifest struct {
	Format  int       `json:"format"`
	Version string    `json:"millpond"`
	Created time.Time `json:"created"`
	Files   []Entry   `json:"files"`
	// WithoutRecords is set if the records are elsewhere, in PostgreSQL.
	WithoutRecords bool `json:"without_records,omitempty"`
}

// Entry is one file of a backup.
type Entry struct {
	Path   string `json:"path"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}

// Bytes adds up the files.
func (m *Manifest) Bytes() (sum int64) {
	for _, e := range m.Files {
		sum += e.Size
	}
	return sum
}

// Options tunes a backup.
type Options struct {
	Version        string // of this program
	WithoutRecords bool   // they are in PostgreSQL
	Force          bool   // replace what is there
}

// Create backs the data directory up to a file.
func Create(ctx context.Context, dir, file string, opts Options) (m *Manifest, err error) {
	if _, err := os.Stat(file); err == nil && !opts.Force {
		return nil, fmt.Errorf("%s exists; choose another name, or replace it with --force", file)
	}
	out, err := os.CreateTemp(filepath.Dir(file), "."+filepath.Base(file)+".*")
	if err != nil {
		return nil, fmt.Errorf("write the backup: %w", err)
	}
	defer func() {
		if err != nil {
			_ = out.Close() // again, if that is what failed
			_ = os.Remove(out.Name())
		}
	}()
	compressed, err := gzip.NewWriterLevel(out, gzip.BestSpeed)
	if err != nil {
		return nil, err
	}
	w := &writer{tar: tar.NewWriter(compressed), manifest: Manifest{Format: format, Version: opts.Version, Created: time.Now().UTC().Truncate(time.Second), WithoutRecords: opts.WithoutRecords}}
	if err := w.all(ctx, dir, out.Name()); err != nil {
		return nil, fmt.Errorf("back up %s: %w", dir, err)
	}
	for _, finish := range []func() error{w.tar.Close, compressed.Close, out.Sync, out.Close} {
		if err := finish(); err != nil {
			return nil, fmt.Errorf("write the backup: %w", err)
		}
	}
	if err := os.Rename(out.Name(), file); err != nil {
		return nil, fmt.Errorf("write the backup: %w", err)
	}
	return &w.manifest, nil
}

type writer struct {
	tar      *tar.Writer
	manifest Manifest
}

// all writes the records first: files they name were there before.
func (w *writer) all(ctx context.Context, dir, out string) error {
	if !w.manifest.WithoutRecords {
		if err := w.records(ctx, dir); err != nil {
			return err
		}
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	own, err := filepath.Abs(out)
	if err != nil {
		return err
	}
	err = fs.WalkDir(root.FS(), ".", func(p string, d fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist): // gone meanwhile
			return nil
		case err != nil:
			return err
		case ctx.Err() != nil:
			return ctx.Err()
		case passing(p) && d.IsDir():
			return fs.SkipDir
		case passing(p), d.IsDir(), !d.Type().IsRegular(), filepath.Join(dir, p) == own:
			return nil
		}
		f, err := root.Open(p)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		defer f.Close()
		return w.add(p, f)
	})
	if err != nil {
		return err
	}
	text, err := json.Marshal(&w.manifest)
	if err != nil {
		return err
	}
	if err := w.tar.WriteHeader(&tar.Header{Name: manifestName, Mode: 0o600, Size: int64(len(text)), ModTime: w.manifest.Created}); err != nil {
		return err
	}
	_, err = w.tar.Write(text)
	return err
}

// passing reports what a backup leaves out: locks, what is being written, and
// the records' own files, of which it has a copy.
func passing(p string) bool {
	switch p {
	case "LOCK", "tmp", "artifacts/.uploads", records, records + "-wal", records + "-shm", records + "-journal", manifestName:
		return true
	}
	return strings.HasPrefix(filepath.Base(p), ".backup-") && !strings.Contains(p, "/")
}

// records adds a copy of the database.
func (w *writer) records(ctx context.Context, dir string) error {
	temp, err := os.MkdirTemp(dir, ".backup-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temp)
	copied := filepath.Join(temp, records)
	if err := db.Snapshot(ctx, filepath.Join(dir, records), copied); err != nil {
		return err
	}
	f, err := os.Open(copied)
	if err != nil {
		return err
	}
	defer f.Close()
	return w.add(records, f)
}

func (w *writer) add(name string, f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	h := &tar.Header{Name: name, Mode: int64(info.Mode().Perm()), Size: info.Size(), ModTime: info.ModTime(), Format: tar.FormatPAX}
	if err := w.tar.WriteHeader(h); err != nil {
		return err
	}
	sum := sha256.New()
	n, err := io.CopyN(io.MultiWriter(w.tar, sum), f, info.Size())
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("%s changed while it was read (%d bytes of %d); try again", name, n, info.Size())
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	w.manifest.Files = append(w.manifest.Files, Entry{name, n, hex.EncodeToString(sum.Sum(nil))})
	return nil
}
