// policy.json, made of allowed and blocked registries and of image policies, as the machine config operator makes it.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"
	"go.podman.io/image/v5/docker/reference"
	"go.podman.io/image/v5/pkg/sysregistriesv2"
	"go.podman.io/image/v5/signature"
	"go.podman.io/image/v5/types"
)

// verificationPolicy is spec.policy of an image policy: only public keys are known here.
type verificationPolicy struct {
	RootOfTrust struct {
		Type      string `json:"policyType"`
		PublicKey struct {
			KeyData      []byte `json:"keyData"`
			RekorKeyData []byte `json:"rekorKeyData"`
		} `json:"publicKey"`
	} `json:"rootOfTrust"`
}

// requirement is a signature with the key. A root of trust other than a key becomes a plain refusal: what counts here is that an
// unsigned image is not accepted.
func (v verificationPolicy) requirement() (signature.PolicyRequirement, error) {
	if v.RootOfTrust.Type != "PublicKey" {
		return signature.NewPRReject(), nil
	}
	options := []signature.PRSigstoreSignedOption{
		signature.PRSigstoreSignedWithKeyData(v.RootOfTrust.PublicKey.KeyData),
		signature.PRSigstoreSignedWithSignedIdentity(signature.NewPRMMatchRepoDigestOrExact()),
	}
	if rekor := v.RootOfTrust.PublicKey.RekorKeyData; len(rekor) > 0 {
		options = append(options, signature.PRSigstoreSignedWithRekorPublicKeyData(rekor))
	}
	return signature.NewPRSigstoreSigned(options...)
}

// blockedAndAllowed are the lists for registries.conf and for policy.json, which differ only where the release's own repository
// would be blocked: that is refused, with the text of the operator, unless a mirror holds it.
func (r imageRules) blockedAndAllowed() (blocked, policyBlocked, allowed []string, problem error) {
	var refused []string
	for _, scope := range r.sources.Blocked {
		if !isInside(r.payload, scope) {
			blocked, policyBlocked = append(blocked, scope), append(policyBlocked, scope)
			continue
		}
		mirrored, err := r.payloadIsMirrored()
		if err != nil {
			return nil, nil, nil, err
		}
		if !mirrored {
			refused = append(refused, scope)
			continue
		}
		blocked = append(blocked, scope)
		if scope != r.payload {
			policyBlocked = append(policyBlocked, scope)
		}
		allowed = append(allowed, r.payload)
	}
	if len(refused) > 0 {
		problem = fmt.Errorf("error adding %q to blocked registries, cannot block the repository being used by the payload", refused)
	}
	return blocked, policyBlocked, append(allowed, r.sources.Allowed...), problem
}

// payloadIsMirrored says whether the release can be pulled by digest from a place that is not blocked.
func (r imageRules) payloadIsMirrored() (bool, error) {
	config := sysregistriesv2.V2RegistriesConf{}
	if err := (imageRules{digestMirrors: r.digestMirrors, sources: r.sources}).edit(&config, r.sources.Blocked); err != nil {
		return false, err
	}
	content, err := encodeTOML(config)
	if err != nil {
		return false, err
	}
	system, remove, err := systemOf(content)
	if err != nil {
		return false, err
	}
	defer remove()
	named, err := reference.ParseNamed(r.payload + "@" + digest.FromString("").String()) // the release is pulled by digest
	if err != nil {
		return false, err
	}
	found, err := sysregistriesv2.FindRegistry(system, named.Name())
	if err != nil || found == nil {
		return false, err
	}
	sources, err := found.PullSourcesFromReference(named)
	return slices.ContainsFunc(sources, func(source sysregistriesv2.PullSource) bool {
		return !slices.ContainsFunc(r.sources.Blocked, func(scope string) bool { return isInside(source.Reference.Name(), scope) })
	}), err
}

// systemOf reads this registries.conf, until the returned function is called.
func systemOf(content []byte) (*types.SystemContext, func(), error) {
	file, err := os.CreateTemp("", "lab-registries")
	if err != nil {
		return nil, nil, err
	}
	defer file.Close()
	_, err = file.Write(content)
	return &types.SystemContext{SystemRegistriesConfPath: file.Name(), SystemRegistriesConfDirPath: os.DevNull},
		func() { os.Remove(file.Name()) }, err
}

// policyFiles is the content of policy.json, and of the file of each namespace that has policies of its own.
func (r imageRules) policyFiles(blocked, allowed []string) ([]byte, map[string][]byte, error) {
	cluster, namespaced, err := r.requirements()
	if err != nil {
		return nil, nil, err
	}
	if err := r.checkPolicies(blocked, allowed, cluster, namespaced); err != nil {
		return nil, nil, err
	}
	policy := basePolicy()
	scopes := signature.PolicyTransportScopes{}
	if len(allowed) > 0 {
		policy.Default = signature.PolicyRequirements{signature.NewPRReject()}
	}
	for _, scope := range allowed {
		if cluster[scope] == nil {
			scopes[scope] = signature.PolicyRequirements{signature.NewPRInsecureAcceptAnything()}
		}
	}
	if len(blocked) > 0 {
		policy.Default = signature.PolicyRequirements{signature.NewPRInsecureAcceptAnything()}
	}
	for _, scope := range blocked {
		scopes[scope] = signature.PolicyRequirements{signature.NewPRReject()}
	}
	for scope, wanted := range cluster {
		scopes[scope] = append(scopes[scope], wanted...)
	}
	policy.Transports["docker"] = scopes
	content, err := json.MarshalIndent(policy, "", "  ")
	if err != nil {
		return nil, nil, err
	}
	files := map[string][]byte{}
	for namespace, more := range namespaced {
		own := maps.Clone(scopes)
		for scope, wanted := range more {
			own[scope] = slices.Concat(own[scope], wanted)
		}
		policy.Transports["docker"] = own
		if files[namespace], err = json.MarshalIndent(policy, "", "  "); err != nil {
			return nil, nil, err
		}
	}
	return content, files, nil
}

// sigstoreConf makes nodes look for signatures next to the images of each scope that has a policy, at its mirrors too. YAML reads JSON.
// Nothing without a policy.
func (r imageRules) sigstoreConf(registries []byte) ([]byte, error) {
	var scopes []string
	for _, policy := range slices.Concat(r.clusterScoped, r.scoped) {
		if policy.namespace == "" {
			scopes = append(scopes, policy.Scopes...)
			continue
		}
		for _, scope := range policy.Scopes {
			hidden := slices.ContainsFunc(r.clusterScoped, func(each imagePolicy) bool { return anyOuter(each.Scopes, scope) })
			if !hidden {
				scopes = append(scopes, scope)
			}
		}
	}
	if len(scopes) == 0 {
		return nil, nil
	}
	system, remove, err := systemOf(registries)
	if err != nil {
		return nil, err
	}
	defer remove()
	all, err := sysregistriesv2.GetRegistries(system)
	if err != nil {
		return nil, err
	}
	places := map[string]any{}
	for _, scope := range scopes {
		wanted := []string{scope}
		for i := range all {
			if inside := scopeOf(&all[i]); isInside(inside, scope) && inside != scope {
				wanted = append(wanted, inside)
			}
		}
		places[scope] = map[string]any{"use-sigstore-attachments": true}
		for _, each := range wanted {
			mirrored, err := placesOf(system, each)
			if err != nil {
				return nil, fmt.Errorf("error adding clusterimagepolicy scope %s relevant mirrors: %w", scope, err)
			}
			for _, place := range mirrored {
				places[place] = map[string]any{"use-sigstore-attachments": true}
			}
		}
	}
	return json.MarshalIndent(map[string]any{"docker": places}, "", "  ")
}

// placesOf are the places from which an image in the scope would be pulled, by digest or by tag.
func placesOf(system *types.SystemContext, scope string) ([]string, error) {
	found, err := sysregistriesv2.FindRegistry(system, scope)
	if err != nil || found == nil {
		return nil, err
	}
	if strings.HasPrefix(scope, "*.") {
		scope = "matched" + scope[1:]
	}
	added := ""
	if !strings.Contains(scope, "/") {
		added = "/a"
	}
	parsed, err := reference.Parse(scope + added)
	if err != nil {
		return nil, err
	}
	named, ok := parsed.(reference.Named)
	if !ok {
		return nil, fmt.Errorf("scope %s is not a named reference", scope)
	}
	byDigest, err := reference.WithDigest(reference.TrimNamed(named), digest.FromString(""))
	if err != nil {
		return nil, err
	}
	byTag, err := reference.WithTag(reference.TrimNamed(named), "any")
	if err != nil {
		return nil, err
	}
	var places []string
	for _, image := range []reference.Named{byDigest, byTag} {
		sources, err := found.PullSourcesFromReference(image)
		if err != nil {
			return nil, err
		}
		for _, source := range sources {
			if source.Endpoint.Location != "" {
				places = append(places, strings.TrimSuffix(source.Reference.Name(), added))
			}
		}
	}
	return places, nil
}

// basePolicy is what a node has where nothing is set.
func basePolicy() signature.Policy {
	anything := signature.PolicyRequirements{signature.NewPRInsecureAcceptAnything()}
	return signature.Policy{
		Default:    anything,
		Transports: map[string]signature.PolicyTransportScopes{"docker-daemon": {"": anything}},
	}
}

// requirements are those of each scope for all namespaces, and those of each namespace. A scope that a cluster policy covers is left
// out of the namespaces.
func (r imageRules) requirements() (map[string]signature.PolicyRequirements, map[string]map[string]signature.PolicyRequirements, error) {
	cluster := map[string]signature.PolicyRequirements{}
	for _, policy := range r.clusterScoped {
		wanted, err := policy.Policy.requirement()
		if err != nil {
			return nil, nil, err
		}
		for _, scope := range policy.Scopes {
			cluster[scope] = append(cluster[scope], wanted)
		}
	}
	namespaced := map[string]map[string]signature.PolicyRequirements{}
	for _, policy := range r.scoped {
		wanted, err := policy.Policy.requirement()
		if err != nil {
			return nil, nil, err
		}
		for _, scope := range policy.Scopes {
			if anyOuter(slices.Collect(maps.Keys(cluster)), scope) {
				continue
			}
			if namespaced[policy.namespace] == nil {
				namespaced[policy.namespace] = map[string]signature.PolicyRequirements{}
			}
			namespaced[policy.namespace][scope] = append(namespaced[policy.namespace][scope], wanted)
		}
	}
	return cluster, namespaced, nil
}

func anyOuter(outers []string, scope string) bool {
	return slices.ContainsFunc(outers, func(outer string) bool { return isInside(scope, outer) })
}

// checkPolicies is why the operator would refuse to render.
func (r imageRules) checkPolicies(blocked, allowed []string, cluster map[string]signature.PolicyRequirements,
	namespaced map[string]map[string]signature.PolicyRequirements) error {
	if len(allowed) > 0 && len(blocked) > 0 && !slices.Equal(allowed, []string{r.payload}) {
		return errors.New("invalid images config: only one of AllowedRegistries or BlockedRegistries may be specified")
	}
	for _, scope := range slices.Concat(allowed, blocked) {
		if !validScope(scope) {
			return fmt.Errorf("invalid entry for allowed or blocked registries %q", scope)
		}
	}
	if err := checkScopes("clusterimagePolicy", slices.Sorted(maps.Keys(cluster)), blocked, allowed); err != nil {
		return err
	}
	for _, namespace := range slices.Sorted(maps.Keys(namespaced)) {
		if err := checkScopes("imagePolicy", slices.Sorted(maps.Keys(namespaced[namespace])), blocked, allowed); err != nil {
			return err
		}
	}
	return nil
}

func checkScopes(kind string, scopes, blocked, allowed []string) error {
	for _, scope := range scopes {
		if len(allowed) > 0 && !anyOuter(allowed, scope) {
			return fmt.Errorf("%s configured for the scope %s is not nested inside allowedRegistries", kind, scope)
		}
		if anyOuter(blocked, scope) {
			return fmt.Errorf("%s configured for the scope %s is nested inside blockedRegistries", kind, scope)
		}
	}
	return nil
}
