package sparkerr

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// TestSummary lays the summaries of recorded errors against those made of their text.
func TestSummary(t *testing.T) {
	data, err := os.ReadFile("../../spec/errors/sql.json")
	if err != nil {
		t.Fatal(err)
	}
	var spec struct {
		Cases map[string]struct {
			Contexts []struct {
				Kind, Fragment, Summary string
				Start                   int
			}
		}
	}
	if err := json.Unmarshal(data, &spec); err != nil {
		t.Fatal(err)
	}
	seen := 0
	for name, c := range spec.Cases {
		for _, want := range c.Contexts {
			// The text is in the summary where neither end was cut and it is one line.
			lines := strings.Split(want.Summary, "\n")
			if want.Kind != "SQL" || len(lines) != 4 || strings.Contains(want.Summary, "...") || !strings.Contains(lines[0], "line 1,") {
				continue
			}
			text := lines[1]
			at := strings.Index(text, want.Fragment)
			first := len([]rune(text[:at]))
			got := &Context{SQL: text, Start: at, Stop: at + len(want.Fragment) - 1}
			if got.Summary() != want.Summary || got.Fragment() != want.Fragment {
				t.Errorf("%s: %q, want %q", name, got.Summary(), want.Summary)
			}
			if f, _ := got.Range(); f != first || first != want.Start {
				t.Errorf("%s: starts at %d, want %d", name, f, want.Start)
			}
			seen++
		}
	}
	if seen < 20 {
		t.Fatalf("only %d summaries were compared", seen)
	}
}

func TestPlacedConditions(t *testing.T) {
	here := &Context{SQL: "select 1/0", Start: 7, Stop: 9}
	sql := Place(Raise("DIVIDE_BY_ZERO"), 1)
	text := strings.TrimSuffix(strings.TrimPrefix(Place(sql, 5), "error('"), "')") // the first place stands
	e := FromText("Invalid Input Error: "+text, []*Context{nil, here})
	if e == nil || e.Context != here || !strings.Contains(e.Message, "== SQL (line 1, position 8) ==") {
		t.Fatalf("%+v", e)
	}
	if e := FromText(Raised("DIVIDE_BY_ZERO").Error(), nil); e == nil || e.Context == nil || e.Context.Fragment() != "" {
		t.Fatalf("%+v", e)
	}
}
