package access

import (
	"embed"
	"html/template"
	"net/http"
	"strings"
	"time"

	"github.com/millpond/millpond/internal/rest"
)

//go:embed login.html
var loginFile embed.FS

var loginPage = template.Must(template.ParseFS(loginFile, "login.html"))

// sessionTime is how long a browser stays logged in.
const sessionTime = 12 * time.Hour

// serveLogin answers what has to do with logging in and out.
func (s *Service) serveLogin(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	switch {
	case r.Method == http.MethodGet && r.URL.Path == "/login":
		s.showLogin(w, http.StatusOK, r.URL.Query().Get("next"), "")
	case r.Method == http.MethodPost && r.URL.Path == "/login":
		s.login(w, r)
	case r.Method == http.MethodPost && r.URL.Path == "/logout":
		s.logout(w, r)
	case r.Method == http.MethodGet && r.URL.Path == "/oidc/login" && s.oidc != nil:
		s.oidcLogin(w, r)
	case r.Method == http.MethodGet && r.URL.Path == "/oidc/callback" && s.oidc != nil:
		s.oidcCallback(w, r)
	default:
		rest.WriteError(w, rest.NotFound("No page at %s %s", r.Method, r.URL.Path))
	}
}

func (s *Service) showLogin(w http.ResponseWriter, status int, next, failure string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	// The client may have gone: nobody is left to tell.
	_ = loginPage.Execute(w, struct {
		Next, Failure string
		OIDC          bool
	}{local(next), failure, s.oidc != nil})
}

// local is a path of this server, whatever a link asked for.
func local(next string) string {
	if !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") || strings.ContainsAny(next, "\\\r\n") {
		return "/"
	}
	return next
}

func (s *Service) login(w http.ResponseWriter, r *http.Request) {
	if !sameOrigin(r) {
		rest.WriteError(w, rest.Errorf(rest.PermissionDenied, "A request of another site is not answered."))
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, 1<<16)
	name, password, next := r.PostFormValue("username"), r.PostFormValue("password"), local(r.PostFormValue("next"))
	u, err := s.byPassword(r.Context(), name, password)
	switch {
	case err != nil:
		s.log.ErrorContext(r.Context(), "login failed", "error", err)
		s.showLogin(w, http.StatusInternalServerError, next, "The server met an error; its log tells more.")
	case u == nil:
		s.audit(name, "login", r.URL.Path, http.StatusUnauthorized, r.RemoteAddr)
		s.showLogin(w, http.StatusUnauthorized, next, "The name and the password do not fit.")
	default:
		s.begin(w, r, u.Name, next)
	}
}

// begin gives the browser a session and sends it on.
func (s *Service) begin(w http.ResponseWriter, r *http.Request, name, next string) {
	secret, _, err := s.newToken(r.Context(), name, session, "", sessionTime)
	if err != nil {
		s.log.ErrorContext(r.Context(), "login failed", "user", name, "error", err)
		s.showLogin(w, rest.Answer(err).Status(), next, "You could not be logged in; the server's log tells more.")
		return
	}
	s.audit(name, "login", r.URL.Path, http.StatusOK, r.RemoteAddr)
	s.setCookie(w, r, cookie, secret, "/", int(sessionTime.Seconds()))
	http.Redirect(w, r, next, http.StatusSeeOther)
}

func (s *Service) setCookie(w http.ResponseWriter, r *http.Request, name, value, path string, age int) {
	http.SetCookie(w, &http.Cookie{Name: name, Value: value, Path: path, MaxAge: age, HttpOnly: true, SameSite: http.SameSiteLaxMode,
		Secure: strings.HasPrefix(rest.BaseURL(r), "https:")})
}

func (s *Service) logout(w http.ResponseWriter, r *http.Request) {
	if c, err := r.Cookie(cookie); err == nil && sameOrigin(r) {
		if err := s.endSession(r.Context(), c.Value); err != nil {
			s.log.ErrorContext(r.Context(), "a session could not be ended", "error", err)
		}
	}
	s.setCookie(w, r, cookie, "", "/", -1)
	http.Redirect(w, r, "/login", http.StatusSeeOther)
}
