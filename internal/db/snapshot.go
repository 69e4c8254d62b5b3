package db

import (
	"context"
	"fmt"
)

// Snapshot copies the SQLite database at path, as of one moment, to a new file.
// The database may be in use; its schema is left as it is.
func Snapshot(ctx context.Context, path, to string) error {
	db, err := sqlitePool(path, 1, false)
	if err != nil {
		return sqliteError(path, err)
	}
	defer db.Close()
	if _, err := db.ExecContext(ctx, "VACUUM INTO ?", to); err != nil {
		return fmt.Errorf("copy database %s: %w", path, err)
	}
	return nil
}

// Check reads the whole SQLite database at path and says whether it is sound.
func Check(ctx context.Context, path string) error {
	db, err := sqlitePool(path, 1, false)
	if err != nil {
		return sqliteError(path, err)
	}
	defer db.Close()
	var found string
	if err := db.QueryRowContext(ctx, "PRAGMA integrity_check(1)").Scan(&found); err != nil {
		return sqliteError(path, err)
	}
	if found != "ok" {
		return fmt.Errorf("database %s is damaged: %s", path, found)
	}
	return nil
}
