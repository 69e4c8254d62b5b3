package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"sort"
	"strings"

	"github.com/millpond/millpond/internal/compile"
	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

// jsonDialect is what the options say of JSON files.
type jsonDialect struct {
	mode, corrupt string
	multiline     bool
	longest       int // line to expect
	options       map[string]string
}

func (d jsonDialect) format() string {
	if d.multiline {
		return "auto"
	}
	return "newline_delimited"
}

// scanJSON reads JSON. The engine's own reader takes what is known to be well-formed, which is
// what a schema was inferred from; any other record is read one by one by Spark's rules.
func (s *Session) scanJSON(ctx context.Context, r *plan.Read, files []string) (*plan.Scan, error) {
	want, err := userSchema(r.Schema)
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return emptyScan(*want), nil
	}
	d := jsonDialect{mode: readMode(r.Options), corrupt: s.corruptName(r.Options), multiline: flag(r.Options, "multiline"), options: r.Options}
	if !d.multiline {
		if d.longest, err = s.lineLimit(files); err != nil {
			return nil, err
		}
	}
	if want != nil {
		if _, err := s.corruptColumn(*want, r.Options); err != nil {
			return nil, err
		}
		return d.strict(files, *want), nil
	}
	found, err := s.e.files.get(fmt.Sprintf("json %t %s", d.multiline, stamp(files)), func() (types.Struct, error) { return s.jsonSchema(ctx, d, files) })
	if err != nil {
		return nil, err
	}
	if schema, malformed := d.inferred(found); malformed {
		if d.mode == "FAILFAST" {
			return nil, sparkerr.New(sparkerr.ClassSpark, "MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION", "badRecord", "_corrupt_record", "failFastMode", "FAILFAST")
		}
		return d.strict(files, schema), nil
	}
	cols := make([]string, len(found.Fields))
	scan := &plan.Scan{Attrs: attrsOf(found)}
	for i, f := range found.Fields {
		cols[i] = quoteSQL(f.Name) + ": " + quoteSQL(fileTypeSQL(f.Type))
		scan.Source = append(scan.Source, quoteName(f.Name))
	}
	scan.SQL = fmt.Sprintf("read_json(%s, format='%s', columns={%s})", listSQL(files), d.format(), strings.Join(cols, ", "))
	return scan, nil
}

// malformedMark marks, among a found schema's fields, that there are malformed records.
const malformedMark = "\x00malformed"

// inferred gives the schema that Spark would infer, and whether records are malformed: where they
// are not dropped, a column is to hold them.
func (d jsonDialect) inferred(found types.Struct) (types.Struct, bool) {
	out := types.Struct{}
	malformed := false
	for _, f := range found.Fields {
		if f.Name == malformedMark {
			malformed = true
			continue
		}
		out.Fields = append(out.Fields, f)
	}
	if malformed && d.mode == "PERMISSIVE" && out.Index(d.corrupt) < 0 {
		out.Fields = append(out.Fields, types.Field{Name: d.corrupt, Type: types.String, Nullable: true})
	}
	sort.Slice(out.Fields, func(i, j int) bool { return out.Fields[i].Name < out.Fields[j].Name })
	return out, malformed
}

// texts is the engine's expression for the texts that hold records: lines, or whole files.
func (d jsonDialect) texts(files []string) string {
	if d.multiline {
		return "(SELECT content AS line, filename FROM read_text(" + listSQL(files) + ") WHERE trim(content) <> '') l"
	}
	return "(SELECT line, filename FROM " + lineReader(files, false, d.longest) + " WHERE line IS NOT NULL AND trim(line) <> '') l"
}

// strict reads records one by one, where what is wrong with them matters.
func (d jsonDialect) strict(files []string, schema types.Struct) *plan.Scan {
	o := map[string]string{"mode": d.mode, "columnnameofcorruptrecord": d.corrupt}
	for _, k := range []string{"dateformat", "timestampformat", "timezone"} {
		if v, ok := d.options[k]; ok {
			o[k] = v
		}
	}
	text, _ := json.Marshal(o) // of texts, so it cannot fail
	options := "CAST(json_merge_patch(json_object('timezone', current_setting('TimeZone')), " + quoteSQL(string(text)) + ") AS VARCHAR)"
	list := "spark_json_records(line, " + quoteSQL(types.ToJSON(schema)) + ", " + options + ")"
	if d.mode == "FAILFAST" {
		list = "(CASE WHEN len(" + list + ") = 0 THEN " + sparkerr.Raise("FAILED_READ_FILE.NO_HINT", "'file://' || filename", "line") + " ELSE " + list + " END)"
	}
	scan := &plan.Scan{Attrs: attrsOf(schema), SQL: "(SELECT CAST(CAST(r AS JSON) AS " + compile.TypeSQL(schema) + ") AS r FROM (SELECT unnest(" + list + ") AS r FROM " + d.texts(files) + ")) t"}
	for i, f := range schema.Fields {
		scan.Source = append(scan.Source, fmt.Sprintf("r.f%d", i))
		if f.Name == d.corrupt {
			scan.Corrupt = f.Name
		}
	}
	return scan
}

// jsonSchema infers the types of JSON records. Where some are malformed, a field of that name says
// so.
func (s *Session) jsonSchema(ctx context.Context, d jsonDialect, files []string) (types.Struct, error) {
	read := func(skip bool) string {
		return fmt.Sprintf("SELECT * FROM read_json(%s, format='%s', sample_size=-1, convert_strings_to_integers=false, maximum_depth=-1, ignore_errors=%t)", listSQL(files), d.format(), skip)
	}
	malformed := false
	names, kinds, err := s.describe(ctx, read(false))
	if err != nil && !d.multiline {
		malformed = true
		names, kinds, err = s.describe(ctx, read(true))
	}
	if err != nil {
		return types.Struct{}, err
	}
	schema := types.Struct{}
	for i := range names {
		t, err := engineType(kinds[i])
		if err != nil {
			return types.Struct{}, err
		}
		schema.Fields = append(schema.Fields, types.Field{Name: names[i], Type: t, Nullable: true})
	}
	sort.Slice(schema.Fields, func(i, j int) bool { return schema.Fields[i].Name < schema.Fields[j].Name })
	if malformed {
		schema.Fields = append(schema.Fields, types.Field{Name: malformedMark, Type: types.String})
	}
	return schema, nil
}
