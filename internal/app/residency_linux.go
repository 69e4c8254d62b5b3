package app

import (
	"bufio"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// unmapProgram lets go of the pages of the program's own file that are mapped and unchanged. The
// kernel maps up to 2 MB around each page that starting touches, most of it never to be used; what
// is used comes back from the page cache as it is touched.
func unmapProgram() error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	f, err := os.Open("/proc/self/smaps")
	if err != nil {
		return fmt.Errorf("read what is mapped: %w", err)
	}
	defer f.Close()
	var start, end uintptr
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		switch fields := strings.Fields(lines.Text()); {
		case len(fields) >= 6 && strings.Contains(fields[0], "-"):
			start, end = 0, 0
			if fields[5] == self && fields[1][1] != 'w' {
				if _, err := fmt.Sscanf(fields[0], "%x-%x", &start, &end); err != nil {
					return fmt.Errorf("read what is mapped: %w", err)
				}
			}
		// Pages that were written, by the loader or a debugger, would come back as the file has them.
		case end > start && len(fields) > 1 && fields[0] == "Anonymous:" && fields[1] == "0":
			if _, _, errno := unix.Syscall(unix.SYS_MADVISE, start, end-start, unix.MADV_DONTNEED); errno != 0 {
				return fmt.Errorf("let go of the program's pages: %w", errno)
			}
		}
	}
	return lines.Err()
}
