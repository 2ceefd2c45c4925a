// The gate before a registry with tokens: it knows the owner of a token, counts the request, and holds the rules.
package main

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/distribution/distribution/v3/registry/auth/token"
	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// caller is who sends a request to the registry.
type caller struct {
	user   string
	signed bool // it has a token of this registry's token server
	ended  bool // which counts no more
}

func (t *tokenRegistry) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	from := t.tokens.callerOf(r)
	if from.user == ownAccount && from.signed {
		t.app.ServeHTTP(w, r)
		return
	}
	repository, what := wantedOf(r)
	t.tokens.rules.counting(w, from.user, what, func(w http.ResponseWriter) { t.serve(w, r, from, repository) })
}

func (t *tokenRegistry) serve(w http.ResponseWriter, r *http.Request, from caller, repository string) {
	rules := t.tokens.rules
	if rules.overLimit() {
		tooMany(w)
		return
	}
	if target := rules.redirected(r.URL.RequestURI()); target != "" {
		http.Redirect(w, r, target, http.StatusTemporaryRedirect)
		return
	}
	// An answer to `ping` is given at once; one about content to those who may have it, so that the way there stays as it is.
	place := placeOf(r)
	if answer, found := rules.instead(place); found && (place == "ping" || from.signed) {
		answer.write(w, place, func(w http.ResponseWriter) { t.app.ServeHTTP(w, r) })
		return
	}
	alive := from.signed && !from.ended
	if alive && place == "manifests" {
		rules.reportQuota(w.Header())
	}
	if alive && rules.hides(repository, from.user) {
		refuse(w, http.StatusNotFound, "NAME_UNKNOWN", "repository name not known to registry")
		return
	}
	var err error
	switch {
	case from.signed && from.ended:
		r, err = t.tokens.withToken(r, from.user, time.Now().Add(-2*token.Leeway))
	case alive && rules.denies(repository, from.user):
		r, err = t.tokens.withToken(r, from.user, time.Now())
	}
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	t.app.ServeHTTP(w, r)
}

// withToken has a token in place of the one that was sent, which grants nothing and was given at a time and for a second: the
// registry itself then says what is wrong with it.
func (t *tokenServer) withToken(r *http.Request, user string, given time.Time) (*http.Request, error) {
	instead, err := t.sign(user, nil, given, time.Second)
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+instead)
	return r, err
}

// callerOf trusts a token of its own. It also trusts a user name next to a password, because the registry does not take passwords.
func (t *tokenServer) callerOf(r *http.Request) caller {
	if user, _, ok := r.BasicAuth(); ok {
		return caller{user: user}
	}
	scheme, raw, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "bearer") {
		return caller{}
	}
	parsed, err := jwt.ParseSigned(raw, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		return caller{}
	}
	var claims token.ClaimSet
	if err := parsed.Claims(t.public, &claims); err != nil {
		return caller{}
	}
	return caller{claims.Subject, true, !t.lives(claims, time.Now())}
}

// lives is exact, where the registry itself would take a token for another minute.
func (t *tokenServer) lives(claims token.ClaimSet, now time.Time) bool {
	nanoseconds, _, _ := strings.Cut(claims.JWTID, "-")
	given, err := strconv.ParseInt(nanoseconds, 10, 64)
	if err != nil {
		return false
	}
	granted := time.Duration(claims.Expiration-claims.IssuedAt) * time.Second
	return t.rules.tokenLives(claims.Subject, time.Unix(0, given), granted, now)
}

// wantedOf is the repository of a request, and its kind in the counts.
func wantedOf(r *http.Request) (string, asked) {
	path, _ := strings.CutPrefix(r.URL.Path, "/v2/")
	at, manifest := -1, false
	for _, kind := range []string{"/manifests/", "/blobs/", "/tags/"} {
		if found := strings.LastIndex(path, kind); found > at {
			at, manifest = found, kind == "/manifests/"
		}
	}
	switch {
	case at < 0:
		return "", askedOther
	case manifest && r.Method == http.MethodGet:
		return path[:at], askedManifest
	case manifest && r.Method == http.MethodHead:
		return path[:at], askedHead
	}
	return path[:at], askedOther
}

func tooMany(w http.ResponseWriter) {
	w.Header().Set("Retry-After", "1")
	refuse(w, http.StatusTooManyRequests, "TOOMANYREQUESTS", "You have reached your pull rate limit.")
}
