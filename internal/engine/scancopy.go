package engine

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"

	"github.com/millpond/millpond/internal/execute"
	"github.com/millpond/millpond/internal/plan"
)

// scanCopyBytes bounds the text files of which copies are held, and half of it each of them.
const scanCopyBytes = 256 << 20

// scanCopies holds text files that are read again and again as tables of the engine: parsing a CSV
// file takes far longer than reading what was parsed. A copy is made at the second reading, and
// is another's once the file changes. The engine spills tables as it spills everything.
type scanCopies struct {
	db     *execute.Database
	budget int64

	mu     sync.Mutex
	seen   map[string]bool // read once
	copies map[string]*scanCopy
	next   int
	clock  int // of uses
}

type scanCopy struct {
	table   string
	columns map[string]string // expression of the scan to column of the table
	bytes   int64
	users   int
	used    int
	build   sync.Once
	doubt   string // what was found true of no row
	err     error
}

func newScanCopies(db *execute.Database, memory int64) *scanCopies {
	c := &scanCopies{db: db, budget: scanCopyBytes, seen: map[string]bool{}, copies: map[string]*scanCopy{}}
	if memory > 0 {
		c.budget = min(c.budget, memory/16)
	}
	return c
}

// copyable marks a scan of text files that may be read from a copy.
func copyable(scan *plan.Scan) {
	if scan.Format != "csv" && scan.Format != "json" || len(scan.Files) == 0 {
		return
	}
	all := strings.Join(scan.Source, "\n")
	if strings.Contains(all, "error(") || strings.Contains(scan.SQL, "error(") {
		return // a reading that may fail must fail each time
	}
	scan.Whole = &plan.WholeScan{Key: scan.SQL + "\n" + all + "\n" + stamp(scan.Files), Source: scan.Source}
}

// scans are the copies as a session reads them.
type scans struct {
	*scanCopies
	settings map[string]string
}

// Use gives the scan to run instead of n, and a function to call when it has run.
func (s *scans) Use(ctx context.Context, n *plan.Scan) (*plan.Scan, func()) {
	c := s.copyOf(ctx, n, false, "")
	if c == nil {
		return n, func() {}
	}
	out := *n
	out.SQL, out.Source = c.table, make([]string, len(n.Source))
	for i, e := range n.Source {
		out.Source[i] = c.columns[e]
	}
	return &out, func() { s.release(c) }
}

// confirm copies the rows of a whole scan now, and says whether doubt, an expression of the files'
// columns, is true of none. It says no where no copy can be made, or one is there that was not
// made under this doubt.
func (s *scans) confirm(ctx context.Context, n *plan.Scan, doubt string) bool {
	c := s.copyOf(ctx, n, true, doubt)
	if c == nil {
		return false
	}
	defer s.release(c)
	return c.doubt == doubt
}

// copyOf leases the copy for a scan, made if need be; nil where there is none, and the scan itself
// says what is wrong.
func (s *scans) copyOf(ctx context.Context, n *plan.Scan, now bool, doubt string) *scanCopy {
	if n.Whole == nil {
		return nil
	}
	key := s.key(n)
	c := s.lease(key, n, now)
	if c == nil {
		return nil
	}
	c.build.Do(func() { c.doubt, c.err = doubt, s.make(ctx, c, n, doubt) })
	if c.err != nil {
		s.forget(key, c)
		return nil
	}
	return c
}

func (s *scans) key(n *plan.Scan) string { return fmt.Sprint(n.Whole.Key, s.settings) }

func (s *scanCopies) release(c *scanCopy) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.users--
}

// forget gives up a copy that could not be made.
func (s *scanCopies) forget(key string, c *scanCopy) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.copies[key] == c {
		delete(s.copies, key)
		s.drop(c)
	}
}

// drop frees a copy's table. One that stays costs memory that spills; nothing else depends on it.
func (s *scanCopies) drop(c *scanCopy) {
	_ = s.db.Exec(context.Background(), nil, "DROP TABLE IF EXISTS "+c.table)
}

// lease finds the copy for a key, or makes room for one at the second use, or at the first if now;
// nil if there is to be none.
func (s *scanCopies) lease(key string, n *plan.Scan, now bool) *scanCopy {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clock++
	c, ok := s.copies[key]
	if !ok {
		if !s.seen[key] && !now {
			if len(s.seen) > 1000 {
				clear(s.seen)
			}
			s.seen[key] = true
			return nil
		}
		bytes := totalSize(n.Files)
		if bytes > s.budget/2 || !s.room(bytes) {
			return nil
		}
		s.next++
		c = &scanCopy{table: fmt.Sprintf("scan_copy_%d", s.next), columns: map[string]string{}, bytes: bytes}
		s.copies[key] = c
	}
	c.users++
	c.used = s.clock
	return c
}

// room drops the copies that were used longest ago until bytes more fit.
func (s *scanCopies) room(bytes int64) bool {
	total := bytes
	for _, c := range s.copies {
		total += c.bytes
	}
	for total > s.budget {
		oldest := ""
		for k, c := range s.copies {
			if c.users == 0 && (oldest == "" || c.used < s.copies[oldest].used) {
				oldest = k
			}
		}
		if oldest == "" {
			return false
		}
		c := s.copies[oldest]
		delete(s.copies, oldest)
		total -= c.bytes
		s.drop(c)
	}
	return true
}

// errDoubt is the error of a copy whose rows refute a guess.
const errDoubt = "the rows are not as guessed"

func (s *scans) make(ctx context.Context, c *scanCopy, n *plan.Scan, doubt string) error {
	list := make([]string, 0, len(n.Whole.Source))
	for _, e := range n.Whole.Source {
		if _, there := c.columns[e]; !there {
			name := fmt.Sprintf("c%d", len(list))
			c.columns[e] = name
			list = append(list, e+" AS "+name)
		}
	}
	if doubt != "" { // Spark's types hold for all rows or not at all, so one false row ends the copying
		list = append(list, "(CASE WHEN "+doubt+" THEN error('"+errDoubt+"') END) AS doubt")
	}
	return s.db.Exec(ctx, s.settings, "CREATE TABLE "+c.table+" AS SELECT "+strings.Join(list, ", ")+" FROM "+n.SQL)
}

func totalSize(files []string) int64 {
	total := int64(0)
	for _, f := range files {
		if info, err := os.Stat(f); err == nil {
			total += info.Size()
		}
	}
	return total
}
