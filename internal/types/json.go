package types

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// ToJSON gives Spark's JSON form of a type, as StructType.json() prints it.
func ToJSON(t Type) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(jsonValue(t)); err != nil {
		panic("types: a type that JSON cannot hold: " + err.Error()) // only strings and raw metadata are encoded
	}
	return strings.TrimSpace(b.String())
}

type jsonField struct {
	Name     string          `json:"name"`
	Type     any             `json:"type"`
	Nullable bool            `json:"nullable"`
	Metadata json.RawMessage `json:"metadata"`
}

func jsonValue(t Type) any {
	switch t := t.(type) {
	case Array:
		return struct {
			Type         string `json:"type"`
			ElementType  any    `json:"elementType"`
			ContainsNull bool   `json:"containsNull"`
		}{"array", jsonValue(t.Elem), t.ContainsNull}
	case Map:
		return struct {
			Type              string `json:"type"`
			KeyType           any    `json:"keyType"`
			ValueType         any    `json:"valueType"`
			ValueContainsNull bool   `json:"valueContainsNull"`
		}{"map", jsonValue(t.Key), jsonValue(t.Value), t.ValueContainsNull}
	case Struct:
		fields := make([]jsonField, len(t.Fields))
		for i, f := range t.Fields {
			md := json.RawMessage("{}")
			if f.Metadata != "" && json.Valid([]byte(f.Metadata)) {
				md = json.RawMessage(f.Metadata)
			}
			fields[i] = jsonField{f.Name, jsonValue(f.Type), f.Nullable, md}
		}
		return struct {
			Type   string      `json:"type"`
			Fields []jsonField `json:"fields"`
		}{"struct", fields}
	case *UDT:
		out := map[string]any{"type": "udt", "pyClass": t.PyClass, "sqlType": jsonValue(t.SQLType)}
		if t.Class != "" {
			out["class"] = t.Class
		}
		if t.Serialized != "" {
			out["serializedClass"] = t.Serialized
		}
		return out
	}
	return t.TypeName()
}

var jsonBasic = func() map[string]Type {
	m := map[string]Type{"null": Null}
	for _, b := range []*Basic{Null, Boolean, Byte, Short, Int, Long, Float, Double, String, Binary, Date,
		Timestamp, TimestampNTZ, CalendarInterval, Variant} {
		m[b.name] = b
	}
	return m
}()

var jsonParam = regexp.MustCompile(`^(decimal|char|varchar)\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\)$`)

// FromJSON reads Spark's JSON form of a type.
func FromJSON(text []byte) (Type, error) { return fromJSON(text, 0) }

const maxDepth = 200

func fromJSON(text []byte, depth int) (Type, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("type nested deeper than %d", maxDepth)
	}
	var name string
	if json.Unmarshal(text, &name) == nil {
		return namedJSON(name)
	}
	var o struct {
		Type              string
		ElementType       json.RawMessage
		ContainsNull      bool
		KeyType           json.RawMessage
		ValueType         json.RawMessage
		ValueContainsNull bool
		Class             string
		PyClass           string
		SerializedClass   string
		SQLType           json.RawMessage `json:"sqlType"`
		Fields            []struct {
			Name     string
			Type     json.RawMessage
			Nullable bool
			Metadata json.RawMessage
		}
	}
	if err := json.Unmarshal(text, &o); err != nil {
		return nil, fmt.Errorf("read type as JSON: %w", err)
	}
	switch o.Type {
	case "array":
		e, err := fromJSON(o.ElementType, depth+1)
		return Array{e, o.ContainsNull}, err
	case "map":
		k, err := fromJSON(o.KeyType, depth+1)
		if err != nil {
			return nil, err
		}
		v, err := fromJSON(o.ValueType, depth+1)
		return Map{k, v, o.ValueContainsNull}, err
	case "struct":
		s := Struct{Fields: make([]Field, 0, len(o.Fields))}
		for _, f := range o.Fields {
			t, err := fromJSON(f.Type, depth+1)
			if err != nil {
				return nil, fmt.Errorf("field %s: %w", f.Name, err)
			}
			md := string(f.Metadata)
			if md == "{}" || md == "null" {
				md = ""
			}
			s.Fields = append(s.Fields, Field{f.Name, t, f.Nullable, md})
		}
		return s, nil
	case "udt":
		switch o.Class {
		case vectorClass:
			return Vector, nil
		case matrixClass:
			return Matrix, nil
		}
		t, err := fromJSON(o.SQLType, depth+1)
		return &UDT{o.Class, o.PyClass, o.SerializedClass, t}, err
	}
	return nil, fmt.Errorf("unknown type %q", o.Type)
}

func namedJSON(name string) (Type, error) {
	if t, ok := jsonBasic[name]; ok {
		return t, nil
	}
	if name == "decimal" {
		return Decimal{10, 0}, nil
	}
	if m := jsonParam.FindStringSubmatch(name); m != nil {
		n, _ := strconv.Atoi(m[2])
		s, _ := strconv.Atoi(m[3])
		switch m[1] {
		case "char":
			return Char{n}, nil
		case "varchar":
			return Varchar{n}, nil
		}
		return Decimal{n, s}, nil
	}
	if t, ok := intervalByName(name); ok {
		return t, nil
	}
	return nil, fmt.Errorf("unknown type %q", name)
}

func intervalByName(name string) (Type, bool) {
	for s := range dayTimeFields {
		for e := s; e < len(dayTimeFields); e++ {
			if t := (DayTimeInterval{s, e}); t.SimpleString() == name {
				return t, true
			}
		}
	}
	for s := range yearMonthFields {
		for e := s; e < len(yearMonthFields); e++ {
			if t := (YearMonthInterval{s, e}); t.SimpleString() == name {
				return t, true
			}
		}
	}
	return nil, false
}
