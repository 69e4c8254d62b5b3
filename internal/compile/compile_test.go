package compile

import (
	"slices"
	"strings"
	"testing"

	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/types"
)

func names() string { return "source(1)" }

func column(id int, name string, t types.Type) plan.Attr {
	return plan.Attr{ID: id, Name: name, Type: t, Nullable: true}
}

// A region that SQL can say is one statement, and columns nobody reads are not carried.
func TestOneStatement(t *testing.T) {
	a, b := column(1, "a", types.Int), column(2, "b", types.String)
	scan := &plan.Scan{SQL: "files", Source: []string{"a", "b"}, Attrs: []plan.Attr{a, b}}
	n := &plan.Select{Input: &plan.Slice{Input: scan, Limit: 3}, Exprs: []plan.Named{{Attr: a, Value: plan.Col{Attr: a}}}}
	stage, err := Plan(n, Options{Names: names})
	if err != nil {
		t.Fatal(err)
	}
	q, ok := stage.(*Query)
	if !ok || len(q.Sources) != 0 || strings.Contains(q.SQL, "c2") || !strings.Contains(q.SQL, "LIMIT 3") {
		t.Errorf("%T %+v", stage, stage)
	}
}

func TestCasts(t *testing.T) {
	for _, c := range []struct {
		from, to types.Type
		try      bool
		want     string
	}{
		{types.Int, types.Long, false, "CAST(x AS BIGINT)"}, {types.Null, types.Int, false, "CAST(NULL AS INTEGER)"}, {types.Int, types.Int, false, "x"},
		{types.Long, types.Int, true, "TRY_CAST(x AS INTEGER)"},
	} {
		if got := castSQL("x", c.from, c.to, c.try); got != c.want {
			t.Errorf("%s to %s: %s, want %s", c.from.SQL(), c.to.SQL(), got, c.want)
		}
	}
	if got := castSQL("x", types.Long, types.Int, false); !strings.Contains(got, "CAST_OVERFLOW") {
		t.Errorf("a narrowing cast raises by name: %s", got)
	}
}

// A negative literal keeps its parentheses: minus before it would start a comment.
func TestNegativeLiteral(t *testing.T) {
	got, err := literalSQL(plan.IntLit(-2))
	if err != nil || got != "(-2)" {
		t.Errorf("%s, %v", got, err)
	}
}

// A Python function is told that all its rows will be read, unless a limit stands between.
func TestWholePython(t *testing.T) {
	a, s := column(1, "a", types.Int), column(2, "s", types.Long)
	in := &plan.PythonMap{Input: &plan.Data{Attrs: []plan.Attr{a}}, Reads: []plan.Attr{a}, UDF: &plan.PythonUDF{}, Attrs: []plan.Attr{a}}
	total := &plan.Group{Input: in, Aggs: []plan.Named{{Attr: s, Value: plan.Col{Attr: a}}}}
	for _, c := range []struct {
		name  string
		node  plan.Node
		whole bool
	}{
		{"alone", in, true},
		{"limit", &plan.Slice{Input: in, Limit: 3}, false},
		{"offset", &plan.Slice{Input: in, Limit: -1, Offset: 2}, true},
		{"limit of a filter", &plan.Slice{Input: &plan.Where{Input: in, Cond: plan.Col{Attr: a}}, Limit: 3}, false},
		{"limit of an aggregate", &plan.Slice{Input: total, Limit: 1}, true},
	} {
		stage, err := Plan(c.node, Options{Names: names})
		if err != nil {
			t.Fatal(c.name, err)
		}
		if got := pythonMap(t, stage).Whole; got != c.whole {
			t.Errorf("%s: whole %v, want %v", c.name, got, c.whole)
		}
	}
}

// pythonMap finds the operator below a stage.
func pythonMap(t *testing.T, s Stage) *plan.PythonMap {
	t.Helper()
	switch s := s.(type) {
	case *Operator:
		return s.Node.(*plan.PythonMap)
	case *Head:
		return pythonMap(t, s.Input)
	case *Query:
		return pythonMap(t, s.Sources[0].Stage)
	}
	t.Fatalf("no operator in %T", s)
	return nil
}

// A vector that only passes through a filter or a computation stays out of the statement.
func TestCarry(t *testing.T) {
	v, x, y := column(1, "v", types.Vector), column(2, "x", types.Double), column(3, "y", types.Double)
	data := &plan.Data{Attrs: []plan.Attr{v, x}}
	computed := &plan.Select{Input: data, Exprs: []plan.Named{{Attr: v, Value: plan.Col{Attr: v}}, {Attr: y, Value: &plan.Convert{Child: plan.Col{Attr: x}, To: types.Long}}}}
	stage, err := Plan(&plan.Where{Input: computed, Cond: plan.Col{Attr: y}}, Options{Names: names})
	if err != nil {
		t.Fatal(err)
	}
	c, ok := stage.(*Carry)
	if !ok || strings.Contains(c.Query.SQL, "c1") || len(c.Reads) != 1 || c.Reads[0].ID != 2 || c.Places[0] != 1 || c.Places[1] != -1 {
		t.Fatalf("%T %+v", stage, stage)
	}
	// So do several plain columns that only pass a filter, but not one alone.
	plain := &plan.Data{Attrs: []plan.Attr{x, y, column(4, "z", types.String)}}
	for need, carried := range map[*plan.Select]bool{pass(plain.Attrs...): true, pass(y): false} {
		need.Input = &plan.Where{Input: plain, Cond: plan.Col{Attr: x}}
		stage, err := Plan(need, Options{Names: names})
		if err != nil {
			t.Fatal(err)
		}
		if c, ok := stage.(*Carry); ok != carried || ok && len(c.Reads) != 1 {
			t.Errorf("a filter of %d columns: %+v", len(need.Exprs), stage)
		}
	}
	// A stream cannot be held back for a filter, and a window looks at other rows.
	for name, n := range map[string]plan.Node{
		"filter of a stream": &plan.Where{Input: &plan.PythonMap{Input: data, Reads: data.Attrs, UDF: &plan.PythonUDF{}, Attrs: data.Attrs}, Cond: plan.Col{Attr: x}},
		"window": &plan.Select{Input: data, Exprs: []plan.Named{{Attr: v, Value: plan.Col{Attr: v}},
			{Attr: y, Value: &plan.Over{Func: &plan.Apply{Func: "sum", Args: []plan.Value{plan.Col{Attr: x}}, Out: types.Double, SQL: func(a []string) string { return "sum(" + a[0] + ")" }}}}}},
	} {
		stage, err := Plan(n, Options{Names: names})
		if err != nil {
			t.Fatal(name, err)
		}
		if _, ok := stage.(*Query); !ok {
			t.Errorf("%s: %T", name, stage)
		}
	}
}

// A filter by plain comparisons of a column of doubles needs no statement.
func TestPick(t *testing.T) {
	v, x, y, z := column(1, "v", types.Vector), column(2, "x", types.Double), column(3, "y", types.Double), column(4, "z", types.Long)
	data := &plan.Data{Attrs: []plan.Attr{v, x, z}}
	renamed := &plan.Select{Input: data, Exprs: []plan.Named{{Attr: v, Value: plan.Col{Attr: v}}, {Attr: y, Value: plan.Col{Attr: x}}}}
	number := func(n float64) plan.Value { return plan.Const{Literal: plan.Literal{Value: n, Type: types.Double}} }
	call := func(name string, args ...plan.Value) plan.Value {
		return &plan.Apply{Func: name, Args: args, Out: types.Boolean, SQL: func(a []string) string { return name + "(" + strings.Join(a, ",") + ")" }}
	}
	between := call("and", call(">=", plan.Col{Attr: y}, number(0.25)), call("<", plan.Col{Attr: y}, number(0.5)))
	for _, c := range []struct {
		cond plan.Value
		want string // "" where it is not plain
	}{
		{between, "(c3 >= 0.25 AND c3 < 0.5)"},
		{call("not", between), "NOT ((c3 >= 0.25 AND c3 < 0.5))"},
		{call("or", call("<", number(7), plan.Col{Attr: y}), call("!=", plan.Col{Attr: y}, number(1))), "(c3 > 7 OR c3 != 1)"},
		{call("=", plan.Col{Attr: y}, &plan.Convert{Child: plan.Const{Literal: plan.Literal{Value: int32(3), Type: types.Int}}, To: types.Double}), "c3 = 3"},
		{call("<", plan.Col{Attr: y}, &plan.Convert{Child: plan.Col{Attr: y}, To: types.Double}), ""},    // of two columns
		{call("and", call("<", plan.Col{Attr: y}, number(1)), call("isnotnull", plan.Col{Attr: v})), ""}, // of something else
		{call("<", plan.Col{Attr: z}, number(1)), ""},                                                    // of whole numbers
		{call("<", plan.Col{Attr: y}, plan.Const{Literal: plan.Literal{Type: types.Double}}), ""},        // of null
		{plan.Col{Attr: y}, ""},
	} {
		stage, err := Plan(&plan.Where{Input: renamed, Cond: c.cond}, Options{Names: names})
		if c.want == "" {
			if p, ok := stage.(*Pick); ok {
				t.Errorf("picked by %s", p.Cond)
			}
			continue
		}
		p, ok := stage.(*Pick)
		if err != nil || !ok || p.Cond.String() != c.want || !slices.Equal(p.IDs, []int{1, 3}) {
			t.Errorf("%T %+v, %v, want %s", stage, stage, err, c.want)
		}
	}
	twice := &plan.Where{Input: &plan.Where{Input: data, Cond: call("<", plan.Col{Attr: x}, number(1))}, Cond: call(">", plan.Col{Attr: x}, number(0))}
	if p, ok := first(Plan(twice, Options{Names: names})).(*Pick); !ok || p.Cond.String() != "(c2 > 0 AND c2 < 1)" {
		t.Errorf("%+v", p)
	}
	computed := &plan.Select{Input: twice, Exprs: []plan.Named{{Attr: y, Value: call("<", plan.Col{Attr: x}, number(1))}}}
	if p, ok := first(Plan(computed, Options{Names: names})).(*Pick); ok {
		t.Errorf("a column is computed, but %+v", p)
	}
}

func first(s Stage, _ error) Stage { return s }

// A repartitioning costs nothing unless its number is asked for.
func TestRepartition(t *testing.T) {
	a, p := column(1, "a", types.Long), column(2, "p", types.Int)
	r := &plan.RepartitionNode{Input: &plan.Numbers{Attr: a, End: 9, Step: 1}, Count: 4, Out: &p}
	for _, c := range []struct {
		by    plan.Value
		order []plan.Order
		want  string // of what numbers the partitions
	}{
		{nil, nil, "(row_number() OVER () - 1) % 4"},
		{plan.Col{Attr: a}, nil, "CAST(c1 AS INTEGER) AS c2"},
		{nil, []plan.Order{{Value: plan.Col{Attr: a}}}, "dense_rank() OVER (ORDER BY c1 ASC NULLS LAST)"},
	} {
		r.By, r.Orders = c.by, c.order
		seen, unseen := pass(a, p), pass(a)
		for _, n := range []*plan.Select{seen, unseen} {
			n.Input = r
			stage, err := Plan(n, Options{Names: names})
			if err != nil {
				t.Fatal(err)
			}
			sql := stage.(*Query).SQL
			if got := strings.Contains(sql, c.want); got != (n == seen) {
				t.Errorf("%s: numbers %v", sql, got)
			}
		}
	}
}

func pass(attrs ...plan.Attr) *plan.Select {
	n := &plan.Select{}
	for _, at := range attrs {
		n.Exprs = append(n.Exprs, plan.Named{Attr: at, Value: plan.Col{Attr: at}})
	}
	return n
}
