// Tokens of service accounts as passwords, as zot takes them from 2.1.19 on: the registry reads the keys of the issuer, and then checks the
// signature, issuer, audience, subject and end of each token. No request about a token leaves it.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"k8s.io/client-go/rest"
)

// The API server signs with RSA or an elliptic curve, by its key.
var issuerAlgorithms = []jose.SignatureAlgorithm{jose.RS256, jose.ES256, jose.ES384}

// issuerTrust is what a registry asks of a token. A registry with none, nil, takes no tokens.
type issuerTrust struct {
	expected jwt.Expected
	keys     jose.JSONWebKeySet
}

// newIssuerTrust reads the keys of the cluster's issuer for a rule AUDIENCE=SUBJECT.
func newIssuerTrust(ctx context.Context, cluster *rest.Config, rule string) (*issuerTrust, error) {
	audience, subject, found := strings.Cut(rule, "=")
	if !found || cluster == nil {
		return nil, fmt.Errorf("--trust is AUDIENCE=SUBJECT, on a lab that is ready, not %q", rule)
	}
	trust := &issuerTrust{expected: jwt.Expected{AnyAudience: jwt.Audience{audience}, Subject: subject}}
	var discovered struct {
		Issuer string `json:"issuer"`
	}
	if err := readCluster(ctx, cluster, "/.well-known/openid-configuration", &discovered); err != nil {
		return nil, err
	}
	trust.expected.Issuer = discovered.Issuer
	return trust, readCluster(ctx, cluster, "/openid/v1/jwks", &trust.keys)
}

func readCluster(ctx context.Context, cluster *rest.Config, path string, into any) error {
	client, err := rest.HTTPClientFor(cluster)
	if err != nil {
		return err
	}
	server, _, err := rest.DefaultServerUrlFor(cluster)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(server.String(), "/")+path, nil)
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s of the API server: status %d", path, response.StatusCode)
	}
	return json.NewDecoder(response.Body).Decode(into)
}

func (t *issuerTrust) accepts(password string) bool {
	if t == nil {
		return false
	}
	token, err := jwt.ParseSigned(password, issuerAlgorithms)
	if err != nil {
		return false
	}
	var claims jwt.Claims
	if err := token.Claims(t.keys, &claims); err != nil {
		return false
	}
	expected := t.expected
	expected.Time = time.Now()
	return claims.Expiry != nil && claims.Validate(expected) == nil
}
