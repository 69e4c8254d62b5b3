package course_test

import (
	"os"
	"testing"

	"github.com/millpond/millpond/content"
	"github.com/millpond/millpond/internal/learn/course"
)

func TestContentIsWellFormed(t *testing.T) {
	c, err := course.Load(content.Files)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Maps) != 2 || len(c.Questions) < 320 || len(c.Labs) < 30 {
		t.Errorf("%d maps, %d questions, %d labs", len(c.Maps), len(c.Questions), len(c.Labs))
	}
	for _, g := range c.Gaps() {
		t.Error("missing: ", g)
	}
}

func TestCoverageTableIsCurrent(t *testing.T) {
	c, err := course.Load(content.Files)
	if err != nil {
		t.Fatal(err)
	}
	const file = "docs/coverage.md"
	text, err := os.ReadFile("../../../" + file)
	if err != nil {
		t.Fatal(err)
	}
	if string(text) != c.Coverage() {
		t.Errorf("%s is not that of the content; `make coverage` writes it anew", file)
	}
}
