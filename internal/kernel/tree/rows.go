package tree

import (
	"github.com/millpond/millpond/internal/kernel/hist"
)

const (
	// blockRows is how many rows' labels are gathered at a time: they stay in the first cache
	// while every feature's cells are filled.
	blockRows = 512
	// wideRows is the size from which a node's features are spread over goroutines, and its rows
	// divided in pieces.
	wideRows = 16384
)

// task is a piece of work on a node's histogram: some of its features.
type task struct {
	n        *node
	into     []float64
	from, to int // in n.features
	at       int // where the first feature's cells begin
}

// histograms gives each node's cells. Of two siblings whose parent kept its cells only the one
// with fewer rows is counted.
func (g *Grower) histograms(group []*node) [][]float64 {
	cells := make([][]float64, len(group))
	place := make(map[*node]int, len(group))
	for i, n := range group {
		place[n] = i
	}
	type difference struct {
		parent *node
		small  []float64
		large  int  // place in the group
		spent  bool // whether nobody else wants small's cells
	}
	var tasks []task
	var later []difference
	for i, n := range group {
		if cells[i] != nil {
			continue
		}
		p := n.parent
		if p == nil || p.cells == nil {
			cells[i] = g.take(n)
			tasks = g.tasks(tasks, n, cells[i])
			continue
		}
		small, large := p.left, p.right
		if small.to-small.from > large.to-large.from {
			small, large = large, small
		}
		small.features, large.features = g.all, g.all
		counted := g.take(small)
		tasks = g.tasks(tasks, small, counted)
		at, wanted := place[small]
		if wanted {
			cells[at] = counted
		}
		if k, in := place[large]; in {
			cells[k] = p.cells
			later = append(later, difference{p, counted, k, !wanted})
		}
	}
	hist.Parallel(g.cfg.Threads, len(tasks), func(i int) { g.count(&tasks[i]) })
	hist.Parallel(g.cfg.Threads, len(later), func(i int) {
		g.subtract(cells[later[i].large], later[i].small)
	})
	for _, d := range later {
		d.parent.cells = nil
		if d.spent {
			g.release(d.small)
		}
	}
	return cells
}

// take gives cleared room for a node's cells.
func (g *Grower) take(n *node) []float64 {
	size := 0
	for _, f := range n.features {
		size += g.features[f].bins * g.cell
	}
	for k := len(g.free) - 1; k >= 0 && k >= len(g.free)-4; k-- {
		if h := g.free[k]; cap(h) >= size && cap(h) <= 2*size {
			g.free[k] = g.free[len(g.free)-1]
			g.free = g.free[:len(g.free)-1]
			h = h[:size]
			clear(h)
			return h
		}
	}
	return make([]float64, size)
}

func (g *Grower) release(h []float64) {
	if len(g.free) < 256 {
		g.free = append(g.free, h)
	}
}

func (g *Grower) tasks(tasks []task, n *node, into []float64) []task {
	step := len(n.features)
	if n.to-n.from >= wideRows {
		step = 2
	}
	at := 0
	for from := 0; from < len(n.features); from += step {
		to := min(from+step, len(n.features))
		tasks = append(tasks, task{n, into, from, to, at})
		for _, f := range n.features[from:to] {
			at += g.features[f].bins * g.cell
		}
	}
	return tasks
}

// subtract turns a parent's cells into the larger child's. A cell left without rows is set to
// zero exactly, so that empty bins tie as they do when rows are counted.
func (g *Grower) subtract(parent, small []float64) {
	for i := range parent {
		parent[i] -= small[i]
	}
	if g.cfg.Classes > 0 && !g.weighted {
		return // whole numbers
	}
	raw := 0
	if g.weighted {
		raw = g.width
	}
	for i := 0; i < len(parent); i += g.cell {
		if parent[i+raw] == 0 {
			clear(parent[i : i+g.cell])
		}
	}
}

// gathered holds a block of rows' labels, ready to be added to cells.
type gathered struct {
	w, wy, wyy [blockRows]float64
	raw        [blockRows]float64
	class      [blockRows]int32
}

// count fills the cells of a task's features from the node's rows.
func (g *Grower) count(t *task) {
	rows := g.trees[t.n.tree].rows[t.n.from:t.n.to]
	buf := gatherPool.Get().(*gathered)
	defer gatherPool.Put(buf)
	for len(rows) > 0 {
		block := rows[:min(blockRows, len(rows))]
		rows = rows[len(block):]
		unit := g.gather(buf, block, t.n.tree)
		at := t.at
		for _, f := range t.n.features[t.from:t.to] {
			x := &g.features[f]
			cells := t.into[at : at+x.bins*g.cell]
			at += len(cells)
			if x.col.Wide != nil {
				add(g, cells, x.col.Wide, block, buf, unit)
			} else {
				add(g, cells, x.col.Narrow, block, buf, unit)
			}
		}
	}
}

// gather collects the block's labels and weights; it says whether every row counts once.
func (g *Grower) gather(b *gathered, block []uint32, tree int) bool {
	counts := g.counts(tree)
	unit := counts == nil && !g.weighted
	switch {
	case unit:
	case !g.weighted:
		for i, r := range block {
			b.w[i] = float64(counts[r])
		}
	default:
		for i, r := range block {
			n := 1.0
			if counts != nil {
				n = float64(counts[r])
			}
			b.raw[i], b.w[i] = n, float64(n*g.data.Weights[r])
		}
	}
	labels := g.data.Labels
	switch {
	case g.cfg.Classes > 0:
		for i, r := range block {
			b.class[i] = int32(labels[r])
		}
	case unit:
		for i, r := range block {
			y := labels[r]
			b.wy[i], b.wyy[i] = y, float64(y*y)
		}
	default:
		for i, r := range block {
			y := labels[r]
			wy := float64(b.w[i] * y)
			b.wy[i], b.wyy[i] = wy, float64(wy*y)
		}
	}
	return unit
}

func add[B uint8 | uint16](g *Grower, cells []float64, col []B, block []uint32, b *gathered, unit bool) {
	switch {
	case g.cfg.Classes > 0:
		addClasses(cells, g.cell, btoi(g.weighted)*g.width, col, block, b, unit)
	case unit:
		for i, r := range block {
			at := int(col[r]) * 4
			c := cells[at : at+4 : at+4]
			c[0]++
			c[1] += b.wy[i]
			c[2] += b.wyy[i]
		}
	case !g.weighted:
		for i, r := range block {
			at := int(col[r]) * 4
			c := cells[at : at+4 : at+4]
			c[0] += b.w[i]
			c[1] += b.wy[i]
			c[2] += b.wyy[i]
		}
	default:
		for i, r := range block {
			at := int(col[r]) * 4
			c := cells[at : at+4 : at+4]
			c[0] += b.w[i]
			c[1] += b.wy[i]
			c[2] += b.wyy[i]
			c[3] += b.raw[i]
		}
	}
}

func addClasses[B uint8 | uint16](cells []float64, cell, raw int, col []B, block []uint32, b *gathered, unit bool) {
	switch {
	case unit:
		for i, r := range block {
			cells[int(col[r])*cell+int(b.class[i])]++
		}
	case raw == 0:
		for i, r := range block {
			cells[int(col[r])*cell+int(b.class[i])] += b.w[i]
		}
	default:
		for i, r := range block {
			at := int(col[r]) * cell
			cells[at+int(b.class[i])] += b.w[i]
			cells[at+raw] += b.raw[i]
		}
	}
}

// rawOf is the number of rows of a cell.
func (g *Grower) rawOf(cell []float64) float64 {
	switch {
	case g.cfg.Classes == 0 && g.weighted:
		return cell[3]
	case g.cfg.Classes == 0:
		return cell[0]
	case g.weighted:
		return cell[g.width]
	}
	return total(cell[:g.width])
}

func (g *Grower) sumCells(cells []float64) stats {
	sum := make([]float64, g.cell)
	for i, v := range cells {
		sum[i%g.cell] += v
	}
	return stats{sum[:g.width:g.width], g.rawOf(sum)}
}
