package connect

import (
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	pb "github.com/millpond/millpond/internal/gen/spark/connect"
	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

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

func lowerKeys(m map[string]string) map[string]string {
	out := make(map[string]string, len(m))
	for k, v := range m {
		out[strings.ToLower(k)] = v
	}
	return out
}
