package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"sort"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/millpond/millpond/internal/compile"
	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

// jsonDialect is what the options say of JSON files.
type jsonDialect struct {
	mode, corrupt string
	multiline     bool
	longest       int         // line to expect
	rows          *lineColumn // where records lie, nil for files
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
	if err := checkJSONOptions(r.Options); err != nil {
		return nil, err
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
	if flag(r.Options, "primitivesasstring") {
		found = leavesAsText(found).(types.Struct)
	}
	if len(found.Fields) == 0 {
		return emptyScan(found), nil
	}
	if schema, strict, err := d.inferred(found); strict || err != nil {
		return d.strict(files, schema), err
	}
	cols := make([]string, len(found.Fields))
	scan := &plan.Scan{Attrs: attrsOf(found)}
	for i, f := range found.Fields {
		cols[i] = quoteSQL(f.Name) + ": " + quoteSQL(fileTypeSQL(f.Type))
		scan.Source = append(scan.Source, quoteName(f.Name))
	}
	scan.SQL = fmt.Sprintf("read_json(%s, hive_partitioning=false, format='%s', columns={%s})", listSQL(files), d.format(), strings.Join(cols, ", "))
	return scan, nil
}

// unusualJSON are Spark's options for JSON that would change an answer and are not known here.
var unusualJSON = []string{"inferTimestamp", "prefersDecimal", "dropFieldIfAllNull", "allowUnquotedFieldNames", "allowComments", "allowNumericLeadingZeros",
	"allowBackslashEscapingAnyCharacter", "allowUnquotedControlChars", "lineSep", "encoding", "charset"}

func checkJSONOptions(options map[string]string) error {
	for _, name := range unusualJSON {
		switch v := strings.ToLower(options[strings.ToLower(name)]); v {
		case "", "false", "\n", "utf-8", "utf8":
		default:
			return sparkerr.Unsupported("the JSON option %s", name)
		}
	}
	return nil
}

// leavesAsText makes plain values texts, within lists and structs too.
func leavesAsText(t types.Type) types.Type {
	switch t := t.(type) {
	case types.Array:
		return types.Array{Elem: leavesAsText(t.Elem), ContainsNull: t.ContainsNull}
	case types.Struct:
		out := types.Struct{}
		for _, f := range t.Fields {
			f.Type = leavesAsText(f.Type)
			out.Fields = append(out.Fields, f)
		}
		return out
	}
	return types.String
}

// malformedMark marks, among a found schema's fields, that there are malformed records; looseMark, that
// there are some which only Spark's rules can read.
const malformedMark, looseMark = "\x00malformed", "\x00loose"

// inferred gives the schema that Spark would infer, where a column is to hold malformed records that
// are not dropped, and whether records are to be read one by one.
func (d jsonDialect) inferred(found types.Struct) (schema types.Struct, strict bool, err error) {
	out, malformed := types.Struct{}, false
	for _, f := range found.Fields {
		switch f.Name {
		case malformedMark:
			malformed, strict = true, true
		case looseMark:
			strict = true
		default:
			out.Fields = append(out.Fields, f)
		}
	}
	if malformed && d.mode == "FAILFAST" {
		return out, true, sparkerr.New(sparkerr.ClassSpark, "MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION", "badRecord", "_corrupt_record", "failFastMode", "FAILFAST")
	}
	if malformed && d.mode == "PERMISSIVE" && out.Index(d.corrupt) < 0 {
		out.Fields = append(out.Fields, types.Field{Name: d.corrupt, Type: types.String, Nullable: true})
	}
	sort.Slice(out.Fields, func(i, j int) bool { return out.Fields[i].Name < out.Fields[j].Name })
	return out, strict, nil
}

// texts is the engine's expression for the texts that hold records: lines, or whole files.
func (d jsonDialect) texts(files []string) string {
	if d.rows != nil { // one that is null is malformed
		return "(SELECT coalesce(line, '') AS line, filename FROM " + plan.LinesMark + " WHERE line IS NULL OR trim(line) <> '') l"
	}
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
	records := "spark_json_records(line, " + quoteSQL(types.ToJSON(schema)) + ", " + options + ")"
	list := "records"
	if d.mode == "FAILFAST" {
		list = "(CASE WHEN len(records) = 0 THEN " + d.rows.malformed(len(schema.Fields)) + " ELSE records END)"
	}
	scan := &plan.Scan{Attrs: attrsOf(schema), SQL: "(SELECT CAST(CAST(r AS JSON) AS " + compile.TypeSQL(schema) + ") AS r, filename FROM (SELECT unnest(" + list + ") AS r, filename FROM (SELECT line, filename, " + records + " AS records FROM " + d.texts(files) + "))) t"}
	for i, f := range schema.Fields {
		scan.Source = append(scan.Source, fmt.Sprintf("r.f%d", i))
		if f.Name == d.corrupt {
			scan.Corrupt = f.Name
		}
	}
	return scan
}

// jsonSchema infers the types of JSON records. Where the engine cannot read them all, they are looked
// at one by one; a field of that name says that some are malformed.
func (s *Session) jsonSchema(ctx context.Context, d jsonDialect, files []string) (types.Struct, error) {
	if empty(files) {
		return types.Struct{}, nil
	}
	names, kinds, err := s.describe(ctx, fmt.Sprintf("SELECT * FROM read_json(%s, hive_partitioning=false, format='%s', sample_size=-1, convert_strings_to_integers=false, maximum_depth=-1, map_inference_threshold=-1, field_appearance_threshold=0)", listSQL(files), d.format()))
	if err != nil {
		return s.jsonStructure(ctx, d.texts(files), nil)
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
	return schema, nil
}

// jsonStructure infers the types of records that are not all plain JSON.
func (s *Session) jsonStructure(ctx context.Context, texts string, rows *lineColumn) (types.Struct, error) {
	query := "(SELECT CAST(json_group_structure(j) AS VARCHAR) AS s, CAST(count(*) > count(j) AS VARCHAR) AS m FROM (SELECT unnest(CASE WHEN json_type(j) = 'ARRAY' THEN json_extract(j, '$[*]') ELSE [j] END) AS j FROM (SELECT CAST(spark_json_sample(line) AS JSON) AS j FROM " + texts + "))) t"
	scan := &plan.Scan{SQL: query, Source: []string{"s", "m"}, Attrs: []plan.Attr{{ID: 1, Name: "s", Type: types.String}, {ID: 2, Name: "m", Type: types.String}}}
	batches, err := s.collect(ctx, rows.over(scan))
	if err != nil || len(batches) == 0 {
		return types.Struct{}, err
	}
	t, err := structureType([]byte(first(batches[0].Column(0))))
	if err != nil {
		return types.Struct{}, err
	}
	schema, _ := t.(types.Struct)
	if first(batches[0].Column(1)) == "true" {
		schema.Fields = append(schema.Fields, types.Field{Name: malformedMark, Type: types.String})
	} else { // to be read one by one all the same
		schema.Fields = append(schema.Fields, types.Field{Name: looseMark, Type: types.String})
	}
	return schema, nil
}

func first(a arrow.Array) string {
	if list := texts(a); len(list) > 0 {
		return list[0]
	}
	return ""
}

// structureType reads a type as the engine describes the structure of JSON: an object of types, a
// list of one, or a name.
func structureType(raw []byte) (types.Type, error) {
	var fields map[string]json.RawMessage
	if json.Unmarshal(raw, &fields) == nil && fields != nil {
		st := types.Struct{}
		for name, f := range fields {
			t, err := structureType(f)
			if err != nil {
				return nil, err
			}
			st.Fields = append(st.Fields, types.Field{Name: name, Type: t, Nullable: true})
		}
		sort.Slice(st.Fields, func(i, j int) bool { return st.Fields[i].Name < st.Fields[j].Name })
		return st, nil
	}
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) == nil && len(list) == 1 {
		t, err := structureType(list[0])
		return types.Array{Elem: t, ContainsNull: true}, err
	}
	var name string
	if json.Unmarshal(raw, &name) != nil {
		return types.String, nil // of nothing
	}
	if name == "UBIGINT" { // a whole number that is not negative
		return types.Long, nil
	}
	return engineType(name)
}
