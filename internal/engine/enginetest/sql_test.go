// Package enginetest runs SQL through a whole embedded engine and compares its answers with what
// Spark recorded under spec/sql. DuckDB is linked into this one test binary.
package enginetest

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/millpond/millpond/internal/engine"
	"github.com/millpond/millpond/internal/execute"
	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

const specs = "../../../spec/sql"

// sqlCase is a query with what Spark answered: columns and rows, or an error.
type sqlCase struct {
	name, query string
	want        []string
}

// TestRecordedSQL runs every fixture. known_failures.txt is a ratchet: a case named there must
// fail, a case not named there must pass. MILLPOND_UPDATE_FAILURES=1 rewrites it.
func TestRecordedSQL(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(specs, "*.slt"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no fixtures: %v", err)
	}
	known := readKnown(t)
	e, err := engine.Open(engine.Options{DataDir: t.TempDir(), Threads: 2, TimeZone: "UTC"})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	var failing []string
	total := 0
	for _, f := range files {
		s := e.NewSession(filepath.Base(f), "")
		for _, c := range readCases(t, f) {
			total++
			got := run(s, c.query)
			reason := differ(c, got)
			switch {
			case reason != "" && !known[c.name]:
				t.Errorf("%s: %s\n%s", c.name, c.query, reason)
			case reason == "" && known[c.name]:
				t.Errorf("%s passes now: take its line out of known_failures.txt", c.name)
			}
			if reason != "" {
				failing = append(failing, c.name)
			}
			delete(known, c.name)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	for name := range known {
		t.Errorf("known_failures.txt names %s, which no fixture has", name)
	}
	t.Logf("%d of %d recorded cases agree with Spark", total-len(failing), total)
	if os.Getenv("MILLPOND_UPDATE_FAILURES") != "" {
		text := "# Cases of spec/sql that this engine does not answer as Spark does. A line goes when its case passes.\n" + strings.Join(failing, "\n") + "\n"
		if err := os.WriteFile(filepath.Join(specs, "known_failures.txt"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func readKnown(t *testing.T) map[string]bool {
	data, err := os.ReadFile(filepath.Join(specs, "known_failures.txt"))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, line := range strings.Split(string(data), "\n") {
		if line != "" && !strings.HasPrefix(line, "#") {
			known[line] = true
		}
	}
	return known
}

// readCases reads a fixture; a case is called by its file and its query's text.
func readCases(t *testing.T, path string) []sqlCase {
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	var out []sqlCase
	var block []string
	seen := map[string]int{}
	flush := func() {
		if len(block) == 0 {
			return
		}
		n := 0
		for n < len(block) && !strings.HasSuffix(block[n], ";") {
			n++
		}
		query := strings.TrimSuffix(strings.Join(block[:min(n+1, len(block))], "\n"), ";")
		name := strings.TrimSuffix(filepath.Base(path), ".slt") + ": " + strings.Join(strings.Fields(query), " ")
		if seen[name]++; seen[name] > 1 {
			name += fmt.Sprintf(" (%d)", seen[name])
		}
		out = append(out, sqlCase{name, query, append([]string{}, block[min(n+1, len(block)):]...)})
		block = nil
	}
	in := bufio.NewScanner(f)
	in.Buffer(nil, 1<<20)
	for in.Scan() {
		switch line := in.Text(); {
		case strings.HasPrefix(line, "#") && len(block) == 0:
		case line == "":
			flush()
		default:
			block = append(block, line)
		}
	}
	flush()
	if err := in.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// run answers in the fixtures' form.
func run(s *engine.Session, query string) []string {
	ctx := context.Background()
	r := &plan.SQL{Query: query}
	schema, batches, err := func() (types.Struct, []arrow.RecordBatch, error) {
		a, err := s.Statement(ctx, r)
		if err != nil {
			return types.Struct{}, nil, err
		}
		if a != nil {
			return a.Schema, a.Batches, nil
		}
		res, err := s.Run(ctx, r)
		if err != nil {
			return types.Struct{}, nil, err
		}
		batches, err := execute.Drain(ctx, res.Stream)
		return res.Schema, batches, err
	}()
	if err != nil {
		if e := sparkerr.As(err); e != nil {
			return []string{"error " + orDash(e.Condition) + " " + orDash(e.SQLState), "(" + e.Message + ")"}
		}
		return []string{"failed " + err.Error()}
	}
	out := []string{"schema"}
	for _, f := range schema.Fields {
		line := strings.Trim(textOf(f.Name), `"`) + ": " + f.Type.SimpleString()
		if !f.Nullable {
			line += " not null"
		}
		out = append(out, line)
	}
	out = append(out, "rows")
	for _, b := range batches {
		for i := range int(b.NumRows()) {
			cells := make([]string, b.NumCols())
			for k := range cells {
				cells[k] = cell(b.Column(k), i)
			}
			out = append(out, strings.Join(cells, "\t"))
		}
	}
	return out
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// differ tells how an answer differs from the recording, "" if it does not. Rows without an
// ORDER BY may come in any order.
func differ(c sqlCase, got []string) string {
	want := c.want
	if len(want) > 0 && strings.HasPrefix(want[0], "error") {
		if len(got) > 0 && got[0] == want[0] {
			return ""
		}
	} else if strings.Join(arrange(c.query, want), "\n") == strings.Join(arrange(c.query, got), "\n") {
		return ""
	}
	return "want " + strings.Join(want, "\n     ") + "\ngot  " + strings.Join(got, "\n     ")
}

func arrange(query string, lines []string) []string {
	out := append([]string{}, lines...)
	if strings.Contains(strings.ToUpper(outside(query)), "ORDER BY") {
		return out
	}
	for i, l := range out {
		if l == "rows" {
			sort.Strings(out[i+1:])
		}
	}
	return out
}

// outside is a query without what stands in parentheses: a window's order is not the rows'.
func outside(query string) string {
	var b strings.Builder
	depth := 0
	for _, r := range query {
		switch r {
		case '(':
			depth++
		case ')':
			depth--
		default:
			if depth == 0 {
				b.WriteRune(r)
			}
		}
	}
	return b.String()
}
