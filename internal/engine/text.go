package engine

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

// compressedLines is the engine's expression for the lines of files of which some are compressed.
func (s *Session) compressedLines(r *plan.Read, files []string) (string, error) {
	if r.Options["linesep"] != "" || flag(r.Options, "wholetext") {
		return "", sparkerr.Unsupported("the options lineSep and wholetext of compressed text")
	}
	longest, err := s.lineLimit(files)
	if err != nil {
		return "", err
	}
	return "(SELECT filename, coalesce(line, '') AS value FROM " + lineReader(files, false, longest) + ") t", nil
}

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
	table := fmt.Sprintf("(SELECT filename, %s AS value FROM (SELECT filename, content FROM read_text(%s) WHERE content <> '')) t", lines, listSQL(files))
	if slices.ContainsFunc(files, func(f string) bool { return strings.HasSuffix(f, ".gz") }) {
		if table, err = s.compressedLines(r, files); err != nil {
			return nil, err
		}
	}
	return &plan.Scan{SQL: table,
		Source: []string{"value"}, Attrs: []plan.Attr{{Name: name, Type: types.String, Nullable: true}}}, nil
}
