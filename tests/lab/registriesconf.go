// registries.conf, made of the cluster's objects as the machine config operator makes it (EditRegistriesConfig of
// openshift/runtime-utils, and the checks before it).
package main

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"
	"go.podman.io/image/v5/pkg/sysregistriesv2"
)

const (
	hostPattern = `(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])`
	nameInHost  = hostPattern + `(?:(?:\.` + hostPattern + `)+)?(?::[0-9]+)?`
	repository  = `(?:(?:/[a-z0-9]+(?:(?:(?:[._]|__|[-]*)[a-z0-9]+)+)?)+)?`
)

var (
	mirrorForm = regexp.MustCompile(`^` + nameInHost + repository + `$`)
	sourceForm = regexp.MustCompile(`^\*(?:\.` + hostPattern + `)+$|^` + nameInHost + repository + `$`)
)

// baseSearch is what the nodes of OpenShift search where the cluster says nothing; other nodes know Docker Hub.
var (
	baseSearch  = []string{"registry.access.redhat.com", "docker.io"}
	plainSearch = []string{"docker.io"}
)

// registriesConf is the content of the file. It is made from the nodes' own when nothing is set.
func (r imageRules) registriesConf(blocked []string) ([]byte, error) {
	config := sysregistriesv2.V2RegistriesConf{UnqualifiedSearchRegistries: plainSearch}
	if r.openshift {
		config.UnqualifiedSearchRegistries = baseSearch
		if err := r.check(blocked); err != nil {
			return nil, err
		}
		if err := r.edit(&config, blocked); err != nil {
			return nil, err
		}
	}
	return encodeTOML(config)
}

// searchConf is the drop-in file with the registries to search; nil for none.
func (r imageRules) searchConf() ([]byte, error) {
	if r.sources.Search == nil {
		return nil, nil
	}
	return encodeTOML(sysregistriesv2.V2RegistriesConf{UnqualifiedSearchRegistries: r.sources.Search})
}

func encodeTOML(config sysregistriesv2.V2RegistriesConf) ([]byte, error) {
	var content bytes.Buffer
	err := toml.NewEncoder(&content).Encode(config)
	return content.Bytes(), err
}

// check is why the operator would refuse to render; the texts are its own.
func (r imageRules) check(blocked []string) error {
	for _, group := range []struct {
		name   string
		scopes []string
	}{{"insecure", r.sources.Insecure}, {"blocked", blocked}} {
		for _, scope := range group.scopes {
			if !validScope(scope) {
				return fmt.Errorf("invalid entry for %s registries %q", group.name, scope)
			}
		}
	}
	policies := map[string]string{}
	for _, set := range slices.Concat(r.digestMirrors, r.tagMirrors) {
		if err := set.check(policies); err != nil {
			return err
		}
	}
	return nil
}

func (m mirrorSet) check(policies map[string]string) error {
	if !sourceForm.MatchString(m.Source) {
		return fmt.Errorf("invalid format for source %q", m.Source)
	}
	policy := m.Policy
	if policy == "" {
		policy = "AllowContactingSource"
	}
	if known, ok := policies[m.Source]; ok && known != policy {
		return fmt.Errorf("conflicting mirrorSourcePolicy is set for the same source %q in imagedigestmirrorsets, "+
			"imagetagmirrorsets, or imagecontentsourcepolicies", m.Source)
	}
	policies[m.Source] = policy
	for _, mirror := range m.Mirrors {
		if !mirrorForm.MatchString(mirror) {
			return fmt.Errorf("invalid format for mirror %q", mirror)
		}
		if policy == neverContactSource && mirror == m.Source {
			return fmt.Errorf("cannot set mirrorSourcePolicy: NeverContactSource if the source %q is one of the mirrors", m.Source)
		}
	}
	return nil
}

func validScope(scope string) bool {
	if !strings.Contains(scope, "*") {
		return scope != ""
	}
	return strings.HasPrefix(scope, "*.") && !strings.ContainsAny(scope[2:], "/@:*")
}

// edit adds mirrors, insecure and blocked registries. Only the most specific entry counts for an image, so the settings of a
// registry are repeated for each scope inside it.
func (r imageRules) edit(config *sysregistriesv2.V2RegistriesConf, blocked []string) error {
	sources := r.addMirrors(config)
	for _, scope := range blocked {
		entry(config, scope)
	}
	for _, scope := range r.sources.Insecure {
		entry(config, scope).Insecure = true
		for i := range config.Registries {
			inside := &config.Registries[i]
			inside.Insecure = inside.Insecure || isInside(scopeOf(inside), scope)
			for j := range inside.Mirrors {
				inside.Mirrors[j].Insecure = inside.Mirrors[j].Insecure || isInside(inside.Mirrors[j].Location, scope)
			}
		}
	}
	for _, scope := range blocked {
		for i := range config.Registries {
			inside := &config.Registries[i]
			inside.Blocked = inside.Blocked || isInside(scopeOf(inside), scope)
		}
	}
	for _, source := range sources {
		if err := inherit(config, source); err != nil {
			return err
		}
	}
	return nil
}

// addMirrors returns the sources, those of digests first.
func (r imageRules) addMirrors(config *sysregistriesv2.V2RegistriesConf) []string {
	var all []string
	for _, group := range []struct {
		sets []mirrorSet
		only string
	}{{r.digestMirrors, sysregistriesv2.MirrorByDigestOnly}, {r.tagMirrors, sysregistriesv2.MirrorByTagOnly}} {
		sources, merged, blocked := mergeMirrors(group.sets)
		for _, source := range sources {
			at := entry(config, source)
			at.Blocked = at.Blocked || blocked[source]
			for _, mirror := range merged[source] {
				at.Mirrors = append(at.Mirrors, sysregistriesv2.Endpoint{Location: mirror, PullFromMirror: group.only})
			}
		}
		all = append(all, sources...)
	}
	return all
}

// inherit gives the mirrors of a source to each entry inside it that has none of its own. Those of a wildcard cannot be given.
func inherit(config *sysregistriesv2.V2RegistriesConf, source string) error {
	from := *entry(config, source)
	for i := range config.Registries {
		inside := &config.Registries[i]
		scope := scopeOf(inside)
		if scope == source || len(inside.Mirrors) > 0 || !isInside(scope, source) {
			continue
		}
		if strings.HasPrefix(source, "*.") {
			return fmt.Errorf("internal error: mirrorsAdjustedForNestedScope for a wildcard scope %#v", source)
		}
		for _, mirror := range from.Mirrors {
			mirror.Location += strings.TrimPrefix(scope, source)
			inside.Mirrors = append(inside.Mirrors, mirror)
		}
	}
	return nil
}

// entry finds or adds what is said of one scope; it is valid until the next call.
func entry(config *sysregistriesv2.V2RegistriesConf, scope string) *sysregistriesv2.Registry {
	at := slices.IndexFunc(config.Registries, func(r sysregistriesv2.Registry) bool { return scopeOf(&r) == scope })
	if at < 0 {
		added := sysregistriesv2.Registry{}
		if strings.HasPrefix(scope, "*.") {
			added.Prefix = scope
		} else {
			added.Location = scope
		}
		config.Registries = append(config.Registries, added)
		at = len(config.Registries) - 1
	}
	return &config.Registries[at]
}

func scopeOf(r *sysregistriesv2.Registry) string {
	if r.Prefix != "" {
		return r.Prefix
	}
	return r.Location
}

// isInside says whether a scope is another or lies in it: a path below it, or a host below `*.host`.
func isInside(scope, outer string) bool {
	if scope == outer || strings.HasPrefix(scope, outer+"/") {
		return true
	}
	if !strings.HasPrefix(outer, "*.") {
		return false
	}
	if host, _, port := strings.Cut(scope, ":"); port {
		return strings.HasSuffix(host, outer[1:]) && !strings.Contains(host, "/")
	}
	host, _, _ := strings.Cut(scope, "/")
	return strings.HasSuffix(host, outer[1:])
}
