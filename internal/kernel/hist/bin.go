package hist

import (
	"math"
	"sync"
	"sync/atomic"

	"github.com/millpond/millpond/internal/kernel/parallel"
	"github.com/millpond/millpond/internal/kernel/random"
)

// Source gives feature rows. Block must fill dst, one slice per row asked for of len(Arity)
// values; a source that has the values in memory may set dst's entries to its own slices.
// It is called by several goroutines at once.
type Source interface {
	Len() int
	Block(from, to int, dst []float64) // row-major copy of rows from..to-1
}

// Options says how to bin.
type Options struct {
	MaxBins int
	Seed    int64
	Arity   []int     // per feature, 0 for continuous
	Weights []float64 // per row, nil for all 1
	Threads int
}

const blockRows = 1024

// Bin bins the rows of src. Options.MaxBins is cut to the number of rows as Spark cuts it. The
// error is a *BadCategory for the first row that has one.
func Bin(src Source, o Options) (*Table, error) {
	rows, features := src.Len(), len(o.Arity)
	t := &Table{Rows: rows, Arity: o.Arity, Bins: make([]int, features),
		Columns: make([]Column, features), Thresholds: make([][]float64, features)}
	findThresholds(src, o, t)
	for f, arity := range o.Arity {
		if arity > 0 {
			t.Bins[f] = arity
		} else {
			t.Bins[f] = len(t.Thresholds[f]) + 1
		}
		t.Columns[f] = makeColumn(rows, t.Bins[f])
	}
	blocks := (rows + blockRows - 1) / blockRows
	bad := make([]*BadCategory, blocks)
	Parallel(o.Threads, blocks, func(b int) {
		from := b * blockRows
		to := min(from+blockRows, rows)
		buf := buffers.Get().(*[]float64)
		if cap(*buf) < (to-from)*features {
			*buf = make([]float64, blockRows*features)
		}
		values := (*buf)[:(to-from)*features]
		src.Block(from, to, values)
		for f := range features {
			if e := t.binBlock(f, from, to-from, values[f:], features); e != nil && (bad[b] == nil || e.Row < bad[b].Row) {
				bad[b] = e
			}
		}
		buffers.Put(buf)
	})
	for _, e := range bad {
		if e != nil {
			return nil, e
		}
	}
	return t, nil
}

var buffers = sync.Pool{New: func() any { return new([]float64) }}

// findThresholds looks at the rows, or at Spark's sample of them if they are many.
func findThresholds(src Source, o Options, t *Table) {
	features, rows := len(o.Arity), src.Len()
	continuous := 0
	for _, a := range o.Arity {
		if a == 0 {
			continuous++
		}
	}
	if continuous == 0 || rows == 0 {
		return
	}
	maxBins := min(o.MaxBins, rows)
	fraction := SampleFraction(maxBins, rows)
	picked := pick(rows, fraction, o.Seed)
	t.Sampled = picked != nil
	n := rows
	if picked != nil {
		n = len(picked)
	}
	values := make([]float64, n*features)
	if picked == nil {
		src.Block(0, rows, values)
	} else {
		for k, r := range picked {
			src.Block(r, r+1, values[k*features:(k+1)*features])
		}
	}
	expected := fraction * total(o.Weights, rows)
	Parallel(o.Threads, features, func(f int) {
		if o.Arity[f] > 0 {
			return
		}
		found := make([]Weighted, 0, n)
		for k := range n {
			v := values[k*features+f]
			if v == 0 {
				continue
			}
			w := 1.0
			if o.Weights != nil {
				if picked != nil {
					w = o.Weights[picked[k]]
				} else {
					w = o.Weights[k]
				}
			}
			found = append(found, Weighted{v, w})
		}
		t.Thresholds[f] = Thresholds(found, expected, maxBins-1)
	})
}

func pick(rows int, fraction float64, seed int64) []int {
	if fraction >= 1 {
		return nil
	}
	sampler := random.NewBernoulli(fraction, int64(random.NewXORShift(seed).NextInt32()), 0)
	picked := make([]int, 0, int(1.1*fraction*float64(rows)))
	for r := range rows {
		if sampler.Keep() {
			picked = append(picked, r)
		}
	}
	return picked
}

func total(weights []float64, rows int) float64 {
	if weights == nil {
		return float64(rows)
	}
	sum := 0.0
	for _, w := range weights {
		sum += w
	}
	return sum
}

// binBlock bins n rows of feature f, whose values lie stride apart.
func (t *Table) binBlock(f, from, n int, values []float64, stride int) *BadCategory {
	if arity := t.Arity[f]; arity > 0 {
		for i := range n {
			v := values[i*stride]
			k := int(v)
			if !(v >= 0 && k < arity) {
				return &BadCategory{f, arity, from + i, v}
			}
			if c := &t.Columns[f]; c.Wide != nil {
				c.Wide[from+i] = uint16(k)
			} else {
				c.Narrow[from+i] = uint8(k)
			}
		}
		return nil
	}
	if c := &t.Columns[f]; c.Wide != nil {
		fill(c.Wide[from:from+n], values, stride, t.Thresholds[f])
	} else {
		fill(c.Narrow[from:from+n], values, stride, t.Thresholds[f])
	}
	return nil
}

// fill finds for each value the first threshold that is not below it.
func fill[B uint8 | uint16](dst []B, values []float64, stride int, thresholds []float64) {
	if len(thresholds) == 0 {
		clear(dst)
		return
	}
	// Padding to a power of two with infinities leaves a search without branches to mispredict.
	size := 1
	for size < len(thresholds)+1 {
		size *= 2
	}
	padded := make([]float64, size)
	copy(padded, thresholds)
	for i := len(thresholds); i < size; i++ {
		padded[i] = math.Inf(1)
	}
	for i := range dst {
		v := values[i*stride]
		at := 0
		for half := size / 2; half > 0; half /= 2 {
			if padded[at+half-1] < v {
				at += half
			}
		}
		dst[i] = B(at)
		if v != v { // NaN goes last
			dst[i] = B(len(thresholds))
		}
	}
}

// FindBin gives the bin of a value among thresholds.
func FindBin(thresholds []float64, v float64) int {
	lo, hi := 0, len(thresholds)
	if v != v {
		return hi
	}
	for lo < hi {
		m := (lo + hi) / 2
		if thresholds[m] < v {
			lo = m + 1
		} else {
			hi = m
		}
	}
	return lo
}

// Parallel runs work(0..n-1) on up to threads goroutines. Which goroutine does what varies, so
// work must write only to places of its own number.
func Parallel(threads, n int, work func(int)) {
	if threads = min(threads, n); threads <= 1 {
		for i := range n {
			work(i)
		}
		return
	}
	var next atomic.Int64
	parallel.Run(threads, func() {
		for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
			work(i)
		}
	})
}
