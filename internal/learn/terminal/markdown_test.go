package terminal

import (
	"strings"
	"testing"
)

const sample = "## Title\n\nSome `code` and **bold** words that go on until the line is full.\n\n- one\n- two that is long enough to be broken into lines\n\n1. a\n2. b\n\n```python run\nx = 1\n\ny = 2\n```\n\n| a | long |\n|---|---|\n| 1 | `2` |\n"

const want = `Title

Some ` + "`code`" + ` and bold words that
go on until the line is full.

- one
- two that is long enough to be
  broken into lines

1. a
2. b

    x = 1

    y = 2

a  long
-------
1  ` + "`2`" + `
`

func TestMarkdownAsPlainText(t *testing.T) {
	var plain style
	got := plain.render(sample, 32)
	got = strings.ReplaceAll(got, "    \n", "\n")
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	for line := range strings.Lines(coloured.render(sample, 32)) {
		if n := shown(strings.TrimRight(line, "\n")); n > 32 {
			t.Errorf("%d wide: %q", n, line)
		}
	}
}
