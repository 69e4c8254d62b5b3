package execute

import (
	"context"
	"errors"
	"io"
	"sort"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/millpond/millpond/internal/compile"
	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/types"
)

// copied is what a statement that consumes rows answers.
var copied = []plan.Attr{{ID: 0, Name: "Count", Type: types.Long}}

// Copy runs a plan inside a statement that consumes its rows: wrap puts the plan's query, whose
// columns are called by their ids, into it.
func (r *Runner) Copy(ctx context.Context, n plan.Node, wrap func(query string) string) error {
	stage, done, err := r.compile(ctx, n)
	defer done()
	if err != nil {
		return err
	}
	q, ok := stage.(*compile.Query)
	if !ok {
		name := r.DB.Name()
		q = &compile.Query{SQL: "SELECT * FROM " + name, Sources: []compile.Source{{Name: name, Stage: stage}}, Attrs: stage.Columns()}
	}
	st, err := r.open(ctx, &compile.Query{SQL: wrap(q.SQL), Sources: q.Sources, Contexts: q.Contexts, Attrs: copied, Careful: q.Careful})
	if err != nil {
		return err
	}
	st.Close()
	return nil
}

// Parts are rows in the order of their partitions.
type Parts struct {
	Rows plan.Node
	plan.Partitions
}

// CopyParts runs a statement as Copy does for each partition that has rows, and for the first in any
// case.
func (r *Runner) CopyParts(ctx context.Context, p Parts, wrap func(part int, query string) string) error {
	rows, err := r.Run(ctx, p.Rows)
	if err != nil {
		return err
	}
	defer rows.Close()
	in := &parted{Stream: rows, place: PlaceOf(rows.Columns(), p.By.ID)}
	for ; in.part < p.Count; in.part++ {
		some, err := in.more(ctx)
		if err != nil {
			return err
		}
		if !some && in.part > 0 {
			continue
		}
		name := r.DB.Name()
		st, err := r.query(ctx, &compile.Query{SQL: wrap(in.part, "SELECT * FROM "+name), Attrs: copied}, map[string]Stream{name: in}, nil)
		if err != nil {
			return err
		}
		st.Close()
	}
	return nil
}

// parted gives the rows of one partition after another: each time to the end of the stream.
type parted struct {
	Stream
	place int
	part  int
	batch arrow.RecordBatch // what comes next, nil if it is not read yet
	ended bool
}

// Close leaves the stream open, for the next partition.
func (p *parted) Close() {}

// more says whether the partition has rows that were not given yet.
func (p *parted) more(ctx context.Context) (bool, error) {
	for p.batch == nil || p.batch.NumRows() == 0 {
		if p.ended {
			return false, nil
		}
		b, err := p.Stream.Next(ctx)
		if errors.Is(err, io.EOF) {
			p.ended = true
			return false, nil
		}
		if err != nil {
			return false, err
		}
		p.batch = b
	}
	return p.upTo() > 0, nil
}

// upTo is how many rows of the batch are the partition's.
func (p *parted) upTo() int64 {
	ids := p.batch.Column(p.place).(*array.Int32)
	return int64(sort.Search(ids.Len(), func(i int) bool { return int(ids.Value(i)) > p.part }))
}

func (p *parted) Next(ctx context.Context) (arrow.RecordBatch, error) {
	some, err := p.more(ctx)
	if err != nil {
		return nil, err
	}
	if !some {
		return nil, io.EOF
	}
	n := p.upTo()
	out := p.batch.NewSlice(0, n)
	p.batch = p.batch.NewSlice(n, p.batch.NumRows())
	return out, nil
}
