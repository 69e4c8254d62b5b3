package engine

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

// whole tests for a whole number of some digits: text that the number prints as needs no pattern.
func whole(kind string, digits int) string {
	cast := "TRY_CAST(v AS " + kind + ")"
	return fmt.Sprintf("(CASE WHEN CAST(%s AS VARCHAR) = v THEN true ELSE regexp_full_match(v, '[+-]?[0-9]{1,%d}') AND %s IS NOT NULL END)", cast, digits, cast)
}

// candidate is a type that text is tried as, with the test of a value v.
type candidate struct {
	t    types.Type
	test string
}

// candidates are in Spark's order.
var candidates = []candidate{
	{types.Int, whole("INTEGER", 10)},
	{types.Long, whole("BIGINT", 19)},
	{types.Double, "(v IN ('NaN', 'Inf', '-Inf', 'Infinity', '+Infinity', '-Infinity') OR TRY_CAST(v AS DOUBLE) IS NOT NULL AND NOT regexp_matches(lower(v), 'nan|inf'))"},
	{types.Date, "regexp_full_match(v, '[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}') AND TRY_CAST(v AS DATE) IS NOT NULL"},
	{types.Timestamp, "regexp_full_match(v, '[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([ T].*)?') AND TRY_CAST(v AS TIMESTAMPTZ) IS NOT NULL"},
	{types.Boolean, "lower(v) IN ('true', 'false')"},
}

const inferSample = 1000

// guess is the type of a text column as its first rows suggest it.
type guess struct {
	t     types.Type
	blank bool // there was no value: a string, unless one comes
}

// doubt is the engine's test of a value that refutes the guess for column i.
func (g guess) doubt(i int, among []candidate) string {
	if g.blank {
		return fmt.Sprintf("c%d IS NOT NULL", i)
	}
	for _, c := range among {
		if c.t == g.t {
			return fmt.Sprintf("(c%d IS NOT NULL AND NOT (%s))", i, testOf(c.test, i))
		}
	}
	return "false" // a string is never wrong
}

// table is the engine's expression of a table, and the column that it reads, nil where it reads files.
type table struct {
	sql  string
	rows *lineColumn
}

// guessText guesses the types of the columns of CSV files from their first rows; those of plain
// numbers are known.
func (s *Session) guessText(ctx context.Context, d csvDialect, files []string, columns int) ([]guess, error) {
	out := make([]guess, columns)
	var rest []int
	for i := range out {
		var known bool
		if out[i].t, known = plainTypes[d.plainType(i)]; !known {
			rest = append(rest, i)
		}
	}
	if len(rest) == 0 {
		return out, nil
	}
	d.records, d.plain = d.records.head(), nil
	tried, err := s.tryTypes(ctx, table{fmt.Sprintf("(SELECT * FROM %s LIMIT %d)", d.table(files, columns), inferSample), d.rows}, rest, d.candidates())
	for k, g := range tried {
		out[rest[k]] = g
	}
	return out, err
}

// plainTypes are the types of plain columns by the engine's names.
var plainTypes = map[string]types.Type{"INTEGER": types.Int, "DOUBLE": types.Double}

// confirmText corrects guesses by the whole table: one pass finds the columns whose guess fails,
// which are then tried as every type.
func (s *Session) confirmText(ctx context.Context, table table, found []guess, among []candidate) error {
	wrong, err := s.refuted(ctx, table, found, among)
	if err != nil || len(wrong) == 0 {
		return err
	}
	again, err := s.tryTypes(ctx, table, wrong, among)
	if err != nil {
		return err
	}
	for k, i := range wrong {
		found[i] = again[k]
	}
	return nil
}

// tryTypes counts, for each column and candidate, the values that do not fit.
func (s *Session) tryTypes(ctx context.Context, table table, columns []int, among []candidate) ([]guess, error) {
	var list []string
	for _, i := range columns {
		for _, c := range among {
			test := testOf(c.test, i)
			list = append(list, fmt.Sprintf("count(CASE WHEN c%d IS NOT NULL AND NOT (%s) THEN 1 END)", i, test))
		}
		list = append(list, fmt.Sprintf("count(c%d)", i))
	}
	counts, err := s.counts(ctx, list, table)
	if err != nil {
		return nil, err
	}
	out := make([]guess, len(columns))
	width := len(among) + 1
	for k := range columns {
		out[k] = guess{t: types.String, blank: counts[k*width+len(among)] == 0}
		for j, c := range among {
			if !out[k].blank && counts[k*width+j] == 0 {
				out[k].t = c.t
				break
			}
		}
	}
	return out, nil
}

// refuted gives the columns whose guessed type does not fit every value.
func (s *Session) refuted(ctx context.Context, table table, found []guess, among []candidate) ([]int, error) {
	list := make([]string, len(found))
	for i, g := range found {
		list[i] = "count(CASE WHEN " + g.doubt(i, among) + " THEN 1 END)"
	}
	counts, err := s.counts(ctx, list, table)
	if err != nil {
		return nil, err
	}
	var out []int
	for i, n := range counts {
		if n > 0 {
			out = append(out, i)
		}
	}
	return out, nil
}

func (s *Session) counts(ctx context.Context, list []string, from table) ([]int64, error) {
	scan := &plan.Scan{SQL: "(SELECT [" + strings.Join(list, ", ") + "] AS n FROM " + from.sql + ") t", Source: []string{"n"},
		Attrs: []plan.Attr{{ID: 1, Name: "n", Type: types.Array{Elem: types.Long}}}}
	batches, err := s.collect(ctx, from.rows.over(scan))
	if err != nil {
		return nil, err
	}
	for _, b := range batches {
		l, ok := b.Column(0).(*array.List)
		if !ok {
			break
		}
		v, ok := l.ListValues().(*array.Int64)
		if ok && v.Len() == len(list) {
			return v.Int64Values(), nil
		}
	}
	return nil, fmt.Errorf("counting %d columns gave nothing", len(list))
}

// describe asks the engine for a query's columns.
func (s *Session) describe(ctx context.Context, query string) (names, kinds []string, err error) {
	text := func(id int, name string) plan.Attr { return plan.Attr{ID: id, Name: name, Type: types.String} }
	scan := &plan.Scan{SQL: "(DESCRIBE " + query + ") t", Source: []string{"column_name", "column_type"}, Attrs: []plan.Attr{text(1, "n"), text(2, "t")}}
	batches, err := s.collect(ctx, scan)
	if err != nil {
		return nil, nil, err
	}
	for _, b := range batches {
		names, kinds = append(names, texts(b.Column(0))...), append(kinds, texts(b.Column(1))...)
	}
	return names, kinds, nil
}

func texts(a arrow.Array) []string {
	s, ok := a.(*array.String)
	if !ok {
		return nil
	}
	out := make([]string, s.Len())
	for i := range out {
		out[i] = strings.Clone(s.Value(i))
	}
	return out
}

var engineBasic = map[string]types.Type{"BOOLEAN": types.Boolean, "TINYINT": types.Byte, "SMALLINT": types.Short, "INTEGER": types.Int, "BIGINT": types.Long,
	"HUGEINT": types.Decimal{Precision: 38}, "UBIGINT": types.Decimal{Precision: 20}, "FLOAT": types.Float, "DOUBLE": types.Double, "VARCHAR": types.String,
	"BLOB": types.Binary, "JSON": types.String, "UUID": types.String, "DATE": types.String, "TIME": types.String, "TIMESTAMP": types.String,
	"TIMESTAMP WITH TIME ZONE": types.String, "NULL": types.String, `"NULL"`: types.String}

var mapType = regexp.MustCompile(`^MAP\((.*)\)$`)

// engineType reads a type's name as DuckDB's JSON reader infers it; what it takes for dates Spark
// leaves as strings.
func engineType(name string) (types.Type, error) {
	if t, ok := engineBasic[name]; ok {
		return t, nil
	}
	if elem, ok := strings.CutSuffix(name, "[]"); ok {
		t, err := engineType(elem)
		return types.Array{Elem: t, ContainsNull: true}, err
	}
	if body, ok := strings.CutPrefix(name, "STRUCT("); ok {
		st := types.Struct{}
		for _, part := range splitTop(strings.TrimSuffix(body, ")")) {
			field, kind := cutName(strings.TrimSpace(part))
			t, err := engineType(kind)
			if err != nil {
				return nil, err
			}
			st.Fields = append(st.Fields, types.Field{Name: field, Type: t, Nullable: true})
		}
		return st, nil
	}
	if m := mapType.FindStringSubmatch(name); m != nil {
		parts := splitTop(m[1])
		if len(parts) == 2 {
			v, err := engineType(strings.TrimSpace(parts[1]))
			return types.Map{Key: types.String, Value: v, ValueContainsNull: true}, err
		}
	}
	return nil, sparkerr.Unsupported("data of the type %s", name)
}

// splitTop splits at commas outside parentheses and quotes.
func splitTop(s string) []string {
	var out []string
	depth, start, quoted := 0, 0, false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '(':
			depth++
		case c == ')':
			depth--
		case c == ',' && depth == 0:
			out, start = append(out, s[start:i]), i+1
		}
	}
	return append(out, s[start:])
}

func cutName(s string) (name, rest string) {
	if strings.HasPrefix(s, `"`) {
		if end := strings.Index(s[1:], `"`); end >= 0 {
			return s[1 : end+1], strings.TrimSpace(s[end+2:])
		}
	}
	name, rest, _ = strings.Cut(s, " ")
	return name, rest
}

var valueWord = regexp.MustCompile(`\bv\b`)

// testOf puts a column's name into a candidate's test.
func testOf(test string, column int) string {
	return valueWord.ReplaceAllString(test, fmt.Sprintf("c%d", column))
}
