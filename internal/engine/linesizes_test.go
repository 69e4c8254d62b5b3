package engine

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestMeasure(t *testing.T) {
	long := strings.Repeat("x", 2_500_000)
	for _, c := range []struct {
		name, text string
		want       lineSizes
	}{
		{"none", "", lineSizes{}},
		{"plain", "a,b\n1,22\n", lineSizes{longest: 5}},
		{"no end", "a\nbcd", lineSizes{longest: 3}},
		{"quoted", "a\n\"b\nc\"\nd\n", lineSizes{longest: 6, quoted: true}},
		{"doubled", "\"a\"\"b\"\nc\n", lineSizes{longest: 7}},
		{"longer than the buffer", long + "\nb\n", lineSizes{longest: len(long) + 1}},
	} {
		path := filepath.Join(t.TempDir(), "a.csv")
		if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		c.want.share = len(c.text) / 2
		got, err := measureLines([]string{path}, `"`, 2)
		if err != nil || got != c.want {
			t.Errorf("%s: %+v, %v, want %+v", c.name, got, err, c.want)
		}
	}
	if got, err := measureLines([]string{"a.csv.gz"}, "", 2); err != nil || got.limit() != longLine {
		t.Errorf("compressed: %+v, %v", got, err)
	}
	// 32 MB for two threads: a piece each.
	if got := (lineSizes{longest: 100, share: 16 << 20}).limit(); got*pieceLines < 16<<20 || got*pieceLines > 17<<20 {
		t.Errorf("pieces of %d bytes", got*pieceLines)
	}
}
