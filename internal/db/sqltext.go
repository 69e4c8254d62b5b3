package db

import "strings"

// Marks is a list of n parameter marks: ?, ?, ?
func Marks(n int) string { return strings.TrimSuffix(strings.Repeat("?,", n), ",") }

// Args makes arguments of a list.
func Args[T any](list []T) []any {
	out := make([]any, len(list))
	for i, s := range list {
		out[i] = s
	}
	return out
}
