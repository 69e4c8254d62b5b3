package mltest

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/millpond/millpond/internal/ml"
	"github.com/millpond/millpond/internal/types"
)

// Options of a run: how close numbers must be, and names of recorded things that are known to
// differ, with the reason.
type Options struct {
	Rel, Abs float64
	Known    map[string]string // "case" or "case/attribute" -> why
}

// Close is the tolerance of deterministic arithmetic.
var Close = Options{Rel: 1e-9, Abs: 1e-11}

// Run runs every case of a class's recording.
func Run(t *testing.T, class string, o Options) {
	t.Helper()
	rec := Read(t, class)
	data := Data(t, rec.Data)
	for _, c := range rec.Cases {
		t.Run(class+"/"+c.Name, func(t *testing.T) {
			if why, ok := o.Known[c.Name]; ok {
				t.Skipf("known to differ: %s", why)
			}
			r := &run{T: t, o: o, c: &c, data: data}
			err := r.do(class)
			switch {
			case c.Error != nil && err == nil:
				t.Errorf("no error; Spark says %s", c.Error.Message)
			case c.Error != nil:
				if got, want := core(err.Error()), core(c.Error.Message); got != want {
					t.Errorf("error\ngot  %s\nwant %s", got, want)
				}
			case err != nil:
				t.Error(err)
			}
		})
	}
}

type run struct {
	*testing.T
	o    Options
	c    *Case
	data map[string]*Table
}

func (r *run) do(class string) error {
	ctx := context.Background()
	op, err := Operator(class, class+"_0123456789ab", r.c.Params)
	if err != nil {
		return err
	}
	frame, err := r.data[r.c.Data].Frame(0)
	if err != nil {
		return err
	}
	tr, _ := op.(ml.Transformer)
	if e, ok := op.(ml.Estimator); ok {
		m, err := e.Fit(ctx, frame)
		if err != nil {
			return err
		}
		r.attributes(ctx, m)
		tr = m
	}
	target := r.c.ApplyTo
	if target == "" { // the recording failed before it came to that
		target = r.c.Data
	}
	if frame, err = r.data[target].Frame(0); err != nil {
		return err
	}
	got, schema, err := Transform(ctx, tr, frame)
	if err != nil || r.c.Output == nil {
		return err
	}
	r.output(got, schema)
	return nil
}

// Transform gives the rows of what a transformer makes of a frame, in recorded form.
func Transform(ctx context.Context, tr ml.Transformer, frame ml.Frame) ([][]any, types.Struct, error) {
	var bound *ml.Transform
	var err error
	if fb, ok := tr.(ml.FrameBinder); ok {
		bound, err = fb.BindFrame(ctx, frame)
	} else {
		bound, err = tr.Bind(frame.Schema())
	}
	if err != nil {
		return nil, types.Struct{}, err
	}
	names := make([]string, len(bound.Outputs))
	for i, f := range bound.Outputs {
		names[i] = f.Name
	}
	out := ml.Applied(frame, bound).Select(names...)
	rows, err := Rows(ctx, out)
	return rows, out.Schema(), err
}

// Rows reads a frame's rows in recorded form.
func Rows(ctx context.Context, f ml.Frame) ([][]any, error) {
	rows := [][]any{}
	for b, err := range f.Batches(ctx) {
		if err != nil {
			return nil, err
		}
		for i := range int(b.NumRows()) {
			row := make([]any, b.NumCols())
			for k := range row {
				v, err := ml.ValueAt(b.Column(k), i)
				if err != nil {
					return nil, err
				}
				row[k] = Plain(v)
			}
			rows = append(rows, row)
		}
	}
	return rows, nil
}

func (r *run) attributes(ctx context.Context, m ml.Model) {
	for name, want := range r.c.Attrs {
		r.attr(name, want, func() (any, error) {
			if param, ok := strings.CutPrefix(name, "get"); ok {
				return m.Params().Get(strings.ToLower(param[:1]) + param[1:]), nil
			}
			return m.Attr(ctx, name, nil)
		})
	}
	for _, call := range r.c.Calls {
		args := make([]any, len(call.Args))
		for i, a := range call.Args {
			args[i] = literal(a)
		}
		r.attr(call.Name, call.Value, func() (any, error) { return m.Attr(ctx, call.Name, args) })
	}
	for key, want := range r.c.Summary {
		name, inner, _ := strings.Cut(key, "(")
		var args []any
		if inner = strings.TrimSuffix(inner, ")"); inner != "" {
			args = append(args, literal(json.Number(inner)))
		}
		r.attr(key, want, func() (any, error) {
			if m.Summary() == nil {
				return nil, fmt.Errorf("no summary")
			}
			return m.Summary().Attr(ctx, name, args)
		})
	}
}

func (r *run) attr(name string, want any, get func() (any, error)) {
	r.Helper()
	if _, known := r.o.Known[r.c.Name+"/"+name]; known {
		return
	}
	if _, known := r.o.Known["*/"+name]; known {
		return
	}
	got, err := get()
	if m, ok := want.(map[string]any); ok && m["error"] != nil {
		text, _ := m["error"].(map[string]any)["message"].(string)
		if err == nil || core(err.Error()) != core(text) {
			r.Errorf("%s: got %v, %v; Spark says %s", name, got, err, text)
		}
		return
	}
	if err != nil {
		r.Errorf("%s: %v", name, err)
		return
	}
	if f, ok := got.(ml.Frame); ok {
		r.frame(name, f, want)
		return
	}
	if d := Diff(Plain(got), want, r.o); d != "" {
		r.Errorf("%s: %s", name, d)
	}
}

func (r *run) frame(name string, f ml.Frame, want any) {
	m, ok := want.(map[string]any)
	if !ok {
		r.Errorf("%s: a frame, Spark gives %v", name, want)
		return
	}
	rows, err := Rows(context.Background(), f)
	if err != nil {
		r.Errorf("%s: %v", name, err)
		return
	}
	if d := Diff(Plain(rows), m["rows"], r.o); d != "" {
		r.Errorf("%s: %s", name, d)
	}
	text, err := json.Marshal(m["schema"])
	if err != nil {
		r.Fatal(err)
	}
	r.schema(name, f.Schema(), text)
}

func (r *run) output(rows [][]any, schema types.Struct) {
	want := make([]any, len(r.c.Output.Rows))
	for i, row := range r.c.Output.Rows {
		want[i] = any(row)
	}
	if d := Diff(Plain(rows), want, r.o); d != "" {
		r.Errorf("output: %s", d)
	}
	r.schema("output", schema, r.c.Output.Schema)
}

func (r *run) schema(what string, got types.Struct, want json.RawMessage) {
	if _, known := r.o.Known[r.c.Name+"/schema"]; known {
		return
	}
	if a, b := canonical(r.T, []byte(types.ToJSON(got))), canonical(r.T, want); a != b {
		r.Errorf("%s schema\ngot  %s\nwant %s", what, a, b)
	}
}

func canonical(t *testing.T, text []byte) string {
	var v any
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

var (
	uid    = regexp.MustCompile(`([A-Za-z]+_)[0-9a-f]{12,32}`)
	cause  = regexp.MustCompile(`(?s)^.*failed due to: `)
	job    = regexp.MustCompile(`(?s)^Job aborted (?:.*?\)|due to stage failure): ([a-zA-Z.]+: )(.*?)(\n.*)?$`)
	jvm    = regexp.MustCompile(` \((org\.apache\.spark\.ml\.attribute\.Unresolved.*|column \w+)\)$`) // where classes were loaded; ours names the column
	prefix = regexp.MustCompile(`^\([a-zA-Z.]+\) `)
)

// core is what two texts of one error have in common: no uids, no class prefix, no stack.
func core(s string) string {
	s = uid.ReplaceAllString(s, "${1}UID")
	s = cause.ReplaceAllString(s, "")
	s = jvm.ReplaceAllString(job.ReplaceAllString(s, "$2"), "")
	return strings.TrimSpace(prefix.ReplaceAllString(s, ""))
}

// Plain gives a value in the form that a recording has it in.
func Plain(v any) any {
	switch v := v.(type) {
	case ml.Vector:
		if !v.Sparse {
			return map[string]any{"t": 1.0, "v": Plain(v.Values)}
		}
		return map[string]any{"t": 0.0, "n": float64(v.Size), "i": Plain(v.Indices), "v": Plain(v.Values)}
	case ml.Matrix:
		rows := make([]any, v.Rows)
		for i := range rows {
			row := make([]any, v.Cols)
			for j := range row {
				row[j] = v.At(i, j)
			}
			rows[i] = row
		}
		return map[string]any{"rows": float64(v.Rows), "cols": float64(v.Cols), "transposed": v.Transposed, "sparse": v.Sparse, "values": rows}
	case int:
		return float64(v)
	case int8:
		return float64(v)
	case int16:
		return float64(v)
	case int32:
		return float64(v)
	case int64:
		return float64(v)
	case float32:
		return float64(v)
	case []float64:
		return list(v)
	case []int32:
		return list(v)
	case []int64:
		return list(v)
	case []int:
		return list(v)
	case []string:
		return list(v)
	case [][]string:
		return list(v)
	case [][]float64:
		return list(v)
	case [][]any:
		return list(v)
	case []any:
		return list(v)
	case map[int]map[float64]int:
		out := map[string]any{}
		for k, m := range v {
			inner := map[string]any{}
			for x, n := range m {
				inner[ml.FormatDouble(x)] = float64(n)
			}
			out[fmt.Sprint(k)] = inner
		}
		return out
	}
	return v
}

func list[T any](in []T) []any {
	out := make([]any, len(in))
	for i, x := range in {
		out[i] = Plain(x)
	}
	return out
}

// Diff says where got (as Plain gives it) is not what was recorded; "" if it is.
func Diff(got, want any, o Options) string {
	switch w := want.(type) {
	case []any:
		g, ok := got.([]any)
		if !ok || len(g) != len(w) {
			return fmt.Sprintf("got %v, want %v", clip(got), clip(want))
		}
		for i := range w {
			if d := Diff(g[i], w[i], o); d != "" {
				return fmt.Sprintf("[%d] %s", i, d)
			}
		}
		return ""
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok || len(g) != len(w) {
			return fmt.Sprintf("got %v, want %v", clip(got), clip(want))
		}
		keys := make([]string, 0, len(w))
		for k := range w {
			keys = append(keys, k)
		}
		slices.Sort(keys)
		for _, k := range keys {
			if d := Diff(g[k], w[k], o); d != "" {
				return fmt.Sprintf(".%s %s", k, d)
			}
		}
		return ""
	}
	if g, ok := got.(float64); ok {
		if x, err := double(want); err == nil {
			if near(g, x, o) {
				return ""
			}
			return fmt.Sprintf("got %v, want %v", g, x)
		}
	}
	if got != want {
		return fmt.Sprintf("got %v, want %v", clip(got), clip(want))
	}
	return ""
}

func near(a, b float64, o Options) bool {
	if a == b || a != a && b != b {
		return true
	}
	d := a - b
	if d < 0 {
		d = -d
	}
	m := b
	if m < 0 {
		m = -m
	}
	return d <= o.Abs+o.Rel*m
}

func clip(v any) string {
	s := fmt.Sprintf("%v (%T)", v, v)
	if len(s) > 300 {
		s = s[:300] + "..."
	}
	return s
}
