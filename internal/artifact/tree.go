package artifact

import (
	"context"
	"path"
)

// Size adds up the files below a directory, or tells the size of a file.
func (s *local) Size(ctx context.Context, name string) (int64, error) {
	p, err := Clean(name)
	if err != nil {
		return 0, err
	}
	info, err := s.root.Lstat(orDot(p))
	switch {
	case err != nil:
		return 0, nil // not there
	case info.Mode().IsRegular():
		return info.Size(), nil
	case !info.IsDir():
		return 0, nil // a link
	}
	entries, err := s.List(ctx, p)
	if err != nil {
		return 0, err
	}
	var sum int64
	for _, e := range entries {
		n := e.Size
		if e.IsDir {
			if n, err = s.Size(ctx, e.Path); err != nil {
				return sum, err
			}
		}
		sum += n
	}
	return sum, nil
}

// Prune removes a directory, and those above it, as far as they are empty.
func (s *local) Prune(_ context.Context, name string) error {
	p, err := Clean(name)
	if err != nil {
		return err
	}
	for ; p != "" && p != "."; p = path.Dir(p) {
		if s.root.Remove(p) != nil {
			return nil // not empty, or gone
		}
	}
	return nil
}
