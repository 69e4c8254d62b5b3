package access

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/millpond/millpond/internal/rest"
)

// OIDC tells whom to ask who a visitor is.
type OIDC struct {
	Issuer       string
	ClientID     string
	ClientSecret string
	RedirectURL  string // this server's address and /oidc/callback; empty to go by the request
	NewUsers     bool   // make users of visitors who are not known yet
}

// provider is an OpenID provider, found when it is first needed: a server must
// start though its provider is away.
type provider struct {
	config OIDC
	mu     sync.Mutex
	found  *oidc.Provider
}

func newProvider(c OIDC) *provider { return &provider{config: c} }

func (p *provider) find(ctx context.Context) (*oidc.Provider, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.found != nil {
		return p.found, nil
	}
	found, err := oidc.NewProvider(context.WithoutCancel(ctx), p.config.Issuer)
	if err != nil {
		return nil, fmt.Errorf("ask the OpenID provider %s: %w", p.config.Issuer, err)
	}
	p.found = found
	return found, nil
}

func (p *provider) oauth(found *oidc.Provider, r *http.Request) *oauth2.Config {
	redirect := p.config.RedirectURL
	if redirect == "" {
		redirect = rest.BaseURL(r) + "/oidc/callback"
	}
	return &oauth2.Config{ClientID: p.config.ClientID, ClientSecret: p.config.ClientSecret, Endpoint: found.Endpoint(), RedirectURL: redirect,
		Scopes: []string{oidc.ScopeOpenID, "profile", "email"}}
}

// flow is the cookie of a login that is under way: state, nonce, verifier, and
// where to go afterwards.
const flow = "millpond_oidc"

func nonce() string {
	var b [24]byte
	_, _ = rand.Read(b[:]) // it never fails: the program ends if it would
	return base64.RawURLEncoding.EncodeToString(b[:])
}

func (s *Service) oidcLogin(w http.ResponseWriter, r *http.Request) {
	next := local(r.URL.Query().Get("next"))
	found, err := s.oidc.find(r.Context())
	if err != nil {
		s.log.ErrorContext(r.Context(), "login failed", "error", err)
		s.showLogin(w, http.StatusBadGateway, next, "Your organisation's login does not answer.")
		return
	}
	state, once, verifier := nonce(), nonce(), oauth2.GenerateVerifier()
	value := strings.Join([]string{state, once, verifier, base64.RawURLEncoding.EncodeToString([]byte(next))}, ".")
	s.setCookie(w, r, flow, value, "/oidc/", int((10 * time.Minute).Seconds()))
	http.Redirect(w, r, s.oidc.oauth(found, r).AuthCodeURL(state, oidc.Nonce(once), oauth2.S256ChallengeOption(verifier)), http.StatusSeeOther)
}

func (s *Service) oidcCallback(w http.ResponseWriter, r *http.Request) {
	name, next, err := s.visitor(r)
	s.setCookie(w, r, flow, "", "/oidc/", -1)
	if err != nil {
		s.log.WarnContext(r.Context(), "login failed", "error", err)
		s.audit(name, "login", r.URL.Path, http.StatusUnauthorized, r.RemoteAddr)
		s.showLogin(w, http.StatusUnauthorized, next, "You could not be logged in: "+reason(err))
		return
	}
	s.begin(w, r, name, next)
}

// refusal is a reason that the visitor may know.
type refusal string

func (r refusal) Error() string { return string(r) }

func reason(err error) string {
	var r refusal
	if errors.As(err, &r) {
		return string(r)
	}
	return "your organisation's login was not completed; the server's log tells more."
}

// visitor finds out who comes back from the provider.
func (s *Service) visitor(r *http.Request) (name, next string, err error) {
	next = "/"
	c, err := r.Cookie(flow)
	if err != nil {
		return "", next, refusal("the login took too long; try again.")
	}
	parts := strings.Split(c.Value, ".")
	if len(parts) != 4 || r.URL.Query().Get("state") != parts[0] {
		return "", next, refusal("the answer does not belong to your login; try again.")
	}
	if raw, err := base64.RawURLEncoding.DecodeString(parts[3]); err == nil {
		next = local(string(raw))
	}
	if e := r.URL.Query().Get("error"); e != "" {
		return "", next, fmt.Errorf("the provider answered %q: %q", e, r.URL.Query().Get("error_description"))
	}
	found, err := s.oidc.find(r.Context())
	if err != nil {
		return "", next, err
	}
	token, err := s.oidc.oauth(found, r).Exchange(r.Context(), r.URL.Query().Get("code"), oauth2.VerifierOption(parts[2]))
	if err != nil {
		return "", next, fmt.Errorf("exchange the code: %w", err)
	}
	raw, _ := token.Extra("id_token").(string)
	id, err := found.Verifier(&oidc.Config{ClientID: s.oidc.config.ClientID}).Verify(r.Context(), raw)
	if err != nil {
		return "", next, fmt.Errorf("verify the id token: %w", err)
	}
	if id.Nonce != parts[1] {
		return "", next, refusal("the answer does not belong to your login; try again.")
	}
	name, err = s.nameOf(r.Context(), id)
	return name, next, err
}

// nameOf is the user that an id token stands for: its email, or its preferred
// name if there is none.
func (s *Service) nameOf(ctx context.Context, id *oidc.IDToken) (string, error) {
	var claims struct {
		Email    string `json:"email"`
		Verified *bool  `json:"email_verified"`
		Name     string `json:"preferred_username"`
	}
	if err := id.Claims(&claims); err != nil {
		return "", fmt.Errorf("read the id token: %w", err)
	}
	name := claims.Email
	switch {
	case name == "":
		name = claims.Name
	case claims.Verified != nil && !*claims.Verified: // anybody may claim an address
		return name, refusal("your organisation has not verified your address " + name + ".")
	}
	if name == "" {
		return "", refusal("your organisation's login tells neither an address nor a name.")
	}
	_, _, err := userByName(ctx, s.db.Reader(), name)
	if rest.IsCode(err, rest.ResourceDoesNotExist) {
		if !s.oidc.config.NewUsers {
			return name, refusal("there is no user " + name + " here; ask an administrator for one.")
		}
		_, err = s.AddUser(ctx, name, "", false)
		if rest.IsCode(err, rest.ResourceAlreadyExists) { // by another request of the same visitor
			err = nil
		}
	}
	return name, err
}
