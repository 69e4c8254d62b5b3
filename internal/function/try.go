package function

import (
	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

// tries are bit functions, and small ones of several families.
func tries() []Row {
	bit := func(name, alias string) Row {
		return Row{Name: name, Aliases: alias, Args: "I i", Result: is(types.Byte), SQL: "CAST((CAST({0} AS BIGINT) >> {1}) & 1 AS TINYINT)"}
	}
	return []Row{
		bit("bit_get", "getbit"),
		{Name: "shiftrightunsigned", Aliases: ">>>", Args: "I i", Result: same(0), Build: func(a []Arg) string {
			if a[0].Type == types.Long {
				return fill("CAST((CASE WHEN {0} < 0 THEN ((CAST({0} AS HUGEINT) + 18446744073709551616) >> {1}) ELSE {0} >> {1} END) AS BIGINT)", a)
			}
			return fill("CAST((CASE WHEN {0} < 0 THEN ((CAST({0} AS BIGINT) + 4294967296) >> {1}) ELSE {0} >> {1} END) AS INTEGER)", a)
		}},
		{Name: "array_insert", Args: "A i a", Result: insertType, Build: arrayInsert},
		{Name: "bitmap_bit_position", Args: "l", Result: is(types.Long), SQL: "CAST((CASE WHEN {0} > 0 THEN ({0} - 1) % 32768 ELSE (-{0}) % 32768 END) AS BIGINT)"},
		{Name: "bitmap_bucket_number", Args: "l", Result: is(types.Long), SQL: "CAST((CASE WHEN {0} > 0 THEN 1 + ({0} - 1) // 32768 ELSE {0} // 32768 END) AS BIGINT)"},
		{Name: "uniform", Args: "n n ?l", Result: func(a []plan.Value) (types.Type, error) {
			t, _ := types.Common(a[0].Type(), a[1].Type())
			return t, nil
		}, Build: func(a []Arg) string {
			if types.IsIntegral(a[0].Type) && types.IsIntegral(a[1].Type) {
				return fill("CAST({0} + floor(random() * ({1} - {0})) AS "+a[0].Type.SQL()+")", a)
			}
			return fill("({0} + random() * ({1} - {0}))", a)
		}},
		{Name: "randstr", Args: "i ?l", Result: is(types.String), Null: neverNull,
			SQL: "array_to_string(list_transform(range({0}), lambda i: substr('0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ', 1 + CAST(floor(random() * 62) AS INTEGER), 1)), '')"},
	}
}

func insertType(a []plan.Value) (types.Type, error) {
	l := a[0].Type().(types.Array)
	t, ok := types.Common(l.Elem, a[2].Type())
	if !ok {
		return nil, differ("array_insert", []plan.Value{a[0], a[2]})
	}
	return types.Array{Elem: t, ContainsNull: true}, nil
}

// arrayInsert counts places from one, from the end if negative, and fills gaps with nulls.
func arrayInsert(a []Arg) string {
	return fill("(CASE WHEN {0} IS NULL OR {1} IS NULL THEN NULL WHEN {1} = 0 THEN "+sparkerr.Raise("INVALID_INDEX_OF_ZERO")+
		" WHEN {1} > 0 THEN list_concat(list_concat(list_resize(list_slice({0}, 1, {1} - 1), {1} - 1), [{2}]), list_slice({0}, {1}, len({0})))"+
		" WHEN -{1} <= len({0}) + 1 THEN list_concat(list_concat(list_slice({0}, 1, len({0}) + {1} + 1), [{2}]), list_slice({0}, len({0}) + {1} + 2, len({0})))"+
		" ELSE list_concat(list_concat([{2}], list_resize([]::"+TypeSQL(a[0].Type)+", -{1} - len({0}) - 1)), {0}) END)", a)
}
