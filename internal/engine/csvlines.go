package engine

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// The engine cuts a CSV file among its threads in pieces of a few times the longest line that it
// must expect, so a file whose lines are short is to say so.
const (
	longLine    = 32 << 20
	shortLine   = 2 << 20
	measureFrom = 128 << 20 // files that are larger have pieces enough
)

// maxLine gives the length of line to expect in files: shortLine where no record is near it.
func (d csvDialect) maxLine(files []string) (int, error) {
	if totalSize(files) > measureFrom {
		return longLine, nil
	}
	for _, f := range files {
		if strings.HasSuffix(f, ".gz") || strings.HasSuffix(f, ".bz2") || strings.HasSuffix(f, ".zst") {
			return longLine, nil
		}
		n, err := longestRecord(f, d.quote)
		if err != nil {
			return 0, err
		}
		if n > shortLine/2 {
			return longLine, nil
		}
	}
	return shortLine, nil
}

// longestRecord measures the records of a file, which end where a line ends outside quotes.
func longestRecord(path, quote string) (longest int, err error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, fmt.Errorf("open %s: %w", path, err)
	}
	defer f.Close()
	in, record, quotes := bufio.NewReaderSize(f, 1<<20), 0, 0
	for {
		line, err := in.ReadSlice('\n')
		record += len(line)
		if quote != "" {
			quotes += bytes.Count(line, []byte(quote))
		}
		longest = max(longest, record)
		switch {
		case errors.Is(err, io.EOF):
			return longest, nil
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case err != nil:
			return 0, fmt.Errorf("read %s: %w", path, err)
		}
		if quotes%2 == 0 {
			record, quotes = 0, 0
		}
	}
}
