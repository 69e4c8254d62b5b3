package native

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/millpond/millpond/internal/sparkerr"
)

// samples read the text format of LIBSVM: a label, then pairs of a feature's number, from 1 on, and
// its value.
func samples() []Func {
	return []Func{
		{Name: "spark_libsvm_size", Args: []Kind{Text}, Result: Int, Call: func(a []Value) (Value, error) {
			v, err := readSample(a[0].S)
			if err != nil {
				return null(), err
			}
			return i(int64(v.size())), nil
		}},
		{Name: "spark_libsvm", Args: []Kind{Text, Int, Bool}, Result: Text, Call: func(a []Value) (Value, error) {
			v, err := readSample(a[0].S)
			if err != nil {
				return null(), err
			}
			size := int(a[1].I)
			if last := v.size(); last > size {
				return null(), sparkerr.Thrown(sparkerr.ClassSpark, "Job aborted due to stage failure: java.lang.IllegalArgumentException: requirement failed: Index "+
					strconv.Itoa(last-1)+" out of bounds for vector of size "+strconv.Itoa(size))
			}
			return s(v.json(size, a[2].I != 0)), nil
		}},
	}
}

// sample is one line: indices from 0, and the values' texts as JSON numbers.
type sample struct {
	label   string
	indices []int
	values  []string
}

// size is how many features a vector must have to hold the sample.
func (v sample) size() int {
	if len(v.indices) == 0 {
		return 0
	}
	return v.indices[len(v.indices)-1] + 1
}

func readSample(line string) (sample, error) {
	fields := strings.Split(strings.TrimSpace(line), " ")
	label, err := sampleNumber(fields[0])
	v := sample{label: label}
	if err != nil {
		return v, err
	}
	previous := -1
	for _, f := range fields[1:] {
		if f == "" {
			continue
		}
		number, value, _ := strings.Cut(f, ":")
		k, err := strconv.Atoi(number)
		if err != nil {
			return v, notNumber(number)
		}
		if k--; k <= previous {
			return v, sparkerr.Thrown(sparkerr.ClassSpark, fmt.Sprintf("Job aborted due to stage failure: java.lang.IllegalArgumentException: requirement failed: "+
				"indices should be one-based and in ascending order; found current=%d, previous=%d; line=\"%s\"", k, previous, line))
		}
		text, err := sampleNumber(value)
		if err != nil {
			return v, err
		}
		previous, v.indices, v.values = k, append(v.indices, k), append(v.values, text)
	}
	return v, nil
}

// sampleNumber checks a number and gives it as JSON; what is none in JSON goes as a text.
func sampleNumber(text string) (string, error) {
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return "", notNumber(text)
	}
	out := strconv.FormatFloat(f, 'g', -1, 64)
	if strings.ContainsAny(out, "IN") {
		out = `"` + out + `"`
	}
	return out, nil
}

func notNumber(text string) error {
	return sparkerr.Thrown(sparkerr.ClassSpark, `Job aborted due to stage failure: java.lang.NumberFormatException: For input string: "`+text+`"`)
}

// json gives the label and the vector.
func (v sample) json(size int, dense bool) string {
	var b strings.Builder
	b.WriteString(`{"label":` + v.label + `,"features":{`)
	if dense {
		all := make([]string, size)
		for k := range all {
			all[k] = "0"
		}
		for k, at := range v.indices {
			all[at] = v.values[k]
		}
		b.WriteString(`"type":1,"size":null,"indices":null,"values":[` + strings.Join(all, ",") + `]}}`)
		return b.String()
	}
	b.WriteString(`"type":0,"size":` + strconv.Itoa(size) + `,"indices":[`)
	for k, at := range v.indices {
		if k > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.Itoa(at))
	}
	b.WriteString(`],"values":[` + strings.Join(v.values, ",") + `]}}`)
	return b.String()
}
