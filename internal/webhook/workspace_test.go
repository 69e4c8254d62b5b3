package webhook

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/millpond/millpond/internal/db"
	"github.com/millpond/millpond/internal/rest"
)

// makeModel puts a model into the registry's table.
func makeModel(t *testing.T, s *Service, name string) {
	t.Helper()
	err := s.db.Write(t.Context(), func(ctx context.Context, q db.Querier) error {
		_, err := q.ExecContext(ctx, `INSERT INTO registered_models (name, description, creation_time, last_updated_time) VALUES (?, '', 0, 0)`, name)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func changeStage(t *testing.T, s *Service, model, stage string) {
	t.Helper()
	err := s.db.Write(t.Context(), func(ctx context.Context, q db.Querier) error {
		return s.Emit(ctx, q, "MODEL_VERSION_STAGE", "CHANGED", map[string]any{"name": model, "version": "8", "from_stage": "None", "to_stage": stage})
	})
	if err != nil {
		t.Fatal(err)
	}
}

func events(t *testing.T, r *receiver) (out []string) {
	t.Helper()
	for _, body := range r.bodies {
		var m struct {
			Event string `json:"event"`
		}
		if err := json.Unmarshal([]byte(body), &m); err != nil {
			t.Fatal(err)
		}
		out = append(out, m.Event)
	}
	slices.Sort(out)
	return out
}

func TestWorkspaceWebhook(t *testing.T) {
	s, _ := newService(t, true)
	r := &receiver{}
	server := httptest.NewServer(r)
	t.Cleanup(server.Close)
	makeModel(t, s, "delays")
	secret, authorization := "s3cret", "Bearer abc"
	made, err := s.createRegistry(t.Context(), &createRegistryRequest{Events: []string{"MODEL_VERSION_TRANSITIONED_STAGE", "MODEL_VERSION_TRANSITIONED_TO_PRODUCTION"},
		ModelName: "delays", HTTP: &httpSpec{URL: server.URL, Secret: &secret, Authorization: &authorization}})
	if err != nil {
		t.Fatal(err)
	}
	changeStage(t, s, "others", "Production") // not of this model
	changeStage(t, s, "delays", "Production")
	round(t, s)
	if got := events(t, r); !slices.Equal(got, []string{"MODEL_VERSION_TRANSITIONED_STAGE", "MODEL_VERSION_TRANSITIONED_TO_PRODUCTION"}) {
		t.Fatalf("told of %v", got)
	}
	for i, body := range r.bodies {
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write([]byte(body))
		h := r.got[i].Header
		if h.Get("X-Databricks-Signature") != hex.EncodeToString(mac.Sum(nil)) || h.Get("Authorization") != authorization || h.Get("X-MLflow-Delivery-Id") != "" {
			t.Errorf("headers: %v", h)
		}
		var m map[string]any
		if err := json.Unmarshal([]byte(body), &m); err != nil {
			t.Fatal(err)
		}
		if m["webhook_id"] != made.Webhook.ID || m["model_name"] != "delays" || m["version"] != "8" || m["to_stage"] != "Production" || m["from_stage"] != "None" ||
			m["text"] != "Registered model 'delays' version 8 transitioned from None to Production." {
			t.Errorf("message: %s", body)
		}
	}

	// A changed secret leaves the other one.
	secret = "0ther"
	if _, err := s.updateRegistry(t.Context(), &updateRegistryRequest{ID: made.Webhook.ID, HTTP: &httpSpec{Secret: &secret}}); err != nil {
		t.Fatal(err)
	}
	found, err := selectWebhooks(t.Context(), s.db.Reader(), "")
	if err != nil {
		t.Fatal(err)
	}
	if keep, err := s.unseal(found[0]); err != nil || keep != (secrets{"0ther", authorization}) {
		t.Errorf("kept %v, %v", keep, err)
	}
	if _, err := s.updateRegistry(t.Context(), &updateRegistryRequest{ID: made.Webhook.ID, Status: "TEST_MODE"}); err != nil {
		t.Fatal(err)
	}
	changeStage(t, s, "delays", "Staging")
	if pending(t, s) != 0 {
		t.Error("a webhook in test mode is told of what happens")
	}
	if got, err := s.testRegistry(t.Context(), &testRegistryRequest{ID: made.Webhook.ID}); err != nil || got.StatusCode != 200 {
		t.Errorf("test: %v, %v", got, err)
	}
}

func TestWorkspaceWebhooksStandApart(t *testing.T) {
	s, _ := newService(t, true)
	_, mlflows := listen(t, s, &receiver{}, "")
	made, err := s.createRegistry(t.Context(), &createRegistryRequest{Events: []string{"COMMENT_CREATED"}, HTTP: &httpSpec{URL: "http://x.example/"}})
	if err != nil {
		t.Fatal(err)
	}
	if list, err := s.list(t.Context(), &listRequest{}); err != nil || len(list.Webhooks) != 1 || list.Webhooks[0].ID != mlflows.Webhook.ID {
		t.Errorf("MLflow's: %+v, %v", list, err)
	}
	if list, err := s.listRegistry(t.Context(), &listRegistryRequest{}); err != nil || len(list.Webhooks) != 1 || list.Webhooks[0].ID != made.Webhook.ID {
		t.Errorf("the workspace's: %+v, %v", list, err)
	}
	if _, err := s.get(t.Context(), &webhookRequest{made.Webhook.ID}); !rest.IsCode(err, rest.ResourceDoesNotExist) {
		t.Errorf("one of the workspace's read as MLflow's: %v", err)
	}
	if _, err := s.deleteRegistry(t.Context(), &registryRequest{mlflows.Webhook.ID}); !rest.IsCode(err, rest.ResourceDoesNotExist) {
		t.Errorf("one of MLflow's deleted as the workspace's: %v", err)
	}
}

func TestBadWorkspaceWebhooks(t *testing.T) {
	s, _ := newService(t, false)
	made, comment := []string{registeredModelCreated}, []string{"COMMENT_CREATED"}
	open := &httpSpec{URL: "https://93.184.216.34/"}
	for name, c := range map[string]struct {
		in   createRegistryRequest
		want rest.Code
	}{
		"no receiver":             {createRegistryRequest{Events: comment}, rest.InvalidParameterValue},
		"a job":                   {createRegistryRequest{Events: comment, Job: &jobSpec{"1"}}, rest.NotImplemented},
		"both":                    {createRegistryRequest{Events: comment, Job: &jobSpec{"1"}, HTTP: open}, rest.InvalidParameterValue},
		"an address inside":       {createRegistryRequest{Events: comment, HTTP: &httpSpec{URL: "https://10.0.0.1/"}}, rest.InvalidParameterValue},
		"no such event":           {createRegistryRequest{Events: []string{"MODEL_VERSION_TRANSITIONED_TO_NONE"}, HTTP: open}, rest.InvalidParameterValue},
		"no such status":          {createRegistryRequest{Events: comment, HTTP: open, Status: "ON"}, rest.InvalidParameterValue},
		"no such model":           {createRegistryRequest{Events: comment, HTTP: open, ModelName: "none"}, rest.ResourceDoesNotExist},
		"an event of no one else": {createRegistryRequest{Events: made, HTTP: open, ModelName: "none"}, rest.InvalidParameterValue},
	} {
		if _, err := s.createRegistry(t.Context(), &c.in); !rest.IsCode(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := s.createRegistry(t.Context(), &createRegistryRequest{Events: made, HTTP: open}); err != nil {
		t.Error(err)
	}
}

// TestNamesOfEvents: the events are those that databricks-sdk knows.
func TestNamesOfEvents(t *testing.T) {
	var got []string
	for _, e := range workspaceEvents {
		got = append(got, e.name)
		for _, stage := range stages {
			if names := e.names(stage); len(names) == 2 {
				got = append(got, names[1])
			}
		}
	}
	slices.Sort(got)
	want := []string{"COMMENT_CREATED", "MODEL_VERSION_CREATED", "MODEL_VERSION_TAG_SET", "MODEL_VERSION_TRANSITIONED_STAGE", "MODEL_VERSION_TRANSITIONED_TO_ARCHIVED",
		"MODEL_VERSION_TRANSITIONED_TO_PRODUCTION", "MODEL_VERSION_TRANSITIONED_TO_STAGING", "REGISTERED_MODEL_CREATED", "TRANSITION_REQUEST_CREATED",
		"TRANSITION_REQUEST_TO_ARCHIVED_CREATED", "TRANSITION_REQUEST_TO_PRODUCTION_CREATED", "TRANSITION_REQUEST_TO_STAGING_CREATED"}
	if !slices.Equal(got, want) {
		t.Errorf("got %v", got)
	}
}
