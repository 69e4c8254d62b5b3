// Package conformance holds what every operator of ml must pass. It has tests only.
package conformance
