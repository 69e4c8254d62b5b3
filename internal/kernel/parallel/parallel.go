// Package parallel runs the same work in several goroutines. What comes in is a function that
// takes its share by itself; a panic in one of them becomes a panic of the caller, who can
// recover from it, instead of the end of the process.
package parallel

import (
	"fmt"
	"runtime/debug"
	"sync"
)

// Run calls work in n goroutines and waits for all of them.
func Run(n int, work func()) {
	if n <= 1 {
		work()
		return
	}
	var wg sync.WaitGroup
	var once sync.Once
	var failed error
	for range n {
		wg.Go(func() {
			defer func() {
				if p := recover(); p != nil {
					once.Do(func() { failed = fmt.Errorf("%v\n%s", p, debug.Stack()) })
				}
			}()
			work()
		})
	}
	wg.Wait()
	if failed != nil {
		panic(failed)
	}
}
