package types

import "testing"

func TestDDLAndJSONAgree(t *testing.T) {
	for _, c := range []struct{ ddl, simple string }{
		{"int", "int"}, {"BIGINT", "bigint"}, {"decimal(10,2)", "decimal(10,2)"}, {"array<string>", "array<string>"}, {"map<string,int>", "map<string,int>"},
		{"struct<a:int,b:array<double>>", "struct<a:int,b:array<double>>"}, {"a INT, `b c` STRING", "struct<a:int,b c:string>"}, {"a: int, b: string", "struct<a:int,b:string>"},
		{"interval day to second", "interval day to second"}, {"timestamp_ntz", "timestamp_ntz"}, {"varchar(5)", "varchar(5)"},
	} {
		got, err := ParseDDL(c.ddl)
		if err != nil || got.SimpleString() != c.simple {
			t.Errorf("ParseDDL(%q) = %v, %v", c.ddl, got, err)
			continue
		}
		back, err := FromJSON([]byte(ToJSON(got)))
		if err != nil || !Equal(back, got) {
			t.Errorf("JSON of %q read back: %v, %v", c.ddl, back, err)
		}
	}
}

func TestCommon(t *testing.T) {
	for _, c := range []struct {
		a, b, want Type
	}{
		{Int, Long, Long}, {Int, Double, Double}, {Int, Decimal{5, 2}, Decimal{12, 2}}, {String, Int, Long}, {String, Date, Date}, {Date, Timestamp, Timestamp},
		{Null, String, String}, {Boolean, Int, nil}, {Array{Elem: Int}, Array{Elem: Long}, Array{Elem: Long}}, {Int, Array{Elem: Int}, nil}, {Float, Int, Double},
	} {
		for _, pair := range [][2]Type{{c.a, c.b}, {c.b, c.a}} {
			got, ok := Common(pair[0], pair[1])
			if ok != (c.want != nil) || ok && !Equal(got, c.want) {
				t.Errorf("Common(%s, %s) = %v, %v", pair[0].SQL(), pair[1].SQL(), got, ok)
			}
		}
	}
}

// A struct type cannot be a map's key: asking whether it is a number once panicked.
func TestStructIsNoNumber(t *testing.T) {
	s := Struct{Fields: []Field{{Name: "a", Type: Int}}}
	if IsNumeric(s) || IsIntegral(Array{Elem: s}) {
		t.Error("a struct counts as a number")
	}
}

func FuzzParseDDL(f *testing.F) {
	for _, s := range []string{"a INT NOT NULL, b STRING COMMENT 'x'", "array<struct<a:int>>", "map<", "decimal(", "`", "interval year to month"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := ParseDDL(s)
		if err != nil {
			return
		}
		if back, err := FromJSON([]byte(ToJSON(got))); err != nil || !Equal(back, got) {
			t.Errorf("%q: JSON form does not read back: %v", s, err)
		}
	})
}

func FuzzFromJSON(f *testing.F) {
	for _, s := range []string{`"integer"`, `{"type":"array","elementType":"string","containsNull":true}`, `{"type":"struct","fields":[]}`, `{`, `{"type":"udt"}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(_ *testing.T, b []byte) { _, _ = FromJSON(b) })
}
