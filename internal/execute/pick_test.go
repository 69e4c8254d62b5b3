package execute

import (
	"context"
	"errors"
	"io"
	"math"
	"slices"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/millpond/millpond/internal/compile"
	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/types"
)

var x = plan.Attr{ID: 1, Name: "x", Type: types.Double, Nullable: true}

// doublesOf makes a column; a nil is null.
func doublesOf(values ...any) arrow.Array {
	b := array.NewFloat64Builder(memory.DefaultAllocator)
	for _, v := range values {
		if f, ok := v.(float64); ok {
			b.Append(f)
		} else {
			b.AppendNull()
		}
	}
	return b.NewArray()
}

func TestConditions(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	column := doublesOf(-1.0, math.Copysign(0, -1), 0.0, 0.5, inf, nan, nil)
	is := func(op string, y float64) compile.Condition { return compile.Condition{Op: op, Column: 1, Number: y} }
	of := func(op string, args ...compile.Condition) compile.Condition {
		return compile.Condition{Op: op, Args: args}
	}
	const n, y, u = no, yes, unknown
	for _, c := range []struct {
		cond compile.Condition
		want []truth
	}{
		{is("=", 0), []truth{n, y, y, n, n, n, u}},
		{is("!=", 0), []truth{y, n, n, y, y, y, u}},
		{is("<", 0.5), []truth{y, y, y, n, n, n, u}},
		{is("<=", 0.5), []truth{y, y, y, y, n, n, u}},
		{is(">", 0.5), []truth{n, n, n, n, y, y, u}},
		{is(">=", 0.5), []truth{n, n, n, y, y, y, u}},
		{is("=", nan), []truth{n, n, n, n, n, y, u}},
		{is("<", nan), []truth{y, y, y, y, y, n, u}},
		{is(">=", nan), []truth{n, n, n, n, n, y, u}},
		{is(">", inf), []truth{n, n, n, n, n, y, u}},
		{of("not", is("<", 0.5)), []truth{n, n, n, y, y, y, u}},
		{of("and", is(">=", 0), is("<", 0.5)), []truth{n, y, y, n, n, n, u}},
		{of("or", is("<", 0), is(">", 0.2), is("=", 0)), []truth{y, y, y, y, y, y, u}},
	} {
		f, err := testOf(c.cond, []plan.Attr{x})
		if err != nil {
			t.Fatal(err)
		}
		got, err := f(context.Background(), &piece{rows: 7, cols: []*heldColumn{{values: column}}})
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, %v, want %v", c.cond, got, err, c.want)
		}
	}
}

// SQL's logic where one side is unknown.
func TestUnknown(t *testing.T) {
	for _, c := range []struct {
		a, b, and, or truth
	}{
		{no, unknown, no, unknown}, {yes, unknown, unknown, yes}, {unknown, unknown, unknown, unknown},
		{no, yes, no, yes}, {no, no, no, no}, {yes, yes, yes, yes},
	} {
		if both[c.a][c.b] != c.and || both[c.b][c.a] != c.and || either[c.a][c.b] != c.or || either[c.b][c.a] != c.or {
			t.Errorf("%d and %d", c.a, c.b)
		}
	}
}

func TestPickedRows(t *testing.T) {
	gathered := 0
	var pieces []*piece
	for _, values := range [][]any{{1.0, 2.0, 3.0}, {9.0, 9.0}, {nil, 4.0, 9.0, 5.0}, {2.0, 3.0}} {
		a := doublesOf(values...)
		other := &heldColumn{gather: func(context.Context) (arrow.Array, error) { gathered++; return a, nil }}
		pieces = append(pieces, &piece{rows: int64(len(values)), cols: []*heldColumn{{values: a}, other}})
	}
	z := plan.Attr{ID: 2, Name: "z", Type: types.Double}
	test, err := testOf(compile.Condition{Op: "<", Column: 1, Number: 6}, []plan.Attr{x, z})
	if err != nil {
		t.Fatal(err)
	}
	p := &picked{in: (&Held{pieces: pieces}).Stream([]plan.Attr{x, z}, nil), attrs: []plan.Attr{z}, from: []int{1}, test: test}
	held, err := Hold(context.Background(), p)
	if err != nil || held.Rows() != 7 || gathered != 0 {
		t.Fatalf("%d rows, %d columns gathered early, %v", held.Rows(), gathered, err)
	}
	var got []float64
	for st := held.Stream([]plan.Attr{z}, nil); ; {
		b, err := st.Next(context.Background())
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, b.Column(0).(*array.Float64).Float64Values()...)
	}
	if want := []float64{1, 2, 3, 4, 5, 2, 3}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// Rows that several workers take in parts come in their order, each column gathered once.
func TestParallelParts(t *testing.T) {
	const n = 3*shareRows + 5
	values := make([]any, n)
	for i := range values {
		values[i] = float64(i)
	}
	a, gathered := doublesOf(values...), 0
	whole := &piece{rows: n, cols: []*heldColumn{{gather: func(context.Context) (arrow.Array, error) { gathered++; return a, nil }}}}
	attrs := []plan.Attr{x}
	calls := make(chan int64, 10)
	st := Parallel(context.Background(), (&Held{pieces: []*piece{whole}}).Stream(attrs, nil), attrs, 3, func(_ context.Context, b arrow.RecordBatch) (arrow.RecordBatch, error) {
		calls <- b.NumRows()
		return b, nil
	})
	out, err := Drain(context.Background(), st)
	if err != nil || len(out) != 4 || len(calls) != 4 || gathered != 1 {
		t.Fatalf("%d batches of %d calls, gathered %d times, %v", len(out), len(calls), gathered, err)
	}
	next := 0.0
	for _, b := range out {
		for _, v := range b.Column(0).(*array.Float64).Float64Values() {
			if v != next {
				t.Fatalf("%v where %v should be", v, next)
			}
			next++
		}
	}
	if next != n {
		t.Errorf("%v rows", next)
	}
}
