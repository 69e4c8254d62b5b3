package tree

import (
	"sync"

	"github.com/millpond/millpond/internal/kernel/hist"
)

var gatherPool = sync.Pool{New: func() any { return new(gathered) }}

// piece is a run of a node's rows that is divided on its own.
type piece struct {
	n        *node
	goLeft   []bool
	from, to int
	left     []uint32 // the rows that go left, then those that go right, both in order
	right    []uint32

	atLeft, atRight int // where they go
}

// divide moves each node's rows so that its left child's come first, both sides in order. Large
// nodes are divided in pieces, whose size does not depend on the number of threads.
func (g *Grower) divide(nodes []*node, goLeft [][]bool) {
	var pieces []piece
	small := make([]int, 0, len(nodes))
	for i, n := range nodes {
		if n.to-n.from <= wideRows {
			small = append(small, i)
			continue
		}
		for from := n.from; from < n.to; from += wideRows {
			pieces = append(pieces, piece{n: n, goLeft: goLeft[i], from: from, to: min(from+wideRows, n.to)})
		}
	}
	hist.Parallel(g.cfg.Threads, len(small), func(i int) {
		n := nodes[small[i]]
		p := piece{n: n, goLeft: goLeft[small[i]], from: n.from, to: n.to}
		g.dividePiece(&p)
		n.give(len(p.left))
		rows := g.trees[n.tree].rows
		copy(rows[n.from:], p.left)
		copy(rows[n.right.from:], p.right)
		p.done()
	})
	hist.Parallel(g.cfg.Threads, len(pieces), func(i int) { g.dividePiece(&pieces[i]) })
	for i := 0; i < len(pieces); {
		n, count, end := pieces[i].n, 0, i
		for ; end < len(pieces) && pieces[end].n == n; end++ {
			count += len(pieces[end].left)
		}
		n.give(count)
		left, right := n.from, n.right.from
		for ; i < end; i++ {
			p := &pieces[i]
			p.atLeft, p.atRight = left, right
			left, right = left+len(p.left), right+len(p.right)
		}
	}
	hist.Parallel(g.cfg.Threads, len(pieces), func(i int) {
		p := &pieces[i]
		rows := g.trees[p.n.tree].rows
		copy(rows[p.atLeft:], p.left)
		copy(rows[p.atRight:], p.right)
		p.done()
	})
}

// give tells the children their rows: the first count of the node's are the left child's.
func (n *node) give(count int) {
	n.left.from, n.left.to = n.from, n.from+count
	n.right.from, n.right.to = n.from+count, n.to
}

func (p *piece) done() {
	buf := p.left
	rowPool.Put(&buf)
	p.left, p.right = nil, nil
}

var rowPool = sync.Pool{New: func() any { return new([]uint32) }}

func (g *Grower) dividePiece(p *piece) {
	rows := g.trees[p.n.tree].rows[p.from:p.to]
	buf := *rowPool.Get().(*[]uint32)
	if cap(buf) < 2*wideRows+2 {
		buf = make([]uint32, 2*wideRows+2)
	}
	buf = buf[:2*wideRows+2]
	left, right := buf[:len(rows)+1], buf[wideRows+1:wideRows+1+len(rows)+1]
	var n int
	if col := g.features[p.n.split.Feature].col; col.Wide != nil {
		n = part(col.Wide, rows, p.goLeft, left, right)
	} else {
		n = part(col.Narrow, rows, p.goLeft, left, right)
	}
	p.left, p.right = left[:n], right[:len(rows)-n]
}

// part writes every row to both sides and moves on only on the one it belongs to: no branch to
// mispredict.
func part[B uint8 | uint16](col []B, rows []uint32, goLeft []bool, left, right []uint32) int {
	var table [1 << 8]uint8
	steps := table[:]
	if len(goLeft) > len(table) {
		steps = make([]uint8, len(goLeft))
	}
	for b, l := range goLeft {
		if l {
			steps[b] = 1
		}
	}
	l, r := 0, 0
	for _, row := range rows {
		left[l], right[r] = row, row
		s := int(steps[col[row]])
		l += s
		r += 1 - s
	}
	return l
}

// EachLeaf calls visit with every leaf's rows and prediction of the last tree grown, in parallel;
// rows left out of the sample are in none.
func (g *Grower) EachLeaf(visit func(rows []uint32, prediction float64)) {
	t := g.trees[len(g.trees)-1]
	var leaves []*node
	var walk func(n *node)
	walk = func(n *node) {
		if n.left == nil {
			leaves = append(leaves, n)
			return
		}
		walk(n.left)
		walk(n.right)
	}
	walk(t.root)
	hist.Parallel(g.cfg.Threads, len(leaves), func(i int) {
		n := leaves[i]
		visit(t.rows[n.from:n.to], g.cfg.Impurity.predict(n.self.v))
	})
}
