// Package coursetest makes courses for tests: as many questions as a test wants, in the form that
// content has.
package coursetest

import (
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/millpond/millpond/content"
	"github.com/millpond/millpond/internal/learn/course"
)

// Files gives the maps, objectives and plans of the real course with n made-up questions an
// objective, whose first option is right, and a topic each.
func Files(t testing.TB, n int) fstest.MapFS {
	t.Helper()
	real, err := course.Load(content.Files)
	if err != nil {
		t.Fatal(err)
	}
	out := fstest.MapFS{}
	for _, pattern := range []string{"maps/*", "objectives.yaml", "checklist.yaml", "plans/*", "labs/*/*", "data/*"} {
		names, err := fs.Glob(content.Files, pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			text, err := fs.ReadFile(content.Files, name)
			if err != nil {
				t.Fatal(err)
			}
			out[name] = &fstest.MapFile{Data: text}
		}
	}
	for _, o := range real.Objectives {
		dir := o.Domains["guide"]
		for i := range n {
			id := fmt.Sprintf("%s-%d", o.ID, i)
			out["questions/"+dir+"/"+id+".yaml"] = &fstest.MapFile{Data: []byte(Question(id, o.ID))}
		}
		out["topics/"+dir+"/"+o.ID+".md"] = &fstest.MapFile{Data: []byte(topic(o.ID))}
	}
	return out
}

// Course loads Files.
func Course(t testing.TB, n int) *course.Course {
	t.Helper()
	c, err := course.Load(Files(t, n))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Question is the text of a question's file.
func Question(id, objective string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "id: %s\nkind: single\nobjectives: [%s]\ntier: 1\ndifficulty: 1\nstem: What of %s?\noptions:\n", id, objective, id)
	for i := range 4 {
		fmt.Fprintf(&b, "  - {text: option %d, right: %v, why: because %d}\n", i, i == 0, i)
	}
	b.WriteString("sources: [none]\nchecked: 2026-11-26\n")
	return b.String()
}

func topic(id string) string {
	return "---\nid: " + id + "\ntitle: About " + id + "\ntier: 1\nobjectives: [" + id + "]\nminutes: 5\nremember: [Remember " + id + ".]\nsources: [none]\nchecked: 2026-11-26\n---\n" +
		"## What it is\n\nText.\n\n## When to use it, and when not\n\nText.\n\n## Traps\n\nText.\n"
}
