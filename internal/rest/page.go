package rest

import (
	"encoding/base64"
	"encoding/json"
	"strconv"
)

// PageToken encodes the offset of the next page as MLflow does: clients treat
// it as opaque.
func PageToken(offset int) string {
	return base64.StdEncoding.EncodeToString([]byte(`{"offset": ` + strconv.Itoa(offset) + `}`))
}

// ParsePageToken reads a token made by PageToken; an empty one is the start.
func ParsePageToken(token string) (int, error) {
	if token == "" {
		return 0, nil
	}
	raw, err := base64.StdEncoding.DecodeString(token)
	if err != nil {
		return 0, Invalid("Invalid page token, could not base64-decode")
	}
	var parsed struct {
		Offset *Int64 `json:"offset"`
	}
	if json.Unmarshal(raw, &parsed) != nil {
		return 0, Invalid("Invalid page token, decoded value=%q", raw)
	}
	if parsed.Offset == nil || *parsed.Offset < 0 || *parsed.Offset > 1<<40 {
		return 0, Invalid("Invalid page token, parsed value=%s", raw)
	}
	return int(*parsed.Offset), nil
}

// MaxResults checks a page size against its limits.
func MaxResults(n int64, most int64) (int, error) {
	if n < 1 {
		return 0, Invalid("Invalid value %d for parameter 'max_results' supplied. It must be a positive integer", n)
	}
	if n > most {
		return 0, Invalid("Invalid value %d for parameter 'max_results' supplied. It must be at most %d", n, most)
	}
	return int(n), nil
}
