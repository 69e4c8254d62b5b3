package access

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/millpond/millpond/internal/rest"
)

// cookie holds a browser's session.
const cookie = "millpond_session"

// open are the addresses that answer everybody: the server's life, what a
// client asks before it authenticates, and how to sign in.
func open(path string) bool {
	switch path {
	case "/health", "/version", "/.well-known/databricks-config", "/oidc/.well-known/oauth-authorization-server", "/oidc/v1/token":
		return true
	}
	return strings.HasPrefix(path, "/static/")
}

// Handler lets requests through that say who asks.
func (s *Service) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case open(r.URL.Path):
			next.ServeHTTP(w, r)
			return
		case r.URL.Path == "/login" || r.URL.Path == "/logout" || strings.HasPrefix(r.URL.Path, "/oidc/"):
			s.serveLogin(w, r)
			return
		}
		u, err := s.authenticate(r)
		if err != nil {
			s.refuse(w, r, err)
			return
		}
		note := &note{}
		ctx := context.WithValue(withUser(r.Context(), u), noteKey{}, note)
		sw := &rest.StatusWriter{ResponseWriter: w}
		next.ServeHTTP(sw, r.WithContext(ctx))
		if note.keep || sw.Status() == http.StatusForbidden {
			s.audit(u.Name, note.action, r.Method+" "+r.URL.Path, sw.Status(), r.RemoteAddr)
		}
	})
}

// authenticate finds who asks.
func (s *Service) authenticate(r *http.Request) (*User, error) {
	u, err := s.fromHeader(r)
	if err != nil || u != nil {
		return u, err
	}
	c, err := r.Cookie(cookie)
	if err != nil {
		return nil, unauthenticated("You are not authenticated. Send a token (MLFLOW_TRACKING_TOKEN), or a name and a password (MLFLOW_TRACKING_USERNAME, " +
			"MLFLOW_TRACKING_PASSWORD).")
	}
	if u, err = s.byToken(r.Context(), c.Value, session); err != nil {
		return nil, err
	}
	if u == nil {
		return nil, unauthenticated("The session has ended: log in again.")
	}
	// A browser sends the cookie with what other sites make it ask, too.
	if r.Method != http.MethodGet && r.Method != http.MethodHead && !sameOrigin(r) {
		return nil, rest.Errorf(rest.PermissionDenied, "A request of another site is not answered.")
	}
	return u, nil
}

func sameOrigin(r *http.Request) bool {
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" && site != "same-origin" && site != "none" {
		return false
	}
	if origin := r.Header.Get("Origin"); origin != "" {
		o, err := url.Parse(origin)
		return err == nil && o.Host == r.Host
	}
	return true
}

// fromHeader reads the Authorization header, nil if there is none.
func (s *Service) fromHeader(r *http.Request) (*User, error) {
	header := r.Header.Get("Authorization")
	if header == "" {
		return nil, nil
	}
	var u *User
	var err error
	scheme, value, _ := strings.Cut(header, " ")
	if strings.EqualFold(scheme, "Bearer") {
		// What follows "+" is the client's own note of what it does, of no meaning here.
		token, _, _ := strings.Cut(strings.TrimSpace(value), "+")
		u, err = s.byToken(r.Context(), token, apiToken)
	} else if name, password, ok := r.BasicAuth(); ok {
		u, err = s.byPassword(r.Context(), name, password)
	}
	if err == nil && u == nil {
		err = unauthenticated("The token, or the name and password, are not valid.")
	}
	return u, err
}

// refuse answers a client with 401, and sends a person to the login.
func (s *Service) refuse(w http.ResponseWriter, r *http.Request, err error) {
	answer := rest.Answer(err)
	if answer.Code == rest.Unauthenticated {
		if r.Header.Get("Authorization") != "" {
			s.audit("", "authenticate", r.Method+" "+r.URL.Path, http.StatusUnauthorized, r.RemoteAddr)
		}
		if r.Method == http.MethodGet && strings.Contains(r.Header.Get("Accept"), "text/html") {
			http.Redirect(w, r, "/login?next="+url.QueryEscape(r.URL.RequestURI()), http.StatusSeeOther)
			return
		}
		if r.Header.Get("Sec-Fetch-Mode") == "" { // a page's own request must not open the browser's dialog
			w.Header().Set("WWW-Authenticate", `Basic realm="millpond"`)
		}
	}
	rest.WriteError(w, answer)
}

// Token finds who a token of Spark Connect belongs to.
func (s *Service) Token(ctx context.Context, authorization string) (name string, err error) {
	scheme, value, _ := strings.Cut(authorization, " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return "", unauthenticated("Spark Connect needs a token: sc://host:port/;token=...")
	}
	u, err := s.byToken(ctx, strings.TrimSpace(value), apiToken)
	if err == nil && u == nil {
		err = unauthenticated("The token is not valid.")
	}
	if err != nil {
		return "", err
	}
	return u.Name, nil
}

// IsLocal reports whether an address to listen at can be reached from this machine alone.
func IsLocal(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}
