// Package tree grows decision trees on binned columns the way Spark grows them, many trees in
// step, and predicts with them. Binned features, labels and how often each row counts come in;
// trees come out, the same for any number of threads. It never sees raw data or parameters'
// names.
package tree

import "math"

// Split sends a row left or right.
type Split struct {
	Feature   int
	Threshold float64 // continuous: left if value <= Threshold
	// Categories are those that go left, in the order Spark found them; nil if continuous.
	Categories []float64
	Arity      int // number of categories, 0 if continuous
}

// Node is a node of a Tree. Leaves have Left -1.
type Node struct {
	Prediction, Impurity, Gain float64
	Stats                      []float64 // per class weights, or weight, sum and sum of squares
	RawCount                   int64
	Left, Right                int
	Split                      Split
}

// Tree holds its nodes in pre-order; the root is Nodes[0].
type Tree struct {
	Nodes   []Node
	Classes int // 0 for a regression tree
	flat    []flatNode
	leaf    []int // number of leaves before a node in pre-order
}

// flatNode is what prediction needs of a node, close together.
type flatNode struct {
	threshold float64
	set       []uint64 // categories going left; nil if continuous
	feature   int32    // -1 for a leaf
	right     int32    // the left child is the next node
	arity     int32
	other     bool // whether a value outside the categories goes left
}

// Compile prepares a tree whose Nodes were filled in by hand (read from a file) for prediction.
func (t *Tree) Compile() {
	t.flat, t.leaf = make([]flatNode, len(t.Nodes)), make([]int, len(t.Nodes))
	leaves := 0
	for i, n := range t.Nodes {
		t.leaf[i] = leaves
		if n.Left < 0 {
			t.flat[i].feature = -1
			leaves++
			continue
		}
		f := flatNode{threshold: n.Split.Threshold, feature: int32(n.Split.Feature), right: int32(n.Right)}
		if n.Split.Arity > 0 {
			f.set = make([]uint64, (n.Split.Arity+63)/64)
			for _, c := range n.Split.Categories {
				if k := int(c); k >= 0 && k < n.Split.Arity {
					f.set[k/64] |= 1 << (k % 64)
				}
			}
			f.arity, f.other = int32(n.Split.Arity), n.Split.StoresRight()
		}
		t.flat[i] = f
	}
}

// StoresRight says whether Spark keeps the right side's categories of this split, because they
// are fewer: then a value that is no category goes left.
func (s *Split) StoresRight() bool { return s.Arity > 0 && len(s.Categories) > s.Arity/2 }

// Find gives the place of the leaf that a row of features falls into.
func (t *Tree) Find(row []float64) int {
	i := 0
	for {
		n := &t.flat[i]
		if n.feature < 0 {
			return i
		}
		v := row[n.feature]
		if n.set == nil {
			if v <= n.threshold {
				i++
			} else {
				i = int(n.right)
			}
			continue
		}
		if n.hasLeft(v) {
			i++
		} else {
			i = int(n.right)
		}
	}
}

func (n *flatNode) hasLeft(v float64) bool {
	k := int(v)
	if !(v >= 0) || k >= int(n.arity) || float64(k) != v {
		return n.other
	}
	return n.set[k/64]>>(k%64)&1 != 0
}

// Predict gives the prediction for a row of features.
func (t *Tree) Predict(row []float64) float64 { return t.Nodes[t.Find(row)].Prediction }

// LeafIndex gives the number, from the left, of the leaf at place i.
func (t *Tree) LeafIndex(i int) int { return t.leaf[i] }

// Depth is the number of levels below the root.
func (t *Tree) Depth() int { return t.depth(0) }

func (t *Tree) depth(i int) int {
	n := &t.Nodes[i]
	if n.Left < 0 {
		return 0
	}
	return 1 + max(t.depth(n.Left), t.depth(n.Right))
}

// MaxFeature is the largest feature number a split uses, -1 if none does.
func (t *Tree) MaxFeature() int {
	most := -1
	for i := range t.Nodes {
		if t.Nodes[i].Left >= 0 {
			most = max(most, t.Nodes[i].Split.Feature)
		}
	}
	return most
}

// Importances adds each feature's share of the trees' gains as Spark does: a tree's gains are
// first scaled to sum to one if perTree is set, the result always is.
func Importances(trees []*Tree, features int, perTree bool) []float64 {
	sum := make([]float64, features)
	one := make([]float64, features)
	for _, t := range trees {
		clear(one)
		for i := range t.Nodes {
			if n := &t.Nodes[i]; n.Left >= 0 {
				one[n.Split.Feature] += float64(n.Gain * t.Weight(i))
			}
		}
		norm := 1.0
		if perTree {
			norm = total(one)
		}
		if norm != 0 {
			for f, v := range one {
				sum[f] += v / norm
			}
		}
	}
	if all := total(sum); all != 0 {
		for f := range sum {
			sum[f] /= all
		}
	}
	return sum
}

// Weight is the weighted number of training rows that reached node i.
func (t *Tree) Weight(i int) float64 {
	if t.Classes == 0 {
		return t.Nodes[i].Stats[0]
	}
	return total(t.Nodes[i].Stats)
}

func total(v []float64) float64 {
	sum := 0.0
	for _, x := range v {
		sum += x
	}
	return sum
}

func argmax(v []float64) int {
	best := 0
	for i, x := range v {
		if x > v[best] {
			best = i
		}
	}
	return best
}

const invalidGain = -math.MaxFloat64

// Leaves is the number of leaves.
func (t *Tree) Leaves() int { return (len(t.Nodes) + 1) / 2 }

// Missing gives the first feature that predicting a row too short for the tree would look for in
// vain, or -1.
func (t *Tree) Missing(row []float64) int {
	i := 0
	for {
		n := &t.flat[i]
		switch {
		case n.feature < 0:
			return -1
		case int(n.feature) >= len(row):
			return int(n.feature)
		}
		v := row[n.feature]
		if n.set == nil && v <= n.threshold || n.set != nil && n.hasLeft(v) {
			i++
		} else {
			i = int(n.right)
		}
	}
}
