package access

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/millpond/millpond/internal/db"
	"github.com/millpond/millpond/internal/db/dbtest"
	"github.com/millpond/millpond/internal/rest"
)

var quiet = slog.New(slog.DiscardHandler)

func TestOnPostgres(t *testing.T) { dbtest.OnPostgres(t) }

type server struct {
	t *testing.T
	*Service
	handler http.Handler
	now     time.Time
}

// thing is a request of an endpoint that the tests guard.
type thing struct {
	ExperimentIDs []string `json:"experiment_ids"`
	RunID         string   `json:"run_id"`
	Name          string   `json:"name"`
	Location      string   `json:"artifact_location"`
	Source        string   `json:"source"`
}

func echo(_ context.Context, in *thing) (*thing, error) { return in, nil }

type made struct {
	ID string `json:"experiment_id"`
}

func newServer(t *testing.T, opts Options) *server {
	t.Helper()
	records, err := db.Open(t.Context(), dbtest.Address(t), db.Options{Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { records.Close() })
	srv := &server{t: t, now: time.Unix(1_800_000_000, 0)}
	opts.Logger, opts.Now = quiet, func() time.Time { return srv.now }
	if srv.Service, err = New(records, opts); err != nil {
		t.Fatal(err)
	}
	for _, q := range []string{
		`INSERT INTO experiments (experiment_id, name, artifact_location, creation_time, last_update_time) VALUES (7, 'seven', '', 1, 1), (8, 'eight', '', 1, 1)`,
		`INSERT INTO runs (run_id, experiment_id, name, user_id, status, start_time, artifact_uri) VALUES ('r7', 7, '', '', '', 1, ''), ('r8', 8, '', '', '', 1, '')`,
	} {
		if err := srv.write(t.Context(), q); err != nil {
			t.Fatal(err)
		}
	}
	mux := rest.NewMux(rest.MuxOptions{Logger: quiet, Guard: srv.Service})
	ok := func(w http.ResponseWriter, _ *http.Request) error {
		_, err := io.WriteString(w, "{}")
		return err
	}
	mux.Handle(
		rest.Op("POST", "/read", "searchRuns", echo), rest.Op("POST", "/write", "logMetric", echo), rest.Op("POST", "/model", "deleteRegisteredModel", echo),
		rest.Op("POST", "/unknown", "noSuchRule", echo), rest.Op("POST", "/webhook", "createWebhook", echo), rest.Op("POST", "/make-version", "createModelVersion", echo),
		rest.Op("POST", "/create", "createExperiment", func(context.Context, *thing) (*made, error) { return &made{"9"}, nil }),
		rest.Raw("GET", "/files/{path...}", "downloadArtifact", ok), rest.Raw("GET", "/health", "health", ok))
	srv.Mount(mux)
	srv.handler = srv.Handler(mux)
	return srv
}

// user makes a user and a token.
func (s *server) user(name string, admin bool) string {
	s.t.Helper()
	if _, err := s.AddUser(s.t.Context(), name, "a long password", admin); err != nil {
		s.t.Fatal(err)
	}
	secret, _, err := s.NewToken(s.t.Context(), name, "", time.Hour)
	if err != nil {
		s.t.Fatal(err)
	}
	return secret
}

func (s *server) send(method, path, in string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(in))
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, r)
	return w
}

func (s *server) want(w *httptest.ResponseRecorder, status int, code string) {
	s.t.Helper()
	var out struct {
		Code string `json:"error_code"`
	}
	_ = json.Unmarshal(w.Body.Bytes(), &out) // what is not JSON has no code
	if w.Code != status || out.Code != code {
		s.t.Errorf("%d %s, want %d %s", w.Code, w.Body, status, code)
	}
}

func bearer(token string) []string { return []string{"Authorization", "Bearer " + token} }

func TestWhoAsks(t *testing.T) {
	s := newServer(t, Options{})
	token := s.user("alice", true)
	s.want(s.send("POST", "/read", "{}"), 401, "UNAUTHENTICATED")
	s.want(s.send("POST", "/read", "{}", bearer("mpt_wrong")...), 401, "UNAUTHENTICATED")
	s.want(s.send("POST", "/read", "{}", bearer(token)...), 200, "")
	basic := func(name, password string) []string {
		r := httptest.NewRequest("GET", "/", nil)
		r.SetBasicAuth(name, password)
		return []string{"Authorization", r.Header.Get("Authorization")}
	}
	s.want(s.send("POST", "/read", "{}", basic("alice", "a long password")...), 200, "")
	s.want(s.send("POST", "/read", "{}", basic("alice", token)...), 200, "")
	s.want(s.send("POST", "/read", "{}", basic("token", token)...), 200, "")
	s.want(s.send("POST", "/read", "{}", basic("bob", token)...), 401, "UNAUTHENTICATED")
	s.want(s.send("POST", "/read", "{}", basic("alice", "wrong")...), 401, "UNAUTHENTICATED")
	s.want(s.send("POST", "/read", "{}", basic("nobody", "a long password")...), 401, "UNAUTHENTICATED")
	s.want(s.send("GET", "/health", ""), 200, "")

	if err := s.SetPassword(t.Context(), "alice", "another password"); err != nil {
		t.Fatal(err)
	}
	s.want(s.send("POST", "/read", "{}", basic("alice", "a long password")...), 401, "UNAUTHENTICATED")
	s.now = s.now.Add(2 * time.Hour) // the token has ended
	s.want(s.send("POST", "/read", "{}", bearer(token)...), 401, "UNAUTHENTICATED")
	fresh, info, err := s.NewToken(t.Context(), "alice", "", 0)
	if err != nil {
		t.Fatal(err)
	}
	s.want(s.send("POST", "/read", "{}", bearer(fresh)...), 200, "")
	if err := s.RevokeToken(t.Context(), info.ID, ""); err != nil {
		t.Fatal(err)
	}
	s.want(s.send("POST", "/read", "{}", bearer(fresh)...), 401, "UNAUTHENTICATED")
}

// TestRevokedElsewhere: another process ends a token; this one knows it after a moment.
func TestRevokedElsewhere(t *testing.T) {
	s := newServer(t, Options{})
	token := s.user("alice", true)
	s.want(s.send("POST", "/read", "{}", bearer(token)...), 200, "")
	if err := s.write(t.Context(), `DELETE FROM tokens`); err != nil {
		t.Fatal(err)
	}
	s.now = s.now.Add(known)
	s.want(s.send("POST", "/read", "{}", bearer(token)...), 401, "UNAUTHENTICATED")
}

func TestWhatTheyMay(t *testing.T) {
	s := newServer(t, Options{})
	admin, bob := bearer(s.user("alice", true)), bearer(s.user("bob", false))
	grant := func(kind, id, permission string) {
		t.Helper()
		s.want(s.send("POST", "/api/3.0/mlflow/users/permissions/grant", `{"username":"bob","resource_type":"`+kind+`","resource_id":"`+id+`","permission":"`+permission+`"}`, admin...), 200, "")
	}
	denied := "PERMISSION_DENIED"
	s.want(s.send("POST", "/read", `{"experiment_ids":["7"]}`, bob...), 200, "") // READ is the default
	s.want(s.send("POST", "/write", `{"run_id":"r7"}`, bob...), 403, denied)
	grant("experiment", "7", "EDIT")
	s.want(s.send("POST", "/write", `{"run_id":"r7"}`, bob...), 200, "")
	s.want(s.send("POST", "/write", `{"run_id":"r8"}`, bob...), 403, denied)
	s.want(s.send("POST", "/write", `{"run_id":"none"}`, bob...), 200, "") // the endpoint says that there is none
	grant("experiment", "8", "NO_PERMISSIONS")
	if got := s.send("POST", "/read", `{"experiment_ids":["7","8"]}`, bob...); !strings.Contains(got.Body.String(), `"experiment_ids":["7"]`) {
		t.Errorf("a search sees %s", got.Body)
	}
	s.want(s.send("POST", "/read", `{"experiment_ids":["8"]}`, bob...), 403, denied)
	s.want(s.send("GET", "/files/7/r7/artifacts/x", "", bob...), 200, "")
	s.want(s.send("GET", "/files/8/r8/artifacts/x", "", bob...), 403, denied)
	s.want(s.send("GET", "/files/elsewhere/x", "", bob...), 403, denied)
	s.want(s.send("GET", "/files/elsewhere/x", "", admin...), 200, "")
	s.want(s.send("POST", "/unknown", `{}`, bob...), 403, denied)
	s.want(s.send("POST", "/unknown", `{}`, admin...), 200, "")
	s.want(s.send("POST", "/webhook", `{}`, bob...), 403, denied)

	// Who makes something manages it.
	s.want(s.send("POST", "/create", `{}`, bob...), 200, "")
	if got := s.send("GET", "/api/3.0/mlflow/users/permissions/get?username=bob&resource_type=experiment&resource_id=9", "", bob...); !strings.Contains(got.Body.String(), `"MANAGE"`) {
		t.Errorf("the maker has %s", got.Body)
	}
	s.want(s.send("POST", "/create", `{"artifact_location":"mlflow-artifacts:/8"}`, bob...), 403, denied) // another's files

	// A version is not a way to what its maker may not read.
	grant("registered_model", "mine", "EDIT")
	grant("registered_model", "theirs", "NO_PERMISSIONS")
	for source, status := range map[string]int{"runs:/r7/x": 200, "runs:/r8/x": 403, "models:/theirs/1": 403, "models:/theirs@a": 403, "models:/mine/1": 200,
		"mlflow-artifacts:/8/r8/artifacts/x": 403, "dbfs:/databricks/mlflow-tracking/8/r8/artifacts/x": 403, "s3://bucket/x": 200} {
		if w := s.send("POST", "/make-version", `{"name":"mine","source":"`+source+`"}`, bob...); w.Code != status {
			t.Errorf("%s: %d %s", source, w.Code, w.Body)
		}
	}

	// Permissions of a model go with it.
	grant("registered_model", "m", "MANAGE")
	s.want(s.send("POST", "/model", `{"name":"m"}`, bob...), 200, "")
	s.want(s.send("POST", "/model", `{"name":"m"}`, bob...), 403, denied)

	// Nobody gives permissions on what is another's, nor makes users.
	s.want(s.send("POST", "/api/3.0/mlflow/users/permissions/grant", `{"username":"bob","resource_type":"experiment","resource_id":"8","permission":"MANAGE"}`, bob...), 403, denied)
	s.want(s.send("POST", "/api/2.0/mlflow/users/create", `{"username":"eve","password":"a long password"}`, bob...), 403, denied)
	s.want(s.send("PATCH", "/api/2.0/mlflow/users/update-password", `{"username":"alice","password":"a long password"}`, bob...), 403, denied)
}

func TestOldPermissionEndpoints(t *testing.T) {
	s := newServer(t, Options{})
	admin := bearer(s.user("alice", true))
	s.user("bob", false)
	const p = "/api/2.0/mlflow/experiments/permissions/"
	s.want(s.send("POST", p+"create", `{"experiment_id":"7","username":"bob","permission":"EDIT"}`, admin...), 200, "")
	if got := s.send("GET", p+"get?experiment_id=7&username=bob", "", admin...); !strings.Contains(got.Body.String(), `"permission":"EDIT"`) {
		t.Errorf("got %s", got.Body)
	}
	s.want(s.send("DELETE", p+"delete", `{"experiment_id":"7","username":"bob"}`, admin...), 200, "")
	s.want(s.send("GET", p+"get?experiment_id=7&username=bob", "", admin...), 404, "RESOURCE_DOES_NOT_EXIST")
	s.want(s.send("POST", p+"create", `{"experiment_id":"7","username":"bob","permission":"ALL"}`, admin...), 400, "INVALID_PARAMETER_VALUE")
	s.want(s.send("POST", p+"create", `{"experiment_id":"7","username":"no","permission":"EDIT"}`, admin...), 404, "RESOURCE_DOES_NOT_EXIST")
}

func TestBrowsers(t *testing.T) {
	s := newServer(t, Options{})
	s.user("bob", false)
	page := s.send("GET", "/experiments", "", "Accept", "text/html")
	if page.Code != 303 || page.Header().Get("Location") != "/login?next=%2Fexperiments" {
		t.Fatalf("a person is sent to %d %s", page.Code, page.Header().Get("Location"))
	}
	form := []string{"Content-Type", "application/x-www-form-urlencoded"}
	s.want(s.send("POST", "/login", "username=bob&password=wrong", form...), 401, "")
	s.want(s.send("POST", "/login", "username=bob&password=a+long+password", append(form, "Origin", "https://evil.example")...), 403, "PERMISSION_DENIED")
	in := s.send("POST", "/login", "username=bob&password=a+long+password&next=//evil.example", form...)
	if in.Code != 303 || in.Header().Get("Location") != "/" {
		t.Fatalf("the login sends to %d %s", in.Code, in.Header().Get("Location"))
	}
	c := in.Result().Cookies()[0]
	if !c.HttpOnly || c.SameSite != http.SameSiteLaxMode {
		t.Errorf("cookie: %v", c)
	}
	with := []string{"Cookie", c.Name + "=" + c.Value}
	s.want(s.send("POST", "/read", `{"experiment_ids":["7"]}`, with...), 200, "")
	s.want(s.send("POST", "/read", `{}`, append(with, "Origin", "https://evil.example")...), 403, "PERMISSION_DENIED")
	s.want(s.send("POST", "/read", `{}`, append(with, "Sec-Fetch-Site", "cross-site")...), 403, "PERMISSION_DENIED")
	s.want(s.send("POST", "/read", `{}`, bearer(c.Value)...), 401, "UNAUTHENTICATED") // a session is no token
	s.send("POST", "/logout", "", with...)
	s.want(s.send("POST", "/read", `{}`, with...), 401, "UNAUTHENTICATED")
}

func TestAudit(t *testing.T) {
	s := newServer(t, Options{})
	admin, bob := bearer(s.user("alice", true)), bearer(s.user("bob", false))
	s.send("POST", "/model", `{"name":"m"}`, admin...)
	s.send("POST", "/model", `{"name":"m"}`, bob...)
	s.send("POST", "/read", `{"experiment_ids":["7"]}`, bob...)
	s.send("POST", "/read", "{}", bearer("mpt_wrong")...)
	ctx, stop := context.WithCancel(t.Context())
	stop()
	s.Run(ctx) // writes what is left
	got := s.send("GET", "/api/2.0/millpond/audit", "", admin...)
	var out auditResponse
	if err := json.Unmarshal(got.Body.Bytes(), &out); err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, r := range out.Records {
		lines = append(lines, r.User+" "+r.Action+" "+http.StatusText(r.Status))
	}
	if got := strings.Join(lines, "; "); got != " authenticate Unauthorized; bob deleteRegisteredModel Forbidden; alice deleteRegisteredModel OK" {
		t.Errorf("audit: %s", got)
	}
}

func TestUsers(t *testing.T) {
	s := newServer(t, Options{})
	ctx := t.Context()
	for _, c := range []struct{ name, password string }{{"", ""}, {"a:b", ""}, {"bob", "short"}, {"bob", strings.Repeat("x", 73)}} {
		if _, err := s.AddUser(ctx, c.name, c.password, false); !rest.IsCode(err, rest.InvalidParameterValue) {
			t.Errorf("%q, %q: %v", c.name, c.password, err)
		}
	}
	s.user("bob", false)
	if _, err := s.AddUser(ctx, "bob", "", false); !rest.IsCode(err, rest.ResourceAlreadyExists) {
		t.Errorf("twice: %v", err)
	}
	if err := s.RemoveUser(ctx, "bob"); err != nil {
		t.Fatal(err)
	}
	tokens, err := s.Tokens(ctx, "")
	if err != nil || len(tokens) != 0 {
		t.Errorf("tokens of a user who is gone: %v, %v", tokens, err)
	}
	if _, err := New(s.db, Options{Default: "ALL"}); err == nil {
		t.Error("a default permission that there is not")
	}
}

// A token check must cost less than 50 µs.
func BenchmarkToken(b *testing.B) {
	records, err := db.Open(b.Context(), b.TempDir()+"/x.db", db.Options{Logger: quiet})
	if err != nil {
		b.Fatal(err)
	}
	defer records.Close()
	s, err := New(records, Options{})
	if err != nil {
		b.Fatal(err)
	}
	if _, err := s.AddUser(b.Context(), "bob", "", false); err != nil {
		b.Fatal(err)
	}
	secret, _, err := s.NewToken(b.Context(), "bob", "", 0)
	if err != nil {
		b.Fatal(err)
	}
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Authorization", "Bearer "+secret)
	for name, forget := range map[string]bool{"known": false, "asked": true} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if forget {
					s.changed()
				}
				if u, err := s.authenticate(r); err != nil || u == nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func TestClientTokens(t *testing.T) {
	s := newServer(t, Options{})
	secret := s.user("alice", false)
	s.user("bob", false)
	lend := func(name, secret string) string {
		t.Helper()
		token, life, err := s.ClientToken(httptest.NewRequest("POST", "/oidc/v1/token", nil), name, secret)
		if err != nil || life > clientLife || token != "" && life <= 0 {
			t.Fatalf("%v, %v", life, err)
		}
		return token
	}
	for name, given := range map[string]string{"bob": secret, "nobody": secret, "alice": "mpt_wrong", "": ""} {
		if lend(name, given) != "" {
			t.Errorf("%s may sign in with a token that is not theirs", name)
		}
	}
	first := lend("alice", secret)
	s.want(s.send("POST", "/read", "{}", bearer(first)...), 200, "")
	if lend("alice", secret) != first {
		t.Error("another token, though the first one lives")
	}
	if tokens, err := s.Tokens(t.Context(), "alice"); err != nil || len(tokens) != 1 {
		t.Errorf("tokens: %v, %v", tokens, err)
	}
	s.now = s.now.Add(clientLife * 3 / 4)
	second := lend("alice", secret)
	if second == first {
		t.Error("a token that is about to end is given")
	}
	s.now = s.now.Add(clientLife / 4) // the user's own token ends, and what was lent for it
	s.want(s.send("POST", "/read", "{}", bearer(second)...), 401, "UNAUTHENTICATED")
	if lend("alice", secret) != "" {
		t.Error("a token that has ended signs in")
	}

	secret, made, err := s.NewToken(t.Context(), "alice", "", 0)
	if err != nil {
		t.Fatal(err)
	}
	third := lend("alice", secret)
	s.want(s.send("POST", "/read", "{}", bearer(third)...), 200, "")
	if err := s.RevokeToken(t.Context(), made.ID, ""); err != nil {
		t.Fatal(err)
	}
	s.want(s.send("POST", "/read", "{}", bearer(third)...), 401, "UNAUTHENTICATED")
}

// TestFilesOfARenamedModel: they lie where the model's old name says, and are the model's.
func TestFilesOfARenamedModel(t *testing.T) {
	s := newServer(t, Options{})
	token := s.user("bob", false)
	for _, q := range []string{
		`INSERT INTO registered_models (id, name, description, creation_time, last_updated_time) VALUES (1, 'main.default.new', '', 1, 1)`,
		`INSERT INTO model_versions (model, version, creation_time, last_updated_time, description, source, storage_location, run_id, run_link, logged_model_id)
			VALUES (1, 1, 1, 1, '', '', 'mlflow-artifacts:/uc/main/default/old/u1', '', '', '')`,
		`INSERT INTO permissions (user_id, resource_type, resource_id, permission) SELECT id, 'registered_model', 'main.default.new', 'NO_PERMISSIONS' FROM users`,
	} {
		if err := s.write(t.Context(), q); err != nil {
			t.Fatal(err)
		}
	}
	for _, path := range []string{"uc/main/default/old/u1/MLmodel", "uc/main/default/old/u2/MLmodel"} {
		s.want(s.send("GET", "/files/"+path, "", bearer(token)...), 403, "PERMISSION_DENIED")
	}
}
