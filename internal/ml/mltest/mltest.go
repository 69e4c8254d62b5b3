// Package mltest holds operators of ml against recordings of real Spark in spec/ml: it reads a
// recording, runs its cases and compares attributes, summaries, output rows with their schema,
// and errors. Only tests import it.
package mltest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/millpond/millpond/internal/ml"
	"github.com/millpond/millpond/internal/types"
)

// Table is recorded rows with their Spark schema.
type Table struct {
	Schema json.RawMessage
	Rows   [][]any
}

// Case is one recorded fit and transform.
type Case struct {
	Name    string
	Data    string
	Params  map[string]any
	Attrs   map[string]any
	Calls   []Call
	Summary map[string]any
	ApplyTo string `json:"apply_to"`
	Output  *Table
	Error   *struct{ Python, Message string }
}

// Call is a recorded method with its arguments.
type Call struct {
	Name  string
	Args  []any
	Value any
}

// Recording is a file of spec/ml.
type Recording struct {
	Header map[string]string
	Data   string
	Cases  []Case
	Class  string // short class name
}

// Dir is the directory of the recordings.
func Dir() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "..", "..", "..", "spec", "ml")
}

func readJSON(t testing.TB, name string, into any) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(Dir(), name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	if err := d.Decode(into); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

// Read reads the recording of a class by its short name.
func Read(t testing.TB, class string) *Recording {
	t.Helper()
	r := &Recording{Class: class}
	readJSON(t, class, r)
	if r.Header["spark"] == "" || r.Header["script"] == "" || len(r.Cases) == 0 {
		t.Fatalf("%s: a recording without header or cases", class)
	}
	return r
}

// Data reads the recorded data sets of a file of spec/ml.
func Data(t testing.TB, name string) map[string]*Table {
	t.Helper()
	var f struct{ Data map[string]*Table }
	readJSON(t, name, &f)
	return f.Data
}

// Struct is the table's schema.
func (t *Table) Struct() (types.Struct, error) {
	typ, err := types.FromJSON(t.Schema)
	if err != nil {
		return types.Struct{}, err
	}
	s, ok := typ.(types.Struct)
	if !ok {
		return s, fmt.Errorf("schema is %T", typ)
	}
	return s, nil
}

// Frame makes the table a frame in batches of at most size rows (0 for one batch).
func (t *Table) Frame(size int) (*ml.MemFrame, error) {
	s, err := t.Struct()
	if err != nil {
		return nil, err
	}
	rows := make([][]any, len(t.Rows))
	for i, row := range t.Rows {
		rows[i] = make([]any, len(row))
		for k, v := range row {
			if rows[i][k], err = value(s.Fields[k].Type, v); err != nil {
				return nil, fmt.Errorf("row %d column %s: %w", i, s.Fields[k].Name, err)
			}
		}
	}
	return ml.FrameOfRows(s, rows, size)
}

// value reads a recorded value of a column type.
func value(t types.Type, v any) (any, error) {
	if v == nil {
		return nil, nil
	}
	switch {
	case t == types.Double:
		return double(v)
	case t == types.Int, t == types.Long, t == types.Short, t == types.Byte:
		return v.(json.Number).Int64()
	case types.IsVector(t):
		return literal(v), nil
	}
	if a, ok := t.(types.Array); ok {
		var out []any
		for _, x := range v.([]any) {
			y, err := value(a.Elem, x)
			if err != nil {
				return nil, err
			}
			out = append(out, y)
		}
		return out, nil
	}
	return v, nil
}

func double(v any) (float64, error) {
	switch v := v.(type) {
	case json.Number:
		return v.Float64()
	case float64:
		return v, nil
	case string:
		switch v {
		case "NaN":
			return math.NaN(), nil
		case "Infinity":
			return math.Inf(1), nil
		case "-Infinity":
			return math.Inf(-1), nil
		}
	}
	return 0, fmt.Errorf("%v (%T) is not a number", v, v)
}

func doublesOf(v any) []float64 {
	out := []float64{}
	for _, x := range v.([]any) {
		f, err := double(x)
		if err != nil {
			panic(err)
		}
		out = append(out, f)
	}
	return out
}

// literal reads a recorded parameter or argument: numbers without a point are whole.
func literal(v any) any {
	switch v := v.(type) {
	case json.Number:
		if n, err := v.Int64(); err == nil && !strings.ContainsAny(string(v), ".eE") {
			return n
		}
		f, _ := v.Float64()
		return f
	case string:
		if f, err := double(v); err == nil {
			return f
		}
		return v
	case []any:
		out := make([]any, len(v))
		for i, x := range v {
			out[i] = literal(x)
		}
		return out
	case map[string]any:
		if rows, ok := v["rows"]; ok {
			m := ml.Matrix{Transposed: true}
			for _, row := range v["values"].([]any) {
				m.Values = append(m.Values, doublesOf(row)...)
			}
			r, _ := rows.(json.Number).Int64()
			c, _ := v["cols"].(json.Number).Int64()
			m.Rows, m.Cols = int(r), int(c)
			return m
		}
		vec := ml.Vector{Values: doublesOf(v["v"])}
		vec.Size = len(vec.Values)
		if n, ok := v["n"]; ok {
			size, _ := n.(json.Number).Int64()
			vec.Size, vec.Sparse, vec.Indices = int(size), true, []int32{}
			for _, x := range v["i"].([]any) {
				k, _ := x.(json.Number).Int64()
				vec.Indices = append(vec.Indices, int32(k))
			}
		}
		return vec
	}
	return v
}

// Operator makes the estimator or transformer of a recording with a case's parameters.
func Operator(class, uid string, params map[string]any) (ml.Operator, error) {
	for _, s := range ml.Specs() {
		if s.ShortName() != class || s.New == nil {
			continue
		}
		p := ml.NewParams(s)
		for name, v := range params {
			if err := p.Set(uid, name, literal(v)); err != nil {
				return nil, err
			}
		}
		return s.New(uid, p), nil
	}
	return nil, fmt.Errorf("no operator %s in the registry", class)
}
