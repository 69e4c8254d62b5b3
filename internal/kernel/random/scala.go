package random

import "slices"

// smallMap is the size up to which Scala's immutable maps keep the order of insertion.
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
func scalaOrder(keys []int, shift uint) []int {
	if len(keys) <= 1 || shift >= 32 {
		return keys
	}
	var slots [32][]int
	for _, k := range keys {
		s := improve(int32(k)) >> shift & 31
		slots[s] = append(slots[s], k)
	}
	out := make([]int, 0, len(keys))
	for _, s := range slots {
		if len(s) == 1 {
			out = append(out, s[0])
		}
	}
	for _, s := range slots {
		if len(s) > 1 {
			out = append(out, scalaOrder(s, shift+5)...)
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
	return scalaOrder(sorted, 0)
}
