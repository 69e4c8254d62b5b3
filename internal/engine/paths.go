package engine

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"github.com/millpond/millpond/internal/sparkerr"
)

// localPath turns "file:/x", "file:///x" and plain paths into a path of this machine.
func localPath(path string) (string, error) {
	if i := strings.Index(path, ":/"); i > 1 {
		u, err := url.Parse(path)
		if err != nil || u.Scheme != "file" && u.Scheme != "dbfs" {
			return "", sparkerr.Unsupported("paths of the file system %q", path[:i])
		}
		path = u.Path
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", fmt.Errorf("path %s: %w", path, err)
	}
	return abs, nil
}

// dataFiles lists the files behind paths, which may be files, directories or patterns. Hidden
// files (a leading dot or underscore) are not data.
func dataFiles(paths []string, l listing) ([]string, error) {
	var out []string
	for _, p := range paths {
		local, err := localPath(p)
		if err != nil {
			return nil, err
		}
		found, err := filepath.Glob(local)
		if err != nil || len(found) == 0 {
			if _, serr := os.Stat(local); serr != nil {
				return nil, sparkerr.Analysis("PATH_NOT_FOUND", "path", "file:"+local)
			}
			found = []string{local}
		}
		for _, f := range found {
			files, err := l.under(f)
			if err != nil {
				return nil, err
			}
			out = append(out, files...)
		}
	}
	return out, nil
}

// listing says which files of a directory are read: those that match a pattern, and those of
// directories below only if they are partitions, unless the listing is recursive.
type listing struct {
	glob      string
	recursive bool
}

func (l listing) takes(name string) (bool, error) {
	if l.glob == "" {
		return true, nil
	}
	ok, err := filepath.Match(l.glob, name)
	if err != nil {
		return false, sparkerr.IllegalArgument("pathGlobFilter %s: %v", l.glob, err)
	}
	return ok, nil
}

func (l listing) under(path string) ([]string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, sparkerr.Analysis("PATH_NOT_FOUND", "path", "file:"+path)
	}
	if !info.IsDir() {
		if ok, err := l.takes(filepath.Base(path)); !ok {
			return nil, err
		}
		return []string{path}, nil
	}
	var out []string
	err = filepath.WalkDir(path, func(p string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		ok, err := l.takes(d.Name())
		if err != nil {
			return err
		}
		hidden := p != path && (strings.HasPrefix(d.Name(), ".") || strings.HasPrefix(d.Name(), "_") && !strings.Contains(d.Name(), "="))
		switch {
		case d.IsDir() && (hidden || p != path && !l.recursive && !strings.Contains(d.Name(), "=")):
			return filepath.SkipDir
		case !hidden && !d.IsDir() && ok:
			out = append(out, p)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", path, err)
	}
	sort.Strings(out)
	return out, nil
}

// stamp identifies the state of files: it changes when one of them does.
func stamp(files []string) string {
	var b strings.Builder
	for _, f := range files {
		if info, err := os.Stat(f); err == nil {
			fmt.Fprintf(&b, "%s %d %d\n", f, info.Size(), info.ModTime().UnixNano())
		}
	}
	return b.String()
}

// empty says whether files hold nothing at all.
func empty(files []string) bool {
	for _, f := range files {
		if info, err := os.Stat(f); err != nil || info.Size() > 0 {
			return false
		}
	}
	return true
}

func quoteSQL(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

func quoteName(s string) string { return `"` + strings.ReplaceAll(s, `"`, `""`) + `"` }

func listSQL(items []string) string {
	q := make([]string, len(items))
	for i, s := range items {
		q[i] = quoteSQL(s)
	}
	return "[" + strings.Join(q, ", ") + "]"
}
