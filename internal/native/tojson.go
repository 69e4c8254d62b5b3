package native

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/millpond/millpond/internal/types"
)

// toJSON prints the engine's JSON of a value, whose fields are called by their place, as Spark's
// to_json does: names put back, null fields left out.
func toJSON(text, schema, options string) (Value, error) {
	t, err := schemaOf(schema)
	if err != nil {
		return null(), err
	}
	p := newPrinter(options)
	return s(p.json([]byte(text), t, "")), nil
}

type printer struct {
	options map[string]string
	loc     *time.Location
	keep    bool // null fields too
	pretty  bool
}

func newPrinter(options string) *printer {
	o := optionsOf(options)
	p := &printer{options: o, loc: time.UTC, keep: strings.EqualFold(o["ignorenullfields"], "false"), pretty: strings.EqualFold(o["pretty"], "true")}
	if z, err := zone(o["timezone"]); err == nil {
		p.loc = z
	}
	return p
}

func (p *printer) join(open, closing string, parts []string, indent string) string {
	if !p.pretty {
		return open + strings.Join(parts, ",") + closing
	}
	if len(parts) == 0 {
		return open + " " + closing
	}
	if open == "[" {
		return "[ " + strings.Join(parts, ", ") + " ]"
	}
	return open + "\n" + indent + "  " + strings.Join(parts, ",\n"+indent+"  ") + "\n" + indent + closing
}

func (p *printer) json(raw []byte, t types.Type, indent string) string {
	raw = bytes.TrimSpace(raw)
	if string(raw) == "null" {
		return "null"
	}
	colon := ":"
	if p.pretty {
		colon = " : "
	}
	switch t := t.(type) {
	case *types.UDT:
		return p.json(raw, t.SQLType, indent)
	case types.Struct:
		_, values, _ := object(raw)
		var parts []string
		for k, v := range values {
			if k >= len(t.Fields) || string(v) == "null" && !p.keep {
				continue
			}
			parts = append(parts, JSONText(t.Fields[k].Name)+colon+p.json(v, t.Fields[k].Type, indent+"  "))
		}
		return p.join("{", "}", parts, indent)
	case types.Map:
		keys, values, _ := object(raw)
		parts := make([]string, len(keys))
		for k := range keys {
			parts[k] = JSONText(keys[k]) + colon + p.json(values[k], t.Value, indent+"  ")
		}
		return p.join("{", "}", parts, indent)
	case types.Array:
		var list []json.RawMessage
		if json.Unmarshal(raw, &list) != nil {
			return "[]"
		}
		parts := make([]string, len(list))
		for k := range list {
			parts[k] = p.json(list[k], t.Elem, indent)
		}
		return p.join("[", "]", parts, indent)
	}
	text, quote := p.text(raw, t)
	if quote {
		return JSONText(text)
	}
	return text
}

// text prints a plain value; quote says whether JSON puts quotes around it.
func (p *printer) text(raw []byte, t types.Type) (text string, quote bool) {
	text = string(raw)
	if len(raw) > 0 && raw[0] == '"' {
		if json.Unmarshal(raw, &text) != nil {
			text = string(raw)
		}
	}
	switch t {
	case types.Double, types.Float:
		v, err := strconv.ParseFloat(text, 64)
		if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
			return map[bool]string{true: "NaN", false: text}[math.IsNaN(v)], true
		}
		bits := 64
		if t == types.Float {
			bits = 32
		}
		return types.FormatDouble(v, bits), false
	case types.Timestamp:
		if at, err := readInstant(text); err == nil {
			return p.print(at.In(p.loc), "timestampformat", "yyyy-MM-dd'T'HH:mm:ss.SSSXXX"), true
		}
	case types.TimestampNTZ:
		if at, err := readInstant(text); err == nil {
			return p.print(at, "timestampntzformat", "yyyy-MM-dd'T'HH:mm:ss.SSS"), true
		}
	case types.Date:
		if at, err := time.Parse("2006-01-02", text); err == nil {
			return p.print(at, "dateformat", "yyyy-MM-dd"), true
		}
	}
	return text, !(types.IsNumeric(t) || t == types.Boolean)
}

func (p *printer) print(t time.Time, option, format string) string {
	if f := p.options[option]; f != "" {
		format = f
	}
	pt, err := patternOf(format)
	if err != nil {
		return t.Format(time.RFC3339)
	}
	return pt.format(t)
}

func readInstant(text string) (time.Time, error) {
	var t time.Time
	var err error
	for _, layout := range []string{"2006-01-02 15:04:05.999999-07", "2006-01-02 15:04:05.999999-07:00", "2006-01-02 15:04:05.999999"} {
		if t, err = time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	return t, err
}

// plain prints a value as a cast to string does: [1, 2], {a -> 1}, {1, a}.
func (p *printer) plain(v json.RawMessage, t types.Type) string {
	if string(v) == "null" {
		return "null"
	}
	switch t := t.(type) {
	case types.Array:
		var list []json.RawMessage
		_ = json.Unmarshal(v, &list) // the engine made it
		parts := make([]string, len(list))
		for i, x := range list {
			parts[i] = p.plain(x, t.Elem)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case types.Map:
		keys, values, _ := object(v)
		for i := range keys {
			keys[i] += " -> " + p.plain(values[i], t.Value)
		}
		return "{" + strings.Join(keys, ", ") + "}"
	case types.Struct:
		_, values, _ := object(v)
		parts := make([]string, len(values))
		for i, x := range values {
			parts[i] = p.plain(x, t.Fields[i].Type)
		}
		return "{" + strings.Join(parts, ", ") + "}"
	}
	text, _ := p.text(v, t)
	return text
}

// toCSV prints a struct's fields as a CSV line.
func toCSV(text, schema, options string) (Value, error) {
	t, err := schemaOf(schema)
	if err != nil {
		return null(), err
	}
	st, ok := t.(types.Struct)
	if !ok {
		return null(), fmt.Errorf("to_csv of %s", t.SimpleString())
	}
	p := newPrinter(options)
	_, values, _ := object([]byte(text))
	parts := make([]string, len(values))
	for k, v := range values {
		if string(v) == "null" {
			parts[k] = p.options["nullvalue"]
			continue
		}
		switch st.Fields[k].Type.(type) {
		case types.Array, types.Map, types.Struct:
			parts[k] = p.plain(v, st.Fields[k].Type)
		default:
			parts[k], _ = p.text(v, st.Fields[k].Type)
		}
	}
	var b strings.Builder
	w := csv.NewWriter(&b)
	if sep := p.options["sep"]; sep != "" {
		w.Comma = []rune(sep)[0]
	}
	if err := w.Write(parts); err != nil {
		return null(), err
	}
	w.Flush()
	return s(strings.TrimSuffix(b.String(), "\n")), w.Error()
}

// fromCSV reads a CSV line into the JSON that the engine casts to the schema's type.
func fromCSV(text, schema, options string) (Value, error) {
	t, err := schemaOf(schema)
	if err != nil {
		return null(), err
	}
	st, ok := t.(types.Struct)
	if !ok {
		return null(), fmt.Errorf("from_csv to %s", t.SimpleString())
	}
	o := optionsOf(options)
	r := csv.NewReader(strings.NewReader(text))
	r.LazyQuotes, r.FieldsPerRecord = true, -1
	if sep := o["sep"] + o["delimiter"]; sep != "" {
		r.Comma = []rune(sep)[0]
	}
	record, err := r.Read()
	if err != nil {
		record = nil
	}
	c := converter{options: o, loc: time.UTC}
	if z, err := zone(o["timezone"]); err == nil {
		c.loc = z
	}
	parts := make([]string, len(st.Fields))
	for k, f := range st.Fields {
		parts[k] = fmt.Sprintf(`"f%d":null`, k)
		if k >= len(record) || record[k] == o["nullvalue"] {
			continue
		}
		cell := record[k]
		if !types.IsString(f.Type) || strings.EqualFold(o["ignoreleadingwhitespace"], "true") {
			cell = strings.TrimSpace(cell)
		}
		if v, ok := c.fromText(cell, f.Type); ok {
			parts[k] = fmt.Sprintf(`"f%d":%s`, k, v)
		}
	}
	return s("{" + strings.Join(parts, ",") + "}"), nil
}
