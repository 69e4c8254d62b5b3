package tracking

import (
	"context"
	"strconv"
	"strings"

	"github.com/millpond/millpond/internal/db"
)

// idList writes ids as a list for IN. They are our own integers, so that the
// text is safe and needs no parameters, of which there is a limit.
func idList(ids []int64) string {
	var b strings.Builder
	b.Grow(len(ids) * 7)
	for i, id := range ids {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.FormatInt(id, 10))
	}
	return b.String()
}

// insertChunk is how many rows one INSERT carries. A fixed number keeps the
// statement's text, and so its prepared form, the same.
const insertChunk = 64

// insertRows runs "head (?, ...), (?, ...) tail" over rows of equal width.
func insertRows(ctx context.Context, q db.Querier, head, tail string, rows [][]any) error {
	if len(rows) == 0 {
		return nil
	}
	row := "(" + db.Marks(len(rows[0])) + ")"
	if len(rows) >= insertChunk {
		many := head + strings.TrimSuffix(strings.Repeat(row+",", insertChunk), ",") + tail
		args := make([]any, 0, insertChunk*len(rows[0]))
		for ; len(rows) >= insertChunk; rows = rows[insertChunk:] {
			args = args[:0]
			for _, r := range rows[:insertChunk] {
				args = append(args, r...)
			}
			if _, err := q.ExecContext(ctx, many, args...); err != nil {
				return err
			}
		}
	}
	one := head + row + tail
	for _, r := range rows {
		if _, err := q.ExecContext(ctx, one, r...); err != nil {
			return err
		}
	}
	return nil
}

// pairsByID reads rows of (id, key, value) and groups them by id.
func pairsByID(ctx context.Context, q db.Querier, query string, args ...any) (map[int64][]Pair, error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := map[int64][]Pair{}
	for rows.Next() {
		var id int64
		var p Pair
		if err := rows.Scan(&id, &p.Key, &p.Value); err != nil {
			return nil, err
		}
		out[id] = append(out[id], p)
	}
	return out, rows.Err()
}
