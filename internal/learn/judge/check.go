package judge

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/vm"
)

// Check is one thing that an attempt must have done.
type Check struct {
	ID     string `yaml:"id" json:"id"`
	That   string `yaml:"that" json:"that"`     // an expression that is true when it was done
	Sought string `yaml:"sought" json:"sought"` // what was looked for, in words
	Found  string `yaml:"found" json:"found"`   // an expression for what there was instead: a text or a list
	Hint   int    `yaml:"hint" json:"hint"`     // which of the lab's hints helps, from 1

	that, found *vm.Program
}

// RunsID is the check that every lab begins with, unless it has its own by this id.
const RunsID = "runs"

// NewRunsCheck makes the check that the script ran to its end.
func NewRunsCheck() *Check {
	c := &Check{ID: RunsID, That: "script.ok", Sought: "a script that runs to its end", Found: "script.error", Hint: 1}
	if err := errors.Join(c.CompileThat(), c.CompileFound()); err != nil {
		panic("judge: " + err.Error()) // a mistake in the lines above
	}
	return c
}

// CompileThat and CompileFound check the two expressions against the types of the evidence.
func (c *Check) CompileThat() (err error) {
	c.that, err = expr.Compile(c.That, expr.Env(Evidence{}), expr.AsBool())
	return oneLine(err)
}

// CompileFound compiles what tells the learner what there was.
func (c *Check) CompileFound() (err error) {
	if c.Found == "" {
		return nil
	}
	c.found, err = expr.Compile(c.Found, expr.Env(Evidence{}))
	return oneLine(err)
}

func oneLine(err error) error {
	if err == nil {
		return nil
	}
	text, _, _ := strings.Cut(err.Error(), "\n")
	return fmt.Errorf("%s", text)
}

// Finding is the outcome of one check.
type Finding struct {
	ID     string   `json:"id"`
	OK     bool     `json:"ok"`
	Sought string   `json:"sought"`
	Found  []string `json:"found,omitempty"` // what there was instead, of a check that failed
	Hint   int      `json:"hint,omitempty"`
}

// maxFound bounds what a learner is told of what there was.
const maxFound = 8

// Test holds evidence against checks, in order.
func Test(checks []*Check, e Evidence) []Finding {
	out := make([]Finding, len(checks))
	for i, c := range checks {
		out[i] = c.test(e)
	}
	return out
}

// Passed says whether every check held.
func Passed(list []Finding) bool {
	for _, f := range list {
		if !f.OK {
			return false
		}
	}
	return true
}

func (c *Check) test(e Evidence) Finding {
	f := Finding{ID: c.ID, Sought: c.Sought}
	ok, err := expr.Run(c.that, e)
	if f.OK = err == nil && ok == true; f.OK {
		return f
	}
	f.Hint = c.Hint
	if err != nil { // an index past the end of a list, a param that is not there
		f.Found = []string{"the evidence that the check needs is not there: " + oneLine(err).Error()}
	}
	if c.found == nil {
		return f
	}
	found, err := expr.Run(c.found, e)
	if err != nil {
		return f
	}
	f.Found = texts(found)
	if n := len(f.Found); n > maxFound {
		f.Found = append(f.Found[:maxFound], fmt.Sprintf("and %d more", n-maxFound))
	}
	return f
}

// texts prints a text or a list, each text once.
func texts(v any) []string {
	list := []any{v}
	if r := reflect.ValueOf(v); r.Kind() == reflect.Slice {
		list = list[:0]
		for i := range r.Len() {
			list = append(list, r.Index(i).Interface())
		}
	}
	var out []string
	for _, x := range list {
		if s := strings.TrimSpace(fmt.Sprint(x)); x != nil && s != "" && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}
