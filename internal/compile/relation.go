package compile

import (
	"fmt"
	"strings"

	"github.com/millpond/millpond/internal/plan"
)

func (c *compiler) rows(n *plan.Rows) (string, error) {
	rows := make([]string, len(n.Rows))
	for i, r := range n.Rows {
		vals, err := c.values(r)
		if err != nil {
			return "", err
		}
		for k := range vals {
			vals[k] = "CAST(" + vals[k] + " AS " + TypeSQL(n.Attrs[k].Type) + ")"
		}
		rows[i] = "(" + strings.Join(vals, ", ") + ")"
	}
	return "SELECT * FROM (VALUES " + strings.Join(rows, ", ") + ") t(" + columnsOf(n.Attrs) + ")", nil
}

var joinWords = map[plan.JoinType]string{plan.JoinInner: "JOIN", plan.JoinLeft: "LEFT JOIN", plan.JoinRight: "RIGHT JOIN",
	plan.JoinFull: "FULL JOIN", plan.JoinSemi: "SEMI JOIN", plan.JoinAnti: "ANTI JOIN", plan.JoinCross: "CROSS JOIN"}

func (c *compiler) join(n *plan.JoinNode) (string, error) {
	left, err := c.sql(n.Left)
	if err != nil {
		return "", err
	}
	right, err := c.sql(n.Right)
	if err != nil {
		return "", err
	}
	words, lateral, on := joinWords[n.Type], "", ""
	if n.Lateral {
		lateral = "LATERAL "
	}
	if n.AsOf {
		words = "ASOF " + words
	}
	if n.Cond != nil {
		cond, err := c.value(n.Cond)
		if err != nil {
			return "", err
		}
		if n.Type == plan.JoinCross {
			words = "JOIN"
		}
		on = " ON " + cond
	} else if n.Type != plan.JoinCross {
		on = " ON true"
	}
	return "SELECT " + columnsOf(n.Attrs) + " FROM (" + left + ") lhs " + words + " " + lateral + "(" + right + ") rhs" + on, nil
}

func (c *compiler) group(n *plan.Group) (string, error) {
	return c.wrap(n.Input, func(in string) (string, error) {
		list, err := c.named(append(append([]plan.Named{}, n.Keys...), n.Aggs...))
		if err != nil {
			return "", err
		}
		out := "SELECT " + orNothing(list) + " FROM (" + in + ")"
		keys := make([]string, len(n.Keys))
		for i, k := range n.Keys {
			if keys[i], err = c.value(k.Value); err != nil {
				return "", err
			}
		}
		switch {
		case n.Sets != nil:
			sets := make([]string, len(n.Sets))
			for i, s := range n.Sets {
				part := make([]string, len(s))
				for k, p := range s {
					part[k] = keys[p]
				}
				sets[i] = "(" + strings.Join(part, ", ") + ")"
			}
			out += " GROUP BY GROUPING SETS (" + strings.Join(sets, ", ") + ")"
		case len(keys) > 0:
			out += " GROUP BY " + strings.Join(keys, ", ")
		case len(n.Aggs) == 0:
			return "SELECT 1 AS z", nil
		}
		return out, nil
	})
}

func (c *compiler) combine(n *plan.Combine) (string, error) {
	left, err := c.sql(n.Left)
	if err != nil {
		return "", err
	}
	right, err := c.sql(n.Right)
	if err != nil {
		return "", err
	}
	words := strings.ToUpper(n.Op)
	if n.All {
		words += " ALL"
	}
	return "SELECT * FROM ((SELECT " + columnsOf(n.Left.Output()) + " FROM (" + left + ")) " + words +
		" (SELECT " + columnsOf(n.Right.Output()) + " FROM (" + right + "))) t(" + columnsOf(n.Attrs) + ")", nil
}

func (c *compiler) unnest(n *plan.Unnest) (string, error) {
	return c.wrap(n.Input, func(in string) (string, error) {
		list, err := c.value(n.List)
		if err != nil {
			return "", err
		}
		whole := list
		if n.Outer {
			list = "(CASE WHEN " + list + " IS NULL OR len(" + list + ") = 0 THEN [NULL] ELSE " + list + " END)"
		}
		cols := n.Cols
		inner := "SELECT *, unnest(" + list + ") AS u"
		var out []string
		for _, at := range n.Input.Output() {
			out = append(out, Column(at.ID))
		}
		if n.Pos {
			places := "range(len(" + list + "))"
			if n.Outer {
				places = "(CASE WHEN " + whole + " IS NULL OR len(" + whole + ") = 0 THEN [-1] ELSE " + places + " END)"
			}
			inner += ", unnest(" + places + ") AS p"
			pos := "CAST(p AS INTEGER)"
			if n.Outer {
				pos = "(CASE WHEN p >= 0 THEN " + pos + " END)"
			}
			out = append(out, pos+" AS "+Column(cols[0].ID))
			cols = cols[1:]
		}
		if n.Width == 0 {
			out = append(out, "u AS "+Column(cols[0].ID))
		} else {
			for i, at := range cols {
				out = append(out, fmt.Sprintf("struct_extract_at(u, %d) AS %s", i+1, Column(at.ID)))
			}
		}
		return "SELECT " + orNothing(out) + " FROM (" + inner + " FROM (" + in + "))", nil
	})
}

// repartition numbers the partitions that rows are in.
func (c *compiler) repartition(n *plan.RepartitionNode) (string, error) {
	if n.Out == nil {
		return c.sql(n.Input)
	}
	return c.wrap(n.Input, func(in string) (string, error) {
		list, number := "*", fmt.Sprintf("(row_number() OVER () - 1) %% %d", n.Count)
		switch {
		case n.By != nil:
			var err error
			if number, err = c.value(n.By); err != nil {
				return "", err
			}
		case n.Orders != nil:
			by, err := c.orders(n.Orders)
			if err != nil {
				return "", err
			}
			list, number, in = "* EXCLUDE (key, upto, total, lag)", fmt.Sprintf("least(%d, total - 1, key - 1 + least(0, coalesce(lag, 0)))", n.Count-1), ranges(in, by, n.Count)
		}
		return "SELECT " + list + ", CAST(" + number + " AS INTEGER) AS " + Column(n.Out.ID) + " FROM (" + in + ")", nil
	})
}

// ranges gives rows what tells their ranges apart. Spark goes up through the keys, and one is a bound
// if the rows up to it complete one more n-th of all; it ends one range, however many it completes.
// key is a key's place among all keys, upto the rows up to it, and lag by how many bounds fewer than
// keys there are before it.
func ranges(in, by string, n int) string {
	const upTo = " RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW"
	in = "SELECT *, dense_rank() OVER (ORDER BY " + by + ") AS key, count(*) OVER (ORDER BY " + by + upTo + ") AS upto, count(*) OVER () AS total FROM (" + in + ")"
	return fmt.Sprintf("SELECT *, min(upto * least(%d, total) // total - key) OVER (ORDER BY key%s EXCLUDE GROUP) AS lag FROM (%s)", n, upTo, in)
}
