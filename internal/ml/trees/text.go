package trees

import (
	"fmt"
	"slices"
	"strings"

	"github.com/millpond/millpond/internal/kernel/tree"
	"github.com/millpond/millpond/internal/ml"
)

// String is what Spark's model.toString gives.
func (m *Model) String() string {
	var b strings.Builder
	equals := "="
	if m.kind.Classifier && m.kind.Child == RegressionTree { // a boosted classifier's text alone has blanks
		equals = " = "
	}
	fmt.Fprintf(&b, "%s: uid%s%s, ", m.Spec().ShortName(), equals, m.UID())
	if m.kind.Child == "" {
		fmt.Fprintf(&b, "depth=%d, numNodes=%d, ", m.Trees[0].Depth(), len(m.Trees[0].Nodes))
	} else {
		fmt.Fprintf(&b, "numTrees=%d, ", len(m.Trees))
	}
	if m.kind.Classifier {
		fmt.Fprintf(&b, "numClasses=%d, ", m.Classes)
	}
	fmt.Fprintf(&b, "numFeatures=%d", m.Features)
	return b.String()
}

// DebugString is the whole model as Spark's toDebugString writes it.
func (m *Model) DebugString() string {
	var b strings.Builder
	b.WriteString(m.String())
	b.WriteByte('\n')
	if m.kind.Child == "" {
		writeNode(&b, m.Trees[0], 0, 2)
		return b.String()
	}
	for i, t := range m.Trees {
		fmt.Fprintf(&b, "  Tree %d (weight %s):\n", i, ml.FormatDouble(m.Weights[i]))
		writeNode(&b, t, 0, 4)
	}
	return b.String()
}

func writeNode(b *strings.Builder, t *tree.Tree, at, indent int) {
	n := &t.Nodes[at]
	prefix := strings.Repeat(" ", indent)
	if n.Left < 0 {
		fmt.Fprintf(b, "%sPredict: %s\n", prefix, ml.FormatDouble(n.Prediction))
		return
	}
	left, right := splitText(&n.Split)
	fmt.Fprintf(b, "%sIf (%s)\n", prefix, left)
	writeNode(b, t, n.Left, indent+1)
	fmt.Fprintf(b, "%sElse (%s)\n", prefix, right)
	writeNode(b, t, n.Right, indent+1)
}

func splitText(s *tree.Split) (left, right string) {
	if s.Arity == 0 {
		x := ml.FormatDouble(s.Threshold)
		return fmt.Sprintf("feature %d <= %s", s.Feature, x), fmt.Sprintf("feature %d > %s", s.Feature, x)
	}
	var set strings.Builder
	for i, c := range LeftCategories(s) {
		if i > 0 {
			set.WriteByte(',')
		}
		set.WriteString(ml.FormatDouble(c))
	}
	return fmt.Sprintf("feature %d in {%s}", s.Feature, set.String()), fmt.Sprintf("feature %d not in {%s}", s.Feature, set.String())
}

// LeftCategories gives the categories that go left, rising.
func LeftCategories(s *tree.Split) []float64 { return slices.Sorted(slices.Values(s.Categories)) }
