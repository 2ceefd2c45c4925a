// How an import gets at one image: its login, which is the first that matches of all pull secrets of the namespace, and the words in
// which OpenShift says that it failed (openshift-apiserver pkg/image/apiserver/importer).
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"
	"go.podman.io/image/v5/docker/reference"
	"go.podman.io/image/v5/manifest"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/kubernetes/pkg/credentialprovider"
	"k8s.io/kubernetes/pkg/credentialprovider/secrets"
)

const (
	excludeAnnotation = "openshift.io/image.excludeSecret"
	longestManifest   = 4 << 20
)

// importedImage is an image, or why there is none.
type importedImage struct {
	tag, reference string
	digest         digest.Digest
	failure        *metav1.Status
}

// answer is an item of status.images.
func (i importedImage) answer() map[string]any {
	if i.failure != nil {
		return map[string]any{"status": i.failure, "tag": i.tag}
	}
	return map[string]any{
		"status": map[string]any{"status": metav1.StatusSuccess}, "tag": i.tag,
		"image": map[string]any{"metadata": map[string]any{"name": i.digest.String()}, "dockerImageReference": i.reference},
	}
}

// logins are the namespace's, then the node's; or why the secrets make no keyring.
type logins struct {
	keyring credentialprovider.DockerKeyring
	err     error
}

func (i *imports) logins(ctx context.Context, namespace string) (logins, error) {
	all, err := i.openshift.core.CoreV1().Secrets(namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return logins{}, apierrors.NewInternalError(err)
	}
	usable := slices.DeleteFunc(all.Items, func(secret corev1.Secret) bool {
		isPullSecret := secret.Type == corev1.SecretTypeDockerConfigJson || secret.Type == corev1.SecretTypeDockercfg
		return !isPullSecret || secret.Annotations[excludeAnnotation] == "true"
	})
	own := &credentialprovider.BasicDockerKeyring{}
	if global, err := i.openshift.core.CoreV1().Secrets(globalNamespace).Get(ctx, globalSecret, metav1.GetOptions{}); err == nil {
		own.Add(nil, entriesOf(*global))
	}
	keyring, err := secrets.MakeDockerKeyring(usable, own)
	return logins{keyring, err}, nil
}

// fetch asks the registry for one manifest, with the first login that matches, and with no other.
func (i *imports) fetch(ctx context.Context, name string, rules importRules, known logins) importedImage {
	parsed, err := reference.ParseNormalizedNamed(name)
	if err != nil {
		kind := schema.GroupKind{}
		invalid := field.Invalid(field.NewPath("from", "name"), name, fmt.Sprintf("invalid name: %v", err))
		return importedImage{failure: &apierrors.NewInvalid(kind, "", field.ErrorList{invalid}).ErrStatus}
	}
	wanted := reference.TagNameOnly(parsed)
	found := importedImage{}
	which := ""
	if tagged, ok := wanted.(reference.Tagged); ok {
		which, found.tag = tagged.Tag(), tagged.Tag()
	}
	if digested, ok := wanted.(reference.Digested); ok {
		which, found.tag = digested.Digest().String(), ""
	}
	if slices.Contains(rules.Sources.Blocked, reference.Domain(wanted)) {
		blocked := fmt.Errorf("registry %s blocked", reference.Domain(wanted))
		found.failure = &apierrors.NewForbidden(schema.GroupResource{}, "", blocked).ErrStatus
		return found
	}
	err = known.err
	if err == nil {
		var login *credentialprovider.AuthConfig
		if matches, ok := known.keyring.Lookup(wanted.String()); ok {
			login = &matches[0].AuthConfig
		}
		found.digest, err = i.manifest(ctx, reference.Domain(wanted), reference.Path(wanted), which, login)
	}
	if err != nil {
		found.failure = inOpenShiftsWords(wanted.String(), err)
		return found
	}
	found.reference = wanted.Name() + "@" + found.digest.String()
	return found
}

// registryError is a refusal as the distribution library understands it.
type registryError struct {
	code, message string
	status        int
}

func (r registryError) Error() string {
	if r.code == "" {
		return fmt.Sprintf("received unexpected HTTP status: %d %s", r.status, http.StatusText(r.status))
	}
	return strings.ToLower(strings.ReplaceAll(r.code, "_", " ")) + ": " + r.message
}

func inOpenShiftsWords(image string, err error) *metav1.Status {
	var refused registryError
	_ = errors.As(err, &refused)
	switch {
	case refused.code == "MANIFEST_UNKNOWN":
		resource := schema.GroupResource{Group: imageStreams.group, Resource: "dockerimage"}
		return &apierrors.NewNotFound(resource, image).ErrStatus
	case refused.code == "UNAUTHORIZED":
		return &apierrors.NewUnauthorized(fmt.Sprintf("you may not have access to the container image %q", image)).ErrStatus
	}
	return &apierrors.NewInternalError(fmt.Errorf("%s: %w", image, err)).ErrStatus
}

func (i *imports) manifest(
	ctx context.Context, host, path, which string, login *credentialprovider.AuthConfig,
) (digest.Digest, error) {
	place := "https://" + host + "/v2/" + path + "/manifests/" + which
	response, content, err := i.get(ctx, place, "", nil)
	if err != nil {
		return "", err
	}
	if response.StatusCode == http.StatusUnauthorized {
		authorization, err := i.authorization(ctx, response.Header.Get("WWW-Authenticate"), path, login)
		if err != nil {
			return "", err
		}
		if response, content, err = i.get(ctx, place, authorization, nil); err != nil {
			return "", err
		}
	}
	if response.StatusCode != http.StatusOK {
		return "", refusalOf(response.StatusCode, content)
	}
	return manifest.Digest(content)
}

var challengePart = regexp.MustCompile(`(\w+)="?([^",]*)"?`)

// authorization is a token from where the registry says, or for another challenge the login itself; without any, nothing.
func (i *imports) authorization(
	ctx context.Context, challenge, path string, login *credentialprovider.AuthConfig,
) (string, error) {
	scheme, rest, _ := strings.Cut(challenge, " ")
	if !strings.EqualFold(scheme, "bearer") {
		if login == nil {
			return "", errors.New("no basic auth credentials")
		}
		request := &http.Request{Header: http.Header{}}
		request.SetBasicAuth(login.Username, login.Password)
		return request.Header.Get("Authorization"), nil
	}
	parts := map[string]string{}
	for _, part := range challengePart.FindAllStringSubmatch(rest, -1) {
		parts[part[1]] = part[2]
	}
	query := url.Values{"scope": {"repository:" + path + ":pull"}}
	if parts["service"] != "" {
		query.Set("service", parts["service"])
	}
	response, content, err := i.get(ctx, parts["realm"]+"?"+query.Encode(), "", login)
	if err != nil {
		return "", err
	}
	if response.StatusCode != http.StatusOK {
		return "", refusalOf(response.StatusCode, content)
	}
	var answer struct {
		Token       string `json:"token"`
		AccessToken string `json:"access_token"`
	}
	if err := json.Unmarshal(content, &answer); err != nil {
		return "", err
	}
	if answer.Token == "" {
		answer.Token = answer.AccessToken
	}
	return "Bearer " + answer.Token, nil
}

func (i *imports) get(
	ctx context.Context, place, authorization string, login *credentialprovider.AuthConfig,
) (*http.Response, []byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, place, nil)
	if err != nil {
		return nil, nil, err
	}
	request.Header.Set("Accept", strings.Join([]string{manifest.DockerV2Schema2MediaType, "application/vnd.oci.image.manifest.v1+json"}, ", "))
	if authorization != "" {
		request.Header.Set("Authorization", authorization)
	}
	if login != nil {
		request.SetBasicAuth(login.Username, login.Password)
	}
	response, err := i.registry.Do(request)
	if err != nil {
		return nil, nil, err
	}
	defer response.Body.Close()
	content, err := io.ReadAll(io.LimitReader(response.Body, longestManifest))
	return response, content, err
}

// refusalOf reads the errors of the body, the first of which counts.
func refusalOf(status int, content []byte) error {
	var body struct {
		Errors []struct {
			Code    string `json:"code"`
			Message string `json:"message"`
		} `json:"errors"`
	}
	if json.Unmarshal(content, &body) == nil && len(body.Errors) > 0 {
		return registryError{body.Errors[0].Code, body.Errors[0].Message, status}
	}
	if status == http.StatusUnauthorized {
		return registryError{"UNAUTHORIZED", "authentication required", status}
	}
	return registryError{status: status}
}

// hostOf is the registry of an image's name; empty for what is no name.
func hostOf(image string) string {
	parsed, err := reference.ParseNormalizedNamed(image)
	if err != nil {
		return ""
	}
	return reference.Domain(parsed)
}
