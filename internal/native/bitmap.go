package native

import (
	"strconv"

	"github.com/millpond/millpond/internal/sparkerr"
)

// bitmapBytes is the size of Spark's bitmaps.
const bitmapBytes = 4096

// bitmap gathers the bits at places, or those of other bitmaps: of any, or of all of them.
type bitmap struct {
	bits   []byte // nil where nothing came yet
	and    bool
	places bool // rows are places, not bitmaps
}

func (b *bitmap) Add(row []Value) error {
	v := row[0]
	if v.Null {
		return nil
	}
	if !b.places {
		b.join(v.S)
		return nil
	}
	if v.I < 0 || v.I >= 8*bitmapBytes {
		return sparkerr.Raised("INVALID_BITMAP_POSITION", strconv.FormatInt(v.I, 10), strconv.Itoa(8*bitmapBytes), strconv.Itoa(bitmapBytes))
	}
	b.start()
	b.bits[v.I/8] |= 1 << (v.I % 8)
	return nil
}

func (b *bitmap) start() {
	if b.bits != nil {
		return
	}
	b.bits = make([]byte, bitmapBytes)
	if b.and {
		for i := range b.bits {
			b.bits[i] = 0xff
		}
	}
}

// join takes another bitmap in; one that is short ends in zeros.
func (b *bitmap) join(other string) {
	b.start()
	for i := range b.bits {
		var x byte
		if i < len(other) {
			x = other[i]
		}
		if b.and {
			b.bits[i] &= x
		} else {
			b.bits[i] |= x
		}
	}
}

func (b *bitmap) Merge(other State) error {
	if o := other.(*bitmap); o.bits != nil {
		b.join(string(o.bits))
	}
	return nil
}

func (b *bitmap) Value() (Value, error) {
	b.start()
	return s(string(b.bits)), nil
}
