package analyze

import (
	"fmt"

	"github.com/apache/arrow-go/v18/arrow/memory"
)

// boundedMemory gives no more memory at once than the data it reads can honestly need: lengths in
// data off the wire may say anything, and a process that asks for terabytes is ended.
type boundedMemory struct {
	memory.Allocator
	limit int
}

// tooLarge is what boundedMemory panics with.
type tooLarge struct{ size int }

func (t tooLarge) Error() string {
	return fmt.Sprintf("a length of %d bytes in it cannot be right", t.size)
}

// spareMemory is allowed on top of what the data's own size suggests; packing is how many times
// compressed data may grow.
const (
	spareMemory = 16 << 20
	packing     = 64
)

func bounded(size int) *boundedMemory {
	return &boundedMemory{memory.DefaultAllocator, size*packing + spareMemory}
}

func (b *boundedMemory) Allocate(size int) []byte {
	if size < 0 || size > b.limit {
		panic(tooLarge{size})
	}
	return b.Allocator.Allocate(size)
}

func (b *boundedMemory) Reallocate(size int, old []byte) []byte {
	if size < 0 || size > b.limit {
		panic(tooLarge{size})
	}
	return b.Allocator.Reallocate(size, old)
}
