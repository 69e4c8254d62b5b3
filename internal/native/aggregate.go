package native

// Aggregate is a function of many rows.
type Aggregate struct {
	Name   string
	Args   []Kind
	Result Kind
	New    func() State
}

// State is what an aggregate knows of the rows of a group. It sees nulls, too.
type State interface {
	Add(row []Value) error
	// Merge adds what another state of the same aggregate knows; other stays as it is.
	Merge(other State) error
	Value() (Value, error)
}

// Aggregates lists every aggregate.
func Aggregates() []Aggregate {
	return []Aggregate{
		{Name: "spark_bitmap", Args: []Kind{Long}, Result: Bytes, New: func() State { return &bitmap{places: true} }},
		{Name: "spark_bitmap_or", Args: []Kind{Bytes}, Result: Bytes, New: func() State { return &bitmap{} }},
		{Name: "spark_bitmap_and", Args: []Kind{Bytes}, Result: Bytes, New: func() State { return &bitmap{and: true} }},
		{Name: "spark_vector_sum", Args: []Kind{Doubles}, Result: Doubles, New: func() State { return &vectorSum{name: "vector_sum"} }},
		{Name: "spark_vector_avg", Args: []Kind{Doubles}, Result: Doubles, New: func() State { return &vectorSum{name: "vector_avg", mean: true} }},
		{Name: "spark_ewm", Args: []Kind{Double, Double, Bool}, Result: Double, New: func() State { return &weightedMean{} }},
		{Name: "spark_histogram", Args: []Kind{Double, Int}, Result: Doubles, New: func() State { return newHistogram() }},
		{Name: "spark_summary", Args: []Kind{Vector, Double}, Result: Doubles, New: func() State { return &summary{} }},
	}
}
