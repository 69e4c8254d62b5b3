// Package plan is the noun that flows through the engine: relations and expressions as a client
// or SQL text states them (this file and expression.go), and as analysis resolved them
// (resolved.go). Nodes are immutable once built. The package never resolves, runs or prints SQL.
package plan

import "github.com/millpond/millpond/internal/types"

// Relation is an unresolved relational operator.
type Relation interface{ relation() *Common }

// Common is what every relation carries: the id by which a client's df["col"] refers to it, and
// where it stands in the user's text.
type Common struct {
	Origin
	PlanID    int64
	HasPlanID bool
}

func (c *Common) relation() *Common { return c }

// CommonOf gives a relation's common part.
func CommonOf(r Relation) *Common { return r.relation() }

// JoinType is one of Spark's joins.
type JoinType string

const (
	JoinInner JoinType = "inner"
	JoinLeft  JoinType = "left"
	JoinRight JoinType = "right"
	JoinFull  JoinType = "full"
	JoinSemi  JoinType = "semi"
	JoinAnti  JoinType = "anti"
	JoinCross JoinType = "cross"
)

type (
	// Read is a data source by format and paths.
	Read struct {
		Common
		Format, Schema string
		Options        map[string]string // keys in lower case
		Paths          []string
	}
	// Table is a table or view by name.
	Table struct {
		Common
		Name    []string
		Options map[string]string
	}
	// Local is data sent by the client: an Arrow IPC stream and the schema it is to have.
	Local struct {
		Common
		Data   []byte
		Schema string // JSON or DDL, "" for the Arrow schema's own
	}
	// Values is an inline table of expressions.
	Values struct {
		Common
		Rows  [][]Expr
		Names []string
	}
	// OneRow is a FROM-less select's input.
	OneRow struct{ Common }
	// Range counts from Start to End (not included) by Step.
	Range struct {
		Common
		Start, End, Step int64
		Partitions       *int // nil: not said
	}
	// Project computes expressions.
	Project struct {
		Common
		Input Relation
		Exprs []Expr
	}
	// Filter keeps the rows for which Cond is true.
	Filter struct {
		Common
		Input  Relation
		Cond   Expr
		Having bool // a HAVING clause over an Aggregate
	}
	// Join pairs rows; Using or Cond or neither is set. Natural joins use all common columns.
	Join struct {
		Common
		Left, Right Relation
		Type        JoinType
		Cond        Expr
		Using       []string
		Natural     bool
		Lateral     bool
	}
	// SetOp is "union", "intersect" or "except".
	SetOp struct {
		Common
		Left, Right          Relation
		Op                   string
		All, ByName, Missing bool
	}
	// Sort orders rows, over all of them (Global) or within partitions.
	Sort struct {
		Common
		Input  Relation
		Orders []SortOrder
		Global bool
	}
	// Limit keeps the first N rows; N is an integer expression.
	Limit struct {
		Common
		Input Relation
		N     Expr
	}
	// Offset drops the first N rows.
	Offset struct {
		Common
		Input Relation
		N     Expr
	}
	// Tail keeps the last N rows.
	Tail struct {
		Common
		Input Relation
		N     int64
	}
	// Aggregate groups rows. Kind is "groupby", "rollup", "cube", "pivot" or "sets".
	Aggregate struct {
		Common
		Input       Relation
		Kind        string
		Group, Aggs []Expr
		Sets        [][]Expr
		PivotCol    Expr
		PivotValues []Expr
		SQL         bool // from SQL text: Aggs is the whole select list
	}
	// Dedup drops rows that agree in Columns (nil: all columns).
	Dedup struct {
		Common
		Input   Relation
		Columns []string
	}
	// Sample draws rows with probability Upper-Lower, or that mean count with replacement.
	Sample struct {
		Common
		Input            Relation
		Lower, Upper     float64
		Replace, Ordered bool
		Seed             int64
	}
	// Alias names its input.
	Alias struct {
		Common
		Input   Relation
		Name    string
		Columns []string
	}
	// Repartition deals rows to partitions. Kind is "deal": one row after the other, "by": by hashes of
	// Exprs, or by ranges where they are orders, "id": Exprs has the partition's number, or "coalesce":
	// whole partitions are put together.
	Repartition struct {
		Common
		Input      Relation
		Kind       string
		Partitions *int // nil: as many as a shuffle makes
		Exprs      []Expr
	}
	// ToDF renames all columns.
	ToDF struct {
		Common
		Input Relation
		Names []string
	}
	// Rename renames some columns, in order; unknown ones are passed over.
	Rename struct {
		Common
		Input    Relation
		From, To []string
	}
	// WithColumns adds or replaces columns.
	WithColumns struct {
		Common
		Input Relation
		Exprs []AliasExpr
	}
	// Drop removes columns by name or expression; unknown names are passed over.
	Drop struct {
		Common
		Input Relation
		Exprs []Expr
		Names []string
	}
	// ToSchema reorders and casts columns by name.
	ToSchema struct {
		Common
		Input  Relation
		Schema types.Struct
	}
	// AsOfJoin pairs each left row with the right row whose value is nearest: before it ("backward"),
	// behind it ("forward") or either ("nearest"); Exact allows equal values.
	AsOfJoin struct {
		Common
		Left, Right           Relation
		LeftValue, RightValue Expr
		Cond, Tolerance       Expr
		Using                 []string
		Type                  JoinType
		Direction             string
		Exact                 bool
	}
	// Parse reads the texts of its input's one column as a file's lines. Format is "json" or "csv";
	// Schema is JSON or DDL, "" to infer it.
	Parse struct {
		Common
		Input          Relation
		Format, Schema string
		Options        map[string]string
	}
	// Hint is advice for the optimiser, or asks for a Repartition.
	Hint struct {
		Common
		Input  Relation
		Name   string
		Params []Expr
	}
	// Unpivot turns columns into rows; Values nil means all but Ids.
	Unpivot struct {
		Common
		Input               Relation
		Ids, Values         []Expr
		HasValues           bool
		Variable, ValueName string
		// What SQL text adds: columns in groups with a label each, and the rest of the columns as ids.
		Groups          [][]Expr
		Labels          []string
		ValueNames      []string
		Rest, DropNulls bool
	}
	// FillNA replaces nulls: one value for Columns, or one value a column.
	FillNA struct {
		Common
		Input   Relation
		Columns []string
		Values  []Literal
	}
	// DropNA drops rows with fewer than MinNonNulls (nil: all) non-null values among Columns.
	DropNA struct {
		Common
		Input       Relation
		Columns     []string
		MinNonNulls *int
	}
	// ReplaceNA replaces values.
	ReplaceNA struct {
		Common
		Input    Relation
		Columns  []string
		Old, New []Literal
	}
	// Stat is one of the statistics that answer a table: "summary", "describe", "crosstab",
	// "cov", "corr", "approx_quantile", "freq_items".
	Stat struct {
		Common
		Input         Relation
		Kind          string
		Columns       []string
		Statistics    []string
		Method        string
		Probabilities []float64
		Error         float64
	}
	// Transpose turns rows into columns, called by the values of Index (the first column if empty).
	Transpose struct {
		Common
		Input Relation
		Index []Expr
	}
	// SampleBy draws from each stratum with its own probability.
	SampleBy struct {
		Common
		Input     Relation
		Col       Expr
		Strata    []Literal
		Fractions []float64
		Seed      int64
	}
	// Show is the text of the first rows: one row, one column.
	Show struct {
		Common
		Input          Relation
		Rows, Truncate int
		Vertical, HTML bool
	}
	// MapBatches is mapInPandas and mapInArrow.
	MapBatches struct {
		Common
		Input Relation
		Func  *PythonUDF
	}
	// GroupMap is applyInPandas, applyInArrow; with Other it is their cogroup form.
	GroupMap struct {
		Common
		Input, Other      Relation
		Group, OtherGroup []Expr
		Func              *PythonUDF
	}
	// SQL is a query's text with its arguments.
	SQL struct {
		Common
		Query string
		Named map[string]Expr
		Pos   []Expr
	}
	// With gives relations names (or plan ids) that Root refers to.
	With struct {
		Common
		Root       Relation
		Names      []string // CTE names, empty for references by plan id
		References []Relation
	}
	// CachedRemote is a relation the server keeps by id (checkpoints).
	CachedRemote struct {
		Common
		ID string
	}
	// Transform is an ML transformer or model (by ObjectID) over its input.
	Transform struct {
		Common
		Input      Relation
		ObjectID   string // a cached model, or
		Class, UID string // a transformer
		Params     map[string]any
	}
	// Fetch is a relation-valued attribute of an ML object.
	Fetch struct {
		Common
		ObjectID string
		Methods  []Method
		Dataset  Relation // what to rebuild a lost summary from, or nil
	}
	// Observe collects metrics while rows pass.
	Observe struct {
		Common
		Input   Relation
		Name    string
		Metrics []Expr
	}
	// TableFunction is a table-valued function: explode(...), range(...).
	TableFunction struct {
		Common
		Name string
		Args []Expr
	}
	// LateralView is LATERAL VIEW [OUTER] generator AS columns.
	LateralView struct {
		Common
		Input   Relation
		Gen     Expr
		Alias   string
		Columns []string
		Outer   bool
	}
	// Catalog is a method of the catalog, called by its message's name and fields: "ListTables".
	Catalog struct {
		Common
		Method string
		Args   map[string]string
	}
)

// Method is one step of an attribute fetch; args are literals or Relations.
type Method struct {
	Name string
	Args []any
}
