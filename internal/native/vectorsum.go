package native

import (
	"slices"
	"strconv"

	"github.com/millpond/millpond/internal/sparkerr"
)

// vectorSum adds lists of numbers place by place, or gives their mean.
type vectorSum struct {
	name  string
	mean  bool
	sum   []float64 // nil where none came yet
	count int64
}

func (v *vectorSum) Add(row []Value) error {
	if row[0].Null {
		return nil
	}
	return v.add(row[0].D, 1)
}

func (v *vectorSum) add(values []float64, count int64) error {
	if v.count == 0 {
		v.sum = slices.Clone(values)
	} else {
		if len(values) != len(v.sum) {
			return sparkerr.Raised("VECTOR_DIMENSION_MISMATCH", "`"+v.name+"`", strconv.Itoa(len(v.sum)), strconv.Itoa(len(values)))
		}
		for i, x := range values {
			v.sum[i] += x
		}
	}
	v.count += count
	return nil
}

func (v *vectorSum) Merge(other State) error {
	if o := other.(*vectorSum); o.count > 0 {
		return v.add(o.sum, o.count)
	}
	return nil
}

func (v *vectorSum) Value() (Value, error) {
	if v.count == 0 {
		return null(), nil
	}
	out := slices.Clone(v.sum)
	for i := range out {
		if v.mean {
			out[i] /= float64(v.count)
		}
	}
	return Value{D: out}, nil
}
