// Package archtest holds the rules of the house in one test: which package may import which,
// that each says what it is for, that the paths ARCHITECTURE.md names exist, and how long files
// and functions may be. It parses the sources itself, so that a cached result is never stale.
package archtest
