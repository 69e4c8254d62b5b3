package engine

import (
	"context"
	"fmt"
	"strings"

	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

// lineColumn is a column of texts that are read as a file's lines.
type lineColumn struct {
	in     plan.Node
	line   plan.Attr
	header string // the line that names CSV's columns
}

// over makes a scan of the column's texts; files (nil) are scanned as they are.
func (l *lineColumn) over(scan *plan.Scan) plan.Node {
	if l == nil {
		return scan
	}
	return &plan.Records{Scan: *scan, Input: l.in, Line: l.line}
}

// malformed is the SQL that fails in FAILFAST mode for a malformed line of so many columns.
func (l *lineColumn) malformed(columns int) string {
	if l == nil {
		return sparkerr.Raise("FAILED_READ_FILE.NO_HINT", "'file://' || filename", "line")
	}
	record := "[" + strings.TrimSuffix(strings.Repeat("null,", columns), ",") + "]"
	return sparkerr.Raise("MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION", quoteSQL(record), "'FAILFAST'")
}

// parse reads a column's texts as the readers of files do.
func (s *Session) parse(ctx context.Context, r *plan.Parse, rows *lineColumn) (*plan.Records, error) {
	want, err := userSchema(r.Schema)
	if err != nil {
		return nil, err
	}
	if want != nil {
		if _, err := s.corruptColumn(*want, r.Options); err != nil {
			return nil, err
		}
	}
	read := s.parseJSON
	if r.Format == "csv" {
		read = s.parseCSV
	}
	scan, err := read(ctx, r.Options, want, rows)
	if err != nil {
		return nil, err
	}
	if len(scan.Attrs) == 0 {
		scan = emptyScan(types.Struct{})
	}
	return &plan.Records{Scan: *scan, Input: rows.in, Line: rows.line}, nil
}

func (s *Session) parseJSON(ctx context.Context, options map[string]string, want *types.Struct, rows *lineColumn) (*plan.Scan, error) {
	if err := checkJSONOptions(options); err != nil {
		return nil, err
	}
	d := jsonDialect{mode: readMode(options), corrupt: s.corruptName(options), options: options, rows: rows}
	if want != nil {
		return d.strict(nil, *want), nil
	}
	found, err := s.jsonStructure(ctx, d.texts(nil), rows)
	if err != nil {
		return nil, err
	}
	if flag(options, "primitivesasstring") {
		found = leavesAsText(found).(types.Struct)
	}
	schema, _, err := d.inferred(found)
	return d.strict(nil, schema), err
}

func (s *Session) parseCSV(ctx context.Context, options map[string]string, want *types.Struct, rows *lineColumn) (*plan.Scan, error) {
	d, err := csvOptions(options)
	if err != nil {
		return nil, err
	}
	d.rows = rows
	header := d.header
	d.header = false
	first, found, err := s.firstText(ctx, rows, d.lines(nil))
	if d.header = header; err != nil {
		return nil, err
	}
	rows.header = first
	if want != nil {
		corrupt, err := s.corruptColumn(*want, options)
		return d.byMode(nil, *want, corrupt), err
	}
	if !found {
		return emptyScan(types.Struct{}), nil
	}
	record, err := d.record(strings.NewReader(first))
	if err != nil {
		return nil, err
	}
	schema := textColumns(d.names(record))
	if !d.infer {
		return d.byMode(nil, schema, -1), nil
	}
	guesses, err := s.guessText(ctx, d, nil, len(record))
	if err == nil {
		err = s.confirmText(ctx, table{d.table(nil, len(record)), rows}, guesses, d.candidates())
	}
	for i, g := range guesses {
		schema.Fields[i].Type = g.t
	}
	return d.byMode(nil, schema, -1), err
}

// firstText gives the first of a column's texts, as an expression of lines has them.
func (s *Session) firstText(ctx context.Context, rows *lineColumn, lines string) (string, bool, error) {
	scan := &plan.Scan{SQL: "(SELECT line FROM " + lines + " LIMIT 1) t", Source: []string{"line"}, Attrs: []plan.Attr{{ID: 1, Name: "line", Type: types.String}}}
	batches, err := s.collect(ctx, rows.over(scan))
	if err != nil {
		return "", false, fmt.Errorf("read the first line: %w", err)
	}
	for _, b := range batches {
		if b.NumRows() > 0 {
			return first(b.Column(0)), true, nil
		}
	}
	return "", false, nil
}
