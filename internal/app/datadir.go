package app

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// layoutVersion is the version of the data directory's layout that this program writes.
const layoutVersion = 1

// dataDir is the one directory a server keeps everything in; a lock keeps others out of it.
type dataDir struct {
	path string
	lock *os.File
}

func openDataDir(path, version string) (*dataDir, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("data directory %s: %w", path, err)
	}
	for _, d := range []string{abs, filepath.Join(abs, "warehouse"), filepath.Join(abs, "tmp")} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			return nil, fmt.Errorf("make the data directory: %w", err)
		}
	}
	lock, err := lockDir(abs)
	if err != nil {
		return nil, err
	}
	d := &dataDir{abs, lock}
	if err := d.checkVersion(version); err != nil {
		lock.Close()
		return nil, err
	}
	// What an earlier run left in tmp (spilled data, clients' files) is of no use to this one.
	if err := os.RemoveAll(filepath.Join(abs, "tmp", "sessions")); err != nil {
		lock.Close()
		return nil, fmt.Errorf("clear the data directory: %w", err)
	}
	return d, nil
}

// ensureDataDir makes the data directory if there is none.
func ensureDataDir(path, version string) error {
	if _, err := os.Stat(filepath.Join(path, "VERSION")); err == nil {
		return nil // a server may be using it
	}
	d, err := openDataDir(path, version)
	if err != nil {
		return err
	}
	return d.close()
}

// lockDir keeps other servers out until the file is closed.
func lockDir(dir string) (*os.File, error) {
	lock, err := os.OpenFile(filepath.Join(dir, "LOCK"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock the data directory: %w", err)
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		lock.Close()
		return nil, fmt.Errorf("the data directory %s is in use by another millpond; stop that one or choose another with --data-dir", dir)
	}
	return lock, nil
}

func (d *dataDir) checkVersion(version string) error {
	file := filepath.Join(d.path, "VERSION")
	text, err := os.ReadFile(file)
	if os.IsNotExist(err) {
		return os.WriteFile(file, []byte(fmt.Sprintf("%d\nwritten by millpond %s\n", layoutVersion, version)), 0o600)
	}
	if err != nil {
		return fmt.Errorf("read the data directory's version: %w", err)
	}
	first, _, _ := strings.Cut(string(text), "\n")
	n, err := strconv.Atoi(strings.TrimSpace(first))
	switch {
	case err != nil:
		return fmt.Errorf("%s is damaged: its first line is %q, not a number", file, first)
	case n > layoutVersion:
		return fmt.Errorf("the data directory %s belongs to a newer millpond (layout %d, this program knows %d); use that version, or another directory with --data-dir", d.path, n, layoutVersion)
	}
	return nil
}

func (d *dataDir) close() error { return d.lock.Close() }

// size adds up the files, as far as they can be read.
func (d *dataDir) size() int64 {
	var n int64
	_ = filepath.WalkDir(d.path, func(_ string, e fs.DirEntry, err error) error {
		if err != nil {
			return nil // gone meanwhile, or not ours to read: not counted
		}
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() {
			n += info.Size()
		}
		return nil
	})
	return n
}
