package function

import "github.com/millpond/millpond/internal/types"

// vectors are the functions of arrays of floats as vectors.
func vectors() []Row {
	two := func(name, sql string) Row {
		return Row{Name: name, Args: "A A", Result: is(types.Float), Null: maybeNull, SQL: sql}
	}
	return []Row{
		two("vector_inner_product", "CAST(list_inner_product({0}, {1}) AS FLOAT)"),
		two("vector_cosine_similarity", "CAST(list_cosine_similarity({0}, {1}) AS FLOAT)"),
		two("vector_l2_distance", "CAST(list_distance({0}, {1}) AS FLOAT)"),
		{Name: "vector_norm", Args: "A ?d", Result: is(types.Float), Null: maybeNull, Build: func(a []Arg) string { return norm(a) }},
		{Name: "vector_normalize", Args: "A ?d", Result: same(0), Null: maybeNull, Build: func(a []Arg) string {
			return "(CASE WHEN " + norm(a) + " <> 0 THEN list_transform(" + a[0].SQL + ", lambda e: CAST(e / " + norm(a) + " AS FLOAT)) END)"
		}},
	}
}

// norm is the L2 norm, or that of a degree: 1, 2 or infinity.
func norm(a []Arg) string {
	degree := "2.0"
	if len(a) == 2 {
		degree = a[1].SQL
	}
	abs := "list_transform(" + a[0].SQL + ", lambda e: abs(CAST(e AS DOUBLE)))"
	return "CAST((CASE WHEN " + degree + " = 1 THEN list_sum(" + abs + ") WHEN isinf(CAST(" + degree + " AS DOUBLE)) THEN list_max(" + abs +
		") ELSE sqrt(list_inner_product(" + abs + ", " + abs + ")) END) AS FLOAT)"
}
