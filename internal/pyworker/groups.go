package pyworker

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/millpond/millpond/internal/plan"
)

// group is the rows of one key, cut as they came.
type group []arrow.RecordBatch

// grouper cuts a source that is sorted by keys into groups.
type grouper struct {
	f    *feeder
	keys []int
}

// next gives the next group, or io.EOF.
func (g *grouper) next(ctx context.Context) (group, error) {
	b, err := g.f.next(ctx)
	if err != nil {
		return nil, err
	}
	first := b
	var out group
	for {
		same, err := keyOrder(first, g.keys, b, g.keys)
		if err != nil {
			return nil, err
		}
		n := 0
		for n < int(b.NumRows()) && same(0, n) == 0 {
			n++
		}
		if n < int(b.NumRows()) {
			g.f.rest = b.NewSlice(int64(n), b.NumRows())
			b = b.NewSlice(0, int64(n))
		}
		if n > 0 {
			out = append(out, b)
		}
		if g.f.rest != nil {
			return out, nil
		}
		if b, err = g.f.next(ctx); errors.Is(err, io.EOF) {
			return out, nil
		} else if err != nil {
			return nil, err
		}
	}
}

// share gives groups of about the feeder's next size.
func (g *grouper) share(ctx context.Context) ([]group, error) {
	var out []group
	for n := g.f.size(); n > 0; {
		one, err := g.next(ctx)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		out = append(out, one)
		n -= count(one)
	}
	if len(out) == 0 {
		return nil, io.EOF
	}
	return out, nil
}

// Groups names the columns of grouped rows: those that they are grouped (and sorted) by, and
// those that the function sees.
type Groups struct {
	In           Source
	Have         []plan.Attr // columns of In
	Keys, Values []plan.Attr
}

func (g Groups) places() ([]int, error) {
	out := make([]int, len(g.Keys))
	for i, k := range g.Keys {
		if out[i] = placeOf(g.Have, k.ID); out[i] < 0 {
			return nil, fmt.Errorf("groups lack their key %s", k.Name)
		}
	}
	return out, nil
}

// layout gives the columns that go to a worker, and where among them keys and values are, in the
// form that workers take: how many numbers follow, how many keys, the keys, the values.
func (g Groups) layout(zone string) (*layout, []argument, error) {
	cols := append([]plan.Attr{}, g.Values...)
	args := []argument{{place: 1 + len(g.Keys) + len(g.Values)}, {place: len(g.Keys)}}
	for _, k := range g.Keys {
		p := placeOf(cols, k.ID)
		if p < 0 {
			p = len(cols)
			cols = append(cols, k)
		}
		args = append(args, argument{place: p})
	}
	for i := range g.Values {
		args = append(args, argument{place: i})
	}
	l, err := newLayout(g.Have, cols, false, zone)
	return l, args, err
}

// group sends one group: how many streams, then each.
func sendCount(w io.Writer, n int) error {
	h := &wire{}
	h.int(n)
	_, err := w.Write(h.b)
	return err
}

var groupedKinds = map[int]string{GroupedMap: "applyInPandas()", GroupedMapIt: "applyInPandas()", GroupedArrow: "applyInArrow()", GroupedArrowIt: "applyInArrow()"}

// Grouped gives the rows that a function makes of each group.
func (p *Pool) Grouped(ctx context.Context, s Settings, g Groups, udf *plan.PythonUDF, attrs []plan.Attr) (*Results, error) {
	operation := groupedKinds[udf.EvalType]
	if operation == "" {
		return nil, unsupported(udf.EvalType, "over groups")
	}
	keys, err := g.places()
	if err != nil {
		return nil, err
	}
	l, args, err := g.layout(s.zone())
	if err != nil {
		return nil, err
	}
	schema, lay := l.schema, l.flat
	if udf.EvalType == GroupedArrow || udf.EvalType == GroupedArrowIt {
		schema, lay = l.nested, l.row
	}
	gr := &grouper{f: &feeder{in: g.In, workers: p.opts.Workers}, keys: keys}
	return p.run(ctx, s.Whole, func(ctx context.Context) (share, error) {
		list, err := gr.share(ctx)
		if err != nil {
			return nil, err
		}
		return func(ctx context.Context, part int, emit func(Rows) error) error {
			for _, one := range list {
				s.Tally.count(one, s.batchRows())
			}
			t := s.task(udf.EvalType, []*plan.PythonUDF{udf}, [][]argument{args}, part)
			return p.do(ctx, s, t, func(w io.Writer) error {
				for _, one := range list {
					if err := sendCount(w, 1); err != nil {
						return err
					}
					if err := ipcStream(w, schema, cutRows(one, s.batchRows()), lay); err != nil {
						return err
					}
				}
				return sendCount(w, 0)
			}, unpacked(attrs, operation, emit))
		}, nil
	}), nil
}

// unpacked receives rows in struct columns.
func unpacked(attrs []plan.Attr, operation string, emit func(Rows) error) receiver {
	return receiver{batch: func(b arrow.RecordBatch) error {
		r, err := unpack(b, attrs, operation)
		if err != nil || r.Len == 0 {
			return err
		}
		return emit(r)
	}}
}

// pair is the two groups of one key; either may be empty.
type pair struct{ left, right group }

// pairer matches the groups of two sources by their keys.
type pairer struct {
	left, right *grouper
	l, r        group
	started     bool
}

func (p *pairer) advance(ctx context.Context, g *grouper, to *group) error {
	one, err := g.next(ctx)
	if errors.Is(err, io.EOF) {
		*to = nil
		return nil
	}
	*to = one
	return err
}

// next gives the pair of the least key that is left, or io.EOF.
func (p *pairer) next(ctx context.Context) (pair, error) {
	if !p.started {
		p.started = true
		if err := p.advance(ctx, p.left, &p.l); err != nil {
			return pair{}, err
		}
		if err := p.advance(ctx, p.right, &p.r); err != nil {
			return pair{}, err
		}
	}
	var c int
	switch {
	case p.l == nil && p.r == nil:
		return pair{}, io.EOF
	case p.r == nil:
		c = -1
	case p.l == nil:
		c = 1
	default:
		o, err := keyOrder(p.l[0], p.left.keys, p.r[0], p.right.keys)
		if err != nil {
			return pair{}, err
		}
		c = o(0, 0)
	}
	var out pair
	if c <= 0 {
		out.left = p.l
		if err := p.advance(ctx, p.left, &p.l); err != nil {
			return pair{}, err
		}
	}
	if c >= 0 {
		out.right = p.r
		if err := p.advance(ctx, p.right, &p.r); err != nil {
			return pair{}, err
		}
	}
	return out, nil
}

var cogroupedKinds = map[int]string{CogroupedMap: "applyInPandas()", CogroupedArrow: "applyInArrow()"}

// Cogrouped gives the rows that a function makes of each pair of groups with equal keys.
func (p *Pool) Cogrouped(ctx context.Context, s Settings, left, right Groups, udf *plan.PythonUDF, attrs []plan.Attr) (*Results, error) {
	operation := cogroupedKinds[udf.EvalType]
	if operation == "" {
		return nil, unsupported(udf.EvalType, "over pairs of groups")
	}
	sides := [2]Groups{left, right}
	var layouts [2]*layout
	var groupers [2]*grouper
	var args []argument
	for i, g := range sides {
		keys, err := g.places()
		if err != nil {
			return nil, err
		}
		l, a, err := g.layout(s.zone())
		if err != nil {
			return nil, err
		}
		layouts[i], args = l, append(args, a...)
		groupers[i] = &grouper{f: &feeder{in: g.In, workers: p.opts.Workers}, keys: keys}
	}
	pairs := &pairer{left: groupers[0], right: groupers[1]}
	return p.run(ctx, s.Whole, func(ctx context.Context) (share, error) {
		list, err := pairs.share(ctx)
		if err != nil {
			return nil, err
		}
		return func(ctx context.Context, part int, emit func(Rows) error) error {
			t := s.task(udf.EvalType, []*plan.PythonUDF{udf}, [][]argument{args}, part)
			return p.do(ctx, s, t, func(w io.Writer) error { return sendPairs(w, list, layouts, s.batchRows()) }, unpacked(attrs, operation, emit))
		}, nil
	}), nil
}

func (p *pairer) share(ctx context.Context) ([]pair, error) {
	var out []pair
	for n := p.left.f.size(); n > 0; {
		one, err := p.next(ctx)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		out = append(out, one)
		n -= count(one.left) + count(one.right)
	}
	if len(out) == 0 {
		return nil, io.EOF
	}
	return out, nil
}

func sendPairs(w io.Writer, list []pair, layouts [2]*layout, rows int) error {
	same := func(b arrow.RecordBatch) (arrow.RecordBatch, error) { return b, nil }
	for _, one := range list {
		if err := sendCount(w, 2); err != nil {
			return err
		}
		for i, g := range [2]group{one.left, one.right} {
			l := layouts[i]
			var err error
			if g == nil { // a function sees an empty frame with its columns
				err = ipcStream(w, l.schema, []arrow.RecordBatch{empty(l.schema)}, same)
			} else {
				err = ipcStream(w, l.schema, cutRows(g, rows), l.flat)
			}
			if err != nil {
				return err
			}
		}
	}
	return sendCount(w, 0)
}

var aggregateKinds = map[int]bool{GroupedAgg: true, GroupedAggIt: true, AggArrow: true, AggArrowIter: true}

// Aggregate gives a row for each group: its keys, then the results of the calls.
func (p *Pool) Aggregate(ctx context.Context, s Settings, g Groups, calls []plan.PythonCall) (*Results, error) {
	keys, err := g.places()
	if err != nil {
		return nil, err
	}
	list, err := bundles(g.Have, calls, aggregateKinds, s.zone(), "that aggregate groups")
	if err != nil {
		return nil, err
	}
	gr := &grouper{f: &feeder{in: g.In, workers: p.opts.Workers}, keys: keys}
	return p.run(ctx, s.Whole, func(ctx context.Context) (share, error) {
		groups, err := gr.share(ctx)
		if err != nil {
			return nil, err
		}
		return func(ctx context.Context, part int, emit func(Rows) error) error {
			return p.aggregate(ctx, s, list, groups, keys, part, len(calls), emit)
		}, nil
	}), nil
}

func (p *Pool) aggregate(ctx context.Context, s Settings, list []*bundle, groups []group, keys []int, part, width int, emit func(Rows) error) error {
	cols := make([]arrow.Array, len(keys)+width)
	for i, k := range keys {
		firsts := make([]arrow.Array, len(groups))
		for n, g := range groups {
			firsts[n] = array.NewSlice(g[0].Column(k), 0, 1)
		}
		c, err := concat(firsts)
		if err != nil {
			return fmt.Errorf("join the keys of groups: %w", err)
		}
		cols[i] = c
	}
	for _, b := range list {
		made, err := p.grouped(ctx, s, b, groups, int64(len(groups)), part)
		if err != nil {
			return err
		}
		for i, c := range made {
			cols[len(keys)+b.outs[i]] = c
		}
	}
	return emit(Rows{Cols: cols, Len: int64(len(groups))})
}
