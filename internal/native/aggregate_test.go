package native

import (
	"math"
	"testing"
)

// TestStatesMerge cuts rows in two at every place: what the parts know together is what one state knows
// of all rows, and a part stays as it is.
func TestStatesMerge(t *testing.T) {
	number := func(x float64) Value { return Value{F: x} }
	vector := func(x ...float64) Value { return Value{D: x} }
	rows := map[string][][]Value{
		"spark_ewm":        {{number(1), number(0.3), b(false)}, {null(), number(0.3), b(false)}, {number(3), number(0.3), b(false)}, {number(-2), number(0.3), b(false)}, {null(), number(0.3), b(false)}},
		"spark_vector_sum": {{vector(1, 2)}, {null()}, {vector(3, -1)}, {vector(0.5, 4)}},
		"spark_vector_avg": {{vector(1, 2)}, {null()}, {vector(3, -1)}, {vector(0.5, 4)}},
		"spark_bitmap":     {{i(3)}, {i(32767)}, {null()}, {i(8)}},
		"spark_bitmap_or":  {{s("\x0f")}, {s("\xf0\x01")}, {null()}},
		"spark_bitmap_and": {{s("\x0f\x03")}, {s("\x3c\x01")}, {null()}},
		"spark_histogram":  {{number(1), i(8)}, {number(5), i(8)}, {null(), i(8)}, {number(2), i(8)}, {number(9), i(8)}},
		"spark_summary":    {{vector(1, 0, 2), number(1)}, {vector(3, -1, 0), number(2)}, {{I: 3, At: []int32{1}, D: []float64{4}}, number(0.5)}, {vector(7, 7, 7), null()}},
	}
	for _, a := range Aggregates() {
		of := rows[a.Name]
		if of == nil {
			t.Errorf("%s has no rows here", a.Name)
		}
		whole := stateOfRows(t, a, of)
		for cut := range len(of) + 1 {
			first, second := stateOfRows(t, a, of[:cut]), stateOfRows(t, a, of[cut:])
			before := valueOf(t, second)
			if err := first.Merge(second); err != nil {
				t.Fatal(err)
			}
			if got, want := valueOf(t, first), valueOf(t, whole); !same(got, want) {
				t.Errorf("%s cut at %d: %v, want %v", a.Name, cut, got, want)
			}
			if !same(valueOf(t, second), before) {
				t.Errorf("%s: merging changed the other state", a.Name)
			}
		}
	}
}

func stateOfRows(t *testing.T, a Aggregate, rows [][]Value) State {
	t.Helper()
	st := a.New()
	for _, r := range rows {
		if err := st.Add(r); err != nil {
			t.Fatal(err)
		}
	}
	return st
}

func valueOf(t *testing.T, st State) Value {
	t.Helper()
	v, err := st.Value()
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func same(a, b Value) bool {
	near := func(x, y float64) bool { return math.Abs(x-y) <= 1e-12*(1+math.Abs(y)) || x != x && y != y }
	if a.Null != b.Null || a.S != b.S || a.I != b.I || !near(a.F, b.F) || len(a.D) != len(b.D) {
		return false
	}
	for k := range a.D {
		if !near(a.D[k], b.D[k]) {
			return false
		}
	}
	return true
}
