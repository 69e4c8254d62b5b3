package analyze

import (
	"bytes"
	"context"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"

	"github.com/millpond/millpond/internal/arrowin"
	"github.com/millpond/millpond/internal/column"
	"github.com/millpond/millpond/internal/function"
	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/sqlparse"
	"github.com/millpond/millpond/internal/types"
)

// source resolves the leaves.
func (a *Analyzer) source(ctx context.Context, r plan.Relation, outer *rel) (*rel, error) {
	switch r := r.(type) {
	case *plan.Read:
		scan, err := a.env.Scan(ctx, r)
		if err != nil {
			return nil, err
		}
		c := *scan
		c.Attrs = a.attrs(plan.SchemaOf(scan.Attrs))
		return relOf(&c), nil
	case *plan.Parse:
		return a.parse(ctx, r)
	case *plan.Table:
		return a.table(ctx, r, outer)
	case *plan.Local:
		return a.local(r)
	case *plan.Values:
		return a.inline(ctx, r)
	case *plan.OneRow:
		return relOf(&plan.One{}), nil
	case *plan.Range:
		return a.numbers(r)
	case *plan.CachedRemote:
		h, rows, err := a.env.Checkpoint(r.ID)
		if err != nil {
			return nil, err
		}
		return a.kept(h, rows), nil
	case *plan.SQL:
		q, err := Parse(r)
		if err != nil {
			return nil, err
		}
		return a.resolve(ctx, q, outer)
	case *plan.With:
		return a.with(ctx, r, outer)
	case *plan.TableFunction:
		return a.tableFunction(ctx, r, outer)
	case *plan.Catalog:
		schema, batches, err := a.env.CatalogRows(ctx, r)
		if err != nil {
			return nil, err
		}
		return relOf(&plan.Data{Attrs: a.attrs(schema), Batches: batches, Label: "Catalog"}), nil
	}
	return nil, sparkerr.Unsupported("the relation %T", r)
}

// parse reads the one column of its input, which must be of text.
func (a *Analyzer) parse(ctx context.Context, r *plan.Parse) (*rel, error) {
	in, err := a.resolve(ctx, r.Input, nil)
	if err != nil {
		return nil, err
	}
	if len(in.attrs) != 1 {
		return nil, sparkerr.Analysis("DATAFRAME_INPUT_NOT_SINGLE_COLUMN", "numColumns", strconv.Itoa(len(in.attrs)))
	}
	if t := in.attrs[0].Type; !types.IsString(t) {
		return nil, sparkerr.Analysis("DATAFRAME_INPUT_NOT_STRING_TYPE", "dataType", `"`+t.SQL()+`"`)
	}
	records, err := a.env.Records(ctx, r, in.node(), in.attrs[0])
	if err != nil {
		return nil, err
	}
	records.Attrs = a.attrs(plan.SchemaOf(records.Attrs))
	return relOf(records), nil
}

// Parse reads a query's text and puts its arguments in.
func Parse(r *plan.SQL) (plan.Relation, error) {
	return sqlparse.Query(r.Query, r.Named, r.Pos)
}

func (a *Analyzer) table(ctx context.Context, r *plan.Table, outer *rel) (*rel, error) {
	name := r.Name[len(r.Name)-1]
	if len(r.Name) == 1 {
		for i := len(a.ctes) - 1; i >= 0; i-- {
			if q, ok := a.ctes[i][strings.ToLower(name)]; ok {
				saved := a.ctes
				a.ctes = a.ctes[:i] // a common table expression sees only those before it
				defer func() { a.ctes = saved }()
				return a.alias(ctx, &plan.Alias{Input: q, Name: name}, outer)
			}
		}
	}
	q, err := a.env.Table(ctx, r.Name)
	if err != nil {
		return nil, err
	}
	saved := a.ctes
	a.ctes = nil
	defer func() { a.ctes = saved }()
	return a.alias(ctx, &plan.Alias{Input: q, Name: name}, nil)
}

func (a *Analyzer) with(ctx context.Context, r *plan.With, outer *rel) (*rel, error) {
	if len(r.Names) == 0 {
		named := map[string]plan.Relation{} // spark.sql(..., df=df) refers to aliases of the references
		for _, ref := range r.References {
			if al, ok := ref.(*plan.Alias); ok {
				named[strings.ToLower(al.Name)] = al.Input
			}
		}
		a.refs = append(a.refs, r)
		a.ctes = append(a.ctes, named)
		defer func() { a.refs, a.ctes = a.refs[:len(a.refs)-1], a.ctes[:len(a.ctes)-1] }()
		return a.resolve(ctx, r.Root, outer)
	}
	depth := len(a.ctes)
	for i, n := range r.Names {
		a.ctes = append(a.ctes, map[string]plan.Relation{strings.ToLower(n): r.References[i]})
	}
	defer func() { a.ctes = a.ctes[:depth] }()
	return a.resolve(ctx, r.Root, outer)
}

// local decodes rows that the client sent and gives them the schema it asked for.
func (a *Analyzer) local(r *plan.Local) (*rel, error) {
	var want *types.Struct
	if r.Schema != "" {
		t, err := types.FromJSON([]byte(r.Schema))
		if err != nil {
			if t, err = types.ParseDDL(r.Schema); err != nil {
				return nil, sparkerr.New(sparkerr.ClassParse, "INVALID_SCHEMA.PARSE_ERROR", "inputSchema", r.Schema, "reason", err.Error())
			}
		}
		s, ok := t.(types.Struct)
		if !ok {
			s = types.Struct{Fields: []types.Field{{Name: "value", Type: t, Nullable: true}}}
		}
		want = &s
	}
	batches, got, err := decodeIPC(r.Data)
	if err != nil {
		return nil, err
	}
	if got == nil {
		if want == nil {
			return nil, sparkerr.InvalidPlan("SCHEMA_REQUIRED_FOR_LOCAL_RELATION")
		}
		return relOf(&plan.Data{Attrs: a.attrs(*want), Label: "LocalTable"}), nil
	}
	data := &plan.Data{Attrs: a.attrs(*got), Batches: batches, Label: "LocalTable"}
	in := relOf(data)
	if want == nil {
		return in, nil
	}
	if len(want.Fields) != len(got.Fields) {
		return nil, sparkerr.Plain(sparkerr.ClassAnalysis, "the schema has %d columns, the data %d", len(want.Fields), len(got.Fields))
	}
	return a.conform(in, *want), nil
}

// conform renames and casts columns by place.
func (a *Analyzer) conform(in *rel, want types.Struct) *rel {
	exact := true
	for i, f := range want.Fields {
		exact = exact && types.Equal(types.Physical(in.attrs[i].Type), types.Physical(f.Type))
	}
	if exact {
		if d, ok := in.n.(*plan.Data); ok {
			if c, err := relabel(d, a.attrs(want)); err == nil {
				return relOf(c)
			}
		}
	}
	exprs := make([]plan.Named, len(want.Fields))
	for i, f := range want.Fields {
		at := a.attr(f.Name, f.Type, f.Nullable)
		at.Metadata = f.Metadata
		exprs[i] = plan.Named{Attr: at, Value: function.As(plan.Col{Attr: in.attrs[i]}, f.Type)}
	}
	return relOf(&plan.Select{Input: in.n, Exprs: exprs}, in)
}

func decodeIPC(data []byte) (out []arrow.RecordBatch, s *types.Struct, err error) {
	defer func() {
		if p := recover(); p != nil { // the reader trusts what it reads
			out, s, err = nil, nil, sparkerr.IllegalArgument("local relation is not an Arrow stream: %v", p)
		}
	}()
	if len(data) == 0 {
		return nil, nil, nil
	}
	rd, err := ipc.NewReaderFromMessageReader(arrowin.Messages(bytes.NewReader(data)), ipc.WithAllocator(bounded(len(data))))
	if err != nil {
		return nil, nil, sparkerr.IllegalArgument("local relation is not an Arrow stream: %v", err)
	}
	defer rd.Release()
	schema, err := types.SchemaFromArrow(rd.Schema())
	if err != nil {
		return nil, nil, sparkerr.IllegalArgument("local relation: %v", err)
	}
	if err := arrowKinds(rd.Schema()); err != nil {
		return nil, nil, err
	}
	for rd.Next() {
		b := rd.RecordBatch()
		if err := arrowin.Validate(b); err != nil { // wrong offsets would lead readers astray
			return nil, nil, sparkerr.IllegalArgument("local relation: %v", err)
		}
		cols := make([]arrow.Array, b.NumCols())
		for i := range cols {
			b.Column(i).Retain()
			if cols[i], err = column.Conform(b.Column(i), schema.Fields[i].Type); err != nil {
				return nil, nil, sparkerr.IllegalArgument("local relation, column %s: %v", schema.Fields[i].Name, err)
			}
		}
		fields := make([]arrow.Field, len(cols))
		for i, c := range cols {
			fields[i] = arrow.Field{Name: schema.Fields[i].Name, Type: c.DataType(), Nullable: true}
		}
		out = append(out, array.NewRecordBatch(arrow.NewSchema(fields, nil), cols, b.NumRows()))
	}
	if err := rd.Err(); err != nil {
		return nil, nil, sparkerr.IllegalArgument("local relation: %v", err)
	}
	return out, &schema, nil
}

func (a *Analyzer) inline(ctx context.Context, r *plan.Values) (*rel, error) {
	x := a.over(ctx, relOf(&plan.One{}))
	rows := make([][]plan.Value, len(r.Rows))
	for i, row := range r.Rows {
		vals, err := x.values(row)
		if err != nil {
			return nil, err
		}
		if i > 0 && len(vals) != len(rows[0]) {
			return nil, sparkerr.Analysis("INVALID_INLINE_TABLE.NUM_COLUMNS_MISMATCH", "expectedNumCols", itoa(len(rows[0])), "actualNumCols", itoa(len(vals)), "rowIndex", itoa(i))
		}
		rows[i] = vals
	}
	n := &plan.Rows{Rows: rows}
	for c := range rows[0] {
		var t types.Type = types.Null
		null := false
		for _, row := range rows {
			u, ok := types.Common(t, row[c].Type())
			if !ok {
				return nil, sparkerr.Analysis("INVALID_INLINE_TABLE.INCOMPATIBLE_TYPES_IN_INLINE_TABLE", "colName", types.Quote("col"+itoa(c+1)))
			}
			t, null = u, null || row[c].Nullable()
		}
		for i := range rows {
			rows[i][c] = function.As(rows[i][c], t)
		}
		name := "col" + itoa(c+1)
		if c < len(r.Names) {
			name = r.Names[c]
		}
		n.Attrs = append(n.Attrs, a.attr(name, t, null))
	}
	return relOf(n), nil
}

func (a *Analyzer) tableFunction(ctx context.Context, r *plan.TableFunction, outer *rel) (*rel, error) {
	in := relOf(&plan.One{}).within(outer)
	x := a.over(ctx, in)
	if strings.EqualFold(r.Name, "range") {
		nums := []int64{0, 0, 1, 0}
		vals, err := x.values(r.Args)
		if err != nil {
			return nil, err
		}
		for i, v := range vals {
			f, ok := number(v)
			if !ok || i > 3 {
				return nil, sparkerr.Unsupported("range with arguments that are not literals")
			}
			if len(vals) == 1 {
				nums[1] = int64(f)
			} else {
				nums[i] = int64(f)
			}
		}
		r := &plan.Range{Start: nums[0], End: nums[1], Step: nums[2]}
		if len(vals) == len(nums) {
			n := int(nums[3])
			r.Partitions = &n
		}
		return a.numbers(r)
	}
	if _, ok := a.funcs.Lookup(r.Name); !ok {
		if err := function.Unknown(r.Name); sparkerr.As(err).Condition != "UNRESOLVED_ROUTINE" {
			return nil, err
		}
		return nil, sparkerr.Analysis("UNRESOLVABLE_TABLE_VALUED_FUNCTION", "name", types.Quote(r.Name))
	}
	v, err := x.call(&plan.Function{Name: r.Name, Args: r.Args})
	if err != nil {
		return nil, err
	}
	if !isGenerator(v, a.funcs) {
		return nil, sparkerr.Unsupported("the table function %s", r.Name)
	}
	u, err := a.unnest(&plan.One{}, v.(*plan.Apply), nil)
	if err != nil {
		return nil, err
	}
	return relOf(u), nil
}

// relabel gives data other names and nested nullability.
func relabel(d *plan.Data, attrs []plan.Attr) (*plan.Data, error) {
	c := &plan.Data{Attrs: attrs, Label: d.Label}
	for _, b := range d.Batches {
		cols := make([]arrow.Array, len(attrs))
		fields := make([]arrow.Field, len(attrs))
		for i, at := range attrs {
			var err error
			if cols[i], err = column.Conform(b.Column(i), at.Type); err != nil {
				return nil, err
			}
			fields[i] = arrow.Field{Name: at.Name, Type: cols[i].DataType(), Nullable: true}
		}
		c.Batches = append(c.Batches, array.NewRecordBatch(arrow.NewSchema(fields, nil), cols, b.NumRows()))
	}
	return c, nil
}

// unknownKinds are Arrow's types that Spark does not take from clients, as it calls them.
var unknownKinds = map[arrow.Type]string{arrow.UINT8: "Int(8, false)", arrow.UINT16: "Int(16, false)", arrow.UINT32: "Int(32, false)",
	arrow.UINT64: "Int(64, false)", arrow.FLOAT16: "FloatingPoint(HALF)"}

func arrowKinds(s *arrow.Schema) error {
	for _, f := range s.Fields() {
		if name, ok := unknownKinds[f.Type.ID()]; ok {
			return sparkerr.New(sparkerr.ClassUnsupported, "UNSUPPORTED_ARROWTYPE", "typeName", name)
		}
	}
	return nil
}
