package pyworker

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"io"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/google/go-cmp/cmp"

	"github.com/millpond/millpond/internal/types"
)

// plain makes bytes readable: printable ones as they are, others as \xx.
func plain(b []byte) string {
	var s strings.Builder
	for _, c := range b {
		if c >= ' ' && c <= '~' && c != '\\' {
			s.WriteByte(c)
		} else {
			s.WriteString(`\` + hex.EncodeToString([]byte{c}))
		}
	}
	return s.String()
}

func TestTaskMessage(t *testing.T) {
	k := task{evalType: 200, python: "3.11", filesDir: "/f", includes: []string{"a.zip"}, partition: 2, attempt: 9,
		conf: [][2]string{{"k", "v"}}, evalConf: [][2]string{{"e", "w"}},
		functions: []function{{command: []byte("PICKLE"), args: []argument{{place: 0}, {place: 3, name: "by"}}}, {command: []byte("Q")}}}
	got, err := k.encode()
	if err != nil {
		t.Fatal(err)
	}
	context := `{"isBarrier":false,"connInfo":null,"secret":null,"stageId":0,"partitionId":2,"attemptNumber":0,"taskAttemptId":9,"cpus":1,"cpuAmount":"1","resources":{},"localProperties":{}}`
	want := `\ff\ff\ff\f8\00\00\019` + // start of the message, its length
		`\00\00\00\02` + `\00\00\00\043.11` + `\00\00\00\ae` + context +
		`\00\00\00\02/f` + `\00\00\00\01\00\00\00\05a.zip` +
		`\00\00\00\00\00` + // broadcasts
		`\00\00\00\c8` +
		`\00\00\00\01\00\00\00\01k\00\00\00\01v` + `\00\00\00\01\00\00\00\01e\00\00\00\01w` +
		`\00\00\00\02` +
		`\00\00\00\02` + `\00\00\00\00\00` + `\00\00\00\03\01\00\00\00\02by` + `\00\00\00\01` + `\00\00\00\06PICKLE` + `\00\00\00\00\00\00\00\00` +
		`\00\00\00\00` + `\00\00\00\01` + `\00\00\00\01Q` + `\00\00\00\00\00\00\00\01`
	if d := cmp.Diff(want, plain(got)); d != "" {
		t.Error(d)
	}
}

func TestPickleRows(t *testing.T) {
	s := types.Struct{Fields: []types.Field{{Name: "a", Type: types.Int, Nullable: true}, {Name: "b", Type: types.String, Nullable: true}, {Name: "c", Type: types.Boolean, Nullable: true}}}
	as, err := types.SchemaToArrow(s, "UTC")
	if err != nil {
		t.Fatal(err)
	}
	b, _, err := array.RecordFromJSON(mem, as, strings.NewReader(`[{"a":1,"b":"x","c":true},{"a":-70000,"b":null,"c":false}]`))
	if err != nil {
		t.Fatal(err)
	}
	cols := make([]cell, 3)
	for i := range cols {
		if cols[i], err = cells(b.Column(i), s.Fields[i].Type); err != nil {
			t.Fatal(err)
		}
	}
	frame := pickleRows(cols, 0, 2)
	if want, got := `\80\04](K\01X\01\00\00\00x\88\87J\90\ee\fe\ffN\89\87e.`, plain(frame); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	v, err := unpickle(frame)
	if err != nil {
		t.Fatal(err)
	}
	want := &pyList{[]any{&pyTuple{items: []any{int64(1), "x", true}}, &pyTuple{items: []any{int64(-70000), nil, false}}}}
	if d := cmp.Diff(want, v, cmp.AllowUnexported(pyList{}, pyTuple{})); d != "" {
		t.Error(d)
	}
}

// TestUnpickle reads what CPython writes, protocol 5.
func TestUnpickle(t *testing.T) {
	for _, c := range []struct{ name, hex, text string }{
		{"numbers", "80059527000000000000005d94284b014d2c014afffeffff8a060000000000014740040000000000004affffffff4b00652e", "[1, 300, -257, 1099511627776, 2.5, -1, 0]"},
		{"large", "8005951b000000000000005d94288a090000000000000000408a090000000000000000c0652e", "[1180591620717411303424, -1180591620717411303424]"},
		{"words", "8005951500000000000000288c016194430262639488894e8c02c3a99474942e", "[a, bc, true, false, null, é]"},
		{"repeated", "80059514000000000000005d94288c03777777945d9468016168016802652e", "[www, [www], www, [www]]"},
		{"decimal", "80059534000000000000005d94288c07646563696d616c948c07446563696d616c9493948c04312e3235948594529468038c052d33452b359485945294652e", "[1.25, -3E+5]"},
		{"moments", "80059551000000000000005d94288c086461746574696d65948c0464617465949394430407e40102948594529468018c086461746574696d65949394430a07e40102030405000006948594529468034304000101019485945294652e", "[2020-01-02, 2020-01-02 03:04:05.000006, 0001-01-01]"},
		{"row", "80059557000000000000005d94288c117079737061726b2e73716c2e7479706573948c0b5f6372656174655f726f779493945d94288c0161948c016294654b018c01789486948694529468035d942868056806654b028c017994869486945294652e", "[[1, x], [2, y]]"},
		{"dict", "8005951a000000000000005d94287d94288c0161944b018c0162945d944b0261757d94652e", "[{a=1, b=[2]}, {}]"},
		{"set", "8005951b000000000000005d94288f94284b0190284b0291949601000000000000007a94652e", "[[1], [2], z]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b, err := hex.DecodeString(c.hex)
			if err != nil {
				t.Fatal(err)
			}
			v, err := unpickle(b)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := textOf(v); got != c.text || err != nil {
				t.Errorf("got %s %v, want %s", got, err, c.text)
			}
		})
	}
}

func TestNumbersAsText(t *testing.T) {
	for v, want := range map[float64]string{1: "1.0", 1e20: "1.0E20", 0.001: "0.001", 0.0001: "1.0E-4", 12345678: "1.2345678E7", -0.5: "-0.5"} {
		if got := types.FormatDouble(v, 64); got != want {
			t.Errorf("%v: got %s, want %s", v, got, want)
		}
	}
	for want, in := range map[string]struct {
		v     int64
		scale int
	}{"-0.05": {-5, 2}, "12": {12, 0}, "1.20": {120, 2}, "0.000": {0, 3}} {
		if got := decimalText(big.NewInt(in.v), in.scale); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	if got := (pyPoint{year: 1969, month: 12, day: 31, hour: 23, date: false}).micros(time.UTC); got != -3_600_000_000 {
		t.Errorf("got %d", got)
	}
}

func FuzzUnpickle(f *testing.F) {
	p := newPickler()
	p.list(2, func(i int) {
		p.dict(1, func(int) { p.str("k"); p.decimal(big.NewInt(125), 2) })
	})
	f.Add(p.end())
	p = newPickler()
	p.tuple(4, func(i int) { p.date(int32(i)); p.bytes([]byte("x")); p.timedelta(5); p.datetime(time.Unix(0, 0)) })
	f.Add(p.end())
	f.Add([]byte(warmCommand))
	list := types.Array{Elem: types.Struct{Fields: []types.Field{{Name: "a", Type: types.Decimal{Precision: 10, Scale: 2}}, {Name: "m", Type: types.Map{Key: types.String, Value: types.Timestamp}}}}}
	f.Fuzz(func(t *testing.T, b []byte) {
		v, err := unpickle(b)
		if err != nil {
			return
		}
		_, _ = textOf(v)
		for _, typ := range []types.Type{list, types.Long, types.Date, types.Vector} {
			dt, err := types.ToArrow(typ, "UTC")
			if err != nil {
				t.Fatal(err)
			}
			bd := array.NewBuilder(mem, dt)
			add, err := puts(bd, typ)
			if err != nil {
				t.Fatal(err)
			}
			if add(v) == nil && bd.NewArray().Len() != 1 {
				t.Errorf("no value of %s from %x", typ.SimpleString(), b)
			}
		}
	})
}

// FuzzReceive reads what a worker sends.
func FuzzReceive(f *testing.F) {
	end := &wire{}
	end.int(markTiming)
	for range 6 {
		end.long(1)
	}
	end.int(markEndOfData)
	end.int(1)
	end.bytes([]byte("acc"))
	end.int(markEndOfStream)
	f.Add(end.b)
	x := &wire{}
	x.int(markException)
	x.text("Traceback")
	f.Add(x.b)
	x = &wire{}
	x.bytes([]byte("\x80\x04]."))
	f.Add(append(x.b, end.b...))
	st := types.Struct{Fields: []types.Field{{Name: "_0", Type: types.Array{Elem: types.String}, Nullable: true}, {Name: "_1", Type: types.Vector, Nullable: true}}}
	as, err := types.SchemaToArrow(st, "UTC")
	if err != nil {
		f.Fatal(err)
	}
	b, _, err := array.RecordFromJSON(mem, as, strings.NewReader(`[{"_0":["x",null],"_1":{"type":1,"values":[1,2]}},{"_0":null,"_1":null}]`))
	if err != nil {
		f.Fatal(err)
	}
	x = &wire{}
	x.int(markArrow)
	buf := bytes.NewBuffer(x.b)
	if err := ipcStream(buf, as, []arrow.RecordBatch{b}, func(b arrow.RecordBatch) (arrow.RecordBatch, error) { return b, nil }); err != nil {
		f.Fatal(err)
	}
	f.Add(append(buf.Bytes(), end.b...))
	f.Fuzz(func(t *testing.T, b []byte) {
		w := &worker{in: source{bufio.NewReader(io.LimitReader(bytes.NewReader(b), 1<<20))}}
		_, _ = w.receive(receiver{
			batch: func(r arrow.RecordBatch) error {
				for _, c := range r.Columns() {
					for i := range min(c.Len(), 100) {
						_ = c.ValueStr(i)
					}
				}
				return nil
			},
			frame: func(f []byte) error { _, err := unpickle(f); return err },
		})
	})
}
