package terminal

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	east "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/text"
)

// style is how a terminal marks text, all empty where there are no colours. It sets no ground, so
// that it can be read on light and dark.
type style struct{ bold, dim, code, good, bad, off string }

func (s *style) wrap(on, text string) string {
	if on == "" {
		return text
	}
	return on + text + s.off
}

var coloured = style{bold: "\x1b[1m", dim: "\x1b[2m", code: "\x1b[36m", good: "\x1b[32m", bad: "\x1b[31m", off: "\x1b[0m"}

// markdown prints Markdown as plain text of some width.
type markdown struct {
	style  style
	width  int
	source []byte
	out    strings.Builder
}

var parser = goldmark.New(goldmark.WithExtensions(extension.Table)).Parser()

// render turns Markdown into text for a terminal.
func (s style) render(source string, width int) string {
	m := &markdown{style: s, width: width, source: []byte(source)}
	m.blocks(parser.Parse(text.NewReader(m.source)), "", "")
	return strings.TrimRight(m.out.String(), "\n") + "\n"
}

// blocks prints a node's blocks; first goes before the first line, rest before the others.
func (m *markdown) blocks(n ast.Node, first, rest string) {
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		m.block(c, first, rest)
		first = rest
		if _, tight := c.(*ast.TextBlock); !tight && c.NextSibling() != nil {
			m.out.WriteString("\n")
		}
	}
}

func (m *markdown) block(n ast.Node, first, rest string) {
	switch n := n.(type) {
	case *ast.Heading:
		fmt.Fprintln(&m.out, first+m.style.wrap(m.style.bold, m.inline(n)))
	case *ast.FencedCodeBlock, *ast.CodeBlock:
		lines := n.Lines()
		for i := range lines.Len() {
			at := lines.At(i)
			fmt.Fprintln(&m.out, rest+"    "+m.style.wrap(m.style.code, strings.TrimRight(string(at.Value(m.source)), "\n")))
		}
	case *ast.List:
		number := n.Start
		for c := n.FirstChild(); c != nil; c = c.NextSibling() {
			mark := "- "
			if n.IsOrdered() {
				mark = fmt.Sprintf("%d. ", number)
				number++
			}
			m.blocks(c, first+mark, rest+strings.Repeat(" ", len(mark)))
			first = rest
			if !n.IsTight && c.NextSibling() != nil {
				m.out.WriteString("\n")
			}
		}
	case *ast.Blockquote:
		m.blocks(n, first+"| ", rest+"| ")
	case *ast.ThematicBreak:
		fmt.Fprintln(&m.out, first+strings.Repeat("-", 20))
	case *east.Table:
		m.table(n, rest)
	default:
		m.out.WriteString(fill(m.inline(n), first, rest, m.width))
	}
}

// inline prints a node's text with its marks.
func (m *markdown) inline(n ast.Node) string {
	var b strings.Builder
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		switch c := c.(type) {
		case *ast.Text:
			b.Write(c.Segment.Value(m.source))
			if c.HardLineBreak() {
				b.WriteString("\n")
			} else if c.SoftLineBreak() {
				b.WriteString(" ")
			}
		case *ast.String:
			b.Write(c.Value)
		case *ast.CodeSpan:
			b.WriteString(m.style.wrap(m.style.code, tick(m.style)+m.inline(c)+tick(m.style)))
		case *ast.Emphasis:
			b.WriteString(m.style.wrap(m.style.bold, m.inline(c)))
		case *ast.Link:
			fmt.Fprintf(&b, "%s (%s)", m.inline(c), c.Destination)
		case *ast.AutoLink:
			b.Write(c.URL(m.source))
		default:
			b.WriteString(m.inline(c))
		}
	}
	return b.String()
}

// tick marks code where there are no colours to do so.
func tick(s style) string {
	if s.code == "" {
		return "`"
	}
	return ""
}

func (m *markdown) table(n *east.Table, indent string) {
	var rows [][]string
	var widths []int
	for r := n.FirstChild(); r != nil; r = r.NextSibling() {
		var cells []string
		for c := r.FirstChild(); c != nil; c = c.NextSibling() {
			cell := m.inline(c)
			if len(cells) == len(widths) {
				widths = append(widths, 0)
			}
			widths[len(cells)] = max(widths[len(cells)], shown(cell))
			cells = append(cells, cell)
		}
		rows = append(rows, cells)
	}
	for i, cells := range rows {
		line := indent
		for j, c := range cells {
			line += c + strings.Repeat(" ", widths[j]-shown(c)+2)
		}
		fmt.Fprintln(&m.out, strings.TrimRight(line, " "))
		if i == 0 {
			for j, w := range widths {
				widths[j] = max(w, 1)
			}
			total := 2 * (len(widths) - 1)
			for _, w := range widths {
				total += w
			}
			fmt.Fprintln(&m.out, indent+strings.Repeat("-", total))
		}
	}
}

// shown is how wide a text is on the terminal, its styles aside.
func shown(s string) int {
	n := 0
	for {
		i := strings.IndexByte(s, 0x1b)
		if i < 0 {
			return n + utf8.RuneCountInString(s)
		}
		n += utf8.RuneCountInString(s[:i])
		_, s, _ = strings.Cut(s[i:], "m")
	}
}

// fill breaks a text into lines of a width.
func fill(s, first, rest string, width int) string {
	var b strings.Builder
	lead := first
	for part := range strings.SplitSeq(s, "\n") {
		line, used := lead, shown(lead)
		empty := true
		for _, w := range strings.Fields(part) {
			if n := shown(w); !empty && used+1+n > width {
				fmt.Fprintln(&b, line)
				line, used, empty = rest, shown(rest), true
			}
			if !empty {
				line, used = line+" ", used+1
			}
			line, used, empty = line+w, used+shown(w), false
		}
		fmt.Fprintln(&b, line)
		lead = rest
	}
	return b.String()
}
