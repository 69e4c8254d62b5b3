package pyworker

import (
	"context"
	"errors"
	"io"
	"sort"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/millpond/millpond/internal/plan"
)

// parter cuts an input into the partitions that a plan says, or where it says nothing into parts
// that keep the workers busy.
type parter struct {
	f     *feeder
	parts *plan.Partitions
	place int   // of the column with the partitions' numbers, by which rows come sorted; -1 for none
	held  int64 // how many bytes of a partition are read before it is sent
	dealt int
	last  *part
}

// part is the rows of one share. A large one is read while it is sent.
type part struct {
	batches
	done chan struct{} // closed when nobody reads any more
}

func (p *part) close() { close(p.done) }

// next gives the next partition, io.EOF after the last.
func (p *parter) next(ctx context.Context, small int) (*part, error) {
	if p.last != nil {
		select {
		case <-p.last.done:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
		p.last = nil
	}
	defer func() { p.dealt++ }()
	switch {
	case p.parts == nil || p.parts.Free:
		rows, err := p.some(ctx, small)
		if errors.Is(err, io.EOF) && p.dealt == 0 {
			err = nil // a function sees an empty input, too
		}
		return newPart(rows, nil), err
	case p.dealt == p.parts.Count:
		return nil, io.EOF
	}
	return p.one(ctx, int32(p.dealt))
}

func newPart(rows []arrow.RecordBatch, then Source) *part {
	return &part{batches{list: rows, then: then}, make(chan struct{})}
}

// some gives about as many rows as the feeder likes, but all of those with the last's number.
func (p *parter) some(ctx context.Context, small int) ([]arrow.RecordBatch, error) {
	rows, err := p.f.partitions(ctx, small)
	if err != nil || p.place < 0 {
		return rows, err
	}
	end := rows[len(rows)-1]
	number := p.numbers(end).Value(int(end.NumRows()) - 1)
	for {
		more, err := p.of(ctx, number)
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			return nil, err
		}
		rows = append(rows, more)
	}
}

// one gives the partition of a number; what does not fit into memory is read later.
func (p *parter) one(ctx context.Context, number int32) (*part, error) {
	var rows []arrow.RecordBatch
	for bytes := int64(0); bytes < p.held; {
		b, err := p.of(ctx, number)
		if errors.Is(err, io.EOF) {
			return newPart(rows, nil), nil
		}
		if err != nil {
			return nil, err
		}
		rows = append(rows, b)
		for _, c := range b.Columns() {
			bytes += int64(c.Data().SizeInBytes())
		}
	}
	p.last = newPart(rows, &rest{p, number})
	return p.last, nil
}

// of gives the next rows of a number, io.EOF if there are no more. What a function left of those
// before is passed over.
func (p *parter) of(ctx context.Context, number int32) (arrow.RecordBatch, error) {
	for {
		b, err := p.f.next(ctx)
		if err != nil || p.place < 0 {
			return b, err
		}
		from, to := p.reach(b, number), p.reach(b, number+1)
		if to < b.NumRows() {
			p.f.rest = b.NewSlice(to, b.NumRows())
		}
		switch {
		case from < to:
			return b.NewSlice(from, to), nil
		case to < b.NumRows():
			return nil, io.EOF
		}
	}
}

// reach is where numbers from number on begin in a batch.
func (p *parter) reach(b arrow.RecordBatch, number int32) int64 {
	ids := p.numbers(b)
	return int64(sort.Search(ids.Len(), func(i int) bool { return ids.Value(i) >= number }))
}

func (p *parter) numbers(b arrow.RecordBatch) *array.Int32 { return b.Column(p.place).(*array.Int32) }

// rest is what is left of a large partition.
type rest struct {
	p      *parter
	number int32
}

func (r *rest) Next(ctx context.Context) (arrow.RecordBatch, error) { return r.p.of(ctx, r.number) }

// pieces gives a source's rows in batches of at most n, and counts them.
type pieces struct {
	in    Source
	n     int
	tally *Tally
	more  []arrow.RecordBatch
}

func (p *pieces) Next(ctx context.Context) (arrow.RecordBatch, error) {
	for len(p.more) == 0 {
		b, err := p.in.Next(ctx)
		if err != nil {
			return nil, err
		}
		p.more = cutRows([]arrow.RecordBatch{b}, p.n)
	}
	b := p.more[0]
	p.more = p.more[1:]
	p.tally.batch(b)
	return b, nil
}
