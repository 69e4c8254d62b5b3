package random

import (
	"encoding/binary"
	"math/bits"
)

// arraySeed is the seed that Scala's MurmurHash3.bytesHash starts from.
const arraySeed = 0x3c074a61

// HashSeed spreads a seed's bits as XORShiftRandom does before it uses it.
func HashSeed(seed int64) int64 {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], uint64(seed))
	low := Murmur3(b[:], arraySeed)
	high := Murmur3(b[:], low)
	return int64(high)<<32 | int64(uint32(low))
}

// Murmur3 is the 32-bit MurmurHash3 of bytes as Scala's MurmurHash3.bytesHash computes it.
func Murmur3(data []byte, seed int32) int32 {
	h := uint32(seed)
	n := len(data)
	for ; len(data) >= 4; data = data[4:] {
		h = bits.RotateLeft32(h^murmurWord(binary.LittleEndian.Uint32(data)), 13)*5 + 0xe6546b64
	}
	if len(data) > 0 {
		var k uint32
		for i := len(data) - 1; i >= 0; i-- {
			k = k<<8 | uint32(data[i])
		}
		h ^= murmurWord(k)
	}
	h ^= uint32(n)
	h = (h ^ h>>16) * 0x85ebca6b
	h = (h ^ h>>13) * 0xc2b2ae35
	return int32(h ^ h>>16)
}

func murmurWord(k uint32) uint32 { return bits.RotateLeft32(k*0xcc9e2d51, 15) * 0x1b873593 }
