package pyworker

import (
	"context"
	"io"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/millpond/millpond/internal/plan"
)

// Mapping is a function over all rows (mapInPandas, mapInArrow).
type Mapping struct {
	In    Source
	Have  []plan.Attr // columns of In: what the function sees, and the partitions' numbers if there are several
	Parts *plan.Partitions
	UDF   *plan.PythonUDF
	Attrs []plan.Attr // of the rows that the function gives
	Out   bool        // a further column has the number of the partition that a row was made of
}

// Map gives the rows that a function makes of all the rows.
func (p *Pool) Map(ctx context.Context, s Settings, m Mapping) (*Results, error) {
	operation := map[int]string{MapPandas: "mapInPandas()", MapArrow: "mapInArrow()"}[m.UDF.EvalType]
	if operation == "" {
		return nil, unsupported(m.UDF.EvalType, "over partitions")
	}
	sees := m.Have
	place := -1
	if m.Parts != nil && m.Parts.Count > 1 {
		place = len(m.Have) - 1
		sees = m.Have[:place]
	}
	l, err := newLayout(m.Have, sees, false, s.zone())
	if err != nil {
		return nil, err
	}
	d := &parter{f: &feeder{in: m.In, workers: p.opts.Workers}, place: place, parts: m.Parts, held: maxBytes}
	return p.run(ctx, s.Whole, func(ctx context.Context) (share, error) {
		rows, err := d.next(ctx, s.batchRows())
		if err != nil {
			return nil, err
		}
		return func(ctx context.Context, part int, emit func(Rows) error) error {
			defer rows.close()
			if m.Out {
				emit = numbered(part, emit)
			}
			s.Tally.task()
			t := s.task(m.UDF.EvalType, []*plan.PythonUDF{m.UDF}, [][]argument{nil}, part)
			return p.do(ctx, s, t, func(w io.Writer) error {
				return ipcFrom(ctx, w, l.nested, &pieces{in: rows, n: s.batchRows(), tally: s.Tally}, l.row)
			}, unpacked(m.Attrs, operation, emit))
		}, nil
	}), nil
}

// numbered appends a partition's number to its rows.
func numbered(part int, emit func(Rows) error) func(Rows) error {
	return func(r Rows) error {
		b := array.NewInt32Builder(mem)
		defer b.Release()
		b.Reserve(int(r.Len))
		for range r.Len {
			b.UnsafeAppend(int32(part))
		}
		return emit(Rows{append(append([]arrow.Array{}, r.Cols...), b.NewArray()), r.Len})
	}
}
