package app

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/millpond/millpond/internal/artifact"
	"github.com/millpond/millpond/internal/db"
)

const storeUsage = "PostgreSQL that keeps the records, postgres://user:password@host/database (default: millpond.db in the data directory)"

const artifactRootUsage = "S3-compatible bucket that keeps the artifacts, s3://bucket/prefix (default: artifacts in the data directory)"

// recordsAddress is where the records of a data directory are.
func recordsAddress(store, dir string) string {
	if store != "" {
		return store
	}
	return filepath.Join(dir, "millpond.db")
}

// stores are the records and files of a data directory, for a command that works beside a server
// that may be running.
type stores struct {
	dir   string
	db    *db.DB
	files *artifact.Store
}

// openStores opens what is there; it makes nothing.
func openStores(ctx context.Context, dir, store, artifactRoot string) (*stores, error) {
	if _, err := os.Stat(filepath.Join(dir, "VERSION")); err != nil {
		return nil, fmt.Errorf("%s is not the data directory of a millpond (it has no VERSION); name it with --data-dir", dir)
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("data directory %s: %w", dir, err)
	}
	s := &stores{dir: abs}
	if s.db, err = db.Open(ctx, recordsAddress(store, abs), db.Options{}); err != nil {
		return nil, fmt.Errorf("open the record store: %w", err)
	}
	if artifactRoot != "" {
		s.files, err = artifact.OpenS3(ctx, artifactRoot)
	} else {
		s.files, err = artifact.Share(filepath.Join(abs, "artifacts"))
	}
	if err != nil {
		_ = s.db.Close() // the first error is the one to tell
		return nil, fmt.Errorf("open the artifact store: %w", err)
	}
	return s, nil
}

func (s *stores) close() error {
	if err := s.files.Close(); err != nil {
		return err
	}
	return s.db.Close()
}
