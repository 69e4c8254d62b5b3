package native

import "math"

// weightedMean is a mean in which each row counts less than the next, by the same factor. A row
// without a value makes those before it count less, too, unless such rows are ignored.
type weightedMean struct {
	sum, weight float64
	factor      float64  // what each row leaves of those before it
	rows        float64  // how often it did
	mean        *float64 // as of the last row with a value
}

func (m *weightedMean) Add(row []Value) error {
	x, ignore := row[0], row[2].I != 0
	m.factor = 1 - row[1].F
	if x.Null && ignore {
		return nil
	}
	m.sum, m.weight = m.sum*m.factor, m.weight*m.factor
	m.rows++
	if !x.Null {
		m.sum += x.F
		m.weight++
		m.reckon()
	}
	return nil
}

func (m *weightedMean) reckon() {
	mean := m.sum / m.weight
	m.mean = &mean
}

// Merge adds the rows that follow.
func (m *weightedMean) Merge(other State) error {
	o := other.(*weightedMean)
	left := math.Pow(o.factor, o.rows)
	if o.rows == 0 {
		left = 1
	}
	m.sum, m.weight, m.rows = m.sum*left+o.sum, m.weight*left+o.weight, m.rows+o.rows
	m.factor = o.factor
	if o.mean != nil {
		m.reckon()
	}
	return nil
}

func (m *weightedMean) Value() (Value, error) {
	if m.mean == nil {
		return null(), nil
	}
	return Value{F: *m.mean}, nil
}
