package connect

import (
	"fmt"
	"google.golang.org/protobuf/reflect/protoreflect"
	"strings"

	"github.com/klauspost/compress/zstd"
	"google.golang.org/protobuf/proto"

	pb "github.com/millpond/millpond/internal/gen/spark/connect"
	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

// decoder turns protos into plan nodes. artifact gives the bytes of a cached local relation.
type decoder struct {
	depth    int
	artifact func(hash string) ([]byte, error)
}

const maxPlanDepth = 1500

func (d *decoder) enter() error {
	if d.depth++; d.depth > maxPlanDepth {
		return sparkerr.Unsupported("a plan nested deeper than %d", maxPlanDepth)
	}
	return nil
}

func (d *decoder) leave() { d.depth-- }

// notSet is the error of a message without its content.
func notSet(message, field string) error {
	return sparkerr.InvalidPlan("INVALID_ONE_OF_FIELD_NOT_SET", "fullName", message, "name", field)
}

// unknownCase is the error of a message whose content is absent, or of a kind that is not served.
func unknownCase(message string, content any, absent, what string) error {
	if content == nil {
		return notSet(message, absent)
	}
	name := typeName(content)
	if _, last, ok := strings.Cut(name, "_"); ok {
		name = strings.TrimSuffix(last, "_")
	}
	return sparkerr.Unsupported("%s %s", what, name)
}

// badEnum is the error of a number that names nothing.
func badEnum(message string, value protoreflect.Enum) error {
	n := value.Number()
	name := fmt.Sprint(n)
	if d := value.Descriptor().Values().ByNumber(n); d != nil {
		name = string(d.Name())
	}
	return sparkerr.InvalidPlan("INVALID_ENUM", "fullName", message, "name", name, "number", fmt.Sprint(n))
}

func typeName(v any) string { return strings.TrimPrefix(fmt.Sprintf("%T", v), "*connect.") }

// unpack undoes the compression of a large plan.
func unpack(p *pb.Plan) (*pb.Plan, error) {
	c := p.GetCompressedOperation()
	if c == nil {
		return p, nil
	}
	if c.CompressionCodec != pb.CompressionCodec_COMPRESSION_CODEC_ZSTD {
		return nil, sparkerr.Unsupported("plans compressed by %s", c.CompressionCodec)
	}
	z, err := zstd.NewReader(nil, zstd.WithDecoderMaxMemory(512<<20))
	if err != nil {
		return nil, fmt.Errorf("start decompression: %w", err)
	}
	defer z.Close()
	data, err := z.DecodeAll(c.Data, nil)
	if err != nil {
		return nil, sparkerr.InvalidPlan("CANNOT_PARSE", "errorMsg", err.Error())
	}
	out := &pb.Plan{}
	switch c.OpType {
	case pb.Plan_CompressedOperation_OP_TYPE_RELATION:
		r := &pb.Relation{}
		err = proto.Unmarshal(data, r)
		out.OpType = &pb.Plan_Root{Root: r}
	case pb.Plan_CompressedOperation_OP_TYPE_COMMAND:
		r := &pb.Command{}
		err = proto.Unmarshal(data, r)
		out.OpType = &pb.Plan_Command{Command: r}
	default:
		return nil, sparkerr.Unsupported("a compressed plan of type %s", c.OpType)
	}
	if err != nil {
		return nil, sparkerr.InvalidPlan("CANNOT_PARSE", "errorMsg", err.Error())
	}
	return out, nil
}

// relation reads a relation off the wire.
func (d *decoder) relation(p *pb.Relation) (plan.Relation, error) {
	if err := d.enter(); err != nil {
		return nil, err
	}
	defer d.leave()
	if p == nil || p.RelType == nil {
		return nil, notSet("spark.connect.Relation", "RELTYPE_NOT_SET")
	}
	r, err := d.known(p)
	if err != nil {
		return nil, err
	}
	if p.Common != nil && p.Common.PlanId != nil {
		c := plan.CommonOf(r)
		c.PlanID, c.HasPlanID = *p.Common.PlanId, true
	}
	return r, nil
}

func (d *decoder) known(p *pb.Relation) (plan.Relation, error) {
	switch k := p.RelType.(type) {
	case *pb.Relation_Read:
		return read(k.Read)
	case *pb.Relation_Project:
		in, err := d.optional(k.Project.Input)
		if err != nil {
			return nil, err
		}
		es, err := d.exprs(k.Project.Expressions)
		return &plan.Project{Input: in, Exprs: es}, err
	case *pb.Relation_Filter:
		in, err := d.relation(k.Filter.Input)
		if err != nil {
			return nil, err
		}
		cond, err := d.expr(k.Filter.Condition)
		return &plan.Filter{Input: in, Cond: cond}, err
	case *pb.Relation_Join:
		return d.join(k.Join)
	case *pb.Relation_LateralJoin:
		return d.lateral(k.LateralJoin)
	case *pb.Relation_SetOp:
		return d.setOp(k.SetOp)
	case *pb.Relation_Sort:
		in, err := d.relation(k.Sort.Input)
		if err != nil {
			return nil, err
		}
		o, err := d.orders(k.Sort.Order)
		return &plan.Sort{Input: in, Orders: o, Global: k.Sort.GetIsGlobal()}, err
	case *pb.Relation_Limit:
		in, err := d.relation(k.Limit.Input)
		return &plan.Limit{Input: in, N: plan.IntLit(k.Limit.Limit)}, err
	case *pb.Relation_Offset:
		in, err := d.relation(k.Offset.Input)
		return &plan.Offset{Input: in, N: plan.IntLit(k.Offset.Offset)}, err
	case *pb.Relation_Tail:
		in, err := d.relation(k.Tail.Input)
		return &plan.Tail{Input: in, N: int64(k.Tail.Limit)}, err
	case *pb.Relation_Aggregate:
		return d.aggregate(k.Aggregate)
	case *pb.Relation_Sql:
		return d.sql(k.Sql)
	case *pb.Relation_LocalRelation:
		return &plan.Local{Data: k.LocalRelation.Data, Schema: k.LocalRelation.GetSchema()}, nil
	case *pb.Relation_CachedLocalRelation:
		return d.cachedLocal(k.CachedLocalRelation.Hash)
	case *pb.Relation_ChunkedCachedLocalRelation:
		return d.chunkedLocal(k.ChunkedCachedLocalRelation)
	case *pb.Relation_CachedRemoteRelation:
		return &plan.CachedRemote{ID: k.CachedRemoteRelation.RelationId}, nil
	case *pb.Relation_Range:
		return &plan.Range{Start: k.Range.GetStart(), End: k.Range.End, Step: k.Range.Step, Partitions: int(k.Range.GetNumPartitions())}, nil
	}
	return d.shaping(p)
}

func (d *decoder) optional(p *pb.Relation) (plan.Relation, error) {
	if p == nil {
		return nil, nil
	}
	return d.relation(p)
}

// shaping are the relations that rename, add, drop, sample or deduplicate.
func (d *decoder) shaping(p *pb.Relation) (plan.Relation, error) {
	switch k := p.RelType.(type) {
	case *pb.Relation_Sample:
		in, err := d.relation(k.Sample.Input)
		s := k.Sample
		out := &plan.Sample{Input: in, Lower: s.LowerBound, Upper: s.UpperBound, Replace: s.GetWithReplacement(), Ordered: s.DeterministicOrder, Seed: s.GetSeed()}
		return out, err
	case *pb.Relation_Deduplicate:
		in, err := d.relation(k.Deduplicate.Input)
		if err != nil {
			return nil, err
		}
		if k.Deduplicate.GetAllColumnsAsKeys() {
			return &plan.Dedup{Input: in}, nil
		}
		return &plan.Dedup{Input: in, Columns: append([]string{}, k.Deduplicate.ColumnNames...)}, nil
	case *pb.Relation_SubqueryAlias:
		in, err := d.relation(k.SubqueryAlias.Input)
		return &plan.Alias{Input: in, Name: k.SubqueryAlias.Alias}, err
	case *pb.Relation_Repartition:
		in, err := d.relation(k.Repartition.Input)
		return &plan.Repartition{Input: in, Partitions: int(k.Repartition.NumPartitions)}, err
	case *pb.Relation_RepartitionByExpression:
		in, err := d.relation(k.RepartitionByExpression.Input)
		if err != nil {
			return nil, err
		}
		var es []plan.Expr
		for _, p := range k.RepartitionByExpression.PartitionExprs {
			e, err := d.expr(p)
			if err != nil {
				return nil, err
			}
			es = append(es, e)
		}
		return &plan.Repartition{Input: in, Exprs: es}, nil
	case *pb.Relation_ToDf:
		in, err := d.relation(k.ToDf.Input)
		return &plan.ToDF{Input: in, Names: k.ToDf.ColumnNames}, err
	case *pb.Relation_WithColumnsRenamed:
		return d.rename(k.WithColumnsRenamed)
	case *pb.Relation_WithColumns:
		in, err := d.relation(k.WithColumns.Input)
		if err != nil {
			return nil, err
		}
		w := &plan.WithColumns{Input: in}
		for _, a := range k.WithColumns.Aliases {
			al, err := d.alias(a)
			if err != nil {
				return nil, err
			}
			if len(al.Names) != 1 {
				return nil, sparkerr.InvalidPlan("WITH_COLUMNS_REQUIRE_SINGLE_NAME_PART", "got", strings.Join(al.Names, ", "))
			}
			w.Exprs = append(w.Exprs, al)
		}
		return w, nil
	case *pb.Relation_Drop:
		in, err := d.relation(k.Drop.Input)
		if err != nil {
			return nil, err
		}
		es, err := d.exprs(k.Drop.Columns)
		return &plan.Drop{Input: in, Exprs: es, Names: k.Drop.ColumnNames}, err
	case *pb.Relation_ToSchema:
		in, err := d.relation(k.ToSchema.Input)
		if err != nil {
			return nil, err
		}
		t, err := typeFromProto(k.ToSchema.Schema)
		st, ok := t.(types.Struct)
		if err == nil && !ok {
			err = sparkerr.IllegalArgument("the schema must be a struct")
		}
		return &plan.ToSchema{Input: in, Schema: st}, err
	case *pb.Relation_Hint:
		in, err := d.relation(k.Hint.Input)
		return &plan.Hint{Input: in, Name: k.Hint.Name}, err
	case *pb.Relation_Unpivot:
		return d.unpivot(k.Unpivot)
	case *pb.Relation_ShowString:
		in, err := d.relation(k.ShowString.Input)
		return &plan.Show{Input: in, Rows: int(k.ShowString.NumRows), Truncate: int(k.ShowString.Truncate), Vertical: k.ShowString.Vertical}, err
	case *pb.Relation_HtmlString:
		in, err := d.relation(k.HtmlString.Input)
		return &plan.Show{Input: in, Rows: int(k.HtmlString.NumRows), Truncate: int(k.HtmlString.Truncate), HTML: true}, err
	}
	return d.special(p)
}

// special are missing values, statistics, Python, ML and the catalog.
func (d *decoder) special(p *pb.Relation) (plan.Relation, error) {
	switch k := p.RelType.(type) {
	case *pb.Relation_FillNa:
		in, err := d.relation(k.FillNa.Input)
		if err != nil {
			return nil, err
		}
		vals, err := plainLiterals(k.FillNa.Values)
		if err == nil && len(vals) == 0 {
			err = sparkerr.InvalidPlan("NA_FILL_VALUES_EMPTY")
		}
		return &plan.FillNA{Input: in, Columns: k.FillNa.Cols, Values: vals}, err
	case *pb.Relation_DropNa:
		in, err := d.relation(k.DropNa.Input)
		out := &plan.DropNA{Input: in, Columns: k.DropNa.Cols}
		if n := k.DropNa.MinNonNulls; n != nil {
			v := int(*n)
			out.MinNonNulls = &v
		}
		return out, err
	case *pb.Relation_Replace:
		return d.replace(k.Replace)
	case *pb.Relation_MapPartitions:
		in, err := d.relation(k.MapPartitions.Input)
		if err != nil {
			return nil, err
		}
		f, err := d.udf(k.MapPartitions.Func)
		return &plan.MapBatches{Input: in, Func: f}, err
	case *pb.Relation_CollectMetrics:
		in, err := d.relation(k.CollectMetrics.Input)
		if err != nil {
			return nil, err
		}
		metrics, err := d.exprs(k.CollectMetrics.Metrics)
		return &plan.Observe{Input: in, Name: k.CollectMetrics.Name, Metrics: metrics}, err
	case *pb.Relation_Transpose:
		in, err := d.relation(k.Transpose.Input)
		if err != nil {
			return nil, err
		}
		index, err := d.exprs(k.Transpose.IndexColumns)
		return &plan.Transpose{Input: in, Index: index}, err
	case *pb.Relation_GroupMap:
		return d.groupMap(k.GroupMap)
	case *pb.Relation_CoGroupMap:
		return d.coGroup(k.CoGroupMap)
	case *pb.Relation_MlRelation:
		return d.ml(k.MlRelation)
	case *pb.Relation_WithRelations:
		root, err := d.relation(k.WithRelations.Root)
		if err != nil {
			return nil, err
		}
		w := &plan.With{Root: root}
		for _, r := range k.WithRelations.References {
			ref, err := d.relation(r)
			if err != nil {
				return nil, err
			}
			w.References = append(w.References, ref)
		}
		return w, nil
	case *pb.Relation_UnresolvedTableValuedFunction:
		args, err := d.exprs(k.UnresolvedTableValuedFunction.Arguments)
		return &plan.TableFunction{Name: k.UnresolvedTableValuedFunction.FunctionName, Args: args}, err
	case *pb.Relation_Catalog:
		return catalog(k.Catalog)
	}
	return d.statistic(p)
}

func (d *decoder) statistic(p *pb.Relation) (plan.Relation, error) {
	stat := func(in *pb.Relation, s *plan.Stat) (plan.Relation, error) {
		r, err := d.relation(in)
		s.Input = r
		return s, err
	}
	switch k := p.RelType.(type) {
	case *pb.Relation_Summary:
		return stat(k.Summary.Input, &plan.Stat{Kind: "summary", Statistics: k.Summary.Statistics})
	case *pb.Relation_Describe:
		return stat(k.Describe.Input, &plan.Stat{Kind: "describe", Columns: k.Describe.Cols})
	case *pb.Relation_Crosstab:
		return stat(k.Crosstab.Input, &plan.Stat{Kind: "crosstab", Columns: []string{k.Crosstab.Col1, k.Crosstab.Col2}})
	case *pb.Relation_Cov:
		return stat(k.Cov.Input, &plan.Stat{Kind: "cov", Columns: []string{k.Cov.Col1, k.Cov.Col2}})
	case *pb.Relation_Corr:
		return stat(k.Corr.Input, &plan.Stat{Kind: "corr", Columns: []string{k.Corr.Col1, k.Corr.Col2}, Method: k.Corr.GetMethod()})
	case *pb.Relation_ApproxQuantile:
		q := k.ApproxQuantile
		return stat(q.Input, &plan.Stat{Kind: "approx_quantile", Columns: q.Cols, Probabilities: q.Probabilities, Error: q.RelativeError})
	case *pb.Relation_FreqItems:
		return stat(k.FreqItems.Input, &plan.Stat{Kind: "freq_items", Columns: k.FreqItems.Cols, Error: k.FreqItems.GetSupport()})
	case *pb.Relation_SampleBy:
		in, err := d.relation(k.SampleBy.Input)
		if err != nil {
			return nil, err
		}
		out := &plan.SampleBy{Input: in, Seed: k.SampleBy.GetSeed()}
		if out.Col, err = d.expr(k.SampleBy.Col); err != nil {
			return nil, err
		}
		for _, f := range k.SampleBy.Fractions {
			l, err := literal(f.Stratum)
			if err != nil {
				return nil, err
			}
			out.Strata, out.Fractions = append(out.Strata, l), append(out.Fractions, f.Fraction)
		}
		return out, nil
	}
	return nil, unknownCase("spark.connect.Relation", p.RelType, "RELTYPE_NOT_SET", "the relation")
}

func plainLiterals(ps []*pb.Expression_Literal) ([]plan.Literal, error) {
	out := make([]plan.Literal, len(ps))
	for i, p := range ps {
		l, err := literal(p)
		if err != nil {
			return nil, err
		}
		out[i] = l
	}
	return out, nil
}

func lowerKeys(m map[string]string) map[string]string {
	out := make(map[string]string, len(m))
	for k, v := range m {
		out[strings.ToLower(k)] = v
	}
	return out
}

func read(r *pb.Read) (plan.Relation, error) {
	if r.IsStreaming {
		return nil, sparkerr.Unsupported("streaming reads")
	}
	switch k := r.ReadType.(type) {
	case *pb.Read_NamedTable_:
		return &plan.Table{Name: nameParts(k.NamedTable.UnparsedIdentifier), Options: lowerKeys(k.NamedTable.Options)}, nil
	case *pb.Read_DataSource_:
		s := k.DataSource
		return &plan.Read{Format: s.GetFormat(), Schema: s.GetSchema(), Options: lowerKeys(s.Options), Paths: s.Paths}, nil
	}
	return nil, unknownCase("spark.connect.Read", r.ReadType, "READTYPE_NOT_SET", "the read")
}

var joinTypes = map[pb.Join_JoinType]plan.JoinType{pb.Join_JOIN_TYPE_INNER: plan.JoinInner, pb.Join_JOIN_TYPE_FULL_OUTER: plan.JoinFull,
	pb.Join_JOIN_TYPE_LEFT_OUTER: plan.JoinLeft, pb.Join_JOIN_TYPE_RIGHT_OUTER: plan.JoinRight, pb.Join_JOIN_TYPE_LEFT_ANTI: plan.JoinAnti,
	pb.Join_JOIN_TYPE_LEFT_SEMI: plan.JoinSemi, pb.Join_JOIN_TYPE_CROSS: plan.JoinCross}

func (d *decoder) join(j *pb.Join) (plan.Relation, error) {
	left, err := d.relation(j.Left)
	if err != nil {
		return nil, err
	}
	right, err := d.relation(j.Right)
	if err != nil {
		return nil, err
	}
	t, ok := joinTypes[j.JoinType]
	if !ok {
		return nil, badEnum("spark.connect.Join.JoinType", j.JoinType)
	}
	out := &plan.Join{Left: left, Right: right, Type: t, Using: j.UsingColumns}
	if j.JoinCondition != nil {
		out.Cond, err = d.expr(j.JoinCondition)
	}
	return out, err
}

func (d *decoder) lateral(j *pb.LateralJoin) (plan.Relation, error) {
	r, err := d.join(&pb.Join{Left: j.Left, Right: j.Right, JoinCondition: j.JoinCondition, JoinType: j.JoinType})
	if err != nil {
		return nil, err
	}
	r.(*plan.Join).Lateral = true
	return r, nil
}

func (d *decoder) setOp(s *pb.SetOperation) (plan.Relation, error) {
	left, err := d.relation(s.LeftInput)
	if err != nil {
		return nil, err
	}
	right, err := d.relation(s.RightInput)
	if err != nil {
		return nil, err
	}
	ops := map[pb.SetOperation_SetOpType]string{pb.SetOperation_SET_OP_TYPE_UNION: "union", pb.SetOperation_SET_OP_TYPE_INTERSECT: "intersect", pb.SetOperation_SET_OP_TYPE_EXCEPT: "except"}
	op, ok := ops[s.SetOpType]
	if !ok {
		return nil, badEnum("spark.connect.SetOperation.SetOpType", s.SetOpType)
	}
	return &plan.SetOp{Left: left, Right: right, Op: op, All: s.GetIsAll(), ByName: s.GetByName(), Missing: s.GetAllowMissingColumns()}, nil
}

func (d *decoder) aggregate(a *pb.Aggregate) (plan.Relation, error) {
	in, err := d.relation(a.Input)
	if err != nil {
		return nil, err
	}
	kinds := map[pb.Aggregate_GroupType]string{pb.Aggregate_GROUP_TYPE_GROUPBY: "groupby", pb.Aggregate_GROUP_TYPE_ROLLUP: "rollup",
		pb.Aggregate_GROUP_TYPE_CUBE: "cube", pb.Aggregate_GROUP_TYPE_PIVOT: "pivot", pb.Aggregate_GROUP_TYPE_GROUPING_SETS: "sets"}
	out := &plan.Aggregate{Input: in, Kind: kinds[a.GroupType]}
	if out.Kind == "" {
		return nil, badEnum("spark.connect.Aggregate.GroupType", a.GroupType)
	}
	if out.Group, err = d.exprs(a.GroupingExpressions); err != nil {
		return nil, err
	}
	if out.Aggs, err = d.exprs(a.AggregateExpressions); err != nil {
		return nil, err
	}
	for _, s := range a.GroupingSets {
		es, err := d.exprs(s.GroupingSet)
		if err != nil {
			return nil, err
		}
		out.Sets = append(out.Sets, es)
	}
	if a.Pivot != nil {
		if out.PivotCol, err = d.expr(a.Pivot.Col); err != nil {
			return nil, err
		}
		vals, err := plainLiterals(a.Pivot.Values)
		if err != nil {
			return nil, err
		}
		for _, v := range vals {
			out.PivotValues = append(out.PivotValues, v)
		}
	}
	return out, nil
}

func (d *decoder) sql(s *pb.SQL) (plan.Relation, error) {
	out := &plan.SQL{Query: s.Query, Named: map[string]plan.Expr{}}
	var err error
	for k, v := range s.NamedArguments {
		if out.Named[k], err = d.expr(v); err != nil {
			return nil, err
		}
	}
	for k, v := range s.Args {
		if out.Named[k], err = literal(v); err != nil {
			return nil, err
		}
	}
	if out.Pos, err = d.exprs(s.PosArguments); err != nil {
		return nil, err
	}
	for _, v := range s.PosArgs {
		l, err := literal(v)
		if err != nil {
			return nil, err
		}
		out.Pos = append(out.Pos, l)
	}
	return out, nil
}

func (d *decoder) cachedLocal(hash string) (plan.Relation, error) {
	data, err := d.artifact(hash)
	if err != nil {
		return nil, err
	}
	l := &pb.LocalRelation{}
	if err := proto.Unmarshal(data, l); err != nil {
		return nil, sparkerr.InvalidPlan("CANNOT_PARSE", "errorMsg", err.Error())
	}
	return &plan.Local{Data: l.Data, Schema: l.GetSchema()}, nil
}

// chunkedLocal joins the Arrow streams of a local relation that was sent in pieces.
func (d *decoder) chunkedLocal(c *pb.ChunkedCachedLocalRelation) (plan.Relation, error) {
	schema := ""
	if c.SchemaHash != nil {
		b, err := d.artifact(*c.SchemaHash)
		if err != nil {
			return nil, err
		}
		schema = string(b)
	}
	var out plan.Relation
	for _, h := range c.DataHashes {
		b, err := d.artifact(h)
		if err != nil {
			return nil, err
		}
		l := &plan.Local{Data: b, Schema: schema}
		if out == nil {
			out = l
		} else {
			out = &plan.SetOp{Left: out, Right: l, Op: "union", All: true}
		}
	}
	if out == nil {
		return nil, sparkerr.InvalidPlan("CHUNKED_CACHED_LOCAL_RELATION_WITHOUT_DATA")
	}
	return out, nil
}

func (d *decoder) rename(w *pb.WithColumnsRenamed) (plan.Relation, error) {
	in, err := d.relation(w.Input)
	if err != nil {
		return nil, err
	}
	out := &plan.Rename{Input: in}
	for _, r := range w.Renames {
		out.From, out.To = append(out.From, r.ColName), append(out.To, r.NewColName)
	}
	for k, v := range w.RenameColumnsMap {
		out.From, out.To = append(out.From, k), append(out.To, v)
	}
	return out, nil
}

func (d *decoder) unpivot(u *pb.Unpivot) (plan.Relation, error) {
	in, err := d.relation(u.Input)
	if err != nil {
		return nil, err
	}
	out := &plan.Unpivot{Input: in, Variable: u.VariableColumnName, ValueName: u.ValueColumnName, HasValues: u.Values != nil}
	if out.Ids, err = d.exprs(u.Ids); err != nil {
		return nil, err
	}
	if u.Values != nil {
		out.Values, err = d.exprs(u.Values.Values)
	}
	return out, err
}

func (d *decoder) replace(r *pb.NAReplace) (plan.Relation, error) {
	in, err := d.relation(r.Input)
	if err != nil {
		return nil, err
	}
	out := &plan.ReplaceNA{Input: in, Columns: r.Cols}
	for _, x := range r.Replacements {
		old, err := literal(x.OldValue)
		if err != nil {
			return nil, err
		}
		to, err := literal(x.NewValue)
		if err != nil {
			return nil, err
		}
		out.Old, out.New = append(out.Old, old), append(out.New, to)
	}
	return out, nil
}

func (d *decoder) groupMap(g *pb.GroupMap) (plan.Relation, error) {
	if g.TransformWithStateInfo != nil || g.IsMapGroupsWithState != nil {
		return nil, sparkerr.Unsupported("stateful functions of groups")
	}
	in, err := d.relation(g.Input)
	if err != nil {
		return nil, err
	}
	out := &plan.GroupMap{Input: in}
	if out.Group, err = d.exprs(g.GroupingExpressions); err != nil {
		return nil, err
	}
	out.Func, err = d.udf(g.Func)
	return out, err
}

func (d *decoder) coGroup(g *pb.CoGroupMap) (plan.Relation, error) {
	in, err := d.relation(g.Input)
	if err != nil {
		return nil, err
	}
	other, err := d.relation(g.Other)
	if err != nil {
		return nil, err
	}
	out := &plan.GroupMap{Input: in, Other: other}
	if out.Group, err = d.exprs(g.InputGroupingExpressions); err != nil {
		return nil, err
	}
	if out.OtherGroup, err = d.exprs(g.OtherGroupingExpressions); err != nil {
		return nil, err
	}
	out.Func, err = d.udf(g.Func)
	return out, err
}

func mlParams(p *pb.MlParams) (map[string]any, error) {
	out := map[string]any{}
	for k, l := range p.GetParams() {
		v, err := mlValue(l)
		if err != nil {
			return nil, fmt.Errorf("parameter %s: %w", k, err)
		}
		out[k] = v
	}
	return out, nil
}

func (d *decoder) ml(m *pb.MlRelation) (plan.Relation, error) {
	switch k := m.MlType.(type) {
	case *pb.MlRelation_Transform_:
		in, err := d.relation(k.Transform.Input)
		if err != nil {
			return nil, err
		}
		out := &plan.Transform{Input: in, ObjectID: k.Transform.GetObjRef().GetId()}
		if op := k.Transform.GetTransformer(); op != nil {
			out.Class, out.UID = op.Name, op.Uid
		}
		out.Params, err = mlParams(k.Transform.Params)
		return out, err
	case *pb.MlRelation_Fetch:
		f, err := d.fetch(k.Fetch)
		if err != nil {
			return nil, err
		}
		if m.ModelSummaryDataset != nil {
			f.Dataset, err = d.relation(m.ModelSummaryDataset)
		}
		return f, err
	}
	return nil, unknownCase("spark.connect.MlRelation", m.MlType, "MLTYPE_NOT_SET", "the ML relation")
}

func (d *decoder) fetch(f *pb.Fetch) (*plan.Fetch, error) {
	out := &plan.Fetch{ObjectID: f.GetObjRef().GetId()}
	for _, m := range f.Methods {
		step := plan.Method{Name: m.Method}
		for _, a := range m.Args {
			var v any
			var err error
			if r := a.GetInput(); r != nil {
				v, err = d.relation(r)
			} else {
				v, err = mlValue(a.GetParam())
			}
			if err != nil {
				return nil, err
			}
			step.Args = append(step.Args, v)
		}
		out.Methods = append(out.Methods, step)
	}
	return out, nil
}

func catalog(c *pb.Catalog) (plan.Relation, error) {
	out := &plan.Catalog{Args: map[string]string{}}
	m := c.ProtoReflect()
	field := m.WhichOneof(m.Descriptor().Oneofs().ByName("cat_type"))
	if field == nil {
		return nil, unknownCase("spark.connect.Catalog", c.CatType, "CATTYPE_NOT_SET", "the catalog method")
	}
	out.Method = string(field.Message().Name())
	var failed error
	m.Get(field).Message().Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		name := string(f.Name())
		switch {
		case f.IsMap():
			v.Map().Range(func(k protoreflect.MapKey, x protoreflect.Value) bool {
				out.Args[name+"."+k.String()] = x.String()
				return true
			})
		case f.Kind() == protoreflect.MessageKind:
			if t, ok := v.Message().Interface().(*pb.DataType); ok {
				st, err := typeFromProto(t)
				failed = err
				if err == nil {
					out.Args[name] = types.ToJSON(st)
				}
			}
		default:
			out.Args[name] = v.String()
		}
		return failed == nil
	})
	return out, failed
}
