package engine

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/millpond/millpond/internal/kernel/parallel"
)

// plainNumbers says which columns of CSV files hold nothing but plain numbers, and some: "INTEGER" or
// "DOUBLE", as the engine calls their types, and "" for others. Plain is what the engine parses as
// Spark does, in a fraction of the time that reading text takes which must be looked at. Files that
// are large, or have a quote, an escape or a carriage return anywhere, are not looked into: nil.
func (d csvDialect) plainNumbers(files []string, columns, threads int) ([]string, error) {
	if d.records.longest > shortLine/2 || d.records.quoted || d.multiline || d.comment != "" || len(d.sep) != 1 {
		return nil, nil
	}
	p := &plainScan{sep: d.sep[0], special: d.quote + d.escape + "\r", nulls: d.nulls, found: make([]plainKind, columns)}
	for _, f := range files {
		if err := p.file(f, d.header, threads); err != nil || p.given.Load() {
			return nil, err
		}
	}
	out := make([]string, columns)
	for i, k := range p.found {
		switch {
		case k == shortInt:
			out[i] = "INTEGER"
		case k&decimal != 0 && k&notPlain == 0:
			out[i] = "DOUBLE"
		}
	}
	return out, nil
}

// plainKind says what numbers there are, as a set.
type plainKind uint8

const (
	shortInt plainKind = 1 << iota // at most nine digits, perhaps after a minus
	longInt                        // more digits
	decimal                        // digits with a point among them
	notPlain                       // anything else
)

type plainScan struct {
	sep     byte
	special string // bytes that make lines and fields something else than they look
	nulls   []string
	given   atomic.Bool // up

	mu    sync.Mutex
	found []plainKind // by column
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
	p.mu.Lock()
	found := slices.Clone(p.found)
	p.mu.Unlock()
	column, from := 0, 0
	for i, c := range lines {
		if c != p.sep && c != '\n' {
			continue
		}
		p.field(found, column, lines[from:i])
		column, from = column+1, i+1
		if c == '\n' {
			column = 0
		}
	}
	p.field(found, column, lines[from:])
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, k := range found {
		p.found[i] |= k
	}
}

func (p *plainScan) field(found []plainKind, column int, text []byte) {
	if column >= len(found) || found[column]&notPlain != 0 {
		return
	}
	for _, null := range p.nulls { // it may look like a number of another kind
		if string(text) == null {
			return
		}
	}
	found[column] |= kindOf(text)
}

func kindOf(text []byte) plainKind {
	if len(text) > 0 && text[0] == '-' {
		text = text[1:]
	}
	n := digits(text)
	switch {
	case n == 0:
		return notPlain
	case n == len(text) && n <= 9:
		return shortInt
	case n == len(text):
		return longInt
	case text[n] == '.' && n+1 < len(text) && digits(text[n+1:]) == len(text)-n-1:
		return decimal
	}
	return notPlain
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
