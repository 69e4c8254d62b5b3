package engine

import (
	"context"
	"fmt"
	"strings"

	"github.com/millpond/millpond/internal/compile"
	"github.com/millpond/millpond/internal/plan"
)

// Explain prints how a relation would be run: the stages, and each statement's text.
func (s *Session) Explain(ctx context.Context, r plan.Relation, extended bool) (string, error) {
	n, err := s.Analyze(ctx, r)
	if err != nil {
		return "", err
	}
	stage, err := compile.Plan(n, compile.Options{Names: s.e.db.Name, Lenient: !s.ansi()})
	if err != nil {
		return "", err
	}
	var b strings.Builder
	if extended {
		b.WriteString("== Parsed Logical Plan ==\n")
		explainRelation(&b, r, 0)
		b.WriteString("\n== Analyzed Logical Plan ==\n")
		parts := make([]string, 0, len(n.Output()))
		for _, at := range n.Output() {
			parts = append(parts, at.Name+": "+at.Type.SimpleString())
		}
		b.WriteString(strings.Join(parts, ", ") + "\n")
		explainNode(&b, n, 0)
		b.WriteString("\n== Optimized Logical Plan ==\n")
		explainNode(&b, compile.Pruned(n), 0)
		b.WriteString("\n")
	}
	b.WriteString("== Physical Plan ==\n")
	explainStage(&b, stage, 0)
	return b.String(), nil
}

func explainStage(b *strings.Builder, s compile.Stage, depth int) {
	line := func(format string, args ...any) {
		b.WriteString(strings.Repeat("   ", depth) + "+- " + fmt.Sprintf(format, args...) + "\n")
	}
	switch s := s.(type) {
	case *compile.Query:
		line("DuckDB %s", s.SQL)
		for _, src := range s.Sources {
			b.WriteString(strings.Repeat("   ", depth+1) + ":  " + src.Name + "\n")
			explainStage(b, src.Stage, depth+1)
		}
	case *compile.Carry:
		line("DuckDB %s", s.Query.SQL)
		line("Carry %s past it, from %s", attrNames(s.Attrs), s.From)
		explainStage(b, s.Input, depth+1)
	case *compile.Pick:
		line("Filter %s", s.Cond)
		explainStage(b, s.Input, depth+1)
	case *compile.Memory:
		label := "InMemoryRelation"
		if d, ok := s.Node.(*plan.Data); ok {
			label = d.Label
		}
		line("%s %s", label, attrNames(s.Attrs))
	case *compile.Operator:
		line("%s %s", strings.TrimPrefix(fmt.Sprintf("%T", s.Node), "*plan."), attrNames(s.Attrs))
		for _, in := range s.Inputs {
			explainStage(b, in, depth+1)
		}
	case *compile.Head:
		line("Limit %d offset %d", s.Limit, s.Offset)
		explainStage(b, s.Input, depth+1)
	case *compile.Narrow:
		line("Project %s", attrNames(s.Attrs))
		explainStage(b, s.Input, depth+1)
	}
}

// explainRelation prints a relation as the client stated it.
func explainRelation(b *strings.Builder, r plan.Relation, depth int) {
	b.WriteString(strings.Repeat("   ", depth) + "+- '" + strings.TrimPrefix(fmt.Sprintf("%T", r), "*plan.") + "\n")
	for _, in := range plan.Below(r) {
		explainRelation(b, in, depth+1)
	}
}

// explainNode prints a resolved plan.
func explainNode(b *strings.Builder, n plan.Node, depth int) {
	label := strings.TrimPrefix(fmt.Sprintf("%T", n), "*plan.") + " " + attrNames(n.Output())
	if r, ok := n.(*plan.RepartitionNode); ok {
		label = r.Label
	}
	b.WriteString(strings.Repeat("   ", depth) + "+- " + label + "\n")
	for _, in := range n.Inputs() {
		explainNode(b, in, depth+1)
	}
}

func attrNames(attrs []plan.Attr) string {
	names := make([]string, len(attrs))
	for i, at := range attrs {
		names[i] = fmt.Sprintf("%s#%d", at.Name, at.ID)
	}
	return "[" + strings.Join(names, ", ") + "]"
}

// InputFiles lists the files that a relation reads.
func (s *Session) InputFiles(ctx context.Context, r plan.Relation) ([]string, error) {
	n, err := s.Analyze(ctx, r)
	if err != nil {
		return nil, err
	}
	var out []string
	seen := map[string]bool{}
	var walk func(plan.Node)
	walk = func(n plan.Node) {
		if scan, ok := n.(*plan.Scan); ok {
			for _, f := range scan.Files {
				if !seen[f] {
					seen[f] = true
					out = append(out, "file://"+f)
				}
			}
		}
		for _, c := range n.Inputs() {
			walk(c)
		}
	}
	walk(n)
	return out, nil
}

// Fingerprint names a relation by what it means: relations of the same meaning have the same.
func (s *Session) Fingerprint(r plan.Relation) string { return s.fingerprinter().Of(r) }
