package ml

import "github.com/millpond/millpond/internal/types"

// FormatDouble prints a double as Java's Double.toString does: "1.0", "1.0E-5", "NaN".
func FormatDouble(v float64) string { return types.FormatDouble(v, 64) }
