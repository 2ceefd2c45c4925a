// The cluster's objects for registries, mirrors and image policies: everything that the machine config operator reads
// to make the nodes' files.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
)

const neverContactSource = "NeverContactSource"

// mirrorSet is one item of an ImageDigestMirrorSet, an ImageTagMirrorSet or an ImageContentSourcePolicy.
type mirrorSet struct {
	Source  string   `json:"source"`
	Mirrors []string `json:"mirrors"`
	Policy  string   `json:"mirrorSourcePolicy"`
}

// registrySources is spec.registrySources of images.config.openshift.io/cluster. A list that is not there is nil.
type registrySources struct {
	Allowed  []string `json:"allowedRegistries"`
	Blocked  []string `json:"blockedRegistries"`
	Insecure []string `json:"insecureRegistries"`
	Search   []string `json:"containerRuntimeSearchRegistries"`
}

// imagePolicy is a ClusterImagePolicy, or an ImagePolicy of a namespace.
type imagePolicy struct {
	namespace string
	Scopes    []string           `json:"scopes"`
	Policy    verificationPolicy `json:"policy"`
}

type imageRules struct {
	openshift             bool // a plain cluster has none of these kinds, and no operator that would write files
	payload               string
	digestMirrors         []mirrorSet
	tagMirrors            []mirrorSet
	sources               registrySources
	clusterScoped, scoped []imagePolicy
	matchImages           []string          // of CRIOCredentialProviderConfig
	authorities           map[string][]byte // of additionalTrustedCA, by host:port
}

// defaultPayload is the repository of the release, where the cluster's version does not say another.
const defaultPayload = "quay.io/openshift-release-dev/ocp-release"

// readImageRules reads all objects once. An object that the operator could not read is an error, as it is there.
func readImageRules(ctx context.Context, client dynamic.Interface) (imageRules, error) {
	rules := imageRules{payload: defaultPayload}
	images, served, err := list(ctx, client, imageConfigs)
	if err != nil || !served {
		return rules, err
	}
	rules.openshift = true
	for _, object := range images {
		if object.GetName() != "cluster" {
			continue
		}
		var spec struct {
			Sources registrySources `json:"registrySources"`
			Trusted struct {
				Name string `json:"name"`
			} `json:"additionalTrustedCA"`
		}
		if err := specOf(object, &spec); err != nil {
			return rules, err
		}
		rules.sources = spec.Sources
		if err := rules.readAuthorities(ctx, client, spec.Trusted.Name); err != nil {
			return rules, err
		}
	}
	if err := rules.readMirrors(ctx, client); err != nil {
		return rules, err
	}
	if err := rules.readPolicies(ctx, client); err != nil {
		return rules, err
	}
	if err := rules.readProvider(ctx, client); err != nil {
		return rules, err
	}
	return rules, rules.readPayload(ctx, client)
}

// readAuthorities reads the ConfigMap by which a cluster adds authorities for single registries. A key is HOST or HOST..PORT (pkg/daemon of the
// machine config operator).
func (r *imageRules) readAuthorities(ctx context.Context, client dynamic.Interface, name string) error {
	if name == "" {
		return nil
	}
	found, err := client.Resource(configMaps).Namespace(globalNamespace).Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	data, _, err := unstructured.NestedStringMap(found.Object, "data")
	if err != nil {
		return badObject{err}
	}
	r.authorities = map[string][]byte{}
	for key, authority := range data {
		r.authorities[strings.ReplaceAll(key, "..", ":")] = []byte(authority)
	}
	return nil
}

var configMaps = schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}

func (r *imageRules) readProvider(ctx context.Context, client dynamic.Interface) error {
	objects, _, err := list(ctx, client, credentialProviders)
	if err != nil {
		return err
	}
	for _, object := range objects {
		var spec struct {
			MatchImages []string `json:"matchImages"`
		}
		if object.GetName() != "cluster" {
			continue
		}
		if err := specOf(object, &spec); err != nil {
			return err
		}
		r.matchImages = spec.MatchImages
	}
	return nil
}

func (r *imageRules) readMirrors(ctx context.Context, client dynamic.Interface) error {
	var policies []mirrorSet
	for _, source := range []struct {
		resource resource
		into     *[]mirrorSet
	}{{digestMirrorSets, &r.digestMirrors}, {sourcePolicies, &policies}, {tagMirrorSets, &r.tagMirrors}} {
		objects, _, err := list(ctx, client, source.resource)
		if err != nil {
			return err
		}
		for _, object := range objects {
			var spec struct {
				Digest []mirrorSet `json:"imageDigestMirrors"`
				Tag    []mirrorSet `json:"imageTagMirrors"`
				Old    []mirrorSet `json:"repositoryDigestMirrors"`
			}
			if err := specOf(object, &spec); err != nil {
				return err
			}
			*source.into = slices.Concat(*source.into, spec.Digest, spec.Tag, spec.Old)
		}
	}
	for i := range policies {
		policies[i].Policy = "" // the kind has no such field
	}
	r.digestMirrors = append(r.digestMirrors, policies...)
	return nil
}

func (r *imageRules) readPolicies(ctx context.Context, client dynamic.Interface) error {
	for _, source := range []struct {
		resource resource
		into     *[]imagePolicy
	}{{clusterPolicies, &r.clusterScoped}, {imagePolicies, &r.scoped}} {
		objects, _, err := list(ctx, client, source.resource)
		if err != nil {
			return err
		}
		for _, object := range objects {
			policy := imagePolicy{namespace: object.GetNamespace()}
			if err := specOf(object, &policy); err != nil {
				return err
			}
			*source.into = append(*source.into, policy)
		}
	}
	return nil
}

func (r *imageRules) readPayload(ctx context.Context, client dynamic.Interface) error {
	version, err := client.Resource(clusterVersions.versioned()).Get(ctx, "version", metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	image, _, _ := unstructured.NestedString(version.Object, "status", "desired", "image")
	if repository, _, found := strings.Cut(image, "@"); found {
		r.payload = repository
	}
	return nil
}

// list returns the objects of a kind by name, and whether the cluster has that kind.
func list(ctx context.Context, client dynamic.Interface, r resource) ([]unstructured.Unstructured, bool, error) {
	found, err := client.Resource(r.versioned()).List(ctx, metav1.ListOptions{})
	if apierrors.IsNotFound(err) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("list of %s: %w", r.plural, err)
	}
	slices.SortStableFunc(found.Items, func(a, b unstructured.Unstructured) int {
		return strings.Compare(a.GetNamespace()+"/"+a.GetName(), b.GetNamespace()+"/"+b.GetName())
	})
	return found.Items, true, nil
}

func specOf(object unstructured.Unstructured, into any) error {
	content, err := json.Marshal(object.Object["spec"])
	if err == nil {
		err = json.Unmarshal(content, into)
	}
	if err != nil {
		return badObject{fmt.Errorf("%s %s: %w", object.GetKind(), object.GetName(), err)}
	}
	return nil
}

// badObject is an object that cannot be parsed as its kind: nothing is rendered then, but the cluster did answer.
type badObject struct{ error }

func (b badObject) Unwrap() error { return b.error }
