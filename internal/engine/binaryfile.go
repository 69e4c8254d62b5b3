package engine

import (
	"context"

	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

// binarySchema is what a file is as a row.
var binarySchema = types.Struct{Fields: []types.Field{{Name: "path", Type: types.String}, {Name: "modificationTime", Type: types.Timestamp},
	{Name: "length", Type: types.Long}, {Name: "content", Type: types.Binary, Nullable: true}}}

// binarySource are the engine's columns for them.
var binarySource = []string{"'file:' || filename", "last_modified", "size", "content"}

// scanBinary makes a row of each file; empty ones Spark passes over. What nobody reads of a file is
// not fetched.
func (s *Session) scanBinary(_ context.Context, r *plan.Read, files []string) (*plan.Scan, error) {
	want, err := userSchema(r.Schema)
	if err != nil {
		return nil, err
	}
	if want != nil && !types.Equal(*want, nullable(binarySchema)) {
		return nil, sparkerr.Plain(sparkerr.ClassJavaArgument, "requirement failed: \nBinary file data source expects dataSchema: %s,\nbut got: %s.",
			types.ScalaText(binarySchema), types.ScalaText(*want))
	}
	if len(files) == 0 {
		return emptyScan(binarySchema), nil
	}
	scan := &plan.Scan{SQL: "(SELECT * FROM read_blob(" + listSQL(files) + ") WHERE size > 0) b", Attrs: attrsOf(binarySchema)}
	for i, f := range binarySchema.Fields {
		scan.Source = append(scan.Source, "CAST("+binarySource[i]+" AS "+fileTypeSQL(f.Type)+")")
	}
	return scan, nil
}
