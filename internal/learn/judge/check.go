package judge

import (
	"errors"
	"fmt"
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
