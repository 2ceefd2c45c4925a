// The kubelet's keyring, and which secret and which key each of its credentials came from.
package main

import (
	"encoding/json"
	"log/slog"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/klog/v2"
	"k8s.io/kubernetes/pkg/credentialprovider"
	"k8s.io/kubernetes/pkg/credentialprovider/secrets"
)

// silenceLibraries stops the keyring's own log: it repeats keys, and a key can be a URL with a password.
func silenceLibraries() {
	klog.SetSlogLogger(slog.New(slog.DiscardHandler))
}

// credential is one the kubelet would try, with its origin.
type credential struct {
	secret, key string
	auth        credentialprovider.AuthConfig
}

// lookUp returns the credentials the kubelet would try for a repository, in its order, on a node without any of its own.
func lookUp(pullSecrets []corev1.Secret, repository string) ([]credential, error) {
	keyring, err := secrets.MakeDockerKeyring(pullSecrets, &credentialprovider.BasicDockerKeyring{})
	if err != nil {
		return nil, err
	}
	found, _ := keyring.Lookup(repository)
	origins := originsFor(pullSecrets, nil, repository)
	tried := make([]credential, 0, len(found))
	for _, match := range found {
		var c credential
		c, origins = originOf(match, origins)
		tried = append(tried, c)
	}
	return tried, nil
}

// originOf names where a credential of the keyring came from, and returns the origins that are left: equal entries are listed one
// after the other.
func originOf(match credentialprovider.TrackedAuthConfig, origins []credential) (credential, []credential) {
	at := slices.IndexFunc(origins, func(o credential) bool {
		fromHere := match.Source == nil || match.Source.Secret == nil || match.Source.Secret.Name == o.secret
		return fromHere && o.auth == match.AuthConfig
	})
	if at < 0 {
		return credential{auth: match.AuthConfig}, origins
	}
	found := origins[at]
	return found, slices.Delete(origins, at, at+1)
}

// originsFor are all credentials that match a repository, in the kubelet's order: those of the pod, then the node's own.
func originsFor(pullSecrets []corev1.Secret, own credentialprovider.DockerConfig, repository string) []credential {
	var ofPod, ofNode []credential
	for _, secret := range pullSecrets {
		ofPod = append(ofPod, matching(secret.Name, entriesOf(secret), repository)...)
	}
	ofNode = matching(globalNamespace+"/"+globalSecret, own, repository)
	return slices.Concat(inKeyringOrder(ofPod), inKeyringOrder(ofNode))
}

// matching asks a keyring of one entry for every entry there is: the keyring does not say which key matched.
func matching(name string, entries credentialprovider.DockerConfig, repository string) []credential {
	var matches []credential
	for key, entry := range entries {
		single := &credentialprovider.BasicDockerKeyring{}
		single.Add(nil, credentialprovider.DockerConfig{key: entry})
		if found, ok := single.Lookup(repository); ok {
			matches = append(matches, credential{name, key, found[0].AuthConfig})
		}
	}
	return matches
}

// inKeyringOrder sorts so that of two entries with the same value the first tried is named first.
func inKeyringOrder(matches []credential) []credential {
	slices.SortStableFunc(matches, func(a, b credential) int { return strings.Compare(withoutScheme(b.key), withoutScheme(a.key)) })
	return matches
}

func withoutScheme(key string) string {
	return strings.TrimPrefix(strings.TrimPrefix(key, "https://"), "http://")
}

// entriesOf is the content of a secret that the kubelet reads; none if it does not read it.
func entriesOf(secret corev1.Secret) credentialprovider.DockerConfig {
	switch secret.Type {
	case corev1.SecretTypeDockerConfigJson:
		var file credentialprovider.DockerConfigJSON
		_ = json.Unmarshal(secret.Data[corev1.DockerConfigJsonKey], &file)
		return file.Auths
	case corev1.SecretTypeDockercfg:
		var file credentialprovider.DockerConfig
		_ = json.Unmarshal(secret.Data[corev1.DockerConfigKey], &file)
		return file
	}
	return nil
}

// unreadable says why the kubelet takes nothing from a secret; empty if it does.
func unreadable(secret corev1.Secret) string {
	required := ""
	switch secret.Type {
	case corev1.SecretTypeDockerConfigJson:
		required = corev1.DockerConfigJsonKey
	case corev1.SecretTypeDockercfg:
		required = corev1.DockerConfigKey
	default:
		return "type " + string(secret.Type) + " is not read by the kubelet"
	}
	if len(secret.Data[required]) == 0 {
		return "key " + required + " is empty"
	}
	if _, err := secrets.MakeDockerKeyring([]corev1.Secret{secret}, nil); err != nil {
		return "keyring error: " + err.Error() + "; every pull of the pod fails"
	}
	return ""
}
