package execute

import (
	"context"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/millpond/millpond/internal/compile"
	"github.com/millpond/millpond/internal/sparkerr"
)

// query starts a statement.
func (r *Runner) query(ctx context.Context, q *compile.Query, sources map[string]Stream, again map[string]func() (Stream, error)) (Stream, error) {
	st, err := r.DB.query(ctx, r.Settings, q, sources, again)
	if err != nil {
		return nil, r.diagnose(ctx, q, err)
	}
	if q.Careful == nil {
		return st, nil
	}
	return &diagnosed{Stream: st, of: q, run: r}, nil
}

// diagnosed is a statement's rows; where a number did not fit, it finds out which.
type diagnosed struct {
	Stream
	of  *compile.Query
	run *Runner
}

func (d *diagnosed) Next(ctx context.Context) (arrow.RecordBatch, error) {
	b, err := d.Stream.Next(ctx)
	if err == nil {
		return b, nil
	}
	return nil, d.run.diagnose(ctx, d.of, err)
}

// diagnose runs a statement that overflowed again, in the form that says what did. The plain form
// is what a query that goes well runs, and has to pay nothing for the one that does not.
func (r *Runner) diagnose(ctx context.Context, q *compile.Query, err error) error {
	if e := sparkerr.As(err); q.Careful == nil || e == nil || e.Condition != "ARITHMETIC_OVERFLOW" || e.Params["alternative"] != "" {
		return err
	}
	careful, cerr := q.Careful()
	if cerr != nil {
		return err
	}
	st, again := r.open(ctx, careful)
	if again == nil {
		defer st.Close()
		for again == nil {
			_, again = st.Next(ctx)
		}
	}
	if e := sparkerr.As(again); e == nil || e.Condition == "INTERNAL_ERROR" {
		return err // it did not come again: the query draws random numbers, or its files changed
	}
	return again
}
