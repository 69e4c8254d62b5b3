package engine

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"

	"github.com/millpond/millpond/internal/kernel/parallel"
	"github.com/millpond/millpond/internal/types"
)

// plainKinds are the types whose plain values the engine parses as Spark does: what it calls them,
// and what is plain.
var plainKinds = map[types.Type]struct {
	sql  string
	test func([]byte) bool
}{types.Int: {"INTEGER", isPlainInt}, types.Double: {"DOUBLE", isPlainDecimal}}

// plainNumbers says which columns of CSV files, guessed to be of some types, hold nothing but plain
// numbers, and what the engine calls their types; others have "". Plain ones the engine may parse by
// itself, in a fraction of the time that reading text takes which must be looked at. Files that are
// large, or have a quote, an escape or a carriage return anywhere, are not looked into: nil.
func (d csvDialect) plainNumbers(files []string, guessed []types.Type, threads int) ([]string, error) {
	if d.records.longest > shortLine/2 || d.records.quoted || d.multiline || d.comment != "" || len(d.sep) != 1 {
		return nil, nil
	}
	p := &plainScan{sep: d.sep[0], special: d.quote + d.escape + "\r", nulls: d.nulls, columns: make([]plainColumn, len(guessed))}
	some := false
	for i, t := range guessed {
		p.columns[i].test = plainKinds[t].test
		p.columns[i].refuted.Store(p.columns[i].test == nil)
		some = some || p.columns[i].test != nil
	}
	if !some {
		return nil, nil
	}
	for _, f := range files {
		if err := p.file(f, d.header, threads); err != nil || p.given.Load() {
			return nil, err
		}
	}
	out := make([]string, len(guessed))
	for i, t := range guessed {
		if !p.columns[i].refuted.Load() {
			out[i] = plainKinds[t].sql
		}
	}
	return out, nil
}

type plainScan struct {
	sep     byte
	special string // bytes that make lines and fields something else than they look
	nulls   []string
	columns []plainColumn
	given   atomic.Bool // up
}

type plainColumn struct {
	test    func([]byte) bool
	refuted atomic.Bool
}

// blockSize is how much of a file is looked at in one go.
const blockSize = 1 << 20

// file looks at a file's lines.
func (p *plainScan) file(path string, header bool, threads int) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("open %s: %w", path, err)
	}
	defer f.Close()
	in := &lineBlocks{in: f, header: header}
	parallel.Run(threads, func() {
		for block, ok := in.next(); ok && !p.given.Load(); block, ok = in.next() {
			p.block(block)
		}
	})
	if in.failed != nil {
		return fmt.Errorf("read %s: %w", path, in.failed)
	}
	return nil
}

// lineBlocks cuts a file into blocks of whole lines, for several readers.
type lineBlocks struct {
	mu     sync.Mutex
	in     io.Reader
	header bool   // the first line is none of the rows
	rest   []byte // of the line that the last block ended in
	ended  bool
	failed error
}

func (l *lineBlocks) next() (block []byte, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended {
		return nil, false
	}
	block = make([]byte, len(l.rest)+blockSize)
	copy(block, l.rest)
	n, err := io.ReadFull(l.in, block[len(l.rest):])
	block = block[:len(l.rest)+n]
	if err != nil {
		l.ended = true
		if !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			l.failed = err
			return nil, false
		}
	} else {
		end := bytes.LastIndexByte(block, '\n') + 1
		block, l.rest = block[:end], block[end:]
	}
	if l.header {
		l.header = false
		_, block, _ = bytes.Cut(block, []byte{'\n'})
	}
	return block, true
}

// block looks at whole lines.
func (p *plainScan) block(lines []byte) {
	for _, c := range []byte(p.special) {
		if bytes.IndexByte(lines, c) >= 0 {
			p.given.Store(true)
			return
		}
	}
	column, from := 0, 0
	for i, c := range lines {
		if c != p.sep && c != '\n' {
			continue
		}
		p.field(column, lines[from:i])
		column, from = column+1, i+1
		if c == '\n' {
			column = 0
		}
	}
	p.field(column, lines[from:])
}

func (p *plainScan) field(column int, text []byte) {
	if column >= len(p.columns) || p.columns[column].refuted.Load() || p.columns[column].test(text) {
		return
	}
	for _, null := range p.nulls {
		if string(text) == null {
			return
		}
	}
	p.columns[column].refuted.Store(true)
}

// isPlainInt says whether a text is at most nine digits, perhaps after a minus.
func isPlainInt(text []byte) bool {
	if len(text) > 0 && text[0] == '-' {
		text = text[1:]
	}
	return len(text) > 0 && len(text) <= 9 && digits(text) == len(text)
}

// isPlainDecimal says whether a text is digits, perhaps with a point among them and a minus before.
func isPlainDecimal(text []byte) bool {
	if len(text) > 0 && text[0] == '-' {
		text = text[1:]
	}
	n := digits(text)
	if n == len(text) || n == 0 || text[n] != '.' {
		return n > 0 && n == len(text)
	}
	rest := text[n+1:]
	return len(rest) > 0 && digits(rest) == len(rest)
}

// digits counts the digits that a text begins with.
func digits(text []byte) int {
	for i, c := range text {
		if c < '0' || c > '9' {
			return i
		}
	}
	return len(text)
}
