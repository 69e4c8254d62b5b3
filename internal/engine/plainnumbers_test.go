package engine

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/millpond/millpond/internal/types"
)

func TestPlainNumbers(t *testing.T) {
	both := []types.Type{types.Int, types.Double, types.String}
	plain := []string{"INTEGER", "DOUBLE", ""}
	many := strings.Repeat("1,2.5,x\n", 400_000) // several blocks
	for name, c := range map[string]struct {
		text string
		want []string
	}{
		"numbers":         {"1,2.5,x\n-20,-0.25,y\n", plain},
		"nulls":           {"NA,,x\n,NA,\n1,1,1", plain},
		"short row":       {"1\n1,2\n", plain},
		"long row":        {"1,2,3,4\n", plain},
		"blank line":      {"1,2,3\n\n4,5,6\n", plain},
		"too long":        {"1234567890,1,x\n", []string{"", "DOUBLE", ""}},
		"plus":            {"+1,1,x\n", []string{"", "DOUBLE", ""}},
		"space":           {" 1,1 ,x\n", []string{"", "", ""}},
		"decimals":        {"1.0,1.,x\n2,.5,y\n", []string{"", "", ""}},
		"exponent":        {"1,1e5,x\n", []string{"INTEGER", "", ""}},
		"words":           {"one,NaN,x\n", []string{"", "", ""}},
		"a quote":         {"1,2,\"x\"\n", nil},
		"an escape":       {"1,2,\\x\n", nil},
		"carriage return": {"1,2,x\r\n", nil},
		"many":            {many, plain},
		"late":            {many + "1,2,x\nx,2,x\n" + many, []string{"", "DOUBLE", ""}},
	} {
		for _, header := range []bool{false, true} {
			text := c.text
			if header {
				text = "a,b,c\n" + text
			}
			file := filepath.Join(t.TempDir(), "f.csv")
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			d, err := csvOptions(map[string]string{"nullvalue": "NA"})
			if err != nil {
				t.Fatal(err)
			}
			d.header = header
			if d.records, err = measureLines([]string{file}, d.quote, 2); err != nil {
				t.Fatal(err)
			}
			got, err := d.plainNumbers([]string{file}, both, 3)
			if err != nil || !slices.Equal(got, c.want) {
				t.Errorf("%s, header %t: got %q, %v, want %q", name, header, got, err, c.want)
			}
		}
	}
}
