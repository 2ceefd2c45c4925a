// The integrated registry: a plain registry whose every request is decided by the API server, with the
// caller's own token, and whose answers are those that OpenShift's registry was recorded to give.
package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/distribution/distribution/v3/configuration"
	"github.com/distribution/distribution/v3/registry/auth"
	"github.com/distribution/distribution/v3/registry/handlers"
	"github.com/opencontainers/go-digest"
	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	"k8s.io/client-go/rest"
)

const (
	anonymousToken = "anonymous"
	tokenPath      = "/openshift/token"
	accessName     = "lab-openshift"
)

type integratedRegistry struct {
	host     string
	store    string
	image    pushSource
	internal string // the token by which the lab itself pushes
	app      http.Handler
	server   string
	callers  *http.Client // sends only the token that it is given
	own      *http.Client // the registry's own identity
}

func newIntegratedRegistry(dir layout, host string, image pushSource) (*integratedRegistry, error) {
	r := &integratedRegistry{host: host, store: dir.store(nameIntegrated), image: image, internal: rand.Text()}
	if err := auth.Register(accessName, func(map[string]any) (auth.AccessController, error) { return r, nil }); err != nil {
		return nil, err
	}
	config := registryConfig(dir, nameIntegrated)
	config.Auth = configuration.Auth{accessName: {}}
	r.app = handlers.NewApp(context.Background(), config)
	return r, nil
}

// connect tells the registry which API server decides.
func (r *integratedRegistry) connect(cluster *rest.Config) error {
	own, err := rest.HTTPClientFor(cluster)
	if err != nil {
		return err
	}
	callers, err := rest.HTTPClientFor(rest.AnonymousClientConfig(cluster))
	if err != nil {
		return err
	}
	server, _, err := rest.DefaultServerUrlFor(cluster)
	if err != nil {
		return err
	}
	r.own, r.callers, r.server = own, callers, strings.TrimSuffix(server.String(), "/")
	return nil
}

func (r *integratedRegistry) pushImage(ctx context.Context, image string) (digest.Digest, error) {
	name, _, err := splitImage(image)
	if err != nil {
		return "", err
	}
	if strings.Count(name, "/") != 1 {
		return "", fmt.Errorf("an image of the integrated registry is NAMESPACE/NAME:TAG, not %q", image)
	}
	return r.image.push(ctx, r.host+"/"+image, r.internal)
}

func (r *integratedRegistry) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc(tokenPath, r.serveToken)
	mux.HandleFunc("/", r.serveRegistry)
	return mux
}

// serveToken hands the caller's password back as the token, if it is one; it does not look at rights.
func (r *integratedRegistry) serveToken(w http.ResponseWriter, request *http.Request) {
	token := anonymousToken
	if request.Header.Get("Authorization") != "" {
		_, password, ok := request.BasicAuth()
		if !ok || r.verify(request.Context(), password) != nil {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		token = password
	}
	writeJSON(w, http.StatusOK, map[string]string{"access_token": token, "token": token})
}

// serveRegistry turns "no such manifest" into "no such name" where there is no image stream at all.
func (r *integratedRegistry) serveRegistry(w http.ResponseWriter, request *http.Request) {
	name, _, isManifest := strings.Cut(strings.TrimPrefix(request.URL.Path, "/v2/"), "/manifests/")
	reading := request.Method == http.MethodGet || request.Method == http.MethodHead
	if isManifest && reading && !r.exists(name) {
		w = &nameUnknown{ResponseWriter: w, name: name, withBody: request.Method == http.MethodGet}
	}
	r.app.ServeHTTP(w, request)
}

func (r *integratedRegistry) exists(name string) bool {
	_, err := os.Stat(filepath.Join(r.store, "docker", "registry", "v2", "repositories", filepath.Clean("/"+name)))
	return err == nil
}

// nameUnknown replaces the body of a 404.
type nameUnknown struct {
	http.ResponseWriter
	name     string
	withBody bool
	replaced bool
}

func (n *nameUnknown) WriteHeader(status int) {
	if status != http.StatusNotFound {
		n.ResponseWriter.WriteHeader(status)
		return
	}
	n.replaced = true
	n.Header().Del("Content-Length")
	n.Header().Set("Content-Type", "application/json")
	n.ResponseWriter.WriteHeader(status)
	if n.withBody {
		_ = json.NewEncoder(n.ResponseWriter).Encode(map[string]any{"errors": []any{map[string]any{
			"code": "NAME_UNKNOWN", "message": "repository name not known to registry",
			"detail": map[string]string{"name": n.name},
		}}})
	}
}

func (n *nameUnknown) Write(content []byte) (int, error) {
	if n.replaced {
		return len(content), nil
	}
	return n.ResponseWriter.Write(content)
}

func (n *nameUnknown) Unwrap() http.ResponseWriter { return n.ResponseWriter }

// challenge is a refusal; the registry library answers 401 with it.
type challenge string

func (challenge) Error() string { return "access denied" }

func (c challenge) SetHeaders(_ *http.Request, w http.ResponseWriter) {
	w.Header().Set("WWW-Authenticate", string(c))
}

// denied has its realm unquoted, as recorded.
const denied = challenge(`Basic realm=openshift,error="access denied"`)

func tokenRequired(request *http.Request) challenge {
	return challenge(fmt.Sprintf("Bearer realm=%q", "https://"+request.Host+tokenPath))
}

// Authorized decides one request. Any error that is not a challenge becomes a bare 400.
func (r *integratedRegistry) Authorized(request *http.Request, access ...auth.Access) (*auth.Grant, error) {
	token := requestToken(request)
	if token == "" {
		return nil, tokenRequired(request)
	}
	if subtle.ConstantTimeCompare([]byte(token), []byte(r.internal)) == 1 {
		return &auth.Grant{User: auth.UserInfo{Name: "lab"}}, nil
	}
	ctx := request.Context()
	if token != anonymousToken && r.verify(ctx, token) != nil {
		return nil, denied
	}
	for _, wanted := range access {
		attributes, err := reviewAttributes(wanted)
		if err != nil {
			return nil, err
		}
		if allowed, err := r.review(ctx, token, attributes); err != nil || !allowed {
			return nil, denied
		}
	}
	return &auth.Grant{User: auth.UserInfo{Name: "caller"}}, nil
}

func requestToken(request *http.Request) string {
	if _, password, ok := request.BasicAuth(); ok {
		return password
	}
	scheme, token, _ := strings.Cut(request.Header.Get("Authorization"), " ")
	if strings.EqualFold(scheme, "bearer") {
		return token
	}
	return ""
}

// reviewAttributes says which right of the API a registry action needs.
func reviewAttributes(access auth.Access) (*authorizationv1.ResourceAttributes, error) {
	attributes := &authorizationv1.ResourceAttributes{Group: "image.openshift.io", Resource: "imagestreams/layers"}
	if access.Type == "registry" && access.Name == "catalog" {
		attributes.Resource, attributes.Verb = "imagestreams", "list"
		return attributes, nil
	}
	namespace, name, found := strings.Cut(access.Name, "/")
	if access.Type != "repository" || !found || strings.Contains(name, "/") {
		return nil, errors.New("a repository is NAMESPACE/NAME")
	}
	attributes.Namespace, attributes.Name = namespace, name
	switch access.Action {
	case "pull":
		attributes.Verb = "get"
	case "push":
		attributes.Verb = "update"
	case "*", "delete":
		return &authorizationv1.ResourceAttributes{Group: "image.openshift.io", Resource: "images", Verb: "delete"}, nil
	default:
		return nil, fmt.Errorf("unsupported action %q", access.Action)
	}
	return attributes, nil
}

// verify asks the API server who the bearer of a token is.
func (r *integratedRegistry) verify(ctx context.Context, token string) error {
	review := &authenticationv1.SelfSubjectReview{}
	review.APIVersion, review.Kind = "authentication.k8s.io/v1", "SelfSubjectReview"
	status, err := r.post(ctx, r.callers, token, "authentication.k8s.io/v1/selfsubjectreviews", review, review)
	if err == nil && status != http.StatusCreated {
		err = fmt.Errorf("status %d", status)
	}
	return err
}

// review asks with the caller's token. Where callers may not ask, it asks for the anonymous user as itself.
func (r *integratedRegistry) review(ctx context.Context, token string, attributes *authorizationv1.ResourceAttributes) (bool, error) {
	own := &authorizationv1.SelfSubjectAccessReview{Spec: authorizationv1.SelfSubjectAccessReviewSpec{ResourceAttributes: attributes}}
	own.APIVersion, own.Kind = "authorization.k8s.io/v1", "SelfSubjectAccessReview"
	if token == anonymousToken {
		token = ""
	}
	status, err := r.post(ctx, r.callers, token, "authorization.k8s.io/v1/selfsubjectaccessreviews", own, own)
	if err != nil || status != http.StatusForbidden {
		return status == http.StatusCreated && own.Status.Allowed, err
	}
	other := &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{
		ResourceAttributes: attributes, User: "system:anonymous", Groups: []string{"system:unauthenticated"},
	}}
	other.APIVersion, other.Kind = "authorization.k8s.io/v1", "SubjectAccessReview"
	status, err = r.post(ctx, r.own, "", "authorization.k8s.io/v1/subjectaccessreviews", other, other)
	return status == http.StatusCreated && other.Status.Allowed, err
}

func (r *integratedRegistry) post(ctx context.Context, client *http.Client, token, path string, in, out any) (int, error) {
	if client == nil {
		return 0, errors.New("no API server yet")
	}
	body, err := json.Marshal(in)
	if err != nil {
		return 0, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, r.server+"/apis/"+path, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "image-registry/lab")
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := client.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusCreated {
		return response.StatusCode, err
	}
	return response.StatusCode, json.Unmarshal(content, out)
}
