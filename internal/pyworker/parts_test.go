package pyworker

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/millpond/millpond/internal/plan"
)

// drawn tells the partitions that a parter gives, each as the first column of its first rows, which
// are the only ones that are read.
func drawn(t *testing.T, p *parter, batches int) string {
	t.Helper()
	out := ""
	for {
		one, err := p.next(t.Context(), 2)
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		list := []int64{}
		for range batches {
			b, err := one.Next(t.Context())
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			for i := range int(b.NumRows()) {
				list = append(list, b.Column(0).(*array.Int64).Value(i))
			}
		}
		one.close()
		out += fmt.Sprint(list)
	}
}

func TestPartitions(t *testing.T) {
	_, first := table(t, "a bigint, p int", `[{"a":1,"p":0},{"a":2,"p":0},{"a":3,"p":2},{"a":4,"p":2}]`)
	_, second := table(t, "a bigint, p int", `[{"a":5,"p":2},{"a":6,"p":5}]`)
	for _, c := range []struct {
		parts   *plan.Partitions
		place   int
		empty   bool
		held    int64
		batches int
		want    string
	}{
		{&plan.Partitions{Count: 7}, 1, false, maxBytes, 9, "[1 2][][3 4 5][][][6][]"},
		{&plan.Partitions{Count: 1}, -1, false, maxBytes, 9, "[1 2 3 4 5 6]"},
		{&plan.Partitions{Count: 3}, 1, true, maxBytes, 9, "[][][]"},
		{&plan.Partitions{Count: 200, Free: true}, 1, false, maxBytes, 9, "[1 2 3 4 5][6]"}, // a number is never parted
		{&plan.Partitions{Count: 200, Free: true}, 1, true, maxBytes, 9, "[]"},
		{nil, -1, false, maxBytes, 9, "[1 2 3][4 5 6]"},
		{nil, -1, true, maxBytes, 9, "[]"},
		// What is large is read while it is sent, and what a function does not read is passed over.
		{&plan.Partitions{Count: 6}, 1, false, 1, 9, "[1 2][][3 4 5][][][6]"},
		{&plan.Partitions{Count: 6}, 1, false, 1, 1, "[1 2][][3 4][][][6]"},
		{&plan.Partitions{Count: 1}, -1, false, 1, 9, "[1 2 3 4 5 6]"},
	} {
		src := &batches{list: []arrow.RecordBatch{first, second}}
		if c.empty {
			src = &batches{}
		}
		if got := drawn(t, &parter{f: &feeder{in: src, workers: 2}, parts: c.parts, place: c.place, held: c.held}, c.batches); got != c.want {
			t.Errorf("%+v: %s, want %s", c.parts, got, c.want)
		}
	}
}
