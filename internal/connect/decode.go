package connect

import (
	"fmt"
	"strings"

	"github.com/klauspost/compress/zstd"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	pb "github.com/millpond/millpond/internal/gen/spark/connect"
	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/sparkerr"
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
	case *pb.Relation_AsOfJoin:
		return d.asOf(k.AsOfJoin)
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
		return &plan.Range{Start: k.Range.GetStart(), End: k.Range.End, Step: k.Range.Step, Partitions: count(k.Range.NumPartitions)}, nil
	}
	return d.shaping(p)
}

func (d *decoder) optional(p *pb.Relation) (plan.Relation, error) {
	if p == nil {
		return nil, nil
	}
	return d.relation(p)
}
