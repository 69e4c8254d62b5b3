package trees

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/millpond/millpond/internal/kernel/tree"
	"github.com/millpond/millpond/internal/ml"
	"github.com/millpond/millpond/internal/types"
)

var (
	intField    = func(name string) types.Field { return types.Field{Name: name, Type: types.Int} }
	doubleField = func(name string) types.Field { return types.Field{Name: name, Type: types.Double} }
	listField   = func(name string) types.Field {
		return types.Field{Name: name, Type: types.Array{Elem: types.Double}, Nullable: true}
	}
	splitSchema = types.Struct{Fields: []types.Field{intField("featureIndex"), listField("leftCategoriesOrThreshold"), intField("numCategories")}}
	nodeSchema  = types.Struct{Fields: []types.Field{intField("id"), doubleField("prediction"), doubleField("impurity"),
		listField("impurityStats"), {Name: "rawCount", Type: types.Long}, doubleField("gain"), intField("leftChild"),
		intField("rightChild"), {Name: "split", Type: splitSchema, Nullable: true}}}
	memberSchema   = types.Struct{Fields: []types.Field{intField("treeID"), {Name: "nodeData", Type: nodeSchema, Nullable: true}}}
	metadataSchema = types.Struct{Fields: []types.Field{intField("_1"), {Name: "_2", Type: types.String, Nullable: true}, doubleField("_3")}}
)

// Save writes the trees as Spark does: a row per node, and for an ensemble a row per tree.
func (m *Model) Save(dir string) (map[string]any, error) {
	extra := map[string]any{"numFeatures": m.Features}
	if m.kind.Child == "" {
		if m.kind.Classifier {
			extra["numClasses"] = m.Classes
		}
		return extra, ml.WriteRows(dir, "data", nodeSchema, nodeRows(m.Trees[0])...)
	}
	extra["numTrees"] = len(m.Trees)
	if m.kind.Classifier && m.kind.PerTree {
		extra["numClasses"] = m.Classes
	}
	var nodes, trees [][]any
	for i, t := range m.Trees {
		for _, row := range nodeRows(t) {
			nodes = append(nodes, []any{i, row})
		}
		text, err := ml.MetadataJSON(m.members[i])
		if err != nil {
			return nil, err
		}
		trees = append(trees, []any{i, text, m.Weights[i]})
	}
	if err := ml.WriteRows(dir, "treesMetadata", metadataSchema, trees...); err != nil {
		return nil, err
	}
	return extra, ml.WriteRows(dir, "data", memberSchema, nodes...)
}

func nodeRows(t *tree.Tree) [][]any {
	out := make([][]any, len(t.Nodes))
	for i := range t.Nodes {
		n := &t.Nodes[i]
		split := []any{-1, []float64{}, -1}
		if n.Left >= 0 {
			if split = []any{n.Split.Feature, []float64{n.Split.Threshold}, -1}; n.Split.Arity > 0 {
				split = []any{n.Split.Feature, LeftCategories(&n.Split), n.Split.Arity}
			}
		}
		out[i] = []any{i, n.Prediction, n.Impurity, n.Stats, n.RawCount, n.Gain, n.Left, n.Right, split}
	}
	return out
}

// nodeData is a node as it lies in a file.
type nodeData struct {
	id, left, right            int
	prediction, impurity, gain float64
	stats                      []float64
	rawCount                   int64
	feature, numCategories     int
	leftCategoriesOrThreshold  []float64
}

// readNode takes a node's fields in the order of nodeSchema; rawCount was not there before Spark 3.
func readNode(f []any) (nodeData, error) {
	if len(f) == 8 {
		f = slices.Insert(slices.Clone(f), 4, any(int64(-1)))
	}
	var n nodeData
	if len(f) != 9 {
		return n, fmt.Errorf("a node of %d fields", len(f))
	}
	split, ok := f[8].([]any)
	if !ok || len(split) != 3 {
		return n, errors.New("a node without a split")
	}
	good := take(f[0], &n.id) && takeAs(f[1], &n.prediction) && takeAs(f[2], &n.impurity) && takeAs(f[3], &n.stats) &&
		takeAs(f[4], &n.rawCount) && takeAs(f[5], &n.gain) && take(f[6], &n.left) && take(f[7], &n.right) &&
		take(split[0], &n.feature) && takeAs(split[1], &n.leftCategoriesOrThreshold) && take(split[2], &n.numCategories)
	if !good {
		return n, errors.New("a node with a field of the wrong type")
	}
	return n, nil
}

func take(v any, to *int) bool { n, ok := v.(int32); *to = int(n); return ok }

func takeAs[T any](v any, to *T) bool { x, ok := v.(T); *to = x; return ok }

// build makes a tree of the nodes of a file, in whatever order they come.
func build(nodes []nodeData, classes, features int) (*tree.Tree, error) {
	if len(nodes) == 0 {
		return nil, errors.New("a tree without nodes")
	}
	slices.SortFunc(nodes, func(a, b nodeData) int { return cmp.Compare(a.id, b.id) })
	for i := range nodes {
		if nodes[i].id != i {
			return nil, fmt.Errorf("node %d is missing or there twice", i)
		}
	}
	b := &builder{nodes: nodes, classes: classes, features: features, t: &tree.Tree{Classes: classes}}
	if _, err := b.add(0, 0); err != nil {
		return nil, err
	}
	if len(b.t.Nodes) != len(nodes) {
		return nil, fmt.Errorf("%d nodes hang on no parent", len(nodes)-len(b.t.Nodes))
	}
	b.t.Compile()
	return b.t, nil
}

type builder struct {
	nodes             []nodeData
	classes, features int
	t                 *tree.Tree
}

// maxLevels bounds a tree's depth: Spark grows none deeper than 30.
const maxLevels = 1000

func (b *builder) add(id, level int) (int, error) {
	if level > maxLevels || len(b.t.Nodes) >= len(b.nodes) {
		return 0, errors.New("nodes that hang on each other in a circle")
	}
	d := &b.nodes[id]
	width := 3
	if b.classes > 0 {
		width = b.classes
	}
	if len(d.stats) != width {
		return 0, fmt.Errorf("node %d has %d statistics, not %d", id, len(d.stats), width)
	}
	at := len(b.t.Nodes)
	b.t.Nodes = append(b.t.Nodes, tree.Node{Prediction: d.prediction, Impurity: d.impurity, Gain: d.gain,
		Stats: d.stats, RawCount: d.rawCount, Left: -1, Right: -1})
	if d.left < 0 && d.right < 0 {
		return at, nil
	}
	if d.left < 0 || d.right < 0 || d.left >= len(b.nodes) || d.right >= len(b.nodes) {
		return 0, fmt.Errorf("node %d has children %d and %d", id, d.left, d.right)
	}
	split, err := d.split(b.features)
	if err != nil {
		return 0, fmt.Errorf("node %d: %w", id, err)
	}
	left, err := b.add(d.left, level+1)
	if err != nil {
		return 0, err
	}
	right, err := b.add(d.right, level+1)
	if err != nil {
		return 0, err
	}
	n := &b.t.Nodes[at]
	n.Left, n.Right, n.Split = left, right, split
	return at, nil
}

// maxArity bounds the number of categories a file may claim.
const maxArity = 1 << 24

func (d *nodeData) split(features int) (tree.Split, error) {
	s := tree.Split{Feature: d.feature}
	if d.feature < 0 || d.feature >= features {
		return s, fmt.Errorf("feature %d of %d", d.feature, features)
	}
	if d.numCategories == -1 {
		if len(d.leftCategoriesOrThreshold) != 1 {
			return s, fmt.Errorf("%d thresholds", len(d.leftCategoriesOrThreshold))
		}
		s.Threshold = d.leftCategoriesOrThreshold[0]
		return s, nil
	}
	if d.numCategories < 1 || d.numCategories > maxArity {
		return s, fmt.Errorf("%d categories", d.numCategories)
	}
	s.Arity = d.numCategories
	for _, c := range d.leftCategoriesOrThreshold {
		if !(c >= 0 && c < float64(s.Arity)) || c != float64(int(c)) {
			return s, fmt.Errorf("category %v of %d", c, s.Arity)
		}
		if !slices.Contains(s.Categories, c) {
			s.Categories = append(s.Categories, c)
		}
	}
	return s, nil
}

// LoadModel reads a model that Save or Spark wrote. classes is the number of classes of a
// boosted classifier, whose files do not tell; 0 to look.
func LoadModel(kind *Kind, dir string, meta ml.Metadata, classes int) (*Model, error) {
	base, err := meta.Base(kind.Spec)
	if err != nil {
		return nil, err
	}
	features, err := meta.ExtraInt("numFeatures")
	if err != nil {
		return nil, err
	}
	if kind.Classifier && classes == 0 {
		if classes, err = meta.ExtraInt("numClasses"); err != nil {
			return nil, err
		}
	}
	if features < 0 || classes < 0 {
		return nil, fmt.Errorf("%d features, %d classes", features, classes)
	}
	table, err := ml.ReadTable(dir, "data")
	if err != nil {
		return nil, err
	}
	treeClasses := classes
	if kind.Classifier && !kind.PerTree {
		treeClasses = 0 // boosting's trees are regression trees
	}
	if kind.Child == "" {
		t, err := readTree(table, treeClasses, features)
		if err != nil {
			return nil, err
		}
		return NewModel(kind, base, []*tree.Tree{t}, []float64{1}, features, classes), nil
	}
	return loadEnsemble(kind, base, dir, table, features, classes, treeClasses)
}

func readTree(t *ml.Table, classes, features int) (*tree.Tree, error) {
	nodes := make([]nodeData, t.Rows)
	names := make([]string, 0, len(nodeSchema.Fields))
	for _, f := range nodeSchema.Fields {
		if t.Has(f.Name) || f.Name != "rawCount" {
			names = append(names, f.Name)
		}
	}
	for i := range nodes {
		fields := make([]any, len(names))
		for k, name := range names {
			v, err := ml.Read[any](t, name, i)
			if err != nil {
				return nil, err
			}
			fields[k] = v
		}
		var err error
		if nodes[i], err = readNode(fields); err != nil {
			return nil, err
		}
	}
	return build(nodes, classes, features)
}

func loadEnsemble(kind *Kind, base ml.Base, dir string, table *ml.Table, features, classes, treeClasses int) (*Model, error) {
	info, err := ml.ReadTable(dir, "treesMetadata")
	if err != nil {
		return nil, err
	}
	id, text, weight := "_1", "_2", "_3"
	if info.Has("treeID") { // before Spark 4.3
		id, text, weight = "treeID", "metadata", "weights"
	}
	nodes := make([][]nodeData, info.Rows)
	for i := range table.Rows {
		at, err := ml.Read[int32](table, "treeID", i)
		if err != nil {
			return nil, err
		}
		fields, err := ml.Read[[]any](table, "nodeData", i)
		if err != nil {
			return nil, err
		}
		n, err := readNode(fields)
		if err != nil {
			return nil, err
		}
		if at < 0 || int(at) >= len(nodes) {
			return nil, fmt.Errorf("a node of tree %d of %d", at, len(nodes))
		}
		nodes[at] = append(nodes[at], n)
	}
	trees, weights, members := make([]*tree.Tree, info.Rows), make([]float64, info.Rows), make([]ml.Model, info.Rows)
	for i := range info.Rows {
		at, err := ml.Read[int32](info, id, i)
		if err != nil {
			return nil, err
		}
		if at < 0 || int(at) >= len(trees) || trees[at] != nil {
			return nil, fmt.Errorf("tree %d of %d is there twice or out of range", at, len(trees))
		}
		if weights[at], err = ml.Read[float64](info, weight, i); err != nil {
			return nil, err
		}
		if trees[at], err = build(nodes[at], treeClasses, features); err != nil {
			return nil, fmt.Errorf("tree %d: %w", at, err)
		}
		if members[at], err = loadMember(kind, info, text, i, trees[at], features); err != nil {
			return nil, fmt.Errorf("tree %d: %w", at, err)
		}
	}
	m := &Model{Base: base, kind: kind, Trees: trees, Weights: weights, Features: features, Classes: classes, members: members}
	return m, nil
}

func loadMember(kind *Kind, info *ml.Table, column string, row int, t *tree.Tree, features int) (ml.Model, error) {
	text, err := ml.Read[string](info, column, row)
	if err != nil {
		return nil, err
	}
	meta, err := ml.ParseMetadata([]byte(text))
	if err != nil {
		return nil, err
	}
	if meta.Class != kind.Child {
		return nil, fmt.Errorf("a tree of class %s in a %s", meta.Class, kind.Spec.ShortName())
	}
	k := singles[kind.Child]
	base, err := meta.Base(k.Spec)
	if err != nil {
		return nil, err
	}
	return NewModel(k, base, []*tree.Tree{t}, []float64{1}, features, t.Classes), nil
}
