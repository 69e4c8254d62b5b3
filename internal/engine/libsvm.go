package engine

import (
	"context"
	"fmt"
	"strconv"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/millpond/millpond/internal/compile"
	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

// scanLibSVM reads labelled vectors.
func (s *Session) scanLibSVM(ctx context.Context, r *plan.Read, files []string) (*plan.Scan, error) {
	dense := false
	switch v := option(r.Options, "sparse", "vectortype"); v {
	case "sparse":
	case "dense":
		dense = true
	default:
		return nil, sparkerr.IllegalArgument("Invalid value `%s` for parameter `vectorType`. Expected types are `sparse` and `dense`.", v)
	}
	want, err := userSchema(r.Schema)
	if err != nil {
		return nil, err
	}
	if want != nil {
		if err := checkSamples(*want); err != nil {
			return nil, err
		}
	}
	if len(files) == 0 {
		return nil, noSamples()
	}
	longest, err := s.lineLimit(files)
	if err != nil {
		return nil, err
	}
	lines := "(SELECT line FROM " + lineReader(files, false, longest) + " WHERE trim(line) <> '' AND NOT starts_with(ltrim(line), '#')) l"
	size, err := strconv.Atoi(r.Options["numfeatures"])
	if err != nil || size < 1 {
		if size, err = s.e.sizes.get(stamp(files), func() (int, error) { return s.features(ctx, lines) }); err != nil {
			return nil, err
		}
	}
	vector := compile.TypeSQL(types.Vector)
	return &plan.Scan{
		SQL:    fmt.Sprintf("(SELECT CAST(CAST(spark_libsvm(line, %d, %t) AS JSON) AS STRUCT(label DOUBLE, features %s)) AS r FROM %s) t", size, dense, vector, lines),
		Source: []string{"r.label", "r.features"},
		Attrs: []plan.Attr{{Name: "label", Type: types.Double, Nullable: true},
			{Name: "features", Type: types.Vector, Nullable: true, Metadata: fmt.Sprintf(`{"numFeatures":%d,"ml_attr":{"num_attrs":%d}}`, size, size)}},
	}, nil
}

// checkSamples refuses what are not a label and a vector.
func checkSamples(schema types.Struct) error {
	if len(schema.Fields) != 2 || schema.Fields[0].Type != types.Double || !types.IsVector(schema.Fields[1].Type) {
		return sparkerr.Plain(sparkerr.ClassIO, "Illegal schema for libsvm data, schema=%s", types.ScalaText(schema))
	}
	return nil
}

// features gives the vectors' size, which is the largest number of a feature.
func (s *Session) features(ctx context.Context, lines string) (int, error) {
	scan := &plan.Scan{SQL: "(SELECT max(spark_libsvm_size(line)) AS n FROM " + lines + ") t", Source: []string{"n"}, Attrs: []plan.Attr{{ID: 1, Name: "n", Type: types.Int, Nullable: true}}}
	batches, err := s.collect(ctx, scan)
	if err != nil {
		return 0, err
	}
	for _, b := range batches {
		if n, ok := b.Column(0).(*array.Int32); ok && n.Len() == 1 && n.IsValid(0) {
			return int(n.Value(0)), nil
		}
	}
	return 0, noSamples()
}

func noSamples() error {
	e := sparkerr.Legacy("3014", "empty collection")
	e.Class = sparkerr.ClassUnsupported
	return e
}

// sampleText is the expression that writes a label and a vector as a line.
func sampleText(label, vector string) string {
	pair := func(index, value string) string { return index + " || ':' || spark_double_text(" + value + ")" }
	values := vector + `."values"`
	return "spark_double_text(" + label + ") || ' ' || array_to_string(CASE WHEN " + vector + `."type" = 1 THEN list_transform(` + values + ", lambda e, i: " + pair("i", "e") +
		") ELSE list_transform(" + values + ", lambda e, i: " + pair("("+vector+`."indices"[i] + 1)`, "e") + ") END, ' ')"
}
