package pyworker

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

// real is what the tests with a real Python share.
type real struct {
	pool     *Pool
	commands map[string][]byte
	version  string
}

var (
	realOnce sync.Once
	realIt   *real
	realNo   string
)

func TestMain(m *testing.M) {
	code := m.Run()
	if realIt != nil {
		realIt.pool.Close()
	}
	os.Exit(code)
}

// needPython gives a pool over a real Python, or skips the test.
func needPython(t testing.TB) *real {
	t.Helper()
	realOnce.Do(func() {
		path, err := exec.LookPath(cmp.Or(os.Getenv("MILLPOND_PYTHON"), "python3"))
		if err != nil {
			realNo = err.Error()
			return
		}
		if _, err := inspect(path); err != nil {
			realNo = err.Error()
			return
		}
		text, err := exec.Command(path, "testdata/commands.py").Output()
		if err != nil {
			realNo = "testdata/commands.py: " + err.Error()
			var ee *exec.ExitError
			if errors.As(err, &ee) {
				realNo += "\n" + string(ee.Stderr)
			}
			return
		}
		var coded map[string]string
		if err := json.Unmarshal(text, &coded); err != nil {
			realNo = err.Error()
			return
		}
		r := &real{commands: map[string][]byte{}, version: coded["python"]}
		for k, v := range coded {
			if b, err := base64.StdEncoding.DecodeString(v); err == nil {
				r.commands[k] = b
			}
		}
		r.pool = New(Options{Python: path, Workers: 2})
		realIt = r
	})
	if realIt == nil {
		t.Skipf("no Python with pyspark %s, pandas and pyarrow to test with (set MILLPOND_PYTHON to one): %s", protocol, realNo)
	}
	return realIt
}

func (r *real) udf(name string, eval int, t types.Type) *plan.PythonUDF {
	if r.commands[name] == nil {
		panic("no function " + name)
	}
	return &plan.PythonUDF{Name: name, EvalType: eval, Type: t, Command: r.commands[name], PythonVer: r.version}
}

func settings(pairs ...string) Settings {
	m := map[string]string{"spark.sql.session.timeZone": "UTC", "spark.sql.execution.arrow.maxRecordsPerBatch": "10000"}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = pairs[i+1]
	}
	return Settings{Conf: func(k string) (string, bool) { v, ok := m[k]; return v, ok }}
}

// table is rows as JSON with the types of their columns.
func table(t testing.TB, columns string, rows string) ([]plan.Attr, arrow.RecordBatch) {
	t.Helper()
	parsed, err := types.ParseDDL(columns)
	if err != nil {
		t.Fatal(err)
	}
	s := parsed.(types.Struct)
	attrs := make([]plan.Attr, len(s.Fields))
	for i, f := range s.Fields {
		attrs[i] = plan.Attr{ID: i + 1, Name: f.Name, Type: f.Type, Nullable: true}
	}
	as, err := types.SchemaToArrow(s, "UTC")
	if err != nil {
		t.Fatal(err)
	}
	b, _, err := array.RecordFromJSON(mem, as, strings.NewReader(rows))
	if err != nil {
		t.Fatal(err)
	}
	return attrs, b
}

func attr(id int, name string, typ types.Type) plan.Attr {
	return plan.Attr{ID: id, Name: name, Type: typ, Nullable: true}
}

// gather reads results to their end and prints the columns from place on, a line each row.
func gather(t testing.TB, r *Results, err error, from int) (string, error) {
	t.Helper()
	if err != nil {
		return "", err
	}
	defer r.Close()
	var lines []string
	for {
		rows, err := r.Next(t.Context())
		if errors.Is(err, io.EOF) {
			return strings.Join(lines, "; "), nil
		}
		if err != nil {
			return "", err
		}
		for i := range int(rows.Len) {
			var cells []string
			for _, c := range rows.Cols[from:] {
				cells = append(cells, c.ValueStr(i))
			}
			lines = append(lines, strings.Join(cells, "|"))
		}
	}
}

func TestScalarKinds(t *testing.T) {
	r := needPython(t)
	have, in := table(t, "a bigint, b bigint, s string, x double, y double, st struct<a: bigint, b: string>",
		`[{"a":1,"b":10,"s":"p","x":0.5,"y":1,"st":{"a":1,"b":"xyz"}},{"a":2,"b":20,"s":null,"x":null,"y":2,"st":{"a":2,"b":""}},{"a":3,"b":30,"s":"ü","x":1.5,"y":3,"st":{"a":3,"b":"q"}}]`)
	st := types.Struct{Fields: []types.Field{{Name: "a", Type: types.Long, Nullable: true}, {Name: "b", Type: types.String, Nullable: true}}}
	cases := []struct {
		name, fn string
		eval     int
		out      types.Type
		args     []int
		names    []string
		want     string
	}{
		{"100 long", "plus1", Batched, types.Long, []int{0}, nil, "2; 3; 4"},
		{"100 null string", "upper", Batched, types.String, []int{2}, nil, "P; (null); Ü"},
		{"100 keywords", "sub", Batched, types.Long, []int{0, 1}, []string{"b", "a"}, "9; 18; 27"},
		{"100 no argument", "seven", Batched, types.Long, nil, nil, "7; 7; 7"},
		{"100 struct", "repr", Batched, types.String, []int{5}, nil, "(Row(a=1, b='xyz'),); (Row(a=2, b=''),); (Row(a=3, b='q'),)"},
		{"100 to row", "torow", Batched, st, []int{0}, nil, `{"a":1,"b":"1"}; {"a":2,"b":"2"}; {"a":3,"b":"3"}`},
		{"100 to list", "tolist", Batched, types.Array{Elem: types.Long, ContainsNull: true}, []int{0}, nil, "[1,null]; [2,null]; [3,null]"},
		{"100 to map", "tomap", Batched, types.Map{Key: types.String, Value: types.Long, ValueContainsNull: true}, []int{0}, nil, `[{"key":"1","value":1}]; [{"key":"2","value":2}]; [{"key":"3","value":3}]`},
		{"100 to date", "todate", Batched, types.Date, []int{0}, nil, "2020-01-02; 2020-01-03; 2020-01-04"},
		{"100 to timestamp", "tostamp", Batched, types.Timestamp, []int{0}, nil, ""},
		{"100 to decimal", "todecimal", Batched, types.Decimal{Precision: 10, Scale: 2}, []int{0}, nil, "0.13; 0.25; 0.38"},
		{"100 of a wrong type", "wrong", Batched, types.Long, []int{0}, nil, "(null); (null); (null)"},
		{"101 long", "plus1", ArrowBatched, types.Long, []int{0}, nil, "2; 3; 4"},
		{"101 keywords", "sub", ArrowBatched, types.Long, []int{0, 1}, []string{"", "b"}, "-9; -18; -27"},
		{"101 no argument", "seven", ArrowBatched, types.Long, nil, nil, "7; 7; 7"},
		{"101 null string", "upper", ArrowBatched, types.String, []int{2}, nil, "P; (null); Ü"},
		{"101 to row", "torow", ArrowBatched, st, []int{0}, nil, `{"a":1,"b":"1"}; {"a":2,"b":"2"}; {"a":3,"b":"3"}`},
		{"200", "sum", ScalarPandas, types.Double, []int{3, 4}, nil, "1.5; (null); 4.5"},
		{"200 struct in", "structsum", ScalarPandas, types.Long, []int{5}, nil, "4; 2; 4"},
		{"200 struct out", "tostruct", ScalarPandas, st, []int{0}, nil, `{"a":1,"b":"1"}; {"a":2,"b":"2"}; {"a":3,"b":"3"}`},
		{"204", "iter_plus1", ScalarIter, types.Long, []int{0}, nil, "2; 3; 4"},
		{"204 two", "iter_sum", ScalarIter, types.Double, []int{4, 4}, nil, "2; 4; 6"},
		{"250", "arrow_plus1", ScalarArrow, types.Long, []int{0}, nil, "2; 3; 4"},
		{"251", "iter_arrow", ScalarArrowIter, types.Long, []int{1}, nil, "11; 21; 31"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			u := r.udf(c.fn, c.eval, c.out)
			u.Names = c.names
			call := plan.PythonCall{UDF: u, Out: attr(99, "out", c.out)}
			for _, a := range c.args {
				call.Args = append(call.Args, have[a])
			}
			res, err := r.pool.Scalar(t.Context(), settings(), &batches{list: []arrow.RecordBatch{in}}, have, []plan.PythonCall{call})
			got, err := gather(t, res, err, len(have))
			if err != nil {
				t.Fatal(err)
			}
			if c.want != "" && got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestScalarTogether(t *testing.T) {
	r := needPython(t)
	have, in := table(t, "a bigint, x double", `[{"a":1,"x":0.5},{"a":2,"x":1.5}]`)
	calls := []plan.PythonCall{
		{UDF: r.udf("plus1", Batched, types.Long), Args: have[:1]},
		{UDF: r.udf("sum", ScalarPandas, types.Double), Args: []plan.Attr{have[1], have[1]}},
		{UDF: r.udf("seven", Batched, types.Long)},
		{UDF: r.udf("iter_plus1", ScalarIter, types.Long), Args: have[:1]},
		{UDF: r.udf("arrow_plus1", ScalarArrow, types.Long), Args: have[:1]},
		{UDF: r.udf("iter_plus1", ScalarIter, types.Long), Args: have[:1]},
	}
	res, err := r.pool.Scalar(t.Context(), settings(), &batches{list: []arrow.RecordBatch{in, in}}, have, calls)
	got, err := gather(t, res, err, 0)
	if err != nil {
		t.Fatal(err)
	}
	if want := "1|0.5|2|1|7|2|2|2; 2|1.5|3|3|7|3|3|3; 1|0.5|2|1|7|2|2|2; 2|1.5|3|3|7|3|3|3"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestMapKinds(t *testing.T) {
	r := needPython(t)
	have, in := table(t, "k bigint, v double", `[{"k":1,"v":1},{"k":2,"v":2},{"k":3,"v":3}]`)
	kw := []plan.Attr{attr(11, "k", types.Long), attr(12, "w", types.Double)}
	cases := []struct {
		fn    string
		eval  int
		attrs []plan.Attr
		empty bool
		want  string
	}{
		{"map_filter", MapPandas, kw, false, "2|2; 3|3"},
		{"map_filter", MapPandas, kw, true, ""},
		{"map_none", MapPandas, kw[:1], false, ""},
		{"map_first", MapPandas, kw, false, "1|1; 2|2; 3|3"},
		{"map_count", MapPandas, kw[:1], true, "0"},
		{"map_count", MapPandas, kw[:1], false, "3"},
		{"map_arrow", MapArrow, kw, false, "1|1"},
	}
	for _, c := range cases {
		t.Run(c.fn, func(t *testing.T) {
			src := &batches{list: []arrow.RecordBatch{in}}
			if c.empty {
				src = &batches{}
			}
			res, err := r.pool.Map(t.Context(), settings(), Mapping{In: src, Have: have, UDF: r.udf(c.fn, c.eval, plan.SchemaOf(c.attrs)), Attrs: c.attrs})
			got, err := gather(t, res, err, 0)
			if err != nil {
				t.Fatal(err)
			}
			if got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestGroupKinds(t *testing.T) {
	r := needPython(t)
	have, in := table(t, "k bigint, v double", `[{"k":null,"v":7},{"k":1,"v":1},{"k":1,"v":2},{"k":2,"v":10}]`)
	_, more := table(t, "k bigint, v double", `[{"k":2,"v":30},{"k":2,"v":50},{"k":4,"v":5}]`)
	km := []plan.Attr{attr(11, "k", types.Long), attr(12, "m", types.Double)}
	list := []arrow.RecordBatch{in, more}
	groups := func(list []arrow.RecordBatch) Groups {
		return Groups{In: &batches{list: list}, Have: have, Keys: have[:1], Values: have}
	}
	for _, c := range []struct {
		fn   string
		eval int
		want string
	}{
		{"group_mean", GroupedMap, "(null)|7; 1|1.5; 2|30; 4|5"},
		{"group_one", GroupedMap, "(null)|0; 1|-0.5; 1|0.5; 2|-20; 2|0; 2|20; 4|0"},
		{"group_arrow", GroupedArrow, "(null)|7; 1|1.5; 2|30; 4|5"},
		{"group_arrow_iter", GroupedArrowIt, "(null)|1; 1|2; 2|3; 4|1"},
		{"group_iter", GroupedMapIt, "(null)|1; 1|2; 2|3; 4|1"},
	} {
		t.Run(c.fn, func(t *testing.T) {
			res, err := r.pool.Grouped(t.Context(), settings(), groups(list), r.udf(c.fn, c.eval, plan.SchemaOf(km)), km)
			got, err := gather(t, res, err, 0)
			if err != nil {
				t.Fatal(err)
			}
			if got = strings.ReplaceAll(got, "NaN", "(null)"); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
	_, right := table(t, "k bigint, v double", `[{"k":1,"v":7},{"k":3,"v":1},{"k":4,"v":2}]`)
	knm := []plan.Attr{attr(11, "k", types.Long), attr(12, "n", types.Long), attr(13, "m", types.Long)}
	for fn, eval := range map[string]int{"cogroup": CogroupedMap, "cogroup_arrow": CogroupedArrow} {
		t.Run(fn, func(t *testing.T) {
			res, err := r.pool.Cogrouped(t.Context(), settings(), groups([]arrow.RecordBatch{in.NewSlice(1, 4), more}), groups([]arrow.RecordBatch{right}), r.udf(fn, eval, plan.SchemaOf(knm)), knm)
			got, err := gather(t, res, err, 0)
			if want := "1|2|1; 2|3|0; 3|0|1; 4|1|1"; got != want || err != nil {
				t.Errorf("got %s %v, want %s", got, err, want)
			}
		})
	}
	t.Run("aggregates", func(t *testing.T) {
		var calls []plan.PythonCall
		for _, f := range []struct {
			fn   string
			eval int
			t    types.Type
		}{{"agg_mean", GroupedAgg, types.Double}, {"agg_count", GroupedAgg, types.Long}, {"agg_iter", GroupedAggIt, types.Double}, {"agg_arrow", AggArrow, types.Double}, {"agg_arrow_iter", AggArrowIter, types.Double}} {
			calls = append(calls, plan.PythonCall{UDF: r.udf(f.fn, f.eval, f.t), Args: have[1:]})
		}
		res, err := r.pool.Aggregate(t.Context(), settings(), groups(list), calls)
		got, err := gather(t, res, err, 0)
		if want := "(null)|7|1|7|7|1; 1|1.5|2|3|3|2; 2|30|3|90|90|3; 4|5|1|5|5|1"; got != want || err != nil {
			t.Errorf("got %s %v, want %s", got, err, want)
		}
		all := groups(list)
		all.Keys = nil
		res, err = r.pool.Aggregate(t.Context(), settings(), all, calls[:2])
		got, err = gather(t, res, err, 0)
		if want := "15|7"; got != want || err != nil {
			t.Errorf("got %s %v, want %s", got, err, want)
		}
	})
}

func TestErrors(t *testing.T) {
	r := needPython(t)
	have, in := table(t, "k bigint, v double", `[{"k":1,"v":1},{"k":2,"v":2}]`)
	scalar := func(u *plan.PythonUDF) error {
		res, err := r.pool.Scalar(t.Context(), settings(), &batches{list: []arrow.RecordBatch{in}}, have, []plan.PythonCall{{UDF: u, Args: have[:1]}})
		_, err = gather(t, res, err, 0)
		return err
	}
	mapped := func(u *plan.PythonUDF, attrs ...plan.Attr) error {
		res, err := r.pool.Map(t.Context(), settings(), Mapping{In: &batches{list: []arrow.RecordBatch{in}}, Have: have, UDF: u, Attrs: attrs})
		_, err = gather(t, res, err, 0)
		return err
	}
	other := r.udf("plus1", ArrowBatched, types.Long)
	other.PythonVer = "3.1"
	for _, c := range []struct {
		name      string
		err       error
		class, in string
	}{
		{"pickled", scalar(r.udf("boom", Batched, types.Long)), sparkerr.ClassPython, "ZeroDivisionError: integer division or modulo by zero"},
		{"arrow", scalar(r.udf("boom", ArrowBatched, types.Long)), sparkerr.ClassPython, "ZeroDivisionError"},
		{"pandas", scalar(r.udf("boom", ScalarPandas, types.Long)), sparkerr.ClassPython, "ZeroDivisionError"},
		{"rows", scalar(r.udf("short", ScalarPandas, types.Long)), sparkerr.ClassPython, "[RESULT_ROWS_MISMATCH]"},
		{"columns", mapped(r.udf("map_bad", MapPandas, nil), attr(1, "k", types.Long), attr(2, "q", types.Double)), sparkerr.ClassPython, "[RESULT_COLUMN_NAMES_MISMATCH]"},
		{"types", mapped(r.udf("map_arrow_bad", MapArrow, nil), attr(1, "k", types.Long)), sparkerr.ClassSpark, "[ARROW_TYPE_MISMATCH]"},
		{"version", scalar(other), sparkerr.ClassPython, "[PYTHON_VERSION_MISMATCH]"},
		{"exit", scalar(r.udf("crash", ArrowBatched, types.Long)), sparkerr.ClassSpark, "Python worker exited unexpectedly (crashed)"},
		{"its last words", scalar(r.udf("crash", Batched, types.Long)), sparkerr.ClassSpark, "going down"},
		{"segfault", scalar(r.udf("segfault", Batched, types.Long)), sparkerr.ClassSpark, "Segmentation fault"},
		{"numpy", scalar(r.udf("numpy", Batched, types.Double)), sparkerr.ClassSpark, "expected zero arguments for construction of ClassDict"},
		{"cycle", scalar(r.udf("cycle", Batched, types.String)), sparkerr.ClassSpark, "too deep"},
		{"window", scalar(r.udf("plus1", 203, types.Long)), sparkerr.ClassUnsupported, "eval type 203"},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := sparkerr.As(c.err)
			if e == nil || e.Class != c.class || !strings.Contains(e.Message, c.in) {
				t.Fatalf("got %v (%#v), want %s with %q", c.err, e, c.class, c.in)
			}
			if err := scalar(r.udf("plus1", ArrowBatched, types.Long)); err != nil {
				t.Errorf("the pool does not recover: %v", err)
			}
		})
	}
}

func TestCancel(t *testing.T) {
	r := needPython(t)
	have, in := table(t, "k bigint, v double", `[{"k":1,"v":1},{"k":2,"v":2}]`)
	ctx, cancel := context.WithCancel(t.Context())
	res, err := r.pool.Scalar(ctx, settings(), &batches{list: []arrow.RecordBatch{in}}, have, []plan.PythonCall{{UDF: r.udf("sleep", ArrowBatched, types.Long), Args: have[:1]}})
	if err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(300*time.Millisecond, cancel)
	start := time.Now()
	if _, err := res.Next(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	res.Close()
	if took := time.Since(start); took > 3*time.Second {
		t.Errorf("it took %v", took)
	}
	// Closing early ends a function that would go on.
	res, err = r.pool.Map(t.Context(), settings(), Mapping{In: &batches{list: []arrow.RecordBatch{in}}, Have: have, UDF: r.udf("map_explode", MapPandas, nil), Attrs: []plan.Attr{attr(1, "k", types.Long)}})
	if err != nil {
		t.Fatal(err)
	}
	if rows, err := res.Next(t.Context()); err != nil || rows.Len == 0 {
		t.Errorf("got %v %v", rows.Len, err)
	}
	res.Close()
}

func TestSettingsReachWorkers(t *testing.T) {
	r := needPython(t)
	have, in := table(t, "t timestamp", `[{"t":1593604800000000}]`)
	res, err := r.pool.Scalar(t.Context(), settings("spark.sql.session.timeZone", "America/Los_Angeles"), &batches{list: []arrow.RecordBatch{in}}, have,
		[]plan.PythonCall{{UDF: r.udf("hour", ScalarPandas, types.Long), Args: have}})
	got, err := gather(t, res, err, 1)
	if got != "5" || err != nil {
		t.Errorf("got %s %v, want 5 o'clock", got, err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(dir+"/mylib.py", []byte("def answer(): return 42\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := settings()
	s.Environment = Environment{Name: dir, Includes: []string{dir}}
	have, in = table(t, "k bigint", `[{"k":1}]`)
	res, err = r.pool.Scalar(t.Context(), s, &batches{list: []arrow.RecordBatch{in}}, have, []plan.PythonCall{{UDF: r.udf("module", ArrowBatched, types.Long), Args: have}})
	got, err = gather(t, res, err, 1)
	if got != "43" || err != nil {
		t.Errorf("got %s %v, want 43", got, err)
	}
}

func TestVectors(t *testing.T) {
	r := needPython(t)
	if r.commands["norm"] == nil {
		t.Skip("no pyspark.ml")
	}
	have := []plan.Attr{attr(1, "v", types.Vector), attr(2, "x", types.Double)}
	as, err := types.SchemaToArrow(plan.SchemaOf(have), "UTC")
	if err != nil {
		t.Fatal(err)
	}
	in, _, err := array.RecordFromJSON(mem, as, strings.NewReader(`[{"v":{"type":1,"values":[1,-2]},"x":1},{"v":{"type":0,"size":3,"indices":[1],"values":[4]},"x":2},{"v":null,"x":3}]`))
	if err != nil {
		t.Fatal(err)
	}
	for _, eval := range []int{Batched, ArrowBatched} {
		res, err := r.pool.Scalar(t.Context(), settings(), &batches{list: []arrow.RecordBatch{in}}, have, []plan.PythonCall{
			{UDF: r.udf("norm", eval, types.Double), Args: have[:1]}, {UDF: r.udf("tovector", eval, types.Vector), Args: have[1:]}})
		got, err := gather(t, res, err, 2)
		want := `3|{"indices":null,"size":null,"type":1,"values":[1,1]}; 4|{"indices":null,"size":null,"type":1,"values":[2,1]}; (null)|{"indices":null,"size":null,"type":1,"values":[3,1]}`
		if got != want || err != nil {
			t.Errorf("%d: got %s %v, want %s", eval, got, err, want)
		}
	}
}
