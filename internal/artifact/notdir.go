package artifact

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// isNotDir reports that some directory of a path is a file.
func isNotDir(err error) bool { return errors.Is(err, syscall.ENOTDIR) }

// escaped gives its name to the error of a path that a link leads out of the
// root. Package os has no name for it; it is the one without a system's number.
func escaped(err error) error {
	var number syscall.Errno
	var at *fs.PathError
	var link *os.LinkError
	switch {
	case err == nil, errors.As(err, &number), errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrClosed):
		return err
	case errors.As(err, &at), errors.As(err, &link):
		return fmt.Errorf("%w: %w", ErrInvalidPath, err)
	}
	return err
}
