package connect

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"

	"github.com/millpond/millpond/internal/engine"
	pb "github.com/millpond/millpond/internal/gen/spark/connect"
	_ "github.com/millpond/millpond/internal/ml/classification"
	_ "github.com/millpond/millpond/internal/ml/feature"
	_ "github.com/millpond/millpond/internal/ml/regression"
	"github.com/millpond/millpond/internal/plan"
)

// captured gives the plans that a real client sent.
func captured(t testing.TB) []*pb.Plan {
	t.Helper()
	files, err := filepath.Glob("testdata/plans/*.txtpb")
	if err != nil || len(files) == 0 {
		t.Fatalf("no captured plans: %v", err)
	}
	var out []*pb.Plan
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		read := prototext.UnmarshalOptions{DiscardUnknown: true}
		if strings.Contains(f, "AnalyzePlan") {
			r := &pb.AnalyzePlanRequest{}
			if err := read.Unmarshal(text, r); err != nil {
				t.Fatalf("%s: %v", f, err)
			}
			if p := r.GetSchema().GetPlan(); p != nil {
				out = append(out, p)
			}
			continue
		}
		r := &pb.ExecutePlanRequest{}
		if err := read.Unmarshal(text, r); err != nil {
			t.Fatalf("%s: %v", f, err)
		}
		out = append(out, r.Plan)
	}
	return out
}

func testSession(t testing.TB) *session {
	t.Helper()
	e, err := engine.Open(engine.Options{DataDir: t.TempDir(), Threads: 1, MemoryBytes: 256 << 20, TimeZone: "UTC"})
	if err != nil {
		t.Fatal(err)
	}
	s := New(e, Options{})
	t.Cleanup(func() { s.Close(); e.Close() })
	return s.newSession(e.NewSession("00112233-4455-6677-8899-aabbccddeeff", ""))
}

// FuzzPlan decodes and analyses plans: whatever they say, the answer is a schema or an error.
func FuzzPlan(f *testing.F) {
	for _, p := range captured(f) {
		b, err := proto.Marshal(p)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	x := testSession(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		p := &pb.Plan{}
		if proto.Unmarshal(data, p) != nil {
			return
		}
		p, err := unpack(p)
		if err != nil {
			return
		}
		d := x.decoder()
		rel := relationOf(d, p)
		if rel == nil {
			return
		}
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		schema, err := x.Schema(ctx, rel)
		if err != nil {
			if e := sparkError(err); e.Message == "" {
				t.Errorf("an error without a message: %#v", e)
			}
			return
		}
		schemaToProto(schema)
	})
}

func relationOf(d *decoder, p *pb.Plan) plan.Relation {
	in := p.GetRoot()
	c := p.GetCommand()
	switch {
	case c.GetMlCommand().GetFit() != nil:
		if _, err := mlParams(c.GetMlCommand().GetFit().Params); err != nil {
			return nil
		}
		in = c.GetMlCommand().GetFit().Dataset
	case c.GetSqlCommand() != nil:
		in = c.GetSqlCommand().Input
	case c.GetWriteOperation() != nil:
		in = c.GetWriteOperation().Input
	case c.GetCreateDataframeView() != nil:
		in = c.GetCreateDataframeView().Input
	}
	r, err := d.relation(in)
	if err != nil {
		return nil
	}
	return r
}

// FuzzLiteral reads constants and ML's parameters off the wire.
func FuzzLiteral(f *testing.F) {
	seeds := []*pb.Expression_Literal{
		{LiteralType: &pb.Expression_Literal_Decimal_{Decimal: &pb.Expression_Literal_Decimal{Value: "12.5"}}},
		{LiteralType: &pb.Expression_Literal_Decimal_{Decimal: &pb.Expression_Literal_Decimal{Value: "1e30"}}},
		doublesLit([]float64{1, 2}), intsLit([]int32{3}), intLit(4), byteLit(1),
	}
	for _, s := range seeds {
		b, err := proto.Marshal(s)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		p := &pb.Expression_Literal{}
		if proto.Unmarshal(data, p) != nil {
			return
		}
		if l, err := literal(p); err == nil && l.Type == nil {
			t.Error("a literal without a type")
		}
		v, err := mlValue(p)
		if err != nil {
			return
		}
		_, _ = mlLiteral(v) // not every constant is a value of ML
	})
}

// FuzzLocalRelation reads Arrow data that a client sent and runs it.
func FuzzLocalRelation(f *testing.F) {
	schema := arrow.NewSchema([]arrow.Field{{Name: "i", Type: arrow.PrimitiveTypes.Int32, Nullable: true}, {Name: "s", Type: arrow.BinaryTypes.String, Nullable: true},
		{Name: "l", Type: arrow.ListOf(arrow.PrimitiveTypes.Float64), Nullable: true}}, nil)
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	b.Field(0).(*array.Int32Builder).AppendValues([]int32{1, 2}, nil)
	b.Field(1).(*array.StringBuilder).AppendValues([]string{"a", "b"}, []bool{true, false})
	lb := b.Field(2).(*array.ListBuilder)
	lb.AppendNull()
	lb.Append(true)
	lb.ValueBuilder().(*array.Float64Builder).Append(1)
	rec := b.NewRecordBatch()
	var buf strings.Builder
	w := ipc.NewWriter(&buf, ipc.WithSchema(schema))
	if err := w.Write(rec); err != nil {
		f.Fatal(err)
	}
	if err := w.Close(); err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(buf.String()), "")
	f.Add([]byte(buf.String()), "i int, s string, l array<double>")
	f.Add([]byte{}, "a int")
	x := testSession(f)
	f.Fuzz(func(t *testing.T, data []byte, ddl string) {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		res, err := x.Run(ctx, &plan.Local{Data: data, Schema: ddl})
		if err != nil {
			return
		}
		defer res.Close()
		enc, err := newEncoder(res.Schema, "UTC")
		if err != nil {
			return
		}
		for {
			batch, err := res.Next(ctx)
			if err != nil {
				return
			}
			if _, err := enc.encode(batch); err != nil {
				return
			}
		}
	})
}

// FuzzArtifactName stores under names as clients give them: nothing lands outside the session's
// directory.
func FuzzArtifactName(f *testing.F) {
	for _, s := range []string{"pyfiles/a.py", "cache/" + strings.Repeat("a", 64), "files/../x", "/etc/passwd", "archives/a.zip#env", "files/a/../../../b", "files/.", "pyfiles//a", "files/\x00", `files\..\x`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		clean, alias, err := cleanArtifact(name)
		if err != nil {
			return
		}
		if !filepath.IsLocal(clean) || !artifactKinds[strings.SplitN(clean, "/", 2)[0]] {
			t.Fatalf("%q became %q", name, clean)
		}
		dir := filepath.Join(t.TempDir(), "session")
		a := &artifacts{dir: dir}
		file, commit, err := a.create(clean)
		if err != nil {
			return // too long for the file system, say
		}
		if _, err := file.WriteString("x"); err != nil {
			t.Fatal(err)
		}
		if err := commit(); err == nil {
			if _, err := os.Stat(filepath.Join(dir, filepath.FromSlash(clean))); err != nil {
				t.Errorf("%q is not where it should be: %v", name, err)
			}
		}
		_ = a.unpack(clean, alias) // it is no archive; it must not write elsewhere
		entries, err := os.ReadDir(filepath.Dir(dir))
		if err != nil || len(entries) != 1 || entries[0].Name() != "session" {
			t.Fatalf("%q left %v beside the session", name, entries)
		}
	})
}

func TestCapturedPlansDecode(t *testing.T) {
	x := testSession(t)
	for _, p := range captured(t) {
		if r := p.GetRoot(); r != nil {
			if _, err := x.decoder().relation(r); err != nil {
				t.Errorf("%v: %v", r, err)
			}
		}
	}
}
