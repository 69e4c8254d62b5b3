package engine

import (
	"context"
	"fmt"
	"html"
	"strings"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/millpond/millpond/internal/execute"
	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/types"
)

var showSchema = types.Struct{Fields: []types.Field{{Name: "show_string", Type: types.String}}}

// show renders the first rows of a relation as df.show() or a notebook wants them.
func (s *Session) show(ctx context.Context, r *plan.Show) (*Result, error) {
	n, err := s.Analyze(ctx, r.Input)
	if err != nil {
		return nil, err
	}
	rows := max(0, min(r.Rows, 1<<30))
	attrs := n.Output()
	texts := make([]plan.Named, len(attrs))
	for i, at := range attrs { // the engine prints the values: one set of rules for casts and show
		out := plan.Attr{ID: 1<<30 + i, Name: at.Name, Type: types.String, Nullable: true}
		texts[i] = plan.Named{Attr: out, Value: cellText(at)}
	}
	batches, err := s.collect(ctx, &plan.Select{Input: &plan.Slice{Input: n, Limit: int64(rows) + 1}, Exprs: texts})
	if err != nil {
		return nil, err
	}
	cells, more := showCells(batches, len(attrs), rows, r.Truncate)
	header := make([]string, len(attrs))
	for i, at := range attrs {
		header[i] = escapeCell(at.Name) // only values are cut
	}
	var text string
	switch {
	case r.HTML:
		text = htmlTable(header, cells, more, rows)
	case r.Vertical:
		text = verticalTable(header, cells, more, rows)
	default:
		text = plainTable(header, cells, r.Truncate > 0, more, rows)
	}
	b := array.NewStringBuilder(memory.DefaultAllocator)
	b.Append(text)
	at := []plan.Attr{{ID: 1, Name: "show_string", Type: types.String}}
	batch, err := execute.Batch(at, []arrow.Array{b.NewArray()}, 1)
	if err != nil {
		return nil, err
	}
	return &Result{showSchema, execute.FromBatches(at, []arrow.RecordBatch{batch}, nil)}, nil
}

// cellText is a column as show prints it.
func cellText(at plan.Attr) plan.Value {
	col := &plan.Convert{Child: plan.Col{Attr: at}, To: types.String, Mode: "show"}
	return &plan.Apply{Func: "coalesce", Args: []plan.Value{col}, Out: types.String, SQL: func(a []string) string { return "coalesce(" + a[0] + ", 'NULL')" }}
}

func showCells(batches []arrow.RecordBatch, width, rows, truncate int) (cells [][]string, more bool) {
	for _, b := range batches {
		for i := range int(b.NumRows()) {
			if len(cells) == rows {
				return cells, true
			}
			row := make([]string, width)
			for c := range row {
				row[c] = cut(escapeCell(b.Column(c).(*array.String).Value(i)), truncate)
			}
			cells = append(cells, row)
		}
	}
	return cells, false
}

var cellEscapes = strings.NewReplacer("\n", "\\n", "\r", "\\r", "\t", "\\t", "\f", "\\f", "\b", "\\b", "\v", "\\v", "\a", "\\a")

func escapeCell(s string) string { return cellEscapes.Replace(strings.Clone(s)) }

func cut(s string, truncate int) string {
	if truncate <= 0 || utf8.RuneCountInString(s) <= truncate {
		return s
	}
	r := []rune(s)
	if truncate < 4 {
		return string(r[:truncate])
	}
	return string(r[:truncate-3]) + "..."
}

// cellWidth counts East Asian wide characters twice, as Spark does.
func cellWidth(s string) int {
	n := 0
	for _, r := range s {
		n++
		if r >= 0x1100 && r <= 0x115F || r >= 0x2E80 && r <= 0xA4CF || r >= 0xAC00 && r <= 0xD7A3 || r >= 0xF900 && r <= 0xFAFF ||
			r >= 0xFE30 && r <= 0xFE4F || r >= 0xFF00 && r <= 0xFF60 || r >= 0xFFE0 && r <= 0xFFE6 {
			n++
		}
	}
	return n
}

func plainTable(header []string, cells [][]string, right, more bool, rows int) string {
	widths := make([]int, len(header))
	for i, h := range header {
		widths[i] = max(3, cellWidth(h))
	}
	for _, row := range cells {
		for i, c := range row {
			widths[i] = max(widths[i], cellWidth(c))
		}
	}
	var b strings.Builder
	rule := "+"
	for _, w := range widths {
		rule += strings.Repeat("-", w) + "+"
	}
	line := func(row []string) {
		b.WriteByte('|')
		for i, c := range row {
			pad := strings.Repeat(" ", widths[i]-cellWidth(c))
			if right {
				b.WriteString(pad + c)
			} else {
				b.WriteString(c + pad)
			}
			b.WriteByte('|')
		}
		b.WriteByte('\n')
	}
	b.WriteString(rule + "\n")
	line(header)
	b.WriteString(rule + "\n")
	for _, row := range cells {
		line(row)
	}
	b.WriteString(rule + "\n")
	b.WriteString(footer(more, rows))
	return b.String()
}

func footer(more bool, rows int) string {
	switch {
	case more && rows == 1:
		return "only showing top 1 row"
	case more:
		return fmt.Sprintf("only showing top %d rows", rows)
	}
	return ""
}

func verticalTable(header []string, cells [][]string, more bool, rows int) string {
	names, values := 3, 3 // at least, as in a table
	for _, h := range header {
		names = max(names, cellWidth(h))
	}
	for _, row := range cells {
		for _, c := range row {
			values = max(values, cellWidth(c))
		}
	}
	var b strings.Builder
	for i, row := range cells {
		head := fmt.Sprintf("-RECORD %d", i)
		b.WriteString(head + strings.Repeat("-", max(0, names+values+5-len(head))) + "\n")
		for k, c := range row {
			b.WriteString(" " + header[k] + strings.Repeat(" ", names-cellWidth(header[k])) + " | " + c + strings.Repeat(" ", values-cellWidth(c)) + " \n")
		}
	}
	if len(cells) == 0 {
		b.WriteString("(0 rows)\n")
	}
	b.WriteString(footer(more, rows))
	return b.String()
}

func htmlTable(header []string, cells [][]string, more bool, rows int) string {
	var b strings.Builder
	row := func(tag string, list []string) {
		b.WriteString("<tr>")
		for _, c := range list {
			b.WriteString("<" + tag + ">" + html.EscapeString(c) + "</" + tag + ">")
		}
		b.WriteString("</tr>\n")
	}
	b.WriteString("<table border='1'>\n")
	row("th", header)
	for _, r := range cells {
		row("td", r)
	}
	b.WriteString("</table>\n")
	if more {
		b.WriteString(footer(more, rows) + "\n")
	}
	return b.String()
}
