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

// candidates are the types that text is tried as, in Spark's order, with the test of a value v.
var candidates = []struct {
	t    types.Type
	test string
}{
	{types.Int, "regexp_full_match(v, '[+-]?[0-9]{1,10}') AND TRY_CAST(v AS INTEGER) IS NOT NULL"},
	{types.Long, "regexp_full_match(v, '[+-]?[0-9]{1,19}') AND TRY_CAST(v AS BIGINT) IS NOT NULL"},
	{types.Double, "(v IN ('NaN', 'Inf', '-Inf', 'Infinity', '+Infinity', '-Infinity') OR TRY_CAST(v AS DOUBLE) IS NOT NULL AND NOT regexp_matches(lower(v), 'nan|inf'))"},
	{types.Date, "regexp_full_match(v, '[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}') AND TRY_CAST(v AS DATE) IS NOT NULL"},
	{types.Timestamp, "regexp_full_match(v, '[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([ T].*)?') AND TRY_CAST(v AS TIMESTAMPTZ) IS NOT NULL"},
	{types.Boolean, "lower(v) IN ('true', 'false')"},
}

const inferSample = 5000

// inferText finds the types of text columns c0, c1... of a table. The first rows give a guess, the
// whole table confirms it in one pass; a column whose guess fails is tried as every type.
func (s *Session) inferText(ctx context.Context, table string, columns int) ([]types.Type, error) {
	every := make([]int, columns)
	for i := range every {
		every[i] = i
	}
	found, err := s.tryTypes(ctx, fmt.Sprintf("(SELECT * FROM %s LIMIT %d)", table, inferSample), every)
	if err != nil {
		return nil, err
	}
	wrong, err := s.refuted(ctx, table, found)
	if err != nil || len(wrong) == 0 {
		return found, err
	}
	again, err := s.tryTypes(ctx, table, wrong)
	if err != nil {
		return nil, err
	}
	for k, i := range wrong {
		found[i] = again[k]
	}
	return found, nil
}

// tryTypes counts, for each column and candidate, the values that do not fit.
func (s *Session) tryTypes(ctx context.Context, table string, columns []int) ([]types.Type, error) {
	var list []string
	for _, i := range columns {
		for _, c := range candidates {
			test := testOf(c.test, i)
			list = append(list, fmt.Sprintf("count(CASE WHEN c%d IS NOT NULL AND NOT (%s) THEN 1 END)", i, test))
		}
		list = append(list, fmt.Sprintf("count(c%d)", i))
	}
	counts, err := s.counts(ctx, list, table)
	if err != nil {
		return nil, err
	}
	out := make([]types.Type, len(columns))
	width := len(candidates) + 1
	for k := range columns {
		out[k] = types.String
		if counts[k*width+len(candidates)] == 0 {
			continue // no value at all
		}
		for j, c := range candidates {
			if counts[k*width+j] == 0 {
				out[k] = c.t
				break
			}
		}
	}
	return out, nil
}

// refuted gives the columns whose guessed type does not fit every value; a guess of string that
// came from no values is refuted by any value.
func (s *Session) refuted(ctx context.Context, table string, guess []types.Type) ([]int, error) {
	list := make([]string, len(guess))
	for i, t := range guess {
		list[i] = "0"
		for _, c := range candidates {
			if c.t == t {
				list[i] = fmt.Sprintf("count(CASE WHEN c%d IS NOT NULL AND NOT (%s) THEN 1 END)", i, testOf(c.test, i))
			}
		}
		if t == types.String {
			list[i] = fmt.Sprintf("(CASE WHEN (SELECT count(c%d) FROM (SELECT c%d FROM %s LIMIT %d)) = 0 THEN count(c%d) ELSE 0 END)", i, i, table, inferSample, i)
		}
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

func (s *Session) counts(ctx context.Context, list []string, table string) ([]int64, error) {
	scan := &plan.Scan{SQL: "(SELECT [" + strings.Join(list, ", ") + "] AS n FROM " + table + ") t", Source: []string{"n"},
		Attrs: []plan.Attr{{ID: 1, Name: "n", Type: types.Array{Elem: types.Long}}}}
	batches, err := s.collect(ctx, scan)
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
