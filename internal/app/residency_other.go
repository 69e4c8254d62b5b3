//go:build !linux

package app

// unmapProgram does nothing: other systems map a program's pages one by one.
func unmapProgram() error { return nil }
