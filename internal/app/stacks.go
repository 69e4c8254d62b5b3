//go:build unix

package app

import (
	"context"
	"io"
	"os"
	"os/signal"
	"runtime/pprof"
	"syscall"
)

// tellStacks writes the stacks of all goroutines whenever the process gets SIGUSR1, until ctx ends:
// what a server that seems to hang is doing.
func tellStacks(ctx context.Context, to io.Writer) {
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGUSR1)
	defer signal.Stop(asked)
	for {
		select {
		case <-ctx.Done():
			return
		case <-asked:
			_ = pprof.Lookup("goroutine").WriteTo(to, 2) // whoever asked sees that nothing came
		}
	}
}
