package function

import (
	"fmt"

	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/types"
)

func hashes() []Row {
	return []Row{
		{Name: "hash", Args: "a*", Result: is(types.Int), Null: neverNull, Build: func(a []Arg) string { return "CAST(" + hashAll("hash", "42", a) + " AS INTEGER)" }},
		{Name: "xxhash64", Args: "a*", Result: is(types.Long), Null: neverNull, Build: func(a []Arg) string { return hashAll("xx", "42", a) }},
		{Name: "crc32", Args: "B", Result: is(types.Long), SQL: "spark_crc32({0})"},
		{Name: "md5", Args: "B", Result: is(types.String), SQL: "md5({0})"},
		{Name: "sha1", Aliases: "sha", Args: "B", Result: is(types.String), SQL: "sha1({0})"},
		{Name: "sha2", Args: "B i", Result: is(types.String), Null: maybeNull, SQL: "spark_sha2({0}, {1})"},
		{Name: "hmac", Null: maybeNull, Args: "B B ?s", Result: is(types.Binary), Build: func(a []Arg) string {
			if len(a) == 2 {
				return fill("spark_hmac({0}, {1}, 'SHA256')", a)
			}
			return fill("spark_hmac({0}, {1}, {2})", a)
		}},
		{Name: "aes_encrypt", Args: "B B ?s s B B", Result: is(types.Binary), Build: aes("spark_aes_encrypt")},
		{Name: "aes_decrypt", Args: "B B ?s s B", Result: is(types.Binary), Build: aes("spark_aes_decrypt")},
		{Name: "try_aes_decrypt", Args: "B B ?s s B", Result: is(types.Binary), Null: maybeNull, Build: aes("spark_try_aes_decrypt")},
	}
}

func aes(name string) func([]Arg) string {
	return func(a []Arg) string {
		mode, padding, iv, extra := "'GCM'", "'DEFAULT'", "''::BLOB", "''::BLOB"
		if len(a) > 2 {
			mode = a[2].SQL
		}
		if len(a) > 3 {
			padding = a[3].SQL
		}
		if len(a) > 4 && name == "spark_aes_encrypt" {
			iv = a[4].SQL
		} else if len(a) > 4 {
			extra = a[4].SQL
		}
		if len(a) > 5 {
			extra = a[5].SQL
		}
		return fmt.Sprintf("%s(%s, %s, %s, %s, %s, %s)", name, a[0].SQL, a[1].SQL, mode, padding, iv, extra)
	}
}

// hashAll hashes the arguments one after another, each with the hash before as its seed.
func hashAll(kind, seed string, a []Arg) string {
	out := "CAST(" + seed + " AS BIGINT)"
	for _, x := range a {
		out = hashOne(kind, x.SQL, x.Type, out, 0)
	}
	return out
}

func hashOne(kind, text string, t types.Type, seed string, depth int) string {
	call := func(of, value string) string { return fmt.Sprintf("spark_%s_%s(%s, %s)", kind, of, value, seed) }
	switch t := types.Physical(t).(type) {
	case types.Decimal:
		if t.Precision <= 18 {
			return call("long", fmt.Sprintf("CAST(%s * %s AS BIGINT)", text, pow10(t.Scale)))
		}
		return "error('the hash of a decimal of more than 18 digits is not supported')"
	case types.Array:
		e, acc := fmt.Sprintf("e%d", depth), fmt.Sprintf("h%d", depth)
		inner := hashOne(kind, e, t.Elem, acc, depth+1)
		return fmt.Sprintf("coalesce(list_reduce(list_transform(%s, lambda %s: struct_pack(h := NULL::BIGINT, v := %s)), lambda %sa, %sb: struct_pack(h := %s, v := %sb.v), struct_pack(h := %s, v := NULL)).h, %s)",
			text, e, e, acc, acc, replaceWord(replaceWord(inner, acc, acc+"a.h"), e, acc+"b.v"), acc, seed, seed)
	case types.Struct:
		out := seed
		for i, f := range t.Fields {
			out = hashOne(kind, fmt.Sprintf("struct_extract_at(%s, %d)", text, i+1), f.Type, out, depth)
		}
		return "(CASE WHEN " + text + " IS NULL THEN " + seed + " ELSE " + out + " END)"
	case types.DayTimeInterval:
		return call("long", "epoch_us("+text+")")
	}
	switch t {
	case types.Null:
		return seed
	case types.Boolean:
		return call("int", "CAST("+text+" AS BIGINT)")
	case types.Byte, types.Short, types.Int:
		return call("int", "CAST("+text+" AS BIGINT)")
	case types.Date:
		return call("int", "CAST("+text+" - DATE '1970-01-01' AS BIGINT)")
	case types.Long:
		return call("long", text)
	case types.Timestamp, types.TimestampNTZ:
		return call("long", "epoch_us("+text+")")
	case types.Float:
		return call("float", "CAST("+text+" AS DOUBLE)")
	case types.Double:
		return call("double", text)
	case types.Binary:
		return call("bytes", text)
	}
	return call("text", "CAST("+text+" AS VARCHAR)")
}

func pow10(n int) string {
	out := "1"
	for range n {
		out += "0"
	}
	return out
}

// replaceWord puts one word in another's place where it stands alone.
func replaceWord(text, word, to string) string {
	var out []byte
	for i := 0; i < len(text); {
		if len(text)-i >= len(word) && text[i:i+len(word)] == word && (i == 0 || !isNamePart(text[i-1])) && (i+len(word) == len(text) || !isNamePart(text[i+len(word)])) {
			out = append(out, to...)
			i += len(word)
			continue
		}
		out = append(out, text[i])
		i++
	}
	return string(out)
}

func isNamePart(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

func foldText(v plan.Value) (string, bool) {
	if c, ok := Constant(v); ok {
		s, ok := c.Value.(string)
		return s, ok
	}
	if a, ok := v.(*plan.Apply); ok && len(a.Args) > 0 && (a.Func == "schema_of_json" || a.Func == "schema_of_csv") {
		return foldText(a.Args[0])
	}
	return "", false
}
