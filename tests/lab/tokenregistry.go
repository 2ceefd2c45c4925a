// A registry with token authentication, and the token server that it sends its clients to.
package main

import (
	"context"
	"crypto"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/distribution/distribution/v3/configuration"
	"github.com/distribution/distribution/v3/registry/auth/token"
	"github.com/distribution/distribution/v3/registry/handlers"
	_ "github.com/distribution/distribution/v3/registry/storage/driver/filesystem" // the storage used here
	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"k8s.io/client-go/rest"
)

const (
	tokenIssuer = "lab-token-server"
	tokenKeyID  = "lab"
	tokenLife   = 5 * time.Minute
)

type tokenRegistry struct {
	name, host string
	tokens     *tokenServer
	app        http.Handler
	image      pushSource
	doors      []*door // the realm's, where it has its own, and the registry's
	untrusted  untrustedPlace
	cluster    *rest.Config // the issuer of tokens of service accounts; nil until the lab is ready
}

// untrustedPlace is a second address of a registry, whose certificate no node trusts. authority is the file of the one that signed it.
type untrustedPlace struct{ host, authority string }

func newTokenRegistry(dir layout, name, host, realm string, image pushSource) (*tokenRegistry, error) {
	tokens, keys, err := newTokenServer(realm, "lab-"+name)
	if err != nil {
		return nil, err
	}
	keyFile := dir.conf(name + "-jwks.json")
	if err := os.WriteFile(keyFile, keys, 0o600); err != nil {
		return nil, err
	}
	config := registryConfig(dir, name)
	config.Auth = configuration.Auth{"token": {
		"realm": realm, "service": tokens.service, "issuer": tokenIssuer, "jwks": keyFile,
	}}
	app := handlers.NewApp(context.Background(), config)
	return &tokenRegistry{name: name, host: host, tokens: tokens, app: app, image: image}, nil
}

// registryConfig is what all registries of the lab share.
func registryConfig(dir layout, name string) *configuration.Configuration {
	config := &configuration.Configuration{
		Storage: configuration.Storage{
			"filesystem":  {"rootdirectory": dir.store(name)},
			"maintenance": {"uploadpurging": map[any]any{"enabled": false}},
		},
	}
	config.HTTP.Secret = rand.Text()
	return config
}

func (t *tokenRegistry) info() registryInfo {
	info := registryInfo{
		Host: t.host, Realm: t.tokens.realm, Service: t.tokens.service,
		Image: t.host + "/" + teamImage, Accounts: t.tokens.rules.known(),
		UntrustedHost: t.untrusted.host, UntrustedCA: t.untrusted.authority,
	}
	info.RealmHost, _, _ = strings.Cut(strings.TrimPrefix(t.tokens.realm, "https://"), "/")
	return info
}

// change does what it was asked for before it returns.
func (t *tokenRegistry) change(c registryChange) error {
	var trust *issuerTrust
	if c.Trust != nil && *c.Trust != "" {
		ctx, cancel := context.WithTimeout(context.Background(), pullPatience)
		defer cancel()
		var err error
		if trust, err = newIssuerTrust(ctx, t.cluster, *c.Trust); err != nil {
			return err
		}
	}
	if err := t.tokens.rules.change(c); err != nil {
		return err
	}
	if c.Trust != nil {
		t.tokens.trust.Store(trust)
	}
	for _, one := range t.doors {
		if c.Close {
			one.close()
		}
		if c.Open {
			if err := one.open(); err != nil {
				return err
			}
		}
	}
	return nil
}

// pushImage pushes as the registry's own, with a token that no client can get.
func (t *tokenRegistry) pushImage(ctx context.Context, image string) error {
	name, _, err := splitImage(image)
	if err != nil {
		return err
	}
	push, err := t.tokens.issue(ownAccount, []*token.ResourceActions{{Type: "repository", Name: name, Actions: []string{"pull", "push"}}})
	if err != nil {
		return err
	}
	_, err = t.image.push(ctx, t.host+"/"+image, push)
	return err
}

// tokenServer checks accounts and grants them pull, as the token specification says.
type tokenServer struct {
	realm, service string
	rules          *registryRules
	signer         jose.Signer
	public         crypto.PublicKey
	trust          atomic.Pointer[issuerTrust] // nil: passwords of accounts only
}

// newTokenServer also returns the public keys, in the form the registry reads.
func newTokenServer(realm, service string) (*tokenServer, []byte, error) {
	key, err := newKey()
	if err != nil {
		return nil, nil, err
	}
	options := (&jose.SignerOptions{}).WithType("JWT").WithHeader("kid", tokenKeyID)
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key}, options)
	if err != nil {
		return nil, nil, err
	}
	keys, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{
		{Key: key.Public(), KeyID: tokenKeyID, Algorithm: string(jose.ES256), Use: "sig"},
	}})
	return &tokenServer{realm: realm, service: service, rules: newRegistryRules(), signer: signer, public: key.Public()}, keys, err
}

func (t *tokenServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet {
		// The OAuth2 form is not offered; clients then use GET.
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	subject, _, _ := r.BasicAuth()
	t.rules.counting(w, subject, askedLogin, func(w http.ResponseWriter) { t.answer(w, r) })
}

func (t *tokenServer) answer(w http.ResponseWriter, r *http.Request) {
	if t.rules.overLimit() {
		tooMany(w)
		return
	}
	if answer, found := t.rules.instead("token"); found {
		answer.write(w, "token", nil)
		return
	}
	subject, known := "", false
	if r.Header.Get("Authorization") != "" {
		username, password, ok := r.BasicAuth()
		if !ok || !t.rules.accepts(username, password) && !t.trust.Load().accepts(password) {
			w.Header().Set("WWW-Authenticate", `Basic realm="lab"`)
			refuse(w, http.StatusUnauthorized, "UNAUTHORIZED", "authentication required")
			return
		}
		subject, known = username, true
	}
	query := r.URL.Query()
	if service := query.Get("service"); service != "" && service != t.service {
		writeJSON(w, http.StatusBadRequest, map[string]any{"details": "unknown service"})
		return
	}
	// Without credentials the answer is still 200, with a token that grants nothing.
	var access []*token.ResourceActions
	if known {
		access = slices.DeleteFunc(grantPull(query["scope"]), func(a *token.ResourceActions) bool {
			return t.rules.denies(a.Name, subject)
		})
	}
	signed, err := t.issue(subject, access)
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	writeJSON(w, http.StatusOK, map[string]any{
		"token": signed, "access_token": signed,
		"expires_in": int(t.rules.tokenLife().Seconds()), "issued_at": time.Now().UTC().Format(time.RFC3339),
	})
}

// grantPull reads scopes, type[(class)]:name:action[,action], and keeps of each repository the action pull.
func grantPull(scopes []string) []*token.ResourceActions {
	granted := []*token.ResourceActions{}
	for _, scope := range strings.Fields(strings.Join(scopes, " ")) {
		kind, rest, found := strings.Cut(scope, ":")
		last := strings.LastIndexByte(rest, ':') // a name may hold a host and its port
		if !found || last < 0 {
			continue
		}
		name, actions := rest[:last], strings.Split(rest[last+1:], ",")
		kind, class, _ := strings.Cut(kind, "(")
		if kind == "repository" && slices.Contains(actions, "pull") {
			granted = append(granted, &token.ResourceActions{
				Type: kind, Class: strings.TrimSuffix(class, ")"), Name: name, Actions: []string{"pull"},
			})
		}
	}
	return granted
}

func (t *tokenServer) issue(subject string, access []*token.ResourceActions) (string, error) {
	return t.sign(subject, access, time.Now(), t.rules.tokenLife())
}

// sign makes the token that was given at a time. Its id has that time to the nanosecond: the other times are whole seconds.
func (t *tokenServer) sign(subject string, access []*token.ResourceActions, given time.Time, life time.Duration) (string, error) {
	if access == nil {
		access = []*token.ResourceActions{}
	}
	return jwt.Signed(t.signer).Claims(token.ClaimSet{
		Issuer: tokenIssuer, Subject: subject, Audience: token.AudienceList{t.service},
		IssuedAt: given.Unix(), NotBefore: given.Add(-time.Minute).Unix(), Expiration: given.Unix() + int64(life.Seconds()),
		JWTID: fmt.Sprintf("%d-%s", given.UnixNano(), rand.Text()), Access: access,
	}).Serialize()
}

func writeJSON(w http.ResponseWriter, status int, content any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(content)
}

// refuse answers as registries do.
func refuse(w http.ResponseWriter, status int, code, message string) {
	writeJSON(w, status, map[string]any{"errors": []any{map[string]any{"code": code, "message": message, "detail": nil}}})
}
