package engine

import (
	"context"
	"fmt"
	"unicode/utf8"

	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

// scanText makes a row a line.
func (s *Session) scanText(_ context.Context, r *plan.Read, files []string) (*plan.Scan, error) {
	lines := `unnest(string_split(regexp_replace(replace(content, E'\r\n', E'\n'), E'\n$', ''), E'\n'))`
	if sep := r.Options["linesep"]; sep != "" {
		lines = fmt.Sprintf("unnest(string_split(CASE WHEN ends_with(content, %[1]s) THEN content[:-%[2]d] ELSE content END, %[1]s))", quoteSQL(sep), utf8.RuneCountInString(sep)+1)
	}
	if flag(r.Options, "wholetext") {
		lines = "content"
	}
	name := "value"
	want, err := userSchema(r.Schema)
	if err != nil {
		return nil, err
	}
	if want != nil { // one column, called as the reader wishes
		if len(want.Fields) != 1 || !types.IsString(want.Fields[0].Type) {
			return nil, sparkerr.Plain(sparkerr.ClassAnalysis, "Text data source supports only a single column of strings, and you have %d columns.", len(want.Fields))
		}
		name = want.Fields[0].Name
	}
	if len(files) == 0 {
		return emptyScan(types.Struct{Fields: []types.Field{{Name: name, Type: types.String}}}), nil
	}
	return &plan.Scan{SQL: fmt.Sprintf("(SELECT %s AS value, filename FROM (SELECT content, filename FROM read_text(%s) WHERE content <> '')) t", lines, listSQL(files)),
		Source: []string{"value"}, Attrs: []plan.Attr{{Name: name, Type: types.String, Nullable: true}}}, nil
}
