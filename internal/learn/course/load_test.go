package course_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/millpond/millpond/internal/learn/course"
	"github.com/millpond/millpond/internal/learn/coursetest"
)

const question = `id: one
kind: single
objectives: [imputer]
tier: 1
difficulty: 1
stem: |
  What?

  ` + "```python" + `
  x = 3
  ` + "```" + `
options:
  - text: a
    right: true
    why: yes
  - {text: b, why: no}
  - {text: c, why: no}
  - {text: d, why: no}
sources: [page]
checked: 2026-11-26
`

// Each case changes a well-formed file and tells what is said of it.
var malformed = []struct {
	name, file, old, new, want string
}{
	{"no YAML", "q", "kind: single", "kind: [single", "content/questions/features/one.yaml:"},
	{"a key that is not known", "q", "tier: 1", "tier: 1\ntear: 2", "one.yaml:5: field tear not found"},
	{"a value of the wrong type", "q", "tier: 1", "tier: high", "one.yaml:4: cannot unmarshal"},
	{"a tier", "q", "tier: 1", "tier: 4", "one.yaml:4: tier is 4"},
	{"another id", "q", "id: one", "id: two", `one.yaml:1: the id "two" is not the file's name`},
	{"a kind", "q", "kind: single", "kind: both", `one.yaml:2: kind is "both"`},
	{"no right option", "q", "right: true", "right: false", "one.yaml:12: 0 options are right"},
	{"one right of many", "q", "kind: single", "kind: multiple", "one.yaml:12: 1 of 4 options are right"},
	{"no explanation", "q", "{text: c, why: no}", "{text: c}", "one.yaml:17: why is missing"},
	{"an option twice", "q", "text: c", "text: b", "one.yaml:17: an option with this text"},
	{"three options", "q", "  - {text: d, why: no}\n", "", "one.yaml:12: 3 options, not 4 to 6"},
	{"an objective", "q", "[imputer]", "[imputer, unheard-of]", `one.yaml:3: there is no objective "unheard-of"`},
	{"another domain's folder", "q", "[imputer]", "[autolog]", "one.yaml:3: its first objective, autolog, belongs to the domain mlops"},
	{"a date", "q", "2026-11-26", "yesterday", `one.yaml:20: checked is "yesterday"`},
	{"no sources", "q", "sources: [page]", "sources: []", "one.yaml:19: sources is missing"},
	{"an open fence", "q", "x = 3\n  ```", "x = 3", "one.yaml:9: this fence of code is not closed"},
	{"a number that is nowhere", "q", "sources:", "computed:\n  - {python: 1 + 1, is: 42}\nsources:", `one.yaml:20: "42" stands nowhere`},
	{"no front matter", "topics/features/imputer.md", "---\nid", "id", "imputer.md:1: does not start with"},
	{"a heading", "topics/features/imputer.md", "## Traps", "## Trap", `imputer.md:11: the heading "## Traps" is missing`},
	{"a topic's key", "topics/features/imputer.md", "minutes: 5", "minuets: 5", "imputer.md:6: field minuets not found"},
	{"a related topic", "topics/features/imputer.md", "minutes: 5", "minutes: 5\nrelated: [nobody]", `imputer.md:7: there is no topic "nobody"`},
	{"weights", "maps/guide.yaml", "weight: 18}", "weight: 19}", "guide.yaml:9: the weights of the domains add up to 101"},
	{"a domain", "objectives.yaml", "vendor: development", "vendor: developing", `"developing" is no domain of the map "vendor"`},
	{"a plan's objective", "plans/weekend.yaml", "imputer", "imputing", `weekend.yaml:6: there is no objective "imputing"`},
	{"a check's name", "labs/01-random-split/lab.yaml", ".input.share > 0.75", ".input.shares > 0.75", "lab.yaml:18: type evidence.Input has no field shares"},
	{"a check's type", "labs/01-random-split/lab.yaml", "that: any(fits, .estimator == \"LinearRegression\" and .input.seed == 42)", "that: len(fits)", "lab.yaml:23: expected bool"},
	{"a hint", "labs/01-random-split/lab.yaml", "hint: 3", "hint: 7", "lab.yaml:31: there is no hint 7"},
	{"a failing check", "labs/01-random-split/lab.yaml", "wrong_seed.py: seed", "wrong_seed.py: seeds", `there is no check "seeds"`},
	{"a wrong script", "labs/01-random-split/lab.yaml", "  wrong_seed.py: seed\n", "", "fails does not say which check wrong_seed.py fails first"},
	{"data", "labs/01-random-split/lab.yaml", "checks:", "data: [none.csv]\nchecks:", "there is no content/data/none.csv"},
	{"a line of the checklist", "checklist.yaml", "reviewed: true", "reviewed: false", "nothing says what evidence this line needs"},
}

func TestMalformedContentNamesFileAndLine(t *testing.T) {
	files := coursetest.Files(t, 1)
	const place = "questions/features/one.yaml"
	files[place] = &fstest.MapFile{Data: []byte(question)}
	if _, err := course.Load(files); err != nil {
		t.Fatal(err)
	}
	for _, c := range malformed {
		t.Run(c.name, func(t *testing.T) {
			file := c.file
			if file == "q" {
				file = place
			}
			before := string(files[file].Data)
			if !strings.Contains(before, c.old) {
				t.Fatalf("%s does not hold %q", file, c.old)
			}
			broken := fstest.MapFS{}
			for k, v := range files {
				broken[k] = v
			}
			broken[file] = &fstest.MapFile{Data: []byte(strings.Replace(before, c.old, c.new, 1))}
			_, err := course.Load(broken)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func TestEveryFaultIsTold(t *testing.T) {
	files := coursetest.Files(t, 1)
	files["questions/features/one.yaml"] = &fstest.MapFile{Data: []byte(strings.NewReplacer("tier: 1", "tier: 9", "difficulty: 1", "difficulty: 9").Replace(question))}
	_, err := course.Load(files)
	if err == nil || !strings.Contains(err.Error(), "tier is 9") || !strings.Contains(err.Error(), "difficulty is 9") {
		t.Errorf("got %v", err)
	}
}

func TestGapsNameWhatIsMissing(t *testing.T) {
	files := coursetest.Files(t, 1)
	for name := range files {
		if strings.HasPrefix(name, "labs/25-") {
			delete(files, name)
		}
	}
	c, err := course.Load(files)
	if err != nil {
		t.Fatal(err)
	}
	gaps := strings.Join(c.Gaps(), "\n")
	if !strings.Contains(gaps, "questions on imputer: 1 of 4") || strings.Contains(gaps, "a topic on imputer") || strings.Contains(gaps, "a lab on imputer") || !strings.Contains(gaps, "a lab on pandas-udf") {
		t.Error(gaps)
	}
	if table := c.Coverage(); !strings.Contains(table, "| 1 | Fill missing values with Imputer") || !strings.Contains(table, "| MLOps | 15 % |") {
		t.Error(table)
	}
}
