// Package arrowin reads Arrow streams that strangers wrote: from clients and from users' functions.
// What comes in is bytes, what goes out is messages for Arrow's own reader, whose lengths have been
// checked. It looks at no values.
package arrowin

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

const (
	maxMetadata = 64 << 20
	maxBody     = 4 << 30
	maxRows     = 1 << 27  // of a batch; rows of nulls need no bytes
	trustBody   = 64 << 20 // a larger body gets its memory as it comes
	maxNesting  = 200
)

// messages reads the messages of one Arrow stream. Arrow's own reader believes the lengths in a
// message's metadata and would ask for any amount of memory, which no recover catches; a function
// can write to its worker's socket, so they are checked here first.
type messages struct{ in io.Reader }

// Messages reads a stream's messages.
func Messages(in io.Reader) ipc.MessageReader { return &messages{in} }

// cut is the error of a stream that ends in the midst of a message.
func cut(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

func (m *messages) Retain()  {}
func (m *messages) Release() {}

// Message gives the next message, or io.EOF at the stream's end mark.
func (m *messages) Message() (*ipc.Message, error) {
	var head [8]byte
	if _, err := io.ReadFull(m.in, head[:]); err != nil {
		return nil, err // io.EOF before the first byte: some writers leave the end mark out
	}
	if binary.LittleEndian.Uint32(head[:]) != 0xffffffff {
		return nil, errors.New("no Arrow message where one was due")
	}
	n := binary.LittleEndian.Uint32(head[4:])
	if n == 0 {
		return nil, io.EOF
	}
	if n < 8 || n > maxMetadata {
		return nil, fmt.Errorf("an Arrow message with %d bytes of metadata", n)
	}
	meta, err := m.body(int64(n))
	if err != nil {
		return nil, err
	}
	size, err := checkMessage(meta)
	if err != nil {
		return nil, err
	}
	body, err := m.body(size)
	if err != nil {
		return nil, err
	}
	return ipc.NewMessage(memory.NewBufferBytes(meta), memory.NewBufferBytes(body)), nil
}

func (m *messages) body(n int64) ([]byte, error) {
	out := make([]byte, 0, min(n, trustBody))
	for int64(len(out)) < n {
		at := len(out)
		k := int(min(n-int64(at), max(trustBody, int64(at))))
		if cap(out) < at+k {
			out = append(make([]byte, 0, at+k), out...)
		}
		out = out[:at+k]
		if _, err := io.ReadFull(m.in, out[at:]); err != nil {
			return nil, cut(err)
		}
	}
	return out, nil
}

// flat is a flatbuffer, read with its bounds checked. After a fault it reads zeros.
type flat struct {
	b   []byte
	bad bool
}

func (f *flat) at(p, n int) []byte {
	if p < 0 || n > len(f.b)-p {
		f.bad = true
		return make([]byte, 8)
	}
	return f.b[p : p+n]
}

func (f *flat) u16(p int) int { return int(binary.LittleEndian.Uint16(f.at(p, 2))) }
func (f *flat) u32(p int) int { return int(binary.LittleEndian.Uint32(f.at(p, 4))) }

// field gives the place of a table's field, 0 if the table lacks it.
func (f *flat) field(table, k int) int {
	v := table - int(int32(f.u32(table)))
	if 4+2*k >= f.u16(v) {
		return 0
	}
	if o := f.u16(v + 4 + 2*k); o != 0 {
		return table + o
	}
	return 0
}

// vector gives the place of a vector's first item and how many there are, each of some size.
func (f *flat) vector(table, k, size int) (int, int) {
	p := f.field(table, k)
	if p == 0 {
		return 0, 0
	}
	p += f.u32(p)
	n := f.u32(p)
	if n > (len(f.b)-p)/size {
		f.bad = true
		return 0, 0
	}
	return p + 4, n
}

// Places of fields in the tables of Arrow's metadata.
const (
	headerSchema = 1
	headerBatch  = 3

	messageType, messageHeader, messageBody      = 1, 2, 3
	messageMetadata                              = 4
	schemaFields, schemaMetadata, schemaFeatures = 1, 2, 3
	fieldChildren, fieldMetadata                 = 5, 6
	batchLength, batchNodes, batchBuffers        = 0, 1, 2
	batchCompression, batchCounts                = 3, 4
)

// checkMessage gives the length of a message's body if the lengths in its metadata can be true.
func checkMessage(meta []byte) (int64, error) {
	f := &flat{b: meta}
	root := f.u32(0)
	var kind byte
	if p := f.field(root, messageType); p != 0 {
		kind = f.at(p, 1)[0]
	}
	var size int64
	if p := f.field(root, messageBody); p != 0 {
		size = int64(binary.LittleEndian.Uint64(f.at(p, 8)))
	}
	head := f.field(root, messageHeader)
	if head != 0 {
		head += f.u32(head)
	}
	f.vector(root, messageMetadata, 4)
	left := len(meta) // no more fields than bytes
	switch kind {
	case headerSchema:
		f.fields(head, schemaFields, 0, &left)
		f.vector(head, schemaMetadata, 4)
		f.vector(head, schemaFeatures, 8)
	case headerBatch:
		f.rows(f.field(head, batchLength))
		at, n := f.vector(head, batchNodes, 16)
		for i := range n {
			f.rows(at + 16*i)
		}
		f.vector(head, batchBuffers, 16)
		f.vector(head, batchCounts, 8)
		if f.field(head, batchCompression) != 0 {
			return 0, errors.New("a compressed Arrow batch from the Python worker")
		}
	default: // workers write no dictionaries
		return 0, fmt.Errorf("an Arrow message of kind %d from the Python worker", kind)
	}
	if f.bad || head == 0 || size < 0 || size > maxBody {
		return 0, errors.New("an Arrow message with false lengths from the Python worker")
	}
	return size, nil
}

// rows checks a number of rows, or of the values in them.
func (f *flat) rows(p int) {
	if p == 0 {
		return
	}
	if n := binary.LittleEndian.Uint64(f.at(p, 8)); n > maxRows {
		f.bad = true
	}
}

// fields checks a vector of fields, at every depth.
func (f *flat) fields(table, k, depth int, left *int) {
	at, n := f.vector(table, k, 4)
	if *left -= n; depth > maxNesting || *left < 0 {
		f.bad = true
	}
	for i := 0; i < n && !f.bad; i++ {
		p := at + 4*i
		p += f.u32(p)
		f.vector(p, fieldMetadata, 4)
		f.fields(p, fieldChildren, depth+1, left)
	}
}
