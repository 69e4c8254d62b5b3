package execute

import (
	"context"
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/millpond/millpond/internal/compile"
	"github.com/millpond/millpond/internal/plan"
)

func (r *Runner) pick(ctx context.Context, s *compile.Pick) (Stream, error) {
	in, err := r.open(ctx, s.Input)
	if err != nil {
		return nil, err
	}
	from, err := find(in.Columns(), s.IDs, s.Attrs)
	if err != nil {
		in.Close()
		return nil, err
	}
	test, err := testOf(s.Cond, in.Columns())
	if err != nil {
		in.Close()
		return nil, err
	}
	return &picked{in: in, attrs: s.Attrs, from: from, test: test}, nil
}

// picked is the rows of a stream of which a test is true; their columns are gathered when asked for.
type picked struct {
	in    Stream
	attrs []plan.Attr
	from  []int
	test  test
}

func (p *picked) Columns() []plan.Attr { return p.attrs }
func (p *picked) Close()               { p.in.Close() }

func (p *picked) Next(ctx context.Context) (arrow.RecordBatch, error) { return gathered(ctx, p) }

func (p *picked) next(ctx context.Context) (*piece, error) {
	for {
		rows, err := nextPiece(ctx, p.in)
		if err != nil {
			return nil, err
		}
		found, err := p.test(ctx, rows)
		if err != nil {
			return nil, err
		}
		if places := placesOf(found); len(places) > 0 {
			return rows.pick(p.from).take(places), nil
		}
	}
}

// placesOf gives the places of the rows of which a test is true.
func placesOf(found []truth) []int64 {
	n := 0
	for _, t := range found {
		if t == yes {
			n++
		}
	}
	places := make([]int64, 0, n)
	for i, t := range found {
		if t == yes {
			places = append(places, int64(i))
		}
	}
	return places
}

// truth is what a condition says of a row.
type truth uint8

const (
	no truth = iota
	yes
	unknown // of a null
)

// test says the truth of each row of a piece.
type test func(ctx context.Context, rows *piece) ([]truth, error)

// Tables of SQL's logic, by the truths of both sides.
var (
	both   = [3][3]truth{{no, no, no}, {no, yes, unknown}, {no, unknown, unknown}}
	either = [3][3]truth{{no, yes, unknown}, {yes, yes, yes}, {unknown, yes, unknown}}
	turned = [3]truth{yes, no, unknown}
)

// comparisons tell, for each, whether it is true of a lesser, an equal and a greater number.
var comparisons = map[string][3]truth{"=": {no, yes, no}, "!=": {yes, no, yes}, "<": {yes, no, no}, "<=": {yes, yes, no},
	">": {no, no, yes}, ">=": {no, yes, yes}}

func testOf(c compile.Condition, attrs []plan.Attr) (test, error) {
	args := make([]test, len(c.Args))
	for i, a := range c.Args {
		var err error
		if args[i], err = testOf(a, attrs); err != nil {
			return nil, err
		}
	}
	switch c.Op {
	case "and":
		return joined(args, &both), nil
	case "or":
		return joined(args, &either), nil
	case "not":
		return negated(args[0]), nil
	}
	outcomes, known := comparisons[c.Op]
	place := PlaceOf(attrs, c.Column)
	if !known || place < 0 {
		return nil, fmt.Errorf("a condition %s that cannot be tested", c)
	}
	return func(ctx context.Context, rows *piece) ([]truth, error) {
		a, err := rows.cols[place].get(ctx)
		if err != nil {
			return nil, err
		}
		numbers, ok := a.(*array.Float64)
		if !ok {
			return nil, fmt.Errorf("a condition on a column of %s", a.DataType())
		}
		return compared(numbers, c.Number, outcomes), nil
	}, nil
}

// compared compares numbers with y. NaN equals itself and is greater than all others.
func compared(a *array.Float64, y float64, outcomes [3]truth) []truth {
	out := make([]truth, a.Len())
	for i, x := range a.Float64Values() {
		switch {
		case x < y || y != y && x == x:
			out[i] = outcomes[0]
		case x == y || x != x && y != y:
			out[i] = outcomes[1]
		default:
			out[i] = outcomes[2]
		}
	}
	if a.NullN() > 0 {
		for i := range out {
			if a.IsNull(i) {
				out[i] = unknown
			}
		}
	}
	return out
}

func joined(args []test, table *[3][3]truth) test {
	return func(ctx context.Context, rows *piece) ([]truth, error) {
		out, err := args[0](ctx, rows)
		for _, arg := range args[1:] {
			if err != nil {
				return nil, err
			}
			var more []truth
			more, err = arg(ctx, rows)
			for i, t := range more {
				out[i] = table[out[i]][t]
			}
		}
		return out, err
	}
}

func negated(arg test) test {
	return func(ctx context.Context, rows *piece) ([]truth, error) {
		out, err := arg(ctx, rows)
		for i, t := range out {
			out[i] = turned[t]
		}
		return out, err
	}
}
