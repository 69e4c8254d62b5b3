package engine

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestPlainNumbers(t *testing.T) {
	plain := []string{"INTEGER", "DOUBLE", ""}
	many := strings.Repeat("1,2.5,x\n", 400_000) // several blocks
	if d, err := csvOptions(map[string]string{"nullvalue": "-9.5"}); err != nil {
		t.Fatal(err)
	} else if got, err := d.plainNumbers([]string{fileOf(t, "1,-9.5\n-9.5,-9.5\n")}, 2, 2); err != nil || !slices.Equal(got, []string{"INTEGER", ""}) {
		t.Errorf("nulls that look like numbers: got %q, %v", got, err)
	}
	for name, c := range map[string]struct {
		text string
		want []string
	}{
		"numbers":         {"1,2.5,x\n-20,-0.25,y\n", plain},
		"mixed":           {"1,2,x\n2,12345678901.5,y\n3,12345678901,z\n", plain},
		"nulls":           {"NA,,x\n,NA,\n1,1.0,1", plain},
		"nothing":         {",NA,\n,,\n", []string{"", "", ""}},
		"short row":       {"1\n1,2.0\n", plain},
		"long row":        {"1,2.0,x,4\n", plain},
		"blank line":      {"1,2.0,x\n\n4,5,6\n", plain},
		"long":            {"1234567890,1.5,x\n", []string{"", "DOUBLE", ""}},
		"plus":            {"+1,1.5,x\n", []string{"", "DOUBLE", ""}},
		"space":           {" 1,1.5 ,x\n", []string{"", "", ""}},
		"bare points":     {"1.,.5,x\n", []string{"", "", ""}},
		"exponent":        {"1,1e5,x\n", []string{"INTEGER", "", ""}},
		"words":           {"one,NaN,-\n", []string{"", "", ""}},
		"a quote":         {"1,2,\"x\"\n", nil},
		"an escape":       {"1,2,\\x\n", nil},
		"carriage return": {"1,2,x\r\n", nil},
		"many":            {many, plain},
		"late":            {many + "1,2.5,x\nx,2.5,x\n" + many, []string{"", "DOUBLE", ""}},
	} {
		for _, header := range []bool{false, true} {
			text := c.text
			if header {
				text = "a,b,c\n" + text
			}
			file := fileOf(t, text)
			d, err := csvOptions(map[string]string{"nullvalue": "NA"})
			if err != nil {
				t.Fatal(err)
			}
			d.header = header
			if d.records, err = measureLines([]string{file}, d.quote, 2); err != nil {
				t.Fatal(err)
			}
			got, err := d.plainNumbers([]string{file}, 3, 3)
			if err != nil || !slices.Equal(got, c.want) {
				t.Errorf("%s, header %t: got %q, %v, want %q", name, header, got, err, c.want)
			}
		}
	}
}

func fileOf(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "f.csv")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
