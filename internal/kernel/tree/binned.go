package tree

import "github.com/millpond/millpond/internal/kernel/hist"

// chunkRows is how many rows are predicted at a time.
const chunkRows = 8192

// AddBinned adds weight times the tree's prediction to each row's place in out.
func (t *Tree) AddBinned(table *hist.Table, weight float64, out []float64, threads int) {
	bins := make([]int, len(t.Nodes)) // of a continuous split: the last bin that goes left
	for i := range t.Nodes {
		if n := &t.Nodes[i]; n.Left >= 0 && n.Split.Arity == 0 {
			bins[i] = hist.FindBin(table.Thresholds[n.Split.Feature], n.Split.Threshold)
		}
	}
	hist.Parallel(threads, (table.Rows+chunkRows-1)/chunkRows, func(k int) {
		for r := k * chunkRows; r < min((k+1)*chunkRows, table.Rows); r++ {
			i := 0
			for t.flat[i].feature >= 0 {
				n := &t.flat[i]
				bin := table.Columns[n.feature].At(r)
				if n.set == nil && bin <= bins[i] || n.set != nil && n.hasLeft(float64(bin)) {
					i++
				} else {
					i = int(n.right)
				}
			}
			out[r] += weight * t.Nodes[i].Prediction
		}
	})
}
