package native

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

func call(t *testing.T, name string, args ...Value) Value {
	t.Helper()
	for _, f := range Table() {
		if f.Name == name {
			v, err := f.Call(args)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			return v
		}
	}
	t.Fatalf("no function %s", name)
	return Value{}
}

// The values are those that Spark's documentation and recordings give.
func TestHashes(t *testing.T) {
	if got := call(t, "spark_hash_text", s("Spark"), i(42)).I; got != 228093765 {
		t.Errorf("hash('Spark') = %d", got)
	}
	if got := call(t, "spark_xx_text", s("Spark"), i(42)).I; got != -4294468057691064905 {
		t.Errorf("xxhash64('Spark') = %d", got)
	}
}

func TestPatterns(t *testing.T) {
	at := time.Date(2020, 3, 5, 6, 7, 8, 9e6, time.UTC)
	for pattern, want := range map[string]string{"yyyy-MM-dd HH:mm:ss.SSS": "2020-03-05 06:07:08.009", "EEEE, d MMMM yy": "Thursday, 5 March 20",
		"yyyy-MM-dd'T'HH:mm:ssXXX": "2020-03-05T06:07:08Z", "DDD h a": "065 6 AM", "QQQ": "Q1", "''": "'"} {
		p, err := patternOf(pattern)
		if err != nil || p.format(at) != want {
			t.Errorf("%q: %v, want %q (%v)", pattern, p, want, err)
		}
	}
	for _, c := range []struct{ pattern, text, want string }{{"dd/MM/yyyy", "05/03/2020", "2020-03-05 00:00:00"}, {"yyyyMMddHHmm", "202003050607", "2020-03-05 06:07:00"},
		{"MMM d, yyyy h:mm a", "Mar 5, 2020 6:07 PM", "2020-03-05 18:07:00"}} {
		p, err := patternOf(c.pattern)
		if err != nil {
			t.Fatal(err)
		}
		got, err := p.parse(c.text, time.UTC)
		if err != nil || got.Format("2006-01-02 15:04:05") != c.want {
			t.Errorf("%q by %q: %v, %v", c.text, c.pattern, got, err)
		}
	}
	p, _ := patternOf("yyyy-MM-dd")
	if _, err := p.parse("2020-02-30", time.UTC); err == nil {
		t.Error("the 30th of February was read")
	}
}

func TestNumbers(t *testing.T) {
	if got := conv("100", 2, 10).S; got != "4" {
		t.Errorf("conv: %s", got)
	}
	if got := formatNumber("12332.123456", 4).S; got != "12,332.1235" {
		t.Errorf("format_number: %s", got)
	}
	if got, ok := toNumber("$78.12", "$99.99"); !ok || got != "78.12" {
		t.Errorf("to_number: %s %v", got, ok)
	}
	if got, _ := toChar("454", "000D00"); got.S != "454.00" {
		t.Errorf("to_char: %q", got.S)
	}
}

func TestJSONPath(t *testing.T) {
	doc := `{"a":{"b":[{"c":1},{"c":"x"}]},"n":null}`
	for path, want := range map[string]string{"$.a.b[0].c": "1", "$.a.b[*].c": `[1,"x"]`, "$.a.b[1].c": "x", "$.a.b": `[{"c":1},{"c":"x"}]`} {
		if got := jsonPath(doc, path); got.S != want {
			t.Errorf("%s: %q, want %q", path, got.S, want)
		}
	}
	if !jsonPath(doc, "$.n").Null || !jsonPath(doc, "a").Null || !jsonPath("{", "$").Null {
		t.Error("what is not there must be null")
	}
}

func FuzzParseTime(f *testing.F) {
	f.Add("2020-01-01", "yyyy-MM-dd")
	f.Add("x", "'")
	f.Fuzz(func(_ *testing.T, text, pattern string) {
		p, err := patternOf(pattern)
		if err == nil {
			_, _ = p.parse(text, time.UTC)
			_ = p.format(time.Unix(0, 0))
		}
	})
}

func TestJSONRecords(t *testing.T) {
	schema := `{"type":"struct","fields":[{"name":"a","type":"integer","nullable":true},{"name":"_corrupt_record","type":"string","nullable":true}]}`
	options := func(mode string) string {
		return `{"mode":"` + mode + `","columnnameofcorruptrecord":"_corrupt_record"}`
	}
	for _, c := range []struct{ text, mode, want string }{
		{`{"a": 1}`, "PERMISSIVE", `{"f0":1,"f1":null}`},
		{` { "b" : [1, "}"], "a" : 2 } `, "PERMISSIVE", `{"f0":2,"f1":null}`},
		{`{"\u0061": 3}`, "PERMISSIVE", `{"f0":3,"f1":null}`},
		{`{'a': 4}`, "PERMISSIVE", `{"f0":4,"f1":null}`},
		{`[{"a": 5}, {}]`, "PERMISSIVE", `{"f0":5,"f1":null} {"f0":null,"f1":null}`},
		{`{"a": "x"}`, "PERMISSIVE", `{"f0":null,"f1":"{\"a\": \"x\"}"}`},
		{`{bad`, "PERMISSIVE", `{"f0":null,"f1":"{bad"}`},
		{`7`, "PERMISSIVE", `{"f0":null,"f1":"7"}`},
		{`{bad`, "DROPMALFORMED", ``},
		{`{"a": "x"}`, "FAILFAST", ``},
	} {
		got, err := jsonRecords(c.text, schema, options(c.mode))
		if err != nil {
			t.Fatal(err)
		}
		var list []string
		for _, v := range got.L {
			list = append(list, v.S)
		}
		if text := strings.Join(list, " "); text != c.want {
			t.Errorf("%s %s: %s, want %s", c.mode, c.text, text, c.want)
		}
	}
}

func FuzzJSONRecords(f *testing.F) {
	for _, s := range []string{`{"a": 1}`, `[{"a": {"x": "y"}}]`, `{'a': NaN}`, `{"a\"": "\\"}`, `{`, `[`, `"`, `{"a":`} {
		f.Add(s)
	}
	schema := `{"type":"struct","fields":[{"name":"a","type":{"type":"struct","fields":[{"name":"x","type":"string","nullable":true}]},"nullable":true},{"name":"b","type":"double","nullable":true}]}`
	f.Fuzz(func(t *testing.T, text string) {
		got, err := jsonRecords(text, schema, `{"mode":"PERMISSIVE"}`)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range got.L {
			if !json.Valid([]byte(v.S)) {
				t.Fatalf("%q gave %q, which is no JSON", text, v.S)
			}
		}
	})
}
