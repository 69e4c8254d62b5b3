package pyworker

import (
	"context"
	"errors"
	"io"

	"github.com/millpond/millpond/internal/plan"
)

// Map gives the rows that a function makes of all the rows (mapInPandas, mapInArrow).
func (p *Pool) Map(ctx context.Context, s Settings, in Source, have []plan.Attr, udf *plan.PythonUDF, attrs []plan.Attr) (*Results, error) {
	operation := map[int]string{MapPandas: "mapInPandas()", MapArrow: "mapInArrow()"}[udf.EvalType]
	if operation == "" {
		return nil, unsupported(udf.EvalType, "over partitions")
	}
	l, err := newLayout(have, have, false, s.zone())
	if err != nil {
		return nil, err
	}
	f := &feeder{in: in, workers: p.opts.Workers}
	called := false
	return p.run(ctx, s.Whole, func(ctx context.Context) (share, error) {
		rows, err := f.partitions(ctx, s.batchRows())
		if errors.Is(err, io.EOF) && !called {
			err = nil // a function sees an empty input, too
		}
		if err != nil {
			return nil, err
		}
		called = true
		return func(ctx context.Context, part int, emit func(Rows) error) error {
			s.Tally.count(rows, s.batchRows())
			t := s.task(udf.EvalType, []*plan.PythonUDF{udf}, [][]argument{nil}, part)
			return p.do(ctx, s, t, func(w io.Writer) error {
				return ipcStream(w, l.nested, cutRows(rows, s.batchRows()), l.row)
			}, unpacked(attrs, operation, emit))
		}, nil
	}), nil
}
