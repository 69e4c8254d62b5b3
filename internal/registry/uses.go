package registry

import (
	"context"
	"fmt"
	"net/url"
	"strings"

	"github.com/millpond/millpond/internal/db"
)

// Use is the address of artifacts that a model version needs.
type Use struct {
	By       string
	Location string
}

// Uses lists the addresses that the versions of all models need.
func Uses(ctx context.Context, q db.Querier) ([]Use, error) {
	rows, err := q.QueryContext(ctx, `SELECT m.name, v.version, v.source, v.storage_location, COALESCE(r.artifact_uri, ''), COALESCE(l.artifact_location, '')
		FROM model_versions v JOIN registered_models m ON m.id = v.model
		LEFT JOIN runs r ON r.run_id = v.run_id LEFT JOIN logged_models l ON l.model_id = v.logged_model_id`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []Use
	for rows.Next() {
		var name, source, location, run, model string
		var version int64
		if err := rows.Scan(&name, &version, &source, &location, &run, &model); err != nil {
			return nil, err
		}
		by := fmt.Sprintf("model version %s/%d", name, version)
		for _, at := range []string{source, location, model, inRun(source, run)} {
			if at != "" {
				out = append(out, Use{by, at})
			}
		}
	}
	return out, rows.Err()
}

// inRun resolves runs:/<id>/<path> against the run's address.
func inRun(source, run string) string {
	u, err := url.Parse(source)
	if err != nil || u.Scheme != "runs" || run == "" {
		return ""
	}
	_, p, _ := strings.Cut(strings.TrimPrefix(u.Path, "/"), "/")
	return strings.TrimSuffix(run, "/") + "/" + p
}
