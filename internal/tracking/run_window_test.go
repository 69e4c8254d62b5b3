package tracking

import (
	"fmt"
	"testing"

	"github.com/millpond/millpond/internal/rest/resttest"
)

const windowPath = "/ajax-api/2.0/millpond/runs/window"

func TestRunWindow(t *testing.T) {
	a := newAPI(t)
	e, other := a.experiment("e"), a.experiment("other")
	parent := a.run(e, "run_name", "parent", "start_time", 50)
	child := func(of, name string, start int) string {
		return a.run(e, "run_name", name, "start_time", start, "tags", []body{{"key": "mlflow.parentRunId", "value": of}})
	}
	first := child(parent, "first", 60)
	child(parent, "second", 61)
	child(first, "grandchild", 62)
	child("gone", "orphan", 40)
	child(a.run(other, "run_name", "far"), "child of another experiment", 30)
	a.OK("POST", "runs/delete", body{"run_id": child(parent, "deleted", 63)})
	for i := range 5 {
		a.run(e, "run_name", fmt.Sprintf("r%d", i), "start_time", 10-i)
	}
	const all = "grandchild second first parent orphan child of another experiment r0 r1 r2 r3 r4"
	for _, c := range []struct {
		name  string
		in    body
		total float64
		want  string
	}{
		{"all", body{}, 11, all},
		{"a part", body{"offset": 6, "max_results": 2}, 11, "r0 r1"},
		{"past the end", body{"offset": 100}, 11, ""},
		{"below none", body{"parent": ""}, 8, "parent orphan child of another experiment r0 r1 r2 r3 r4"},
		{"below a parent", body{"parent": parent}, 2, "second first"},
		{"below a nested run", body{"parent": first}, 1, "grandchild"},
		{"filtered", body{"filter": "attributes.run_name LIKE 'r%'", "max_results": 1, "offset": 1}, 5, "r1"},
		{"ordered", body{"order_by": []string{"attributes.run_name ASC"}, "max_results": 2}, 11, "child of another experiment first"},
		{"deleted", body{"run_view_type": "DELETED_ONLY"}, 1, "deleted"},
		{"no experiment", body{"experiment_ids": []string{}}, 0, ""},
	} {
		in := body{"experiment_ids": []string{e}}
		for k, v := range c.in {
			in[k] = v
		}
		out := a.OK("POST", windowPath, in)
		if names(out) != c.want || out["total"] != c.total {
			t.Errorf("%s: %v runs: %s\nwant %v: %s", c.name, out["total"], names(out), c.total, c.want)
		}
	}
	out := a.OK("POST", windowPath, body{"experiment_ids": []string{e}, "parent": ""})
	if got := resttest.Dig(out, "children", parent); got != 2.0 || resttest.Dig(out, "children", first) != nil {
		t.Errorf("children: %v", out["children"])
	}
	a.Fails("POST", windowPath, body{"experiment_ids": []string{e}, "offset": -1}, 400, invalid, "offset")
	a.Fails("POST", windowPath, body{"experiment_ids": []string{e}, "max_results": 1001}, 400, invalid, "at most 1000")
	a.Fails("POST", windowPath, body{"experiment_ids": []string{e}, "filter": "metrics.x <"}, 400, invalid, "")
}
