package ml

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
)

// paramToJSON writes a parameter's value as Spark keeps it in metadata.
func paramToJSON(v any, t ParamType) json.RawMessage {
	switch v := v.(type) {
	case float64:
		return jsonDouble(v)
	case []float64:
		return jsonList(v, jsonDouble)
	case [][]float64:
		return jsonList(v, func(row []float64) json.RawMessage { return jsonList(row, jsonDouble) })
	case Vector:
		return vectorJSON(v)
	case Matrix:
		return json.RawMessage(fmt.Sprintf(`{"class":"matrix","type":1,"numRows":%d,"numCols":%d,"values":%s,"isTransposed":%t}`,
			v.Rows, v.Cols, jsonList(v.Values, jsonDouble), v.Transposed))
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(fmt.Sprintf("ml: parameter value %T of type %d has no JSON form: %v", v, t, err)) // coerce lets none through
	}
	return bytes.TrimSpace(b.Bytes())
}

func jsonList[T any](list []T, each func(T) json.RawMessage) json.RawMessage {
	var b bytes.Buffer
	b.WriteByte('[')
	for i, x := range list {
		if i > 0 {
			b.WriteByte(',')
		}
		b.Write(each(x))
	}
	b.WriteByte(']')
	return b.Bytes()
}

func vectorJSON(v Vector) json.RawMessage {
	if !v.Sparse {
		return json.RawMessage(fmt.Sprintf(`{"type":1,"values":%s}`, jsonList(v.Values, jsonDouble)))
	}
	idx := v.Indices
	if idx == nil {
		idx = []int32{}
	}
	return json.RawMessage(fmt.Sprintf(`{"type":0,"size":%d,"indices":%s,"values":%s}`, v.Size,
		paramToJSON(idx, ParamIntArray), jsonList(v.Values, jsonDouble)))
}

// paramFromJSON gives a Value for what metadata holds, numbers being json.Number.
func paramFromJSON(t ParamType, v any) (Value, error) {
	switch t {
	case ParamBool, ParamString:
		return v, nil
	case ParamInt, ParamLong:
		n, ok := v.(json.Number)
		if !ok {
			return nil, fmt.Errorf("%v is not a whole number", v)
		}
		return n.Int64()
	case ParamFloat, ParamDouble:
		return doubleFromJSON(v)
	case ParamStringArray:
		return listFromJSON(v, func(x any) (any, error) { return x, nil })
	case ParamIntArray:
		return listFromJSON(v, func(x any) (any, error) { return paramFromJSON(ParamInt, x) })
	case ParamDoubleArray:
		return listFromJSON(v, doubleFromJSON)
	case ParamDoubleArray2:
		return listFromJSON(v, func(x any) (any, error) { return listFromJSON(x, doubleFromJSON) })
	case ParamVector:
		return vectorFromJSON(v)
	case ParamMatrix:
		return matrixFromJSON(v)
	}
	return nil, fmt.Errorf("parameter type %d has no JSON form", t)
}

func doubleFromJSON(v any) (any, error) {
	switch v := v.(type) {
	case json.Number:
		return v.Float64()
	case string:
		switch v {
		case "NaN":
			return math.NaN(), nil
		case "Inf", "Infinity":
			return math.Inf(1), nil
		case "-Inf", "-Infinity":
			return math.Inf(-1), nil
		}
	}
	return nil, fmt.Errorf("%v is not a number", v)
}

func listFromJSON(v any, each func(any) (any, error)) (any, error) {
	in, ok := v.([]any)
	if !ok {
		return nil, fmt.Errorf("%v is not a list", v)
	}
	out := make([]any, len(in))
	for i, x := range in {
		y, err := each(x)
		if err != nil {
			return nil, err
		}
		out[i] = y
	}
	return out, nil
}

func numbersFromJSON(o map[string]any, key string) ([]float64, error) {
	list, err := listFromJSON(o[key], doubleFromJSON)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", key, err)
	}
	f, _ := coerceSlice(list, asFloat)
	return f.([]float64), nil
}

func intFromJSON(o map[string]any, key string) (int, error) {
	n, ok := o[key].(json.Number)
	if !ok {
		return 0, fmt.Errorf("%s is not a whole number", key)
	}
	i, err := n.Int64()
	if err == nil && (i < 0 || i > math.MaxInt32) {
		err = fmt.Errorf("%s is out of range: %d", key, i)
	}
	return int(i), err
}

func vectorFromJSON(v any) (any, error) {
	o, _ := v.(map[string]any)
	kind, err := intFromJSON(o, "type")
	if err != nil {
		return nil, err
	}
	values, err := numbersFromJSON(o, "values")
	if err != nil {
		return nil, err
	}
	if kind == 1 {
		return Vector{Size: len(values), Values: values}, nil
	}
	size, err := intFromJSON(o, "size")
	if err != nil {
		return nil, err
	}
	list, err := listFromJSON(o["indices"], func(x any) (any, error) { return paramFromJSON(ParamInt, x) })
	if err != nil {
		return nil, err
	}
	out := Vector{Size: size, Sparse: true, Indices: []int32{}, Values: values}
	for _, x := range list.([]any) {
		out.Indices = append(out.Indices, int32(x.(int64)))
	}
	return out, out.Check()
}

func matrixFromJSON(v any) (any, error) {
	o, _ := v.(map[string]any)
	rows, err := intFromJSON(o, "numRows")
	if err != nil {
		return nil, err
	}
	cols, err := intFromJSON(o, "numCols")
	if err != nil {
		return nil, err
	}
	values, err := numbersFromJSON(o, "values")
	if err != nil {
		return nil, err
	}
	if kind, err := intFromJSON(o, "type"); err != nil || kind != 1 || len(values) != rows*cols {
		return nil, fmt.Errorf("not a dense %d x %d matrix", rows, cols)
	}
	transposed, _ := o["isTransposed"].(bool)
	return Matrix{Rows: rows, Cols: cols, Values: values, Transposed: transposed}, nil
}

// Check says what is wrong with a vector's places.
func (v Vector) Check() error {
	if !v.Sparse {
		return nil
	}
	if len(v.Indices) != len(v.Values) {
		return fmt.Errorf("a sparse vector has %d indices and %d values", len(v.Indices), len(v.Values))
	}
	last := int32(-1)
	for _, i := range v.Indices {
		if i <= last || int(i) >= v.Size {
			return fmt.Errorf("index %d out of place in a sparse vector of size %d", i, v.Size)
		}
		last = i
	}
	return nil
}

// Array gives every value of a vector.
func (v Vector) Array() []float64 {
	if !v.Sparse {
		return v.Values
	}
	out := make([]float64, v.Size)
	for k, i := range v.Indices {
		out[i] = v.Values[k]
	}
	return out
}

// At gives one value of a matrix.
func (m Matrix) At(row, col int) float64 {
	if m.Transposed {
		return m.Values[row*m.Cols+col]
	}
	return m.Values[col*m.Rows+row]
}

// DenseVector makes a dense vector of values.
func DenseVector(values []float64) Vector { return Vector{Size: len(values), Values: values} }

// Compressed gives the smaller of the dense and the sparse form, as Spark's Vector.compressed.
func Compressed(values []float64) Vector {
	nnz := 0
	for _, x := range values {
		if x != 0 {
			nnz++
		}
	}
	if !SparseIsSmaller(len(values), nnz) {
		return DenseVector(values)
	}
	return SparseVector(values)
}

// SparseVector makes a sparse vector of the values that are not zero.
func SparseVector(values []float64) Vector {
	nnz := 0
	for _, x := range values {
		if x != 0 {
			nnz++
		}
	}
	v := Vector{Size: len(values), Sparse: true, Indices: make([]int32, 0, nnz), Values: make([]float64, 0, nnz)}
	for i, x := range values {
		if x != 0 {
			v.Indices, v.Values = append(v.Indices, int32(i)), append(v.Values, x)
		}
	}
	return v
}

// SparseIsSmaller is Spark's rule for the form of a vector: the one of fewer bytes, where a value
// takes 8, its place 4 and a sparse vector 16 more than a dense one.
func SparseIsSmaller(size, nnz int) bool { return 12*nnz+16 < 8*size }
