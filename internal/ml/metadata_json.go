package ml

import "time"

// MetadataJSON is the metadata object of an operator that is saved inside another one, as the
// trees of a forest are.
func MetadataJSON(op Operator) (string, error) {
	b, err := encodeMetadata(op, nil, time.Now().UnixMilli())
	return string(b), err
}
