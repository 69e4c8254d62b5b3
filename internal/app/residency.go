package app

import (
	"context"
	"fmt"
	"os"
	"runtime/debug"
	"time"
)

const (
	// firstLook is how long the garbage of starting is left before memory goes back to the system.
	firstLook = 2 * time.Second
	// laterLooks is how often an idle server looks whether work has left memory behind.
	laterLooks = 30 * time.Second
	// grown is how much must have come for giving back to be worth its while.
	grown = 16 << 20
)

// giveBack keeps an idle server small: memory that work has left goes back to the system once no
// query runs.
func (a *App) giveBack(ctx context.Context) {
	least := int64(-grown) // the first look always gives back
	for wait := firstLook; ; wait = laterLooks {
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		if _, running := a.connect.Counts(); running > 0 || residentBytes() < least+grown {
			continue
		}
		debug.FreeOSMemory()
		if err := unmapProgram(); err != nil {
			a.log.Debug("the program's pages stay mapped", "error", err)
		}
		least = residentBytes()
	}
}

// residentBytes is the program's memory in RAM, 0 where the system does not tell.
func residentBytes() int64 {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	var total, resident int64
	if _, err := fmt.Sscan(string(text), &total, &resident); err != nil {
		return 0
	}
	return resident * int64(os.Getpagesize())
}
