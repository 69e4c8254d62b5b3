package ml

// Metadata is what Spark keeps in an operator's metadata/ directory: one JSON object.
type Metadata struct {
	Class           string
	Timestamp       int64 // milliseconds since 1970
	SparkVersion    string
	UID             string
	ParamMap        map[string]any // explicitly set values as JSON gives them
	DefaultParamMap map[string]any
	Extra           map[string]any // other keys of the object (numFeatures, treesMetadata...)
}

// Saver is an operator that keeps more than its parameters: it writes the directories beside
// metadata/ in Spark's own layout and returns what else belongs in the metadata object.
type Saver interface {
	Save(dir string) (extra map[string]any, err error)
}
