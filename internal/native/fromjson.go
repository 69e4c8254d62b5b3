package native

import (
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

var schemas, optionSets sync.Map

func schemaOf(text string) (types.Type, error) {
	if t, ok := schemas.Load(text); ok {
		return t.(types.Type), nil
	}
	t, err := types.FromJSON([]byte(text))
	if err != nil {
		return nil, err
	}
	schemas.Store(text, t)
	return t, nil
}

// optionsOf reads options given as a JSON object.
func optionsOf(text string) map[string]string {
	if o, ok := optionSets.Load(text); ok {
		return o.(map[string]string)
	}
	raw, out := map[string]string{}, map[string]string{}
	if json.Unmarshal([]byte(text), &raw) == nil {
		for k, v := range raw {
			out[strings.ToLower(k)] = v
		}
	}
	optionSets.Store(text, out)
	return out
}

// fromJSON turns a text into JSON that the engine casts to the schema's type: fields are called
// by their place (f0), values that do not fit are null. A malformed text is a row of nulls.
func fromJSON(text, schema, options string) (Value, error) {
	t, err := schemaOf(schema)
	if err != nil {
		return null(), err
	}
	c := newConverter(options)
	raw := json.RawMessage(strings.TrimSpace(text))
	st, isStruct := t.(types.Struct)
	if a, isList := t.(types.Array); isList && len(raw) > 0 && raw[0] == '{' { // one object is a list of it
		if _, of := a.Elem.(types.Struct); of {
			raw = append(append(json.RawMessage("["), raw...), ']')
		}
	}
	if raw, ok := plainJSON(raw, "", c.options); ok {
		if out, ok := c.value(raw, t); ok {
			return s(out), nil
		}
	}
	if strings.EqualFold(c.options["mode"], "FAILFAST") {
		return null(), sparkerr.Raised("MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION", text, "FAILFAST")
	}
	if isStruct && len(raw) > 0 {
		return s(c.malformed(st, "")), nil
	}
	return null(), nil
}

// jsonRecords reads the records of a text, an object or a list of objects, as fromJSON reads one.
// A record that is malformed, or that has a value which does not fit, fills the column that the
// option names; in other modes than PERMISSIVE it is left out.
func jsonRecords(text, schema, options string) (Value, error) {
	t, err := schemaOf(schema)
	if err != nil {
		return null(), err
	}
	st, ok := t.(types.Struct)
	if !ok {
		return null(), fmt.Errorf("JSON records of the type %s", t.SimpleString())
	}
	c := newConverter(options)
	raw := json.RawMessage(strings.TrimSpace(text))
	var records []json.RawMessage
	if raw, ok = plainJSON(raw, "", c.options); ok {
		switch raw[0] {
		case '{':
			records = []json.RawMessage{raw}
		case '[':
			ok = json.Unmarshal(raw, &records) == nil
		default:
			ok = false
		}
	}
	if !ok {
		records = []json.RawMessage{nil}
	}
	var out []string
	for _, r := range records {
		c.unfit = false
		row, ok := "", len(r) > 0
		if ok {
			row, ok = c.row(r, st)
		}
		switch {
		case ok && !c.unfit:
			out = append(out, row)
		case c.options["mode"] != "PERMISSIVE":
		case !ok:
			out = append(out, c.malformed(st, text))
		default:
			c.record = text
			row, _ = c.row(r, st)
			out = append(out, row)
		}
	}
	return texts(out), nil
}

type converter struct {
	options map[string]string
	loc     *time.Location
	unfit   bool   // was there a value that did not fit?
	record  string // what the column for malformed records is to hold
}

func newConverter(options string) *converter {
	o := optionsOf(options)
	c := &converter{options: o, loc: time.UTC}
	if z, err := zone(o["timezone"]); err == nil {
		c.loc = z
	}
	return c
}

// malformed gives a row of nulls that holds a record's text.
func (c *converter) malformed(t types.Struct, record string) string {
	parts := make([]string, len(t.Fields))
	for k, f := range t.Fields {
		parts[k] = fmt.Sprintf(`"f%d":null`, k)
		if record != "" && f.Name == c.options["columnnameofcorruptrecord"] {
			parts[k] = fmt.Sprintf(`"f%d":%s`, k, JSONText(record))
		}
	}
	return "{" + strings.Join(parts, ",") + "}"
}

// value converts one JSON value; false if it does not fit the type.
func (c *converter) value(raw json.RawMessage, t types.Type) (string, bool) {
	if string(raw) == "null" {
		return "null", true
	}
	switch t := t.(type) {
	case types.Struct:
		return c.row(raw, t)
	case types.Array:
		var list []json.RawMessage
		if json.Unmarshal(raw, &list) != nil {
			return "", false
		}
		parts := make([]string, len(list))
		for k, x := range list {
			v, ok := c.value(x, t.Elem)
			if !ok {
				return "", false
			}
			parts[k] = v
		}
		return "[" + strings.Join(parts, ",") + "]", true
	case types.Map:
		keys, values, ok := object(raw)
		if !ok {
			return "", false
		}
		parts := make([]string, len(keys))
		for k := range keys {
			v, ok := c.value(values[k], t.Value)
			if !ok {
				return "", false
			}
			parts[k] = JSONText(keys[k]) + ":" + v
		}
		return "{" + strings.Join(parts, ",") + "}", true
	}
	return c.scalar(raw, t)
}

// row converts an object. It is known to be JSON.
func (c *converter) row(raw json.RawMessage, t types.Struct) (string, bool) {
	if raw[0] != '{' {
		return "", false
	}
	record := c.record // the column for it is the outermost record's
	c.record = ""
	values, place := make([]string, len(t.Fields)), 0
	members(raw, func(key string, value json.RawMessage) {
		for range t.Fields { // most often the fields come in order
			if place >= len(t.Fields) {
				place = 0
			}
			place++
			if f := t.Fields[place-1]; f.Name == key {
				v, ok := c.value(value, f.Type)
				if !ok {
					c.unfit, v = true, ""
				}
				values[place-1] = v
				return
			}
		}
	})
	size := 2
	for _, v := range values {
		size += len(v) + 12
	}
	out := make([]byte, 0, size)
	for k, f := range t.Fields {
		out = append(out, ",{"[bit(k == 0)])
		out = append(out, '"', 'f')
		out = strconv.AppendInt(out, int64(k), 10)
		out = append(out, '"', ':')
		switch {
		case record != "" && f.Name == c.options["columnnameofcorruptrecord"]:
			out = append(out, JSONText(record)...)
		case values[k] == "":
			out = append(out, "null"...)
		default:
			out = append(out, values[k]...)
		}
	}
	if len(t.Fields) == 0 {
		out = append(out, '{')
	}
	return string(append(out, '}')), true
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (c *converter) scalar(raw json.RawMessage, t types.Type) (string, bool) {
	var text string
	quoted := raw[0] == '"'
	switch {
	case quoted && types.IsString(t):
		return string(raw), true
	case quoted:
		text = unquoted(raw)
	default:
		text = string(raw)
	}
	switch {
	case types.IsString(t):
		return JSONText(text), true
	case !quoted && t == types.Double && (raw[0] == '-' || raw[0] >= '0' && raw[0] <= '9'):
		return text, true
	}
	if !quoted && (raw[0] == '{' || raw[0] == '[') {
		return "", false
	}
	if quoted && types.IsNumeric(t) && !types.IsFractional(t) {
		if _, dec := t.(types.Decimal); !dec {
			return "", false
		}
	}
	if !quoted && (types.IsDatetime(t) || t == types.Binary) {
		return "", false
	}
	if quoted && t == types.Boolean {
		return "", false
	}
	return c.fromText(text, t)
}

// integerBits are the bits of the integer types.
var integerBits = map[string]int{"byte": 8, "short": 16, "integer": 32, "long": 64}

// fromText converts a plain text to a JSON value of a type, as JSON strings and CSV fields are.
func (c *converter) fromText(text string, t types.Type) (string, bool) {
	if bits, ok := integerBits[t.TypeName()]; ok {
		_, err := strconv.ParseInt(text, 10, bits)
		return text, err == nil
	}
	switch t := t.(type) {
	case types.Decimal:
		r, ok := new(big.Rat).SetString(text)
		if !ok {
			return "", false
		}
		out := r.FloatString(t.Scale)
		return JSONText(out), len(strings.Trim(strings.ReplaceAll(out, ".", ""), "-")) <= max(t.Precision, 1)
	}
	switch t {
	case types.Boolean:
		low := strings.ToLower(text)
		return low, low == "true" || low == "false"
	case types.Double, types.Float:
		v, err := strconv.ParseFloat(text, 64)
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return JSONText(text), true
		}
		return strconv.FormatFloat(v, 'g', -1, 64), err == nil
	case types.Date:
		return c.time(text, "dateformat", []string{"yyyy-MM-dd", "yyyy-M-d", "yyyy-MM", "yyyy"}, time.UTC, "2006-01-02")
	case types.Timestamp, types.TimestampNTZ:
		loc, layout := c.loc, "2006-01-02 15:04:05.999999+00"
		if t == types.TimestampNTZ {
			loc, layout = time.UTC, "2006-01-02 15:04:05.999999"
		}
		return c.time(text, "timestampformat", []string{"yyyy-MM-dd'T'HH:mm:ss[.SSS]", "yyyy-MM-dd'T'HH:mm:ss.SSSXXX", "yyyy-MM-dd'T'HH:mm:ssXXX", "yyyy-MM-dd HH:mm:ss", "yyyy-MM-dd HH:mm:ss.SSS", "yyyy-MM-dd'T'HH:mm:ss", "yyyy-MM-dd"}, loc, layout)
	case types.String:
		return JSONText(text), true
	case types.Binary:
		v, err := unbase64(text)
		if err != nil {
			return "", false
		}
		var b strings.Builder
		for k := range len(v.S) {
			fmt.Fprintf(&b, `\x%02X`, v.S[k])
		}
		return JSONText(b.String()), true
	}
	return "", false
}

func (c *converter) time(text, option string, defaults []string, loc *time.Location, layout string) (string, bool) {
	if f := c.options[option]; f != "" {
		defaults = []string{f}
	}
	for _, f := range defaults {
		p, err := patternOf(f)
		if err != nil {
			continue
		}
		if t, err := p.parse(text, loc); err == nil {
			return JSONText(t.UTC().Format(layout)), true
		}
	}
	return "", false
}
