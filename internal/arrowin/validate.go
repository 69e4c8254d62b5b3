package arrowin

import (
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// Validate checks a batch that a stranger wrote: buffers that are missing or too short, offsets and
// indices that lead astray, text that is not UTF-8.
func Validate(b arrow.RecordBatch) error {
	for i, c := range b.Columns() {
		if err := validate(c); err != nil {
			return fmt.Errorf("column %d (%s): %w", i, b.ColumnName(i), err)
		}
	}
	return nil
}

func validate(a arrow.Array) error {
	if whole := withBuffers(a.Data()); whole != a.Data() {
		a = array.MakeFromData(whole)
	}
	return array.ValidateFull(a)
}

// withBuffers gives nulls the empty buffer that Arrow's check demands and its reader leaves out.
func withBuffers(d arrow.ArrayData) arrow.ArrayData {
	buffers := d.Buffers()
	changed := d.DataType().ID() == arrow.NULL && len(buffers) == 0
	if changed {
		buffers = []*memory.Buffer{nil}
	}
	children := make([]arrow.ArrayData, len(d.Children()))
	for i, c := range d.Children() {
		children[i] = withBuffers(c)
		changed = changed || children[i] != c
	}
	if !changed {
		return d
	}
	return array.NewData(d.DataType(), d.Len(), buffers, children, d.NullN(), d.Offset())
}
