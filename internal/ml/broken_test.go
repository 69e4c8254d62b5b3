package ml

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
)

// TestReadTableOfBrokenFiles changes bytes of Spark's files: reading them must fail or succeed,
// and never end the program. A panic in the Parquet reader's own goroutines would.
func TestReadTableOfBrokenFiles(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 9))
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "data"), 0o755); err != nil {
		t.Fatal(err)
	}
	refused := 0
	for _, name := range []string{"lrm", "sim", "pcam", "vi", "dt"} {
		files, err := filepath.Glob(filepath.Join(saved, name, "data", "part-*"))
		if err != nil || len(files) == 0 {
			t.Fatal(name, err)
		}
		whole, err := os.ReadFile(files[0])
		if err != nil {
			t.Fatal(err)
		}
		for i := range 300 {
			b := append([]byte(nil), whole...)
			for range 1 + r.IntN(4) {
				b[r.IntN(len(b))] = byte(r.IntN(256))
			}
			if i%10 == 0 {
				b = b[:r.IntN(len(b))]
			}
			if err := os.WriteFile(filepath.Join(dir, "data", "part-0"), b, 0o644); err != nil {
				t.Fatal(err)
			}
			tbl, err := ReadTable(dir, "data")
			if err != nil {
				refused++
				continue
			}
			for _, n := range tbl.names {
				_, _ = Read[any](tbl, n, 0)
			}
		}
	}
	if refused == 0 {
		t.Error("no broken file was refused")
	}
}
