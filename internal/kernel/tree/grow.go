package tree

import (
	"context"
	"math"

	"github.com/millpond/millpond/internal/kernel/hist"
	"github.com/millpond/millpond/internal/kernel/random"
)

// Grower grows trees. It keeps its buffers, so boosting uses one for all rounds.
type Grower struct {
	cfg       Config
	data      Data
	features  []feature
	all       []int // every feature's number
	width     int   // numbers of a statistic
	cell      int   // numbers of a histogram's cell
	weighted  bool
	exact     bool // sum in Spark's order rather than take siblings' differences
	minWeight float64
	trees     []*growing
	finders   chan *finder
	free      [][]float64 // spent histograms
}

// growing is a tree in the making: its rows lie node after node, in the data's order.
type growing struct {
	root *node
	rows []uint32
}

type node struct {
	tree, index, depth int // index numbers nodes as Spark does: the root is 1, children 2i and 2i+1
	from, to           int // its rows
	features           []int
	self               stats
	impurity           float64
	valid, leaf        bool
	gain               float64
	split              Split
	left, right        *node
	parent             *node
	cells              []float64 // its histogram, kept for its children
}

// NewGrower prepares to grow on a table.
func NewGrower(d Data, c Config) *Grower {
	g := &Grower{cfg: c, data: d, width: max(c.Classes, 3*btoi(c.Classes == 0)), weighted: d.Weights != nil}
	g.features = features(d.Table, &c)
	g.all = make([]int, len(g.features))
	for i := range g.all {
		g.all[i] = i
	}
	g.cell = g.width + btoi(g.weighted)
	if c.Classes == 0 {
		g.cell = 4
	}
	rows := d.Table.Rows
	g.exact = hist.SampleFraction(min(c.MaxBins, rows), rows) >= 1
	weight := float64(rows)
	if d.Weights != nil {
		weight = total(d.Weights)
	}
	g.minWeight = c.MinWeightFraction * weight
	g.finders = make(chan *finder, max(c.Threads, 1))
	for range cap(g.finders) {
		g.finders <- &finder{g: g}
	}
	return g
}

// Grow grows cfg.Trees trees with the given seed, labels and counts (see Data).
func (g *Grower) Grow(ctx context.Context, seed int64, labels []float64, counts []uint8) ([]*Tree, error) {
	g.data.Labels, g.data.Counts = labels, counts
	g.start()
	rng := random.NewJava(seed)
	done, all := 0, g.work()
	var stack []*node
	for _, t := range g.trees {
		stack = append(stack, t.root)
	}
	for len(stack) > 0 {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		var group []*node
		group, stack = g.group(stack, rng)
		g.splitGroup(group)
		if g.cfg.Worked != nil {
			for _, n := range group {
				done += g.worked(n)
			}
			g.cfg.Worked(float64(done) / float64(max(all, 1)))
		}
		for _, n := range sparkOrder(group) {
			if n.left != nil && !n.left.leaf {
				stack = append(stack, n.left)
			}
			if n.right != nil && !n.right.leaf {
				stack = append(stack, n.right)
			}
		}
	}
	g.free = nil
	out := make([]*Tree, len(g.trees))
	for i, t := range g.trees {
		out[i] = g.finish(t.root)
	}
	return out, nil
}

// work is what growing takes at most: each row once at each depth.
func (g *Grower) work() int {
	rows := 0
	for _, t := range g.trees {
		rows += len(t.rows)
	}
	return rows * g.levels()
}

func (g *Grower) levels() int { return max(g.cfg.MaxDepth, 1) }

// worked is how much of the work a node was whose split was looked for: its rows at its depth, and at
// all depths below a leaf.
func (g *Grower) worked(n *node) int {
	rows := func(n *node) int { return n.to - n.from }
	if n.leaf {
		return rows(n) * (g.levels() - n.depth)
	}
	out := rows(n)
	for _, c := range []*node{n.left, n.right} {
		if c.leaf {
			out += rows(c) * (g.levels() - c.depth)
		}
	}
	return out
}

func (g *Grower) start() {
	trees := max(g.cfg.Trees, 1)
	if len(g.trees) != trees {
		g.trees = make([]*growing, trees)
	}
	hist.Parallel(g.cfg.Threads, trees, func(i int) {
		t := g.trees[i]
		if t == nil {
			t = &growing{}
			g.trees[i] = t
		}
		t.rows = sampled(t.rows[:0], g.data.Table.Rows, g.counts(i))
		t.root = &node{tree: i, index: 1, to: len(t.rows)}
	})
}

// counts gives how often each row is in a tree's sample; nil for once.
func (g *Grower) counts(tree int) []uint8 {
	if g.data.Counts == nil {
		return nil
	}
	n := g.data.Table.Rows
	return g.data.Counts[tree*n : (tree+1)*n]
}

func sampled(rows []uint32, n int, counts []uint8) []uint32 {
	if cap(rows) < n {
		rows = make([]uint32, 0, n)
	}
	if counts == nil {
		for r := range n {
			rows = append(rows, uint32(r))
		}
		return rows
	}
	for r, c := range counts {
		if c != 0 {
			rows = append(rows, uint32(r))
		}
	}
	return rows
}

// group takes nodes off the stack's top as long as their statistics fit Spark's memory limit,
// drawing each node's features: the draws come in the order Spark makes them.
func (g *Grower) group(stack []*node, rng *random.Java) (group, rest []*node) {
	limit, used := int64(g.cfg.MemoryMB)<<20, int64(0)
	for len(stack) > 0 {
		n := stack[len(stack)-1]
		n.features = g.all
		if k := g.cfg.FeaturesPerNode; k > 0 && k < len(g.all) {
			n.features = random.Reservoir(len(g.all), k, rng.NextLong())
		}
		need := int64(0)
		for _, f := range n.features {
			need += 8 * g.features[f].memory(&g.cfg)
		}
		if used+need > limit && used != 0 {
			break
		}
		stack = stack[:len(stack)-1]
		group = append(group, n)
		used += need
	}
	return group, stack
}

// sparkOrder sorts a group's nodes tree by tree as Spark visits them: in its map's order.
func sparkOrder(group []*node) []*node {
	byTree := map[int][]*node{}
	var trees []int
	for _, n := range group {
		if byTree[n.tree] == nil {
			trees = append(trees, n.tree)
		}
		byTree[n.tree] = append(byTree[n.tree], n)
	}
	out := make([]*node, 0, len(group))
	for _, t := range random.ScalaMapOrder(trees) {
		out = append(out, byTree[t]...)
	}
	return out
}

// splitGroup finds the best split of each node and makes its children.
func (g *Grower) splitGroup(group []*node) {
	cells := g.histograms(group)
	found := make([]candidate, len(group))
	hist.Parallel(g.cfg.Threads, len(group), func(i int) {
		w := <-g.finders
		found[i] = w.run(group[i], cells[i])
		g.finders <- w
	})
	divide := make([]*node, 0, len(group))
	tables := make([][]bool, 0, len(group))
	for i, n := range group {
		c := &found[i]
		n.self, n.impurity, n.gain, n.valid = c.self, c.impurity, c.gain, c.valid
		n.leaf = n.gain <= 0 || n.depth == g.cfg.MaxDepth
		if n.leaf {
			g.release(cells[i])
			continue
		}
		n.split = c.split
		n.left, n.right = g.child(n, 2*n.index, c.left), g.child(n, 2*n.index+1, c.right)
		if g.keeps(n) && !(n.left.leaf && n.right.leaf) {
			n.cells = cells[i]
		} else {
			g.release(cells[i])
		}
		divide, tables = append(divide, n), append(tables, c.goLeft)
	}
	g.divide(divide, tables)
}

func (g *Grower) child(n *node, index int, s stats) *node {
	c := &node{tree: n.tree, index: index, depth: n.depth + 1, self: s, valid: true, parent: n}
	c.impurity = g.cfg.Impurity.of(s.v)
	c.leaf = c.depth == g.cfg.MaxDepth || math.Abs(c.impurity) < hist.Epsilon
	return c
}

// keeps says whether the node's histogram is worth keeping for its children.
func (g *Grower) keeps(n *node) bool {
	return !g.exact && len(n.features) == len(g.all) && n.to-n.from >= keepRows
}

// keepRows is the size from which reading a node's histogram costs less than its rows.
const keepRows = 1024

// finish turns the grown nodes into a Tree, folding leaves of equal prediction as Spark does.
func (g *Grower) finish(root *node) *Tree {
	if !g.cfg.KeepTwins {
		g.fold(root)
	}
	t := &Tree{Classes: g.cfg.Classes}
	g.emit(t, root)
	t.Compile()
	return t
}

func (g *Grower) fold(n *node) {
	if n.left == nil {
		return
	}
	g.fold(n.left)
	g.fold(n.right)
	p := g.cfg.Impurity.predict
	if n.left.left == nil && n.right.left == nil && p(n.left.self.v) == p(n.right.self.v) {
		n.left, n.right = nil, nil
	}
}

func (g *Grower) emit(t *Tree, n *node) int {
	at := len(t.Nodes)
	out := Node{Prediction: g.cfg.Impurity.predict(n.self.v), Impurity: n.impurity, Gain: -1,
		Stats: n.self.v, RawCount: int64(n.self.raw), Left: -1, Right: -1}
	if !n.valid {
		out.Impurity = -1
	}
	t.Nodes = append(t.Nodes, out)
	if n.left != nil {
		left := g.emit(t, n.left)
		right := g.emit(t, n.right)
		x := &t.Nodes[at]
		x.Gain, x.Left, x.Right, x.Split = n.gain, left, right, n.split
	}
	return at
}
