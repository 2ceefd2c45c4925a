// `lab oracle` for settings of registries: the files that the machine config operator would make, and where containers/image would look for
// images by them.
package main

import (
	"encoding/json"

	"go.podman.io/image/v5/docker"
	"go.podman.io/image/v5/docker/reference"
	"go.podman.io/image/v5/pkg/sysregistriesv2"
	"go.podman.io/image/v5/types"
)

type rulesQuestion struct {
	Sources registrySources `json:"sources"`
	Digest  []mirrorSet     `json:"digest"`
	Tag     []mirrorSet     `json:"tag"`
	Release string          `json:"release"` // its repository
	Scopes  []string        `json:"scopes"`  // of policies for all namespaces
	Own     []string        `json:"own"`     // of policies of one namespace
	Images  []string        `json:"images"`
}

// rulesAnswer has why nothing is rendered, or the places of each image.
type rulesAnswer struct {
	Problem string        `json:"problem,omitempty"`
	Images  []imagePlaces `json:"images"`
}

// imagePlaces are the names of an image at its mirrors and at its source, or why there are none. Rejected is what the policy does.
type imagePlaces struct {
	Error    string   `json:"error,omitempty"`
	Mirrors  []string `json:"mirrors"`
	Blocked  bool     `json:"blocked"` // the source
	Rejected bool     `json:"rejected"`
}

func (q rulesQuestion) answer() (rulesAnswer, error) {
	rules := imageRules{openshift: true, payload: q.Release, digestMirrors: q.Digest, tagMirrors: q.Tag, sources: q.Sources}
	for _, scope := range q.Scopes {
		rules.clusterScoped = append(rules.clusterScoped, imagePolicy{Scopes: []string{scope}})
	}
	for _, scope := range q.Own {
		rules.scoped = append(rules.scoped, imagePolicy{namespace: "project", Scopes: []string{scope}})
	}
	files, _, err := rules.render()
	if err != nil {
		return rulesAnswer{Problem: err.Error()}, nil
	}
	policy := files.Policy
	if own := files.Policies["project"]; own != nil {
		policy = own
	}
	system, remove, err := systemOf(files.Registries)
	if err != nil {
		return rulesAnswer{}, err
	}
	defer remove()
	answer := rulesAnswer{}
	for _, image := range q.Images {
		places, err := placesOfImage(system, policy, image)
		if err != nil {
			return rulesAnswer{}, err
		}
		answer.Images = append(answer.Images, places)
	}
	return answer, nil
}

func placesOfImage(system *types.SystemContext, policy []byte, image string) (imagePlaces, error) {
	places := imagePlaces{Mirrors: []string{}}
	named, err := reference.ParseNormalizedNamed(image)
	if err != nil {
		return places, err
	}
	if places.Rejected, err = isRejected(policy, named); err != nil {
		return places, err
	}
	registry, err := sysregistriesv2.FindRegistry(system, named.Name())
	if err != nil || registry == nil {
		return places, err
	}
	places.Blocked = registry.Blocked
	sources, err := registry.PullSourcesFromReference(named)
	if err != nil {
		places.Error = err.Error()
		return places, nil
	}
	for _, source := range sources[:len(sources)-1] {
		places.Mirrors = append(places.Mirrors, source.Reference.String())
	}
	return places, nil
}

// isRejected looks for the entry of the policy by the library's names for the image, the most specific one first.
func isRejected(policy []byte, named reference.Named) (bool, error) {
	image, err := docker.NewReference(named)
	if err != nil {
		return false, err
	}
	type requirement struct {
		Type string `json:"type"`
	}
	var parsed struct {
		Default    []requirement                       `json:"default"`
		Transports map[string]map[string][]requirement `json:"transports"`
	}
	if err := json.Unmarshal(policy, &parsed); err != nil {
		return false, err
	}
	for _, scope := range append([]string{image.PolicyConfigurationIdentity()}, image.PolicyConfigurationNamespaces()...) {
		if found, ok := parsed.Transports["docker"][scope]; ok {
			return found[0].Type == "reject", nil
		}
	}
	return parsed.Default[0].Type == "reject", nil
}
