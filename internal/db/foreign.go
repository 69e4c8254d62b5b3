package db

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"strings"
)

// ReadForeign opens another program's SQLite file for reading. It is neither
// made nor changed.
func ReadForeign(ctx context.Context, path string) (Querier, func() error, error) {
	q := url.Values{"mode": {"ro"}, "_pragma": {"query_only(1)", "busy_timeout(10000)"}}
	db, err := sql.Open("sqlite", "file:"+strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23").Replace(path)+"?"+q.Encode())
	if err != nil {
		return nil, nil, err
	}
	if _, err := db.ExecContext(ctx, "SELECT 1 FROM sqlite_master LIMIT 1"); err != nil {
		db.Close()
		return nil, nil, fmt.Errorf("read %s: %w", path, err)
	}
	return db, db.Close, nil
}
