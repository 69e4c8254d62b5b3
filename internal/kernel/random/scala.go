package random

import (
	"math"
	"slices"
)

// smallMap is the size up to which Scala's immutable maps and sets keep the order of insertion.
const smallMap = 4

// improve spreads the bits of a hash as Scala's immutable hash collections do.
func improve(hash int32) uint32 {
	h := uint32(hash)
	h += ^(h << 9)
	h ^= h >> 14
	h += h << 4
	return h ^ h>>10
}

// scalaOrder sorts keys into the order an immutable hash trie visits them: in each node of the
// trie first the keys that lie there alone, then the nodes below, both by five bits of the hash.
func scalaOrder[T any](keys []T, hash func(T) uint32, shift uint) []T {
	if len(keys) <= 1 || shift >= 32 {
		return keys
	}
	var slots [32][]T
	for _, k := range keys {
		s := hash(k) >> shift & 31
		slots[s] = append(slots[s], k)
	}
	out := make([]T, 0, len(keys))
	for _, s := range slots {
		if len(s) == 1 {
			out = append(out, s[0])
		}
	}
	for _, s := range slots {
		if len(s) > 1 {
			out = append(out, scalaOrder(s, hash, shift+5)...)
		}
	}
	return out
}

// ScalaMapOrder gives distinct, small non-negative keys in the order in which Scala 2.13 visits
// the immutable map made of a mutable hash map with these keys.
func ScalaMapOrder(keys []int) []int {
	sorted := slices.Clone(keys)
	slices.Sort(sorted)
	if len(sorted) <= smallMap { // so few lie in a table of 16 places
		slices.SortStableFunc(sorted, func(a, b int) int { return a&15 - b&15 })
		return sorted
	}
	return scalaOrder(sorted, func(k int) uint32 { return improve(int32(k)) }, 0)
}

// ScalaSetOrder gives distinct whole numbers, held as doubles, in the order in which Scala 2.13
// visits an immutable set they were added to one after the other.
func ScalaSetOrder(values []float64) []float64 {
	if len(values) <= smallMap {
		return values
	}
	return scalaOrder(values, func(v float64) uint32 { return improve(doubleHash(v)) }, 0)
}

// doubleHash is Scala's ## of a double: whole numbers hash as integers.
func doubleHash(v float64) int32 {
	if n := int32(v); float64(n) == v {
		return n
	}
	if n := int64(v); float64(n) == v {
		return int32(n) ^ int32(uint64(n)>>32)
	}
	b := math.Float64bits(v)
	return int32(b) ^ int32(b>>32)
}
