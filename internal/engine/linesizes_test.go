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
		got, err := measureLines([]string{path}, `"`)
		if err != nil || got != c.want {
			t.Errorf("%s: %+v, %v, want %+v", c.name, got, err, c.want)
		}
	}
	if got, err := measureLines([]string{"a.csv.gz"}, ""); err != nil || got.limit() != longLine {
		t.Errorf("compressed: %+v, %v", got, err)
	}
}
