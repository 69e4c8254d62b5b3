package connect

import (
	"archive/tar"
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/klauspost/compress/gzip"

	"github.com/millpond/millpond/internal/sparkerr"
)

// maxUnpacked bounds what an archive may grow to.
const maxUnpacked = 4 << 30

// unpack lays an archive out under files/<alias>, where Python functions find it.
func (a *artifacts) unpack(name, alias string) error {
	if !filepath.IsLocal(alias) || strings.ContainsAny(alias, "/\\\x00") {
		return sparkerr.New(sparkerr.ClassRuntime, "INVALID_ARTIFACT_PATH", "name", alias)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	session, err := a.root()
	if err != nil {
		return err
	}
	defer session.Close()
	into := path.Join("files", alias)
	if err := session.MkdirAll(into, 0o700); err != nil {
		return fmt.Errorf("unpack %s: %w", name, err)
	}
	root, err := session.OpenRoot(into) // entries cannot reach out of it
	if err != nil {
		return fmt.Errorf("unpack %s: %w", name, err)
	}
	defer root.Close()
	f, err := session.Open(name)
	if err != nil {
		return fmt.Errorf("unpack %s: %w", name, err)
	}
	defer f.Close()
	out := &unpacking{root: root, left: maxUnpacked}
	low := strings.ToLower(name)
	switch {
	case strings.HasSuffix(low, ".zip"), strings.HasSuffix(low, ".jar"):
		err = out.zip(f)
	case strings.HasSuffix(low, ".tar.gz"), strings.HasSuffix(low, ".tgz"):
		err = out.gzipped(f)
	case strings.HasSuffix(low, ".tar"):
		err = out.tar(f)
	default:
		return sparkerr.Unsupported("archives other than .zip, .jar, .tar, .tar.gz and .tgz (%s)", name)
	}
	if err != nil {
		return sparkerr.IllegalArgument("The archive %s cannot be unpacked: %v", name, err)
	}
	return nil
}

// unpacking writes an archive's entries under a root.
type unpacking struct {
	root *os.Root
	left int64
}

func (u *unpacking) zip(f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	z, err := zip.NewReader(f, info.Size())
	if err != nil {
		return err
	}
	for _, e := range z.File {
		if e.FileInfo().IsDir() {
			continue
		}
		in, err := e.Open()
		if err != nil {
			return err
		}
		err = u.write(e.Name, e.Mode(), in)
		if err = errors.Join(err, in.Close()); err != nil {
			return err
		}
	}
	return nil
}

func (u *unpacking) gzipped(f io.Reader) error {
	z, err := gzip.NewReader(f)
	if err != nil {
		return err
	}
	return errors.Join(u.tar(z), z.Close())
}

func (u *unpacking) tar(f io.Reader) error {
	t := tar.NewReader(f)
	for {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		switch h.Typeflag {
		case tar.TypeReg:
			err = u.write(h.Name, h.FileInfo().Mode(), t)
		case tar.TypeSymlink: // environments are full of them; the root follows none out of itself
			if err = u.root.MkdirAll(path.Dir(path.Clean(h.Name)), 0o700); err == nil {
				err = u.root.Symlink(h.Linkname, path.Clean(h.Name))
			}
		}
		if err != nil {
			return err
		}
	}
}

func (u *unpacking) write(name string, mode os.FileMode, in io.Reader) error {
	name = path.Clean(name)
	if !filepath.IsLocal(filepath.FromSlash(name)) {
		return fmt.Errorf("the entry %q lies outside of it", name)
	}
	if err := u.root.MkdirAll(path.Dir(name), 0o700); err != nil {
		return err
	}
	f, err := u.root.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, mode.Perm()&0o700|0o600)
	if err != nil {
		return err
	}
	n, err := io.Copy(f, io.LimitReader(in, u.left+1))
	if u.left -= n; u.left < 0 {
		err = errors.Join(err, fmt.Errorf("it is larger than %d bytes", int64(maxUnpacked)))
	}
	return errors.Join(err, f.Close())
}
