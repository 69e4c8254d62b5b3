package progress

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestStages(t *testing.T) {
	tr := &Tracker{}
	ctx := Watch(context.Background(), tr)
	a := Start(ctx, 4)
	a.Add(3)
	a.Read(10)
	b := Start(ctx, 0)
	b.Poll(func() (int64, int64) { return 7, 9 })
	want := []State{{ID: 0, Total: 4, Done: 3, Bytes: 10}, {ID: 1, Total: 9, Done: 7}}
	if d := cmp.Diff(want, tr.States()); d != "" {
		t.Error(d)
	}
	a.End()
	b.End()
	want = []State{{ID: 0, Total: 4, Done: 4, Bytes: 10, Ended: true}, {ID: 1, Total: 9, Done: 9, Ended: true}}
	if d := cmp.Diff(want, tr.States()); d != "" {
		t.Error(d)
	}
}

func TestUnwatched(t *testing.T) {
	s := Start(context.Background(), 3)
	s.Add(1)
	s.Expect(1)
	s.Read(1)
	s.Poll(func() (int64, int64) { return 0, 0 })
	s.End()
	if s != nil {
		t.Error("a stage that nobody watches was made")
	}
}

func TestRounds(t *testing.T) {
	tr := &Tracker{}
	ctx, cancel := context.WithCancel(Watch(context.Background(), tr))
	next, end := Rounds(ctx, 5)
	for range 3 {
		if err := next(); err != nil {
			t.Fatal(err)
		}
	}
	if got := tr.States()[0]; got.Done != 2 || got.Total != 5 {
		t.Errorf("after two rounds: %+v", got)
	}
	cancel()
	if next() == nil {
		t.Error("a cancelled algorithm may go on")
	}
	end()
}

func TestOldStagesAreForgotten(t *testing.T) {
	tr := &Tracker{}
	ctx := Watch(context.Background(), tr)
	for range 500 {
		Start(ctx, 1).End()
	}
	if n := len(tr.States()); n > keepStages {
		t.Errorf("%d stages are remembered", n)
	}
}
