package access

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// issuer is an OpenID provider that takes everybody for one person.
type issuer struct {
	*httptest.Server
	key    *rsa.PrivateKey
	claims map[string]any // of the next id token
	nonce  string
}

func newIssuer(t *testing.T) *issuer {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	i := &issuer{key: key}
	mux := http.NewServeMux()
	i.Server = httptest.NewServer(mux)
	t.Cleanup(i.Close)
	answer := func(w http.ResponseWriter, v any) {
		w.Header().Set("Content-Type", "application/json")
		if err := json.NewEncoder(w).Encode(v); err != nil {
			t.Error(err)
		}
	}
	mux.HandleFunc("/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, map[string]any{"issuer": i.URL, "authorization_endpoint": i.URL + "/auth", "token_endpoint": i.URL + "/token", "jwks_uri": i.URL + "/keys",
			"id_token_signing_alg_values_supported": []string{"RS256"}})
	})
	mux.HandleFunc("/keys", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "k", Algorithm: "RS256", Use: "sig"}}})
	})
	mux.HandleFunc("/token", func(w http.ResponseWriter, r *http.Request) {
		if r.PostFormValue("code") != "the-code" || r.PostFormValue("code_verifier") == "" {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		answer(w, map[string]any{"access_token": "x", "token_type": "Bearer", "id_token": i.token(t)})
	})
	return i
}

func (i *issuer) token(t *testing.T) string {
	claims := map[string]any{"iss": i.URL, "aud": "millpond", "sub": "1", "exp": time.Now().Add(time.Hour).Unix(), "iat": time.Now().Unix(), "nonce": i.nonce}
	for k, v := range i.claims {
		claims[k] = v
	}
	raw, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: i.key}, (&jose.SignerOptions{}).WithHeader("kid", "k"))
	if err != nil {
		t.Fatal(err)
	}
	signed, err := signer.Sign(raw)
	if err != nil {
		t.Fatal(err)
	}
	compact, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return compact
}

// visit goes through a login: to the provider and back.
func (s *server) visit(i *issuer, change func(q url.Values)) *httptest.ResponseRecorder {
	s.t.Helper()
	start := s.send("GET", "/oidc/login?next=/experiments", "")
	at, err := url.Parse(start.Header().Get("Location"))
	if err != nil || !strings.HasPrefix(at.String(), i.URL+"/auth?") {
		s.t.Fatalf("the login goes to %s (%v): %s", at, err, start.Body)
	}
	i.nonce = at.Query().Get("nonce")
	q := url.Values{"state": {at.Query().Get("state")}, "code": {"the-code"}}
	if change != nil {
		change(q)
	}
	c := start.Result().Cookies()[0]
	return s.send("GET", "/oidc/callback?"+q.Encode(), "", "Cookie", c.Name+"="+c.Value)
}

func TestOIDC(t *testing.T) {
	i := newIssuer(t)
	s := newServer(t, Options{OIDC: OIDC{Issuer: i.URL, ClientID: "millpond", ClientSecret: "x"}})
	s.user("bob@example.com", false)
	i.claims = map[string]any{"email": "bob@example.com", "email_verified": true}
	w := s.visit(i, nil)
	if w.Code != 303 || w.Header().Get("Location") != "/experiments" {
		t.Fatalf("%d %s %s", w.Code, w.Header().Get("Location"), w.Body)
	}
	var with []string
	for _, c := range w.Result().Cookies() {
		if c.Name == cookie {
			with = []string{"Cookie", c.Name + "=" + c.Value}
		}
	}
	if got := s.send("GET", "/api/2.0/mlflow/users/current", "", with...); !strings.Contains(got.Body.String(), `"bob@example.com"`) {
		t.Errorf("logged in as %s", got.Body)
	}

	refused := func(what string, w *httptest.ResponseRecorder) {
		t.Helper()
		if w.Code != 401 {
			t.Errorf("%s: %d %s", what, w.Code, w.Header().Get("Location"))
		}
	}
	refused("another login's answer", s.visit(i, func(q url.Values) { q.Set("state", "other") }))
	refused("a wrong code", s.visit(i, func(q url.Values) { q.Set("code", "wrong") }))
	refused("the provider's error", s.visit(i, func(q url.Values) { q.Set("error", "access_denied") }))
	i.claims = map[string]any{"email": "bob@example.com", "email_verified": false}
	refused("an address that is not verified", s.visit(i, nil))
	i.claims = map[string]any{"email": "eve@example.com"}
	refused("a stranger", s.visit(i, nil))
	i.claims = map[string]any{"email": "bob@example.com", "aud": "another"}
	refused("a token for another program", s.visit(i, nil))
	i.claims = map[string]any{"email": "bob@example.com", "nonce": "old"}
	refused("an old token", s.visit(i, nil))
	i.claims = map[string]any{"email": "bob@example.com", "exp": 1}
	refused("a token that has ended", s.visit(i, nil))
	refused("no login at all", s.send("GET", "/oidc/callback?code=the-code&state=x", ""))

	s.oidc.config.NewUsers = true
	i.claims = map[string]any{"email": "eve@example.com"}
	if w := s.visit(i, nil); w.Code != 303 {
		t.Errorf("a new user: %d %s", w.Code, w.Body)
	}
}
