package ui

import (
	"fmt"
	"html/template"
	"math"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// formats are the templates' functions: how numbers, times and sizes read.
var formats = template.FuncMap{
	"number":   number,
	"full":     func(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) },
	"bytes":    byteSize,
	"duration": func(ms int64) string { return duration(time.Duration(ms) * time.Millisecond) },
	"stamp":    func(ms int64) string { return time.UnixMilli(ms).UTC().Format(time.RFC3339) },
	"ago":      func(ms int64) string { return ago(time.Since(time.UnixMilli(ms))) },
	"until":    func(ms int64) string { return until(time.Until(time.UnixMilli(ms))) },
	"path":     url.PathEscape,
	"query":    url.QueryEscape,
	"short":    func(s string) string { return s[:min(8, len(s))] },
	"lower":    strings.ToLower,
	"percent":  func(v float64) string { return strconv.FormatFloat(100*v, 'f', 0, 64) },
	"sub":      func(a, b float64) float64 { return a - b },
	"add":      func(a, b int) int { return a + b },
	"share":    func(part, of int) int { return 100 * part / max(1, of) },
	"plural":   plural,
	"clock":    clock,
	"millis":   time.Time.UnixMilli,
	"title":    itemTitle,
	"link":     itemURL,
}

// number gives four significant digits; whole numbers and those of five digits and more keep
// what is before the point.
func number(v float64) string {
	switch {
	case math.IsNaN(v):
		return "NaN"
	case math.IsInf(v, 0):
		return strings.TrimPrefix(strconv.FormatFloat(v, 'g', -1, 64), "+")
	case math.Abs(v) < 1e15 && (v == math.Trunc(v) || math.Abs(v) >= 1e4):
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	return strconv.FormatFloat(v, 'g', 4, 64)
}

func byteSize(n int64) string {
	const units = "kMGTP"
	if n < 1000 {
		return fmt.Sprintf("%d B", n)
	}
	v, i := float64(n)/1000, 0
	for v >= 999.5 && i < len(units)-1 {
		v, i = v/1000, i+1
	}
	if v < 9.95 {
		return fmt.Sprintf("%.1f %cB", v, units[i])
	}
	return fmt.Sprintf("%.0f %cB", v, units[i])
}

// duration reads as 1 h 02 m, 3 m 20 s, 4.2 s, 310 ms.
func duration(d time.Duration) string {
	switch {
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < 10*time.Second:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d m %02d s", int(d.Minutes()), int(d.Seconds())%60)
	}
	return fmt.Sprintf("%d h %02d m", int(d.Hours()), int(d.Minutes())%60)
}

func ago(d time.Duration) string {
	switch {
	case d < 5*time.Second:
		return "just now"
	case d < time.Minute:
		return fmt.Sprintf("%d s ago", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min ago", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h ago", int(d.Hours()))
	}
	return fmt.Sprintf("%d days ago", int(d.Hours()/24))
}

func until(d time.Duration) string {
	switch {
	case d < time.Minute:
		return "in a moment"
	case d < time.Hour:
		return fmt.Sprintf("in %d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("in %d h", int(d.Hours()))
	}
	return fmt.Sprintf("in %d days", int(d.Hours()/24))
}
