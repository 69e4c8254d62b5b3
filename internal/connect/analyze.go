package connect

import (
	"context"
	"fmt"
	"hash/fnv"
	"strings"

	pb "github.com/millpond/millpond/internal/gen/spark/connect"

	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

// AnalyzePlan answers questions about a plan without running it.
func (s *Server) AnalyzePlan(ctx context.Context, r *pb.AnalyzePlanRequest) (out *pb.AnalyzePlanResponse, err error) {
	x, err := s.session(r)
	if err != nil {
		return nil, err
	}
	defer func() {
		if p := recover(); p != nil {
			err = x.panicked(p)
		}
		if err != nil {
			out, err = nil, toStatus(err, &x.errs)
		}
	}()
	out = &pb.AnalyzePlanResponse{SessionId: r.SessionId, ServerSideSessionId: x.Server}
	return out, x.analyze(ctx, r, out)
}

func (x *session) root(p *pb.Plan) (plan.Relation, error) {
	p, err := unpack(p)
	if err != nil {
		return nil, err
	}
	return x.decoder().relation(p.GetRoot())
}

func (x *session) schemaOf(ctx context.Context, p *pb.Plan) (types.Struct, error) {
	r, err := x.root(p)
	if err != nil {
		return types.Struct{}, err
	}
	return x.Schema(ctx, r)
}

func (x *session) analyze(ctx context.Context, r *pb.AnalyzePlanRequest, out *pb.AnalyzePlanResponse) error {
	switch k := r.GetAnalyze().(type) {
	case *pb.AnalyzePlanRequest_Schema_:
		s, err := x.schemaOf(ctx, k.Schema.Plan)
		out.Result = &pb.AnalyzePlanResponse_Schema_{Schema: &pb.AnalyzePlanResponse_Schema{Schema: schemaToProto(s)}}
		return err
	case *pb.AnalyzePlanRequest_Explain_:
		rel, err := x.root(k.Explain.Plan)
		if err != nil {
			return err
		}
		text, err := x.Explain(ctx, rel, k.Explain.ExplainMode == pb.AnalyzePlanRequest_Explain_EXPLAIN_MODE_EXTENDED)
		out.Result = &pb.AnalyzePlanResponse_Explain_{Explain: &pb.AnalyzePlanResponse_Explain{ExplainString: text}}
		return err
	case *pb.AnalyzePlanRequest_TreeString_:
		s, err := x.schemaOf(ctx, k.TreeString.Plan)
		out.Result = &pb.AnalyzePlanResponse_TreeString_{TreeString: &pb.AnalyzePlanResponse_TreeString{TreeString: treeString(s, int(k.TreeString.GetLevel()))}}
		return err
	case *pb.AnalyzePlanRequest_IsLocal_:
		rel, err := x.root(k.IsLocal.Plan)
		if err != nil {
			return err
		}
		_, local := rel.(*plan.Local)
		out.Result = &pb.AnalyzePlanResponse_IsLocal_{IsLocal: &pb.AnalyzePlanResponse_IsLocal{IsLocal: local}}
	case *pb.AnalyzePlanRequest_IsStreaming_:
		if _, err := x.root(k.IsStreaming.Plan); err != nil {
			return err
		}
		out.Result = &pb.AnalyzePlanResponse_IsStreaming_{IsStreaming: &pb.AnalyzePlanResponse_IsStreaming{}}
	case *pb.AnalyzePlanRequest_SparkVersion_:
		out.Result = &pb.AnalyzePlanResponse_SparkVersion_{SparkVersion: &pb.AnalyzePlanResponse_SparkVersion{Version: SparkVersion}}
	default:
		return x.analyzeMore(ctx, r, out)
	}
	return nil
}

func (x *session) analyzeMore(ctx context.Context, r *pb.AnalyzePlanRequest, out *pb.AnalyzePlanResponse) error {
	switch k := r.GetAnalyze().(type) {
	case *pb.AnalyzePlanRequest_DdlParse:
		t, err := types.ParseDDL(k.DdlParse.DdlString)
		if name, ok := strings.CutPrefix(fmt.Sprint(err), `unknown type "`); ok {
			return sparkerr.New(sparkerr.ClassParse, "UNSUPPORTED_DATATYPE", "typeName", `"`+strings.ToUpper(strings.TrimSuffix(name, `"`))+`"`)
		}
		if err != nil {
			return sparkerr.New(sparkerr.ClassParse, "PARSE_SYNTAX_ERROR", "error", "'"+k.DdlParse.DdlString+"'", "hint", "")
		}
		out.Result = &pb.AnalyzePlanResponse_DdlParse{DdlParse: &pb.AnalyzePlanResponse_DDLParse{Parsed: typeToProto(t)}}
	case *pb.AnalyzePlanRequest_JsonToDdl:
		t, err := types.FromJSON([]byte(k.JsonToDdl.JsonString))
		if err != nil {
			return sparkerr.IllegalArgument("%v", err)
		}
		out.Result = &pb.AnalyzePlanResponse_JsonToDdl{JsonToDdl: &pb.AnalyzePlanResponse_JsonToDDL{DdlString: types.ToDDL(t)}}
	case *pb.AnalyzePlanRequest_InputFiles_:
		rel, err := x.root(k.InputFiles.Plan)
		if err != nil {
			return err
		}
		files, err := x.InputFiles(ctx, rel)
		out.Result = &pb.AnalyzePlanResponse_InputFiles_{InputFiles: &pb.AnalyzePlanResponse_InputFiles{Files: files}}
		return err
	case *pb.AnalyzePlanRequest_SameSemantics_:
		a, err := x.root(k.SameSemantics.TargetPlan)
		if err != nil {
			return err
		}
		b, err := x.root(k.SameSemantics.OtherPlan)
		if err != nil {
			return err
		}
		out.Result = &pb.AnalyzePlanResponse_SameSemantics_{SameSemantics: &pb.AnalyzePlanResponse_SameSemantics{Result: x.Fingerprint(a) == x.Fingerprint(b)}}
	case *pb.AnalyzePlanRequest_SemanticHash_:
		rel, err := x.root(k.SemanticHash.Plan)
		if err != nil {
			return err
		}
		h := fnv.New32a()
		fmt.Fprint(h, x.Fingerprint(rel))
		out.Result = &pb.AnalyzePlanResponse_SemanticHash_{SemanticHash: &pb.AnalyzePlanResponse_SemanticHash{Result: int32(h.Sum32())}}
	case *pb.AnalyzePlanRequest_Persist_:
		rel, err := x.decoder().relation(k.Persist.Relation)
		if err != nil {
			return err
		}
		out.Result = &pb.AnalyzePlanResponse_Persist_{Persist: &pb.AnalyzePlanResponse_Persist{}}
		return x.Persist(ctx, rel, levelName(k.Persist.StorageLevel))
	case *pb.AnalyzePlanRequest_Unpersist_:
		rel, err := x.decoder().relation(k.Unpersist.Relation)
		if err != nil {
			return err
		}
		x.Unpersist(rel)
		out.Result = &pb.AnalyzePlanResponse_Unpersist_{Unpersist: &pb.AnalyzePlanResponse_Unpersist{}}
	case *pb.AnalyzePlanRequest_GetStorageLevel_:
		rel, err := x.decoder().relation(k.GetStorageLevel.Relation)
		if err != nil {
			return err
		}
		out.Result = &pb.AnalyzePlanResponse_GetStorageLevel_{GetStorageLevel: &pb.AnalyzePlanResponse_GetStorageLevel{StorageLevel: level(x.StorageLevel(rel))}}
	default:
		if r.GetAnalyze() == nil {
			return sparkerr.InvalidPlan("UNKNOWN_ANALYZE_METHOD", "other", "ANALYZE_NOT_SET")
		}
		return sparkerr.Unsupported("the analysis %s", typeName(r.GetAnalyze()))
	}
	return nil
}

// levelName keeps a storage level as text: its flags in the order of the message.
func levelName(l *pb.StorageLevel) string {
	if l == nil {
		return "true true false true 1"
	}
	return fmt.Sprint(l.UseDisk, l.UseMemory, l.UseOffHeap, l.Deserialized, l.Replication)
}

func level(text string) *pb.StorageLevel {
	l := &pb.StorageLevel{Replication: 1}
	if text == "MEMORY_AND_DISK" {
		text = levelName(nil)
	}
	// A relation that is not persisted has no level: the text is empty and nothing is read.
	_, _ = fmt.Sscan(text, &l.UseDisk, &l.UseMemory, &l.UseOffHeap, &l.Deserialized, &l.Replication)
	return l
}

// treeString prints a schema as printSchema does; level 0 is all of it.
func treeString(s types.Struct, level int) string {
	var b strings.Builder
	b.WriteString("root\n")
	treeFields(&b, s, " |", 1, level)
	return b.String()
}

func treeFields(b *strings.Builder, s types.Struct, prefix string, depth, level int) {
	for _, f := range s.Fields {
		fmt.Fprintf(b, "%s-- %s: %s (nullable = %t)\n", prefix, f.Name, treeName(f.Type), f.Nullable)
		treeNested(b, f.Type, prefix+"    |", depth+1, level)
	}
}

func treeNested(b *strings.Builder, t types.Type, prefix string, depth, level int) {
	if level > 0 && depth > level {
		return
	}
	switch t := t.(type) {
	case types.Struct:
		treeFields(b, t, prefix, depth, level)
	case types.Array:
		fmt.Fprintf(b, "%s-- element: %s (containsNull = %t)\n", prefix, treeName(t.Elem), t.ContainsNull)
		treeNested(b, t.Elem, prefix+"    |", depth+1, level)
	case types.Map:
		fmt.Fprintf(b, "%s-- key: %s\n", prefix, treeName(t.Key))
		treeNested(b, t.Key, prefix+"    |", depth+1, level)
		fmt.Fprintf(b, "%s-- value: %s (valueContainsNull = %t)\n", prefix, treeName(t.Value), t.ValueContainsNull)
		treeNested(b, t.Value, prefix+"    |", depth+1, level)
	}
}

func treeName(t types.Type) string {
	if u, ok := t.(*types.UDT); ok {
		return u.SimpleString()
	}
	return t.TypeName()
}
