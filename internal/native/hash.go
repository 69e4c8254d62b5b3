package native

import (
	"encoding/binary"
	"hash/crc32"
	"math"
	"math/bits"
)

// hashes are Spark's Murmur3 (32 bits) and xxHash64 of one value with the hash so far as seed.
func hashes() []Func {
	long := func(name string, args []Kind, result Kind, call func(v Value, seed int64) int64) Func {
		return Func{Name: name, Args: append(args, Long), Result: result, SeesNull: true, Call: func(a []Value) (Value, error) {
			if a[0].Null {
				return i(a[1].I), nil
			}
			return i(call(a[0], a[1].I)), nil
		}}
	}
	return []Func{
		long("spark_hash_int", []Kind{Long}, Long, func(v Value, seed int64) int64 { return int64(murmurInt(uint32(v.I), uint32(seed))) }),
		long("spark_hash_long", []Kind{Long}, Long, func(v Value, seed int64) int64 { return int64(murmurLong(v.I, uint32(seed))) }),
		long("spark_hash_float", []Kind{Double}, Long, func(v Value, seed int64) int64 { return int64(murmurInt(floatBits(v.F), uint32(seed))) }),
		long("spark_hash_double", []Kind{Double}, Long, func(v Value, seed int64) int64 {
			return int64(murmurLong(int64(doubleBits(v.F)), uint32(seed)))
		}),
		long("spark_hash_text", []Kind{Text}, Long, func(v Value, seed int64) int64 { return int64(murmurBytes(v.S, uint32(seed))) }),
		long("spark_hash_bytes", []Kind{Bytes}, Long, func(v Value, seed int64) int64 { return int64(murmurBytes(v.S, uint32(seed))) }),
		long("spark_xx_int", []Kind{Long}, Long, func(v Value, seed int64) int64 { return int64(xxInt(uint32(v.I), uint64(seed))) }),
		long("spark_xx_long", []Kind{Long}, Long, func(v Value, seed int64) int64 { return int64(xxLong(uint64(v.I), uint64(seed))) }),
		long("spark_xx_float", []Kind{Double}, Long, func(v Value, seed int64) int64 { return int64(xxInt(floatBits(v.F), uint64(seed))) }),
		long("spark_xx_double", []Kind{Double}, Long, func(v Value, seed int64) int64 { return int64(xxLong(doubleBits(v.F), uint64(seed))) }),
		long("spark_xx_text", []Kind{Text}, Long, func(v Value, seed int64) int64 { return int64(xxBytes(v.S, uint64(seed))) }),
		long("spark_xx_bytes", []Kind{Bytes}, Long, func(v Value, seed int64) int64 { return int64(xxBytes(v.S, uint64(seed))) }),
		{Name: "spark_crc32", Args: []Kind{Bytes}, Result: Long, Call: func(a []Value) (Value, error) {
			return i(int64(crc32.ChecksumIEEE([]byte(a[0].S)))), nil
		}},
	}
}

func floatBits(v float64) uint32 {
	if v == 0 {
		v = 0 // minus zero hashes as zero
	}
	if math.IsNaN(v) {
		return 0x7fc00000
	}
	return math.Float32bits(float32(v))
}

func doubleBits(v float64) uint64 {
	if v == 0 {
		return 0
	}
	if math.IsNaN(v) {
		return 0x7ff8000000000000
	}
	return math.Float64bits(v)
}

func mixK(k uint32) uint32    { return bits.RotateLeft32(k*0xcc9e2d51, 15) * 0x1b873593 }
func mixH(h, k uint32) uint32 { return bits.RotateLeft32(h^k, 13)*5 + 0xe6546b64 }
func fmix(h, n uint32) int32 {
	h ^= n
	h = (h ^ h>>16) * 0x85ebca6b
	h = (h ^ h>>13) * 0xc2b2ae35
	return int32(h ^ h>>16)
}

func murmurInt(v, seed uint32) int32 { return fmix(mixH(seed, mixK(v)), 4) }

func murmurLong(v int64, seed uint32) int32 {
	h := mixH(seed, mixK(uint32(v)))
	return fmix(mixH(h, mixK(uint32(uint64(v)>>32))), 8)
}

// murmurBytes hashes the tail byte by byte, each sign-extended to a word: Spark's own way.
func murmurBytes(data string, seed uint32) int32 {
	h, n := seed, len(data)
	aligned := n - n%4
	for k := 0; k < aligned; k += 4 {
		h = mixH(h, mixK(binary.LittleEndian.Uint32([]byte(data[k:k+4]))))
	}
	for k := aligned; k < n; k++ {
		h = mixH(h, mixK(uint32(int32(int8(data[k])))))
	}
	return fmix(h, uint32(n))
}

const (
	xx1 uint64 = 0x9E3779B185EBCA87
	xx2 uint64 = 0xC2B2AE3D27D4EB4F
	xx3 uint64 = 0x165667B19E3779F9
	xx4 uint64 = 0x85EBCA77C2B2AE63
	xx5 uint64 = 0x27D4EB2F165667C5
)

func xxFinish(h uint64) uint64 {
	h = (h ^ h>>33) * xx2
	h = (h ^ h>>29) * xx3
	return h ^ h>>32
}

func xxInt(v uint32, seed uint64) uint64 {
	h := seed + xx5 + 4
	h ^= uint64(v) * xx1
	return xxFinish(bits.RotateLeft64(h, 23)*xx2 + xx3)
}

func xxLong(v, seed uint64) uint64 {
	h := seed + xx5 + 8
	h ^= bits.RotateLeft64(v*xx2, 31) * xx1
	return xxFinish(bits.RotateLeft64(h, 27)*xx1 + xx4)
}

func xxRound(acc, v uint64) uint64 { return bits.RotateLeft64(acc+v*xx2, 31) * xx1 }

func xxBytes(text string, seed uint64) uint64 {
	data := []byte(text)
	n := uint64(len(data))
	var h uint64
	if len(data) >= 32 {
		a := [4]uint64{seed + xx1 + xx2, seed + xx2, seed, seed - xx1}
		for ; len(data) >= 32; data = data[32:] {
			for k := range a {
				a[k] = xxRound(a[k], binary.LittleEndian.Uint64(data[k*8:]))
			}
		}
		h = bits.RotateLeft64(a[0], 1) + bits.RotateLeft64(a[1], 7) + bits.RotateLeft64(a[2], 12) + bits.RotateLeft64(a[3], 18)
		for k := range a {
			h = (h^xxRound(0, a[k]))*xx1 + xx4
		}
	} else {
		h = seed + xx5
	}
	h += n
	for ; len(data) >= 8; data = data[8:] {
		h = bits.RotateLeft64(h^xxRound(0, binary.LittleEndian.Uint64(data)), 27)*xx1 + xx4
	}
	if len(data) >= 4 {
		h = bits.RotateLeft64(h^uint64(binary.LittleEndian.Uint32(data))*xx1, 23)*xx2 + xx3
		data = data[4:]
	}
	for _, c := range data {
		h = bits.RotateLeft64(h^uint64(c)*xx5, 11) * xx1
	}
	return xxFinish(h)
}
