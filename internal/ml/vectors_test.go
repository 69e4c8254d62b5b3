package ml

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/millpond/millpond/internal/types"
)

// numbered is a frame of vectors [i, 1] or, if sparse, of [0, i].
func numbered(t *testing.T, n, batch int, sparse bool) Frame {
	t.Helper()
	rows := make([][]any, n)
	for i := range rows {
		v := DenseVector([]float64{float64(i), 1})
		if sparse {
			v = Vector{Size: 2, Indices: []int32{1}, Values: []float64{float64(i)}, Sparse: true}
		}
		rows[i] = []any{v, float64(i)}
	}
	f, err := FrameOfRows(types.Struct{Fields: []types.Field{{Name: "v", Type: types.Vector}, {Name: "y", Type: types.Double}}}, rows, batch)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestFoldVectors(t *testing.T) {
	for _, batch := range []int{1, 7, 64, 1000} {
		var sums []float64
		part := func(rows *Vectors, lo, hi int) (float64, error) {
			s := 0.0
			err := rows.Each(lo, hi, func(_ int, v *VectorView, i int) error {
				s += v.Values(i)[0]
				return nil
			})
			return s, err
		}
		err := FoldVectors(context.Background(), numbered(t, 250, batch, false), 100, part, func(s float64) error {
			sums = append(sums, s)
			return nil
		})
		if want := []float64{4950, 14950, 11225}; err != nil || !slices.Equal(sums, want) {
			t.Errorf("batches of %d: %v, %v, want %v", batch, sums, err, want)
		}
	}
}

func TestFoldVectorsFails(t *testing.T) {
	bad := errors.New("bad")
	merged := 0
	err := FoldVectors(context.Background(), numbered(t, 250, 50, false), 100, func(_ *Vectors, lo, _ int) (int, error) {
		if lo > 0 {
			return 0, bad
		}
		return 1, nil
	}, func(n int) error { merged += n; return nil })
	if !errors.Is(err, bad) {
		t.Errorf("%v", err)
	}
	full := errors.New("full")
	if err := FoldVectors(context.Background(), numbered(t, 250, 50, false), 100, func(*Vectors, int, int) (int, error) { return 1, nil },
		func(int) error { return full }); !errors.Is(err, full) {
		t.Errorf("merge: %v", err)
	}
}

func TestFold(t *testing.T) {
	var got []float64
	err := Fold(context.Background(), numbered(t, 100, 9, false).Select("y"), func(b arrow.RecordBatch) (float64, error) {
		return b.Column(0).(*array.Float64).Value(0), nil
	}, func(first float64) error {
		got = append(got, first)
		return nil
	})
	if want := []float64{0, 9, 18, 27, 36, 45, 54, 63, 72, 81, 90, 99}; err != nil || !slices.Equal(got, want) {
		t.Errorf("%v, %v", got, err)
	}
}

func TestFoldFails(t *testing.T) {
	early, late := errors.New("early"), errors.New("late")
	err := Fold(context.Background(), numbered(t, 100, 9, false).Select("y"), func(b arrow.RecordBatch) (int, error) {
		switch y := b.Column(0).(*array.Float64).Value(0); {
		case y == 27:
			return 0, early
		case y > 27:
			return 0, late
		}
		return 0, nil
	}, func(int) error { return nil })
	if !errors.Is(err, early) {
		t.Errorf("%v, want the first batch's", err)
	}
	defer func() {
		if p := recover(); p == nil || !strings.Contains(p.(error).Error(), "broken") {
			t.Errorf("the panic of a part was lost: %v", p)
		}
	}()
	_ = Fold(context.Background(), numbered(t, 10, 5, false), func(arrow.RecordBatch) (int, error) { panic("broken") }, func(int) error { return nil })
}

func TestLoadInstances(t *testing.T) {
	for _, sparse := range []bool{false, true} {
		for _, batch := range []int{1, 7, 4096, 5000, 20000} {
			in, err := LoadInstances(context.Background(), numbered(t, 9000, batch, sparse), "v", "y", "", RealLabels)
			if err != nil {
				t.Fatal(err)
			}
			if in.Rows.N != 9000 || in.Rows.D != 2 || in.Rows.IsSparse() || len(in.Labels) != 9000 {
				t.Fatalf("%+v", in.Rows.N)
			}
			for i := range in.Rows.N {
				want := []float64{float64(i), 1}
				if sparse {
					want = []float64{0, float64(i)}
				}
				if !slices.Equal(in.Rows.Row(i), want) || in.Labels[i] != float64(i) {
					t.Fatalf("batches of %d: row %d is %v", batch, i, in.Rows.Row(i))
				}
			}
		}
	}
}

func TestLoadInstancesSparsely(t *testing.T) {
	rows := make([][]any, 9000)
	for i := range rows {
		rows[i] = []any{Vector{Size: 50, Indices: []int32{int32(i % 50), 49 - int32(i%50)/50}, Values: []float64{float64(i % 3), 0}, Sparse: true}}
		if i%50 == 49 {
			rows[i] = []any{Vector{Size: 50, Indices: []int32{49}, Values: []float64{float64(i % 3)}, Sparse: true}}
		}
	}
	for _, batch := range []int{7, 4096, 20000} {
		f, err := FrameOfRows(types.Struct{Fields: []types.Field{{Name: "v", Type: types.Vector}}}, rows, batch)
		if err != nil {
			t.Fatal(err)
		}
		in, err := LoadInstances(context.Background(), f, "v", "", "", NoLabels)
		if err != nil || !in.Rows.IsSparse() || len(in.Rows.Val) != 6000 {
			t.Fatalf("%d stored, %v", len(in.Rows.Val), err)
		}
		for i := range in.Rows.N {
			idx, val := in.Rows.SparseRow(i)
			if x := float64(i % 3); x == 0 && len(idx) != 0 || x != 0 && (len(idx) != 1 || int(idx[0]) != i%50 || val[0] != x) {
				t.Fatalf("batches of %d: row %d is %v %v", batch, i, idx, val)
			}
		}
	}
}
