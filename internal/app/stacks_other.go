//go:build !unix

package app

import (
	"context"
	"io"
)

// tellStacks does nothing where there is no SIGUSR1.
func tellStacks(context.Context, io.Writer) {}
