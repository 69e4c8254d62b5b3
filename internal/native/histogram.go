package native

import (
	"cmp"
	"slices"

	"github.com/millpond/millpond/internal/kernel/random"
)

// histogram is the streaming histogram of Ben-Haim and Tom-Tov, "A streaming parallel decision tree
// algorithm" (2010), as Hive and so Spark keep it: where bins are equally near, a random number of a
// fixed seed says which are put together.
type histogram struct {
	limit int
	bins  []bin
	draw  *random.Java
}

type bin struct{ x, count float64 }

// histogramSeed is Hive's.
const histogramSeed = 31183

func newHistogram() *histogram { return &histogram{draw: random.NewJava(histogramSeed)} }

func (h *histogram) Add(row []Value) error {
	if row[0].Null {
		return nil
	}
	h.limit = int(row[1].I)
	at, found := slices.BinarySearchFunc(h.bins, row[0].F, func(b bin, x float64) int { return cmp.Compare(b.x, x) })
	if found {
		h.bins[at].count++
		return nil
	}
	h.bins = slices.Insert(h.bins, at, bin{row[0].F, 1})
	h.trim()
	return nil
}

// trim puts the nearest bins together until there are no more than the limit.
func (h *histogram) trim() {
	for len(h.bins) > h.limit {
		least, at, ties := h.bins[1].x-h.bins[0].x, 0, 1
		for i := 1; i < len(h.bins)-1; i++ {
			d := h.bins[i+1].x - h.bins[i].x
			if d < least {
				least, at, ties = d, i, 1
			} else if d == least {
				if ties++; h.draw.NextDouble() <= 1/float64(ties) {
					at = i
				}
			}
		}
		a, b := &h.bins[at], h.bins[at+1]
		total := a.count + b.count
		a.x = a.x*(a.count/total) + b.x/total*b.count
		a.count = total
		h.bins = slices.Delete(h.bins, at+1, at+2)
	}
}

func (h *histogram) Merge(other State) error {
	o := other.(*histogram)
	if len(o.bins) == 0 {
		return nil
	}
	h.limit = o.limit
	h.bins = append(h.bins, o.bins...)
	slices.SortStableFunc(h.bins, func(a, b bin) int { return cmp.Compare(a.x, b.x) })
	h.trim()
	return nil
}

func (h *histogram) Value() (Value, error) {
	if len(h.bins) == 0 {
		return null(), nil
	}
	var out []float64
	for _, b := range h.bins {
		out = append(out, b.x, b.count)
	}
	return Value{D: out}, nil
}
