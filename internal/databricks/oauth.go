package databricks

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/millpond/millpond/internal/rest"
)

// Programs sign in by OAuth's client credentials (RFC 6749, 4.4): they send a name
// and a secret, and get a token that lives for a while.

// maxForm bounds what is read of somebody who is not known yet.
const maxForm = 64 << 10

// authorizationServer tells clients where they get their tokens (RFC 8414).
func authorizationServer(w http.ResponseWriter, r *http.Request) error {
	base := rest.BaseURL(r) + "/oidc"
	return rest.WriteJSON(w, r, map[string]any{"issuer": base, "token_endpoint": base + "/v1/token", "response_types_supported": []string{},
		"grant_types_supported": []string{"client_credentials"}, "token_endpoint_auth_methods_supported": []string{"client_secret_basic", "client_secret_post"}})
}

// clientToken answers in OAuth's form, mistakes too.
func (s *Service) clientToken(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		return refuse(w, http.StatusBadRequest, "invalid_request", "The request's form cannot be read.")
	}
	if r.PostForm.Get("grant_type") != "client_credentials" {
		return refuse(w, http.StatusBadRequest, "unsupported_grant_type", "The only grant_type is client_credentials.")
	}
	id, secret, ok := r.BasicAuth()
	if !ok {
		id, secret = r.PostForm.Get("client_id"), r.PostForm.Get("client_secret")
	}
	if id == "" || secret == "" {
		return refuse(w, http.StatusUnauthorized, "invalid_client", "The client's id and secret are missing.")
	}
	token, life := "any", time.Hour
	if s.clients != nil {
		var err error
		if token, life, err = s.clients.ClientToken(r, id, secret); err != nil {
			return err
		}
	}
	if token == "" {
		return refuse(w, http.StatusUnauthorized, "invalid_client", "The client's id is no user's name, or its secret is none of the user's tokens.")
	}
	w.Header().Set("Cache-Control", "no-store")
	return rest.WriteJSON(w, r, map[string]any{"access_token": token, "token_type": "Bearer", "expires_in": int64(life.Seconds()), "scope": "all-apis"})
}

func refuse(w http.ResponseWriter, status int, code, why string) error {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	if status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", `Basic realm="millpond"`)
	}
	w.WriteHeader(status)
	return json.NewEncoder(w).Encode(map[string]string{"error": code, "error_description": why})
}
