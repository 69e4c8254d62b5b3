package artifact

import (
	"errors"
	"syscall"
)

// isNotDir reports that some directory of a path is a file.
func isNotDir(err error) bool { return errors.Is(err, syscall.ENOTDIR) }
