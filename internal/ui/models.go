package ui

import (
	"fmt"
	"net/http"
	"net/url"
)

type searchedModels struct {
	Models []model `json:"registered_models"`
	Next   string  `json:"next_page_token"`
}

func (u *UI) searchModels(r *http.Request, part, page string) (searchedModels, error) {
	q := url.Values{"max_results": {fmt.Sprint(pageSize)}}
	if part != "" {
		q.Set("filter", "name ILIKE "+quote("%"+part+"%"))
	}
	if page != "" {
		q.Set("page_token", page)
	}
	var out searchedModels
	err := u.api.get(r, "registered-models/search", q, &out)
	return out, err
}

// versionsOf lists the versions that a filter finds, the newest first.
func (u *UI) versionsOf(r *http.Request, filter string) ([]version, error) {
	q := url.Values{"max_results": {fmt.Sprint(pageSize)}, "filter": {filter}, "order_by": {"version_number DESC"}}
	var out struct {
		Versions []version `json:"model_versions"`
	}
	err := u.api.get(r, "model-versions/search", q, &out)
	return out.Versions, err
}

// models lists the registered models and who is in Production and Staging.
func (u *UI) models(r *http.Request) (view, error) {
	q := r.URL.Query()
	found, err := u.searchModels(r, q.Get("q"), q.Get("page"))
	if err != nil {
		return view{}, err
	}
	d := struct {
		searchedModels
		Query, Start string
	}{found, q.Get("q"), firstModel(u.status().HTTP)}
	return view{Template: "models", Title: "Models", Section: "Models", Data: d}, nil
}

// firstModel is what the empty page shows: lines that register a model as they are.
func firstModel(httpAddr string) string {
	return fmt.Sprintf("import mlflow\nfrom sklearn.dummy import DummyRegressor\nmlflow.set_tracking_uri(\"http://%s\")\n"+
		"mlflow.sklearn.log_model(DummyRegressor().fit([[0]], [1]), name=\"model\", registered_model_name=\"my-model\")", httpAddr)
}

// model shows a model's versions with their runs' metrics side by side.
func (u *UI) model(r *http.Request) (view, error) {
	name := r.PathValue("name")
	var got struct {
		Model model `json:"registered_model"`
	}
	if err := u.api.get(r, "registered-models/get", url.Values{"name": {name}}, &got); err != nil {
		return view{}, err
	}
	versions, err := u.versionsOf(r, "name = "+quote(name))
	if err != nil {
		return view{}, err
	}
	ids := make([]string, len(versions))
	for i, v := range versions {
		ids[i] = v.RunID
	}
	byID, err := u.runsByID(r, ids)
	if err != nil {
		return view{}, err
	}
	var runs []*run
	for i := range versions {
		versions[i].Run = byID[versions[i].RunID]
		runs = append(runs, versions[i].Run)
	}
	d := struct {
		Model    model
		Versions []version
		Metrics  []span
		Use      string
	}{got.Model, versions, spans(runs, metricCols), useModel(name, "1")}
	if len(versions) > 0 {
		d.Use = useModel(name, string(versions[0].Version))
	}
	return view{Template: "model", Title: name, Section: "Models", Crumbs: []crumb{{"Models", "/models"}}, Data: d}, nil
}

// modelVersion shows one version and lets its stage and aliases be changed.
func (u *UI) modelVersion(r *http.Request) (view, error) {
	name, number := r.PathValue("name"), r.PathValue("version")
	var got struct {
		Version version `json:"model_version"`
	}
	if err := u.api.get(r, "model-versions/get", url.Values{"name": {name}, "version": {number}}, &got); err != nil {
		return view{}, err
	}
	byID, err := u.runsByID(r, []string{got.Version.RunID})
	if err != nil {
		return view{}, err
	}
	got.Version.Run = byID[got.Version.RunID]
	done, open, err := u.versionHistory(r, name, number)
	if err != nil {
		return view{}, err
	}
	d := struct {
		Version    version
		Use        string
		Activities []activity
		Requests   []stageRequest
	}{got.Version, useModel(name, number), done, open}
	return view{Template: "version", Title: "Version " + number, Section: "Models", Data: d,
		Crumbs: []crumb{{"Models", "/models"}, {name, model{Name: name}.URL()}}}, nil
}

func useModel(name, version string) string {
	return fmt.Sprintf("model = mlflow.pyfunc.load_model(%q)\nmodel.predict(rows)", "models:/"+name+"/"+version)
}
