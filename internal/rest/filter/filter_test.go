package filter

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParse(t *testing.T) {
	str := func(s string) Value { return Value{Kind: String, Text: s} }
	num := func(s string) Value { return Value{Kind: Number, Text: s} }
	all := func(list ...Comparison) Filter {
		var f Filter
		for _, c := range list {
			f = append(f, Clause{Comparison: c})
		}
		return f
	}
	a, b, c := Comparison{"", "a", Eq, str("1")}, Comparison{"", "b", Eq, str("2")}, Comparison{"", "c", Eq, str("3")}
	for text, want := range map[string]Filter{
		"":                                            nil,
		"metrics.acc > 0.8":                           all(Comparison{"metrics", "acc", Gt, num("0.8")}),
		"metrics.acc=-1":                              all(Comparison{"metrics", "acc", Eq, num("-1")}),
		"metrics.`a b` >= 1.5e-3":                     all(Comparison{"metrics", "a b", Ge, num("1.5e-3")}),
		`metrics."a b" > 0`:                           all(Comparison{"metrics", "a b", Gt, num("0")}),
		"tags.'t' = \"1\"":                            all(Comparison{"tags", "t", Eq, str("1")}),
		"tags.mlflow.runName = 'x'":                   all(Comparison{"tags", "mlflow.runName", Eq, str("x")}),
		"tags.`a.b` = 'it''s'":                        all(Comparison{"tags", "a.b", Eq, str("it's")}),
		"params.1 = '1'":                              all(Comparison{"params", "1", Eq, str("1")}),
		"status != 'a' and name like 'b%'":            all(Comparison{"", "status", Ne, str("a")}, Comparison{"", "name", Like, str("b%")}),
		"run_id IN ('a', \"b\")":                      all(Comparison{"", "run_id", In, Value{Kind: List, List: []string{"a", "b"}}}),
		"run_id not in ('a',)":                        all(Comparison{"", "run_id", NotIn, Value{Kind: List, List: []string{"a"}}}),
		"tags.x IS NULL AND params.y is not null":     all(Comparison{"tags", "x", IsNull, Value{}}, Comparison{"params", "y", IsNotNull, Value{}}),
		"`metrics`.m <> 1":                            all(Comparison{"metrics", "m", Ne, num("1")}),
		"(a = '1')":                                   all(a),
		"((a = '1') AND (b = '2'))":                   all(a, b),
		"(a = '1' OR b = '2')":                        {{Any: []Filter{all(a), all(b)}}},
		"((a = '1' or b = '2')) AND c = '3'":          {{Any: []Filter{all(a), all(b)}}, {Comparison: c}},
		"(a = '1' AND b = '2' OR c = '3')":            {{Any: []Filter{all(a, b), all(c)}}},
		"(a = '1' AND (b = '2' OR c = '3') OR b='2')": {{Any: []Filter{{{Comparison: a}, {Any: []Filter{all(b), all(c)}}}, all(b)}}},
		"metrics.train/loss-1 < .5":                   all(Comparison{"metrics", "train/loss-1", Lt, num(".5")}),
	} {
		got, err := Parse(text)
		if err != nil {
			t.Errorf("Parse(%q): %v", text, err)
			continue
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("Parse(%q): %s", text, d)
		}
	}
}

func TestParseErrors(t *testing.T) {
	for _, text := range []string{
		" ", "metrics.acc >", "acc = 1 OR 2", "metrics.acc > 1 OR metrics.acc < 0", "tags.team = red",
		"run_id IN ('a','b'", "run_id IN ()", "run_id IN (1)", "run_id = ('a')", "()", "(a = '1'", "(a = '1'))", "(a = '1') OR b = '2'", "(a = '1' OR)", "(OR a = '1')", "(a = '1' b = '2')", "1 = 1", "not metrics.m > 1",
		"metrics.m > 1; metrics.m < 2", "metrics.m > 0 metrics.m < 5", "a.b. = 1", ".a = 1", "tags.x = 'open", "a ! b", "a IS 5", "AND", "a = 1 AND",
		"\xff = 1",
	} {
		if got, err := Parse(text); err == nil {
			t.Errorf("Parse(%q) = %v, want an error", text, got)
		}
	}
}

func TestLimits(t *testing.T) {
	term := "a = 'b' AND "
	for name, text := range map[string]string{
		"terms":                strings.Repeat(term, maxTerms) + "a = 'b'",
		"terms in parentheses": "(" + strings.Repeat("a = 'b' OR ", maxTerms) + "a = 'b')",
		"parentheses":          strings.Repeat("(", maxDepth+1) + "a = 'b'" + strings.Repeat(")", maxDepth+1),
		"values":               "a IN (" + strings.Repeat("'x',", maxValues) + "'x')",
		"length":               "a = '" + strings.Repeat("x", maxLength) + "'",
	} {
		if _, err := Parse(text); err == nil {
			t.Errorf("too many %s were accepted", name)
		}
	}
	if _, err := Parse(strings.Repeat(term, maxTerms-1) + "a = 'b'"); err != nil {
		t.Error(err)
	}
}

func TestParseOrder(t *testing.T) {
	for text, want := range map[string]Ordering{
		"metrics.acc":           {"metrics", "acc", false},
		"metrics.acc DESC":      {"metrics", "acc", true},
		"params.`sp ace` asc":   {"params", "sp ace", false},
		"start_time desc":       {"", "start_time", true},
		"attribute.start_time":  {"attribute", "start_time", false},
		"tags.mlflow.user DESC": {"tags", "mlflow.user", true},
	} {
		got, err := ParseOrder(text)
		if err != nil {
			t.Errorf("ParseOrder(%q): %v", text, err)
		} else if d := cmp.Diff(want, got); d != "" {
			t.Errorf("ParseOrder(%q): %s", text, d)
		}
	}
	for _, text := range []string{"", "metrics.acc SIDEWAYS", "a DESC b", "metrics.m ASC, metrics.n", "5", "'a'"} {
		if got, err := ParseOrder(text); err == nil {
			t.Errorf("ParseOrder(%q) = %v, want an error", text, got)
		}
	}
}

func TestGrammar(t *testing.T) {
	g := &Grammar{
		Entities: map[string]*Entity{
			"metrics": {Name: "metric", Numeric: true, Ops: NumericOps},
			"tags":    {Name: "tag", Ops: NullOps},
		},
		Valid:             []string{"metric", "tag"},
		AttributeEntities: []string{"attribute"},
		Attributes:        map[string]Attribute{"id": {Column: "id", List: true}, "at": {Column: "at", Type: Integer}},
	}
	for _, text := range []string{"metrics.m > 1", "(metrics.m > 1 OR tags.t = 'x')", "tags.t LIKE 'x'", "tags.t IS NULL", "attribute.id IN ('a')", "at >= 5", "at < 5.5"} {
		if _, err := g.Parse(text); err != nil {
			t.Errorf("Parse(%q): %v", text, err)
		}
	}
	for text, want := range map[string]string{
		"metrics.m > 'x'":      "Expected numeric value type for metric. Found 'x'",
		"tags.t = 1":           "Expected a quoted string value for tag (e.g. 'my-value'). Got value 1",
		"tags.t > '1'":         "Invalid comparator '>' not one of ['!=', '=', 'LIKE', 'ILIKE', 'IS NULL', 'IS NOT NULL']",
		"(at > 1 OR at > 'x')": "Expected numeric value type for numeric attribute: at. Found 'x'",
		"bogus.x = 1":          "Invalid entity type 'bogus'. Valid values are ['metric', 'tag']",
		"nope = 'x'":           "Invalid attribute key 'nope' specified. Valid keys are ['at', 'id']",
		"at > 'x'":             "Expected numeric value type for numeric attribute: at. Found 'x'",
		"metrics.m IS NULL":    "IS NULL / IS NOT NULL is only supported for tags and params, not for 'metric' 'm'",
		"attribute.id > 'a'":   "Invalid comparator '>' not one of ['!=', '=', 'LIKE', 'ILIKE', 'IN', 'NOT IN']",
		"id = 5":               "Expected a quoted string value for attributes. Got value 5",
		"metrics.m LIKE 5":     "Invalid comparator 'LIKE' not one of ['>', '>=', '!=', '=', '<', '<=']",
		"tags.t IN ('a','b')":  "Expected a quoted string value for tag (e.g. 'my-value'). Got value ('a', 'b')",
	} {
		if _, err := g.Parse(text); err == nil || err.Error() != want {
			t.Errorf("Parse(%q): got %v, want %s", text, err, want)
		}
	}
	if _, err := g.ParseOrder([]string{"metrics.m", "metrics.m DESC"}); err == nil {
		t.Error("a field named twice in order_by was accepted")
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"metrics.acc > 0.8 AND params.`a b` != 'x''y'", "run_id NOT IN (\"a\", 'b')", "tags.a.b IS NOT NULL", "(a = 1 OR (b = 'x' AND c < 2) OR d IS NULL) AND e = 1", "((a=1))", "a.1=.5e3", "``.``=''"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		tree, err := Parse(text)
		if err != nil || tree == nil {
			return
		}
		printed := tree.String()
		again, err := Parse(printed)
		if err != nil {
			t.Fatalf("%q printed as %q, which does not parse: %v", text, printed, err)
		}
		if d := cmp.Diff(tree, again); d != "" {
			t.Fatalf("%q printed as %q, which means something else: %s", text, printed, d)
		}
		if again.String() != printed {
			t.Fatalf("%q printed as %q, then as %q", text, printed, again.String())
		}
	})
}

func FuzzParseOrder(f *testing.F) {
	for _, s := range []string{"metrics.`a b` DESC", "start_time", "a.b.c asc", "\"x\""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		o, err := ParseOrder(text)
		if err != nil {
			return
		}
		again, err := ParseOrder(o.String())
		if err != nil || again != o {
			t.Fatalf("%q read as %+v, printed as %q, read as %+v (%v)", text, o, o.String(), again, err)
		}
	})
}
