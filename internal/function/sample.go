package function

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"encoding/json"
	"sort"
	"strconv"
	"strings"

	"github.com/millpond/millpond/internal/native"
	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

func itoa(n int) string { return strconv.Itoa(n) }

// sampleSchema infers the type of a sample, as schema_of_json and schema_of_csv do.
func sampleSchema(name, sample string, options map[string]string) (types.Type, error) {
	if name == "schema_of_csv" {
		rd := csv.NewReader(strings.NewReader(sample))
		if sep := []rune(cmp.Or(options["sep"], options["delimiter"], ",")); len(sep) == 1 {
			rd.Comma = sep[0]
		}
		record, err := rd.Read()
		if err != nil {
			return nil, sparkerr.IllegalArgument("schema_of_csv cannot read %q", sample)
		}
		s := types.Struct{}
		for i, cell := range record {
			s.Fields = append(s.Fields, types.Field{Name: "_c" + itoa(i), Type: cellType(cell), Nullable: true})
		}
		return s, nil
	}
	plain, _ := native.PlainJSON([]byte(sample), options)
	d := json.NewDecoder(bytes.NewReader(plain))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, sparkerr.IllegalArgument("schema_of_json cannot read %q: %v", sample, err)
	}
	return textIfNull(sampleType(v)), nil
}

// constantOptions reads a call's options, a map of constants.
func constantOptions(a []plan.Value) map[string]string {
	out := map[string]string{}
	if len(a) < 2 {
		return out
	}
	if m, ok := a[len(a)-1].(*plan.Apply); ok && m.Func == "map" {
		for i := 0; i+1 < len(m.Args); i += 2 {
			key, _ := foldText(m.Args[i])
			out[strings.ToLower(key)], _ = foldText(m.Args[i+1])
		}
	}
	return out
}

func cellType(cell string) types.Type {
	if _, err := strconv.ParseInt(cell, 10, 32); err == nil {
		return types.Int
	}
	if _, err := strconv.ParseInt(cell, 10, 64); err == nil {
		return types.Long
	}
	if _, err := strconv.ParseFloat(cell, 64); err == nil {
		return types.Double
	}
	if low := strings.ToLower(cell); low == "true" || low == "false" {
		return types.Boolean
	}
	return types.String
}

func sampleType(v any) types.Type {
	switch v := v.(type) {
	case nil:
		return types.Null
	case bool:
		return types.Boolean
	case string:
		return types.String
	case json.Number:
		if _, err := strconv.ParseInt(v.String(), 10, 64); err == nil {
			return types.Long
		}
		return types.Double
	case []any:
		var t types.Type = types.Null
		for _, x := range v {
			t = widest(t, sampleType(x))
		}
		return types.Array{Elem: t, ContainsNull: true}
	case map[string]any:
		names := make([]string, 0, len(v))
		for n := range v {
			names = append(names, n)
		}
		sort.Strings(names)
		s := types.Struct{}
		for _, n := range names {
			s.Fields = append(s.Fields, types.Field{Name: n, Type: sampleType(v[n]), Nullable: true})
		}
		return s
	}
	return types.String
}

func widest(a, b types.Type) types.Type {
	sa, ok1 := a.(types.Struct)
	sb, ok2 := b.(types.Struct)
	if ok1 && ok2 {
		for _, f := range sb.Fields {
			if i := sa.Index(f.Name); i >= 0 {
				sa.Fields[i].Type = widest(sa.Fields[i].Type, f.Type)
			} else {
				sa.Fields = append(sa.Fields, f)
			}
		}
		sort.Slice(sa.Fields, func(i, j int) bool { return sa.Fields[i].Name < sa.Fields[j].Name })
		return sa
	}
	if types.IsString(a) || types.IsString(b) {
		return types.String
	}
	if t, ok := types.Common(a, b); ok {
		return t
	}
	return types.String
}

func textIfNull(t types.Type) types.Type {
	switch t := t.(type) {
	case types.Array:
		return types.Array{Elem: textIfNull(t.Elem), ContainsNull: true}
	case types.Struct:
		for i := range t.Fields {
			t.Fields[i].Type = textIfNull(t.Fields[i].Type)
		}
		return t
	}
	if t == types.Null {
		return types.String
	}
	return t
}
