package connect

import (
	"strings"

	pb "github.com/millpond/millpond/internal/gen/spark/connect"
	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

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
		kind := "coalesce"
		if k.Repartition.GetShuffle() {
			kind = "deal"
		}
		return &plan.Repartition{Input: in, Kind: kind, Partitions: count(&k.Repartition.NumPartitions)}, err
	case *pb.Relation_RepartitionByExpression:
		return d.repartition(k.RepartitionByExpression)
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
		if err != nil {
			return nil, err
		}
		params, err := d.exprs(k.Hint.Parameters)
		return &plan.Hint{Input: in, Name: k.Hint.Name, Params: params}, err
	case *pb.Relation_Parse:
		return d.parse(k.Parse)
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

func (d *decoder) repartition(r *pb.RepartitionByExpression) (plan.Relation, error) {
	in, err := d.relation(r.Input)
	if err != nil {
		return nil, err
	}
	out := &plan.Repartition{Input: in, Kind: "by", Partitions: count(r.NumPartitions)}
	by := r.PartitionExprs
	if len(by) == 1 && by[0].GetDirectShufflePartitionId() != nil {
		out.Kind, by = "id", []*pb.Expression{by[0].GetDirectShufflePartitionId().Child}
	}
	out.Exprs, err = d.exprs(by)
	return out, err
}

// count reads a number that need not be there.
func count(n *int32) *int {
	if n == nil {
		return nil
	}
	out := int(*n)
	return &out
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

var parseFormats = map[pb.Parse_ParseFormat]string{pb.Parse_PARSE_FORMAT_CSV: "csv", pb.Parse_PARSE_FORMAT_JSON: "json"}

func (d *decoder) parse(p *pb.Parse) (plan.Relation, error) {
	in, err := d.relation(p.Input)
	if err != nil {
		return nil, err
	}
	format, ok := parseFormats[p.Format]
	if !ok {
		return nil, sparkerr.Unsupported("parsing rows by %s", p.Format)
	}
	out := &plan.Parse{Input: in, Format: format, Options: lowerKeys(p.Options)}
	if p.Schema != nil {
		t, err := typeFromProto(p.Schema)
		if err != nil {
			return nil, err
		}
		out.Schema = types.ToJSON(t)
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
