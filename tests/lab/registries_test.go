// Tests of the nodes' files: made of objects, then read back by the libraries that decide on a node.
package main

import (
	"context"
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"go.podman.io/image/v5/docker"
	"go.podman.io/image/v5/docker/reference"
	"go.podman.io/image/v5/pkg/sysregistriesv2"
	"go.podman.io/image/v5/signature"
	"go.podman.io/image/v5/types"
)

const (
	someDigest = "@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	never      = neverContactSource
	source     = "registry.example.com/team"
)

// written renders rules and writes the files of a node.
func written(t *testing.T, rules imageRules) *types.SystemContext {
	t.Helper()
	rules.openshift = true
	if rules.payload == "" {
		rules.payload = defaultPayload
	}
	files, warning, err := rules.render()
	if err != nil || warning != nil {
		t.Fatal(err, warning)
	}
	root := nodeRoot(t.TempDir())
	if err := root.write(files, []byte("{}")); err != nil {
		t.Fatal(err)
	}
	return root.system(layout(t.TempDir()), "project-a")
}

// places are where the library would look for an image, or its refusal.
func places(t *testing.T, system *types.SystemContext, image string) []string {
	t.Helper()
	named, err := reference.ParseNormalizedNamed(image)
	if err != nil {
		t.Fatal(err)
	}
	registry, err := sysregistriesv2.FindRegistry(system, named.Name())
	if err != nil {
		t.Fatal(err)
	}
	if registry == nil {
		return []string{image}
	}
	sources, err := registry.PullSourcesFromReference(named)
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, one := range sources {
		place := one.Reference.String()
		if one.Endpoint.Insecure {
			place += " insecure"
		}
		found = append(found, place)
	}
	if registry.Blocked {
		found = append(found, "blocked")
	}
	return found
}

func TestPlaces(t *testing.T) {
	a, b := "mirror-a.example.com/team", "mirror-b.example.com/copies"
	for name, test := range map[string]struct {
		rules imageRules
		image string
		want  []string
	}{
		"no rule":           {imageRules{}, source + "/app:v1", []string{source + "/app:v1"}},
		"tag, tag mirrors":  {imageRules{tagMirrors: []mirrorSet{{source, []string{a, b}, ""}}}, source + "/app:v1", []string{a + "/app:v1", b + "/app:v1", source + "/app:v1"}},
		"tag, digest ones":  {imageRules{digestMirrors: []mirrorSet{{source, []string{a}, ""}}}, source + "/app:v1", []string{source + "/app:v1"}},
		"digest":            {imageRules{digestMirrors: []mirrorSet{{source, []string{a}, ""}}}, source + "/app" + someDigest, []string{a + "/app" + someDigest, source + "/app" + someDigest}},
		"digest, tag ones":  {imageRules{tagMirrors: []mirrorSet{{source, []string{a}, ""}}}, source + "/app" + someDigest, []string{source + "/app" + someDigest}},
		"not a whole name":  {imageRules{tagMirrors: []mirrorSet{{source, []string{a}, ""}}}, source + "s/app:v1", []string{source + "s/app:v1"}},
		"most specific":     {imageRules{tagMirrors: []mirrorSet{{"registry.example.com", []string{a}, ""}, {source, []string{b}, ""}}}, source + "/app:v1", []string{b + "/app:v1", source + "/app:v1"}},
		"two objects":       {imageRules{tagMirrors: []mirrorSet{{source, []string{b}, ""}, {source, []string{a, b}, ""}}}, source + "/app:v1", []string{a + "/app:v1", b + "/app:v1", source + "/app:v1"}},
		"never contact":     {imageRules{digestMirrors: []mirrorSet{{source, []string{a}, never}}}, source + "/app:v1", []string{source + "/app:v1", "blocked"}},
		"only itself":       {imageRules{digestMirrors: []mirrorSet{{source, []string{source}, ""}}}, source + "/app:v1", []string{source + "/app:v1"}},
		"blocked":           {imageRules{sources: registrySources{Blocked: []string{"registry.example.com"}}}, source + "/app:v1", []string{source + "/app:v1", "blocked"}},
		"blocked hosts":     {imageRules{sources: registrySources{Blocked: []string{"*.example.com"}}}, source + "/app:v1", []string{source + "/app:v1", "blocked"}},
		"blocked inside":    {imageRules{tagMirrors: []mirrorSet{{source, []string{a}, ""}}, sources: registrySources{Blocked: []string{"registry.example.com"}}}, source + "/app:v1", []string{a + "/app:v1", source + "/app:v1", "blocked"}},
		"insecure":          {imageRules{sources: registrySources{Insecure: []string{"registry.example.com"}}}, source + "/app:v1", []string{source + "/app:v1 insecure"}},
		"insecure mirror":   {imageRules{tagMirrors: []mirrorSet{{source, []string{a}, ""}}, sources: registrySources{Insecure: []string{"mirror-a.example.com"}}}, source + "/app:v1", []string{a + "/app:v1 insecure", source + "/app:v1"}},
		"mirrors inherited": {imageRules{tagMirrors: []mirrorSet{{"registry.example.com", []string{a}, ""}}, sources: registrySources{Insecure: []string{source}}}, source + "/app:v1", []string{a + "/team/app:v1", source + "/app:v1 insecure"}},
	} {
		if got := places(t, written(t, test.rules), test.image); !slices.Equal(got, test.want) {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}

func TestMirrorOrder(t *testing.T) {
	for name, test := range map[string]struct {
		chains [][]string
		want   string
	}{
		"one list":                {[][]string{{"b", "a"}}, "b a"},
		"joined":                  {[][]string{{"b", "c"}, {"a", "b"}}, "a b c"},
		"unrelated":               {[][]string{{"b"}, {"a"}}, "a b"},
		"a circle":                {[][]string{{"a", "b"}, {"b", "a"}}, "a b"},
		"the source in the midst": {[][]string{{"a", "s", "b"}}, "a s b"},
		"the source at the end":   {[][]string{{"a", "s"}}, "a"},
	} {
		if got := strings.Join(mergeChains("s", test.chains), " "); got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}

func TestNotRendered(t *testing.T) {
	for want, rules := range map[string]imageRules{
		"conflicting mirrorSourcePolicy": {digestMirrors: []mirrorSet{{source, []string{"a.example.com"}, never}}, tagMirrors: []mirrorSet{{source, []string{"a.example.com"}, ""}}},
		"is one of the mirrors":          {digestMirrors: []mirrorSet{{source, []string{"a.example.com", source}, never}}},
		"invalid format for source":      {digestMirrors: []mirrorSet{{"https://registry.example.com", []string{"a.example.com"}, ""}}},
		"invalid format for mirror":      {digestMirrors: []mirrorSet{{source, []string{"*.example.com"}, ""}}},
		"invalid entry for insecure":     {sources: registrySources{Insecure: []string{"a*.example.com"}}},
		"invalid entry for blocked":      {sources: registrySources{Blocked: []string{""}}},
		"only one of AllowedRegistries":  {sources: registrySources{Allowed: []string{"a.example.com"}, Blocked: []string{"b.example.com"}}},
		"not nested inside allowed":      {sources: registrySources{Allowed: []string{"a.example.com"}}, clusterScoped: []imagePolicy{{Scopes: []string{source}}}},
		"nested inside blocked":          {sources: registrySources{Blocked: []string{"registry.example.com"}}, scoped: []imagePolicy{{namespace: "project-a", Scopes: []string{source}}}},
	} {
		rules.openshift, rules.payload = true, defaultPayload
		if _, _, err := rules.render(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q, want %q", err, want)
		}
	}
}

func TestTheReleaseIsNotBlocked(t *testing.T) {
	rules := imageRules{openshift: true, payload: defaultPayload, sources: registrySources{Blocked: []string{"quay.io", "docker.io"}}}
	files, warning, err := rules.render()
	if err != nil || warning == nil || !strings.Contains(warning.Error(), `["quay.io"]`) {
		t.Fatal(warning, err)
	}
	if strings.Contains(string(files.Registries), `"quay.io"`) || !strings.Contains(string(files.Policy), "docker.io") {
		t.Errorf("%s%s", files.Registries, files.Policy)
	}
	rules.digestMirrors = []mirrorSet{{defaultPayload, []string{"mirror.example.com/release"}, ""}}
	if _, warning, err = rules.render(); warning != nil || err != nil {
		t.Error(warning, err)
	}
}

// accepts asks the policy of a node for an unsigned image.
func accepts(t *testing.T, system *types.SystemContext, image string) string {
	t.Helper()
	policy, err := signature.DefaultPolicy(system)
	if err != nil {
		t.Fatal(err)
	}
	judge, err := signature.NewPolicyContext(policy)
	if err != nil {
		t.Fatal(err)
	}
	named, err := docker.ParseReference("//" + image)
	if err != nil {
		t.Fatal(err)
	}
	if allowed, err := judge.IsRunningImageAllowed(context.Background(), unsigned{named}); !allowed {
		return err.Error()
	}
	return ""
}

// unsigned is an image without content.
type unsigned struct{ name types.ImageReference }

func (u unsigned) Reference() types.ImageReference { return u.name }
func (u unsigned) Manifest(context.Context) ([]byte, string, error) {
	return []byte("{}"), "application/json", nil
}
func (u unsigned) Signatures(context.Context) ([][]byte, error) { return nil, nil }

func TestPolicy(t *testing.T) {
	const refused = "is rejected by policy"
	signed := verificationPolicy{}
	for name, test := range map[string]struct {
		rules imageRules
		image string
		want  string
	}{
		"nothing set":         {imageRules{}, source + "/app:v1", ""},
		"allowed":             {imageRules{sources: registrySources{Allowed: []string{source}}}, source + "/app:v1", ""},
		"a host allowed":      {imageRules{sources: registrySources{Allowed: []string{"*.example.com"}}}, source + "/app:v1", ""},
		"another allowed":     {imageRules{sources: registrySources{Allowed: []string{source + "s"}}}, source + "/app:v1", refused},
		"an empty list":       {imageRules{sources: registrySources{Allowed: []string{}}}, source + "/app:v1", ""},
		"blocked":             {imageRules{sources: registrySources{Blocked: []string{source}}}, source + "/app:v1", refused},
		"another blocked":     {imageRules{sources: registrySources{Blocked: []string{source + "s"}}}, source + "/app:v1", ""},
		"to be signed":        {imageRules{clusterScoped: []imagePolicy{{Scopes: []string{source}, Policy: signed}}}, source + "/app:v1", refused},
		"another to be":       {imageRules{clusterScoped: []imagePolicy{{Scopes: []string{source + "s"}, Policy: signed}}}, source + "/app:v1", ""},
		"signed here":         {imageRules{scoped: []imagePolicy{{namespace: "project-a", Scopes: []string{source}, Policy: signed}}}, source + "/app:v1", refused},
		"signed there":        {imageRules{scoped: []imagePolicy{{namespace: "project-b", Scopes: []string{source}, Policy: signed}}}, source + "/app:v1", ""},
		"allowed, but signed": {imageRules{sources: registrySources{Allowed: []string{source}}, clusterScoped: []imagePolicy{{Scopes: []string{source}, Policy: signed}}}, source + "/app:v1", refused},
	} {
		got := accepts(t, written(t, test.rules), test.image)
		if (test.want == "") != (got == "") || !strings.Contains(got, test.want) {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}

func TestSigstoreConf(t *testing.T) {
	for name, test := range map[string]struct {
		rules imageRules
		want  []string
	}{
		"no policy":        {imageRules{tagMirrors: []mirrorSet{{source, []string{"a.example.com"}, ""}}}, nil},
		"no mirror":        {imageRules{clusterScoped: []imagePolicy{{Scopes: []string{source}}}}, []string{source}},
		"of a namespace":   {imageRules{scoped: []imagePolicy{{namespace: "project-a", Scopes: []string{source}}}}, []string{source}},
		"around the scope": {imageRules{clusterScoped: []imagePolicy{{Scopes: []string{source + "/app:v1"}}}, tagMirrors: []mirrorSet{{"registry.example.com", []string{"a.example.com"}, ""}}}, []string{"a.example.com/team/app", source + "/app", source + "/app:v1"}},
		"inside the scope": {imageRules{clusterScoped: []imagePolicy{{Scopes: []string{"registry.example.com"}}}, digestMirrors: []mirrorSet{{source, []string{"a.example.com/x"}, ""}}}, []string{"a.example.com/x", "registry.example.com", source}},
		"another source":   {imageRules{clusterScoped: []imagePolicy{{Scopes: []string{source}}}, tagMirrors: []mirrorSet{{source + "s", []string{"a.example.com"}, ""}}}, []string{source}},
	} {
		test.rules.openshift = true
		registries, err := test.rules.registriesConf(nil)
		if err != nil {
			t.Fatal(err)
		}
		content, err := test.rules.sigstoreConf(registries)
		if err != nil {
			t.Fatal(err)
		}
		var got struct{ Docker map[string]any }
		if content != nil {
			if err := json.Unmarshal(content, &got); err != nil {
				t.Fatal(err)
			}
		}
		if found := slices.Sorted(maps.Keys(got.Docker)); !slices.Equal(found, test.want) {
			t.Errorf("%s: %q, want %q", name, found, test.want)
		}
	}
}

func TestShortNames(t *testing.T) {
	both := registrySources{Search: []string{"a.example.com", "b.example.com"}}
	for name, test := range map[string]struct {
		sources registrySources
		mode    types.ShortNameMode
		image   string
		want    string
	}{
		"the base":           {registrySources{}, types.ShortNameModeDisabled, "app", "registry.access.redhat.com/app:latest docker.io/library/app:latest"},
		"all":                {both, types.ShortNameModeDisabled, "team/app:v1", "a.example.com/team/app:v1 b.example.com/team/app:v1"},
		"which":              {both, types.ShortNameModeEnforcing, "team/app:v1", "short name mode is enforcing, but image name team/app:v1 returns ambiguous list"},
		"only one":           {registrySources{Search: []string{"a.example.com"}}, types.ShortNameModeEnforcing, "team/app:v1", "a.example.com/team/app:v1"},
		"not short":          {both, types.ShortNameModeEnforcing, "c.example.com/app:v1", "c.example.com/app:v1"},
		"a tag and a digest": {both, types.ShortNameModeEnforcing, "c.example.com/app:v1" + someDigest, "c.example.com/app" + someDigest},
	} {
		system := written(t, imageRules{sources: test.sources})
		system.ShortNameMode = &test.mode
		names, err := candidates(system, test.image)
		var found []string
		for _, one := range names {
			found = append(found, one.String())
		}
		got := strings.Join(found, " ")
		if err != nil {
			got = err.Error()
		}
		if got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}

// The nodes of a cluster without OpenShift's kinds are not configured, whatever else is known of the cluster.
func TestPlainNode(t *testing.T) {
	files, warning, err := imageRules{payload: defaultPayload}.render()
	if err != nil || warning != nil {
		t.Fatal(err, warning)
	}
	root := nodeRoot(t.TempDir())
	if err := root.write(files, []byte("{}")); err != nil {
		t.Fatal(err)
	}
	system := root.system(layout(t.TempDir()), "project-a")
	mode := types.ShortNameModeEnforcing
	system.ShortNameMode = &mode
	if names, err := candidates(system, "team/app"); err != nil || len(names) != 1 || names[0].String() != "docker.io/team/app:latest" {
		t.Error(names, err)
	}
	if why := accepts(t, system, source+"/app:v1"); why != "" {
		t.Error(why)
	}
}

func TestMain(m *testing.M) {
	// No test may ask a person which registry is meant.
	if err := withoutTerminal(); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}
