package main

import (
	"errors"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

func wantedFor(tag, image string) wantedInTag {
	wanted := wantedInTag{ImportPolicy: map[string]any{"scheduled": true}, ReferencePolicy: map[string]any{"type": "Local"}}
	wanted.From.Kind, wanted.From.Name = "DockerImage", image
	wanted.To = &struct {
		Name string `json:"name"`
	}{tag}
	return wanted
}

func TestInOpenShiftsWords(t *testing.T) {
	const image = "registry.example.com/team/app:v1"
	for _, test := range []struct {
		err             error
		reason, message string
	}{
		{registryError{"UNAUTHORIZED", "authentication required", 401}, "Unauthorized", `you may not have access to the container image "` + image + `"`},
		{registryError{"MANIFEST_UNKNOWN", "manifest unknown", 404}, "NotFound", `dockerimage.image.openshift.io "` + image + `" not found`},
		{registryError{"DENIED", "requested access to the resource is denied", 403}, "InternalError",
			"Internal error occurred: " + image + ": denied: requested access to the resource is denied"},
		{registryError{status: 503}, "InternalError",
			"Internal error occurred: " + image + ": received unexpected HTTP status: 503 Service Unavailable"},
		{errors.New("x509: unknown"), "InternalError", "Internal error occurred: " + image + ": x509: unknown"},
	} {
		if got := inOpenShiftsWords(image, test.err); string(got.Reason) != test.reason || got.Message != test.message {
			t.Errorf("%v: %s %q", test.err, got.Reason, got.Message)
		}
	}
}

func TestAFailedImportKeepsTheTagAndTheFirstCondition(t *testing.T) {
	stream := &unstructured.Unstructured{Object: map[string]any{}}
	failed := importedImage{failure: inOpenShiftsWords("a/b:1", registryError{code: "UNAUTHORIZED"})}
	first := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	addImports(stream, []wantedInTag{wantedFor("v1", "a/b:1")}, []importedImage{failed}, first)
	addImports(stream, []wantedInTag{wantedFor("v1", "other")}, []importedImage{failed}, first.Add(time.Hour))
	spec, status := named(stream, "spec", "name", "v1"), named(stream, "status", "tag", "v1")
	if name, _, _ := unstructured.NestedString(spec, "from", "name"); name != "a/b:1" {
		t.Errorf("from %q", name)
	}
	conditions, _, _ := unstructured.NestedSlice(status, "conditions")
	if len(conditions) != 1 || conditions[0].(map[string]any)["lastTransitionTime"] != "2026-01-01T00:00:00Z" {
		t.Errorf("%v", conditions)
	}
}

func TestAnImportSetsItsPolicyAndKeepsTheReferencePolicy(t *testing.T) {
	stream := &unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{"tags": []any{
		map[string]any{"name": "v1", "referencePolicy": map[string]any{"type": "Source"}, "importPolicy": map[string]any{"insecure": true}},
	}}}}
	found := importedImage{reference: "a/b@sha256:1", digest: digest.Digest("sha256:1")}
	for range 2 { // the same image again is no new item
		addImports(stream, []wantedInTag{wantedFor("v1", "a/b:1")}, []importedImage{found}, time.Now())
	}
	spec, status := named(stream, "spec", "name", "v1"), named(stream, "status", "tag", "v1")
	if policy, _, _ := unstructured.NestedString(spec, "referencePolicy", "type"); policy != "Source" {
		t.Errorf("reference policy %q", policy)
	}
	if policy, _, _ := unstructured.NestedMap(spec, "importPolicy"); policy["scheduled"] != true || policy["insecure"] != nil {
		t.Errorf("import policy %v", policy)
	}
	if items, _, _ := unstructured.NestedSlice(status, "items"); len(items) != 1 {
		t.Errorf("%d items", len(items))
	}
}
