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
		want       csvLines
	}{
		{"none", "", csvLines{}},
		{"plain", "a,b\n1,22\n", csvLines{longest: 5}},
		{"no end", "a\nbcd", csvLines{longest: 3}},
		{"quoted", "a\n\"b\nc\"\nd\n", csvLines{longest: 6, quoted: true}},
		{"doubled", "\"a\"\"b\"\nc\n", csvLines{longest: 7}},
		{"longer than the buffer", long + "\nb\n", csvLines{longest: len(long) + 1}},
	} {
		path := filepath.Join(t.TempDir(), "a.csv")
		if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := csvDialect{quote: `"`}.measure([]string{path})
		if err != nil || got != c.want {
			t.Errorf("%s: %+v, %v, want %+v", c.name, got, err, c.want)
		}
	}
	if got, err := (csvDialect{}).measure([]string{"a.csv.gz"}); err != nil || got.limit() != longLine {
		t.Errorf("compressed: %+v, %v", got, err)
	}
}
