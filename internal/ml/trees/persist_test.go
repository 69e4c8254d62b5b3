package trees

import (
	"encoding/binary"
	"math"
	"testing"
)

// nodesOf reads bytes as nodes: numbers small enough to be believed now and then.
func nodesOf(data []byte) []nodeData {
	next := func() int {
		if len(data) == 0 {
			return -1
		}
		v := int(int8(data[0]))
		data = data[1:]
		return v
	}
	var out []nodeData
	for len(data) > 0 && len(out) < 200 {
		n := nodeData{id: next(), left: next(), right: next(), feature: next(), numCategories: next()}
		for range min(max(next(), 0), 8) {
			n.stats = append(n.stats, float64(next()))
		}
		for range min(max(next(), 0), 8) {
			n.leftCategoriesOrThreshold = append(n.leftCategoriesOrThreshold, float64(next())/2)
		}
		if len(data) >= 8 {
			n.prediction = math.Float64frombits(binary.LittleEndian.Uint64(data))
			data = data[8:]
		}
		out = append(out, n)
	}
	return out
}

func FuzzBuild(f *testing.F) {
	f.Add([]byte{0, 255, 255, 255, 255, 3, 1, 2, 3, 0}, 0, 1)
	f.Add([]byte{0, 1, 2, 0, 255, 2, 1, 2, 1, 4, 0, 0, 0, 0, 0, 0, 0, 0,
		1, 255, 255, 255, 255, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
		2, 255, 255, 255, 255, 2, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 2, 1)
	f.Add([]byte{0, 0, 0, 0, 3, 3, 1, 2, 3, 1, 2}, 0, 2)
	f.Fuzz(func(t *testing.T, data []byte, classes, features int) {
		if classes < 0 || classes > 8 || features < 0 || features > 64 {
			return
		}
		tree, err := build(nodesOf(data), classes, features)
		if err != nil {
			return
		}
		row := make([]float64, features)
		for _, v := range []float64{0, 1, -3, math.NaN(), math.Inf(1), 1e300, 0.5} {
			for i := range row {
				row[i] = v
			}
			at := tree.Find(row)
			if tree.Nodes[at].Left >= 0 {
				t.Fatalf("prediction ended at node %d, which is no leaf", at)
			}
			if k := tree.LeafIndex(at); k < 0 || k >= tree.Leaves() {
				t.Fatalf("leaf %d of %d", k, tree.Leaves())
			}
		}
		back, err := build(reread(t, nodeRows(tree)), classes, features)
		if err != nil {
			t.Fatalf("what was written cannot be read: %v", err)
		}
		if len(back.Nodes) != len(tree.Nodes) || back.Depth() != tree.Depth() {
			t.Fatalf("%d nodes of depth %d became %d of %d", len(tree.Nodes), tree.Depth(), len(back.Nodes), back.Depth())
		}
	})
}

// reread turns written rows into what a file gives back.
func reread(t *testing.T, rows [][]any) []nodeData {
	t.Helper()
	var out []nodeData
	for _, r := range rows {
		var f []any
		for _, v := range r {
			switch v := v.(type) {
			case int:
				f = append(f, int32(v))
			case []any:
				f = append(f, []any{int32(v[0].(int)), v[1], int32(v[2].(int))})
			default:
				f = append(f, v)
			}
		}
		n, err := readNode(f)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, n)
	}
	return out
}

func TestReadNodeRefuses(t *testing.T) {
	good := []any{int32(0), 1.0, 0.0, []float64{1, 1, 1}, int64(1), -1.0, int32(-1), int32(-1), []any{int32(-1), []float64{}, int32(-1)}}
	if _, err := readNode(good); err != nil {
		t.Fatal(err)
	}
	for i := range good {
		bad := append([]any{}, good...)
		bad[i] = "x"
		if _, err := readNode(bad); err == nil {
			t.Errorf("field %d as text was taken", i)
		}
	}
	if _, err := readNode(good[:5]); err == nil {
		t.Error("five fields were taken")
	}
}
