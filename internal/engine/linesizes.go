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

// The engine cuts a text file among its threads in pieces of four times the longest line that it
// must expect, so a file whose lines are short is to say so. A piece each is best: the rows of
// small ones are copied once more when they become a table.
const (
	pieceLines  = 4
	longLine    = 32 << 20
	shortLine   = 2 << 20
	measureFrom = 128 << 20 // files that are larger have pieces enough
)

// lineSizes is how the records of text files lie.
type lineSizes struct {
	longest int  // bytes of a record, or longLine where nobody measured
	quoted  bool // some line ends inside quotes
	share   int  // bytes of the largest file for each thread
	first   bool // only the first rows are wanted
}

// limit is the longest line that the engine is to expect.
func (l lineSizes) limit() int {
	switch {
	case l.first:
		return headLine
	case l.longest > shortLine/2:
		return longLine
	}
	return max(shortLine, min(l.share/pieceLines+l.share/100, longLine))
}

// headLine is the longest line to expect where only the first rows are wanted: the engine reads
// sixteen times as much at once.
const headLine = 64 << 10

// head is for the first rows.
func (l lineSizes) head() lineSizes {
	if l.longest <= headLine {
		l.first = true
	}
	return l
}

// measureLines looks at the records of files, unless they are large or compressed. A line that ends
// inside quotes ends no record; quote may be "".
func measureLines(files []string, quote string, threads int) (lineSizes, error) {
	unknown := lineSizes{longest: longLine}
	if totalSize(files) > measureFrom {
		return unknown, nil
	}
	var out lineSizes
	for _, f := range files {
		if strings.HasSuffix(f, ".gz") || strings.HasSuffix(f, ".bz2") || strings.HasSuffix(f, ".zst") {
			return unknown, nil
		}
		if err := out.add(f, quote); err != nil {
			return out, err
		}
		out.share = max(out.share, int(totalSize([]string{f}))/threads)
	}
	return out, nil
}

// add measures the records of a file, which end where a line ends outside quotes.
func (l *lineSizes) add(path, quote string) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("open %s: %w", path, err)
	}
	defer f.Close()
	in, record, quotes := bufio.NewReaderSize(f, 1<<20), 0, 0
	for {
		line, err := in.ReadSlice('\n')
		record += len(line)
		if quote != "" {
			quotes += bytes.Count(line, []byte(quote))
		}
		l.longest = max(l.longest, record)
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case errors.Is(err, bufio.ErrBufferFull):
		case err != nil:
			return fmt.Errorf("read %s: %w", path, err)
		case quotes%2 == 0:
			record, quotes = 0, 0
		default:
			l.quoted = true
		}
	}
}

// lineLimit is the longest line to expect of files of text.
func (s *Session) lineLimit(files []string) (int, error) {
	found, err := s.e.lines.get("text "+stamp(files), func() (lineSizes, error) { return measureLines(files, "", s.e.opts.Threads) })
	return found.limit(), err
}
