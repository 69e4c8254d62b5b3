package native

import (
	"math"
	"time"
)

// shortZones are Java's short names of zones.
var shortZones = map[string]string{"PST": "America/Los_Angeles", "EST": "-05:00", "MST": "-07:00", "HST": "-10:00", "CST": "America/Chicago", "IST": "Asia/Kolkata",
	"JST": "Asia/Tokyo", "CTT": "Asia/Shanghai", "AET": "Australia/Sydney", "ECT": "Europe/Paris", "ART": "Africa/Cairo", "BST": "Asia/Dhaka", "PNT": "America/Phoenix",
	"AST": "America/Anchorage", "ACT": "Australia/Darwin", "AGT": "America/Argentina/Buenos_Aires", "BET": "America/Sao_Paulo", "CAT": "Africa/Harare", "CNT": "America/St_Johns",
	"EAT": "Africa/Addis_Ababa", "IET": "America/Indiana/Indianapolis", "MIT": "Pacific/Apia", "NET": "Asia/Yerevan", "NST": "Pacific/Auckland", "PLT": "Asia/Karachi",
	"PRT": "America/Puerto_Rico", "SST": "Pacific/Guadalcanal", "VST": "Asia/Ho_Chi_Minh"}

// makeMicros is the wall-clock time of year, month, day, hour, minute, second; null if there is none.
func makeMicros(a []Value) (Value, error) {
	year, month, day, hour, minute, second := a[0].I, a[1].I, a[2].I, a[3].I, a[4].I, a[5].F
	if year < 1 || year > 9999 || month < 1 || month > 12 || day < 1 || hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60 {
		return null(), nil
	}
	t := time.Date(int(year), time.Month(month), int(day), int(hour), int(minute), 0, 0, time.UTC)
	if t.Day() != int(day) {
		return null(), nil
	}
	return i(t.UnixMicro() + int64(math.Round(second*1e6))), nil
}
