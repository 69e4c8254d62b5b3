package parallel

import (
	"strings"
	"sync/atomic"
	"testing"
)

func TestRun(t *testing.T) {
	for _, n := range []int{0, 1, 2, 7} {
		var calls atomic.Int64
		Run(n, func() { calls.Add(1) })
		if got := calls.Load(); got != int64(max(n, 1)) {
			t.Errorf("%d goroutines made %d calls", n, got)
		}
	}
}

func TestPanicReachesTheCaller(t *testing.T) {
	for _, n := range []int{1, 4} {
		func() {
			defer func() {
				p := recover()
				if p == nil {
					t.Fatalf("%d goroutines: the panic was lost", n)
				}
				if err, ok := p.(error); n > 1 && (!ok || !strings.Contains(err.Error(), "index out of range")) {
					t.Errorf("%d goroutines: panicked with %v", n, p)
				}
			}()
			var list []int
			Run(n, func() { _ = list[n] })
		}()
	}
}
