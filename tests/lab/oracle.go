// `lab oracle`: for an auth file and an image, what the kubelet and what CRI-O, Podman and Skopeo would use; for keys of an auth file,
// which registry the kubelet has them for; for an image that is present, whether the kubelet uses it (present.go).
package main

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"io"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"go.podman.io/image/v5/docker/reference"
	"go.podman.io/image/v5/pkg/docker/config"
	"go.podman.io/image/v5/types"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/kubernetes/pkg/credentialprovider"
	"k8s.io/kubernetes/pkg/util/parsers"
)

type question struct {
	AuthFile      json.RawMessage  `json:"auth_file"`
	Image         string           `json:"image"`
	Keys          []string         `json:"keys"`
	Present       *presentQuestion `json:"present"`
	Configuration map[string]any   `json:"configuration"`
	Rules         *rulesQuestion   `json:"rules"`
	Providers     json.RawMessage  `json:"providers"`
}

type verdict struct {
	Kubelet         []usedEntry      `json:"kubelet"`
	KubeletError    string           `json:"kubelet_error,omitempty"`
	Containers      *containersEntry `json:"containers,omitempty"`
	ContainersError string           `json:"containers_error,omitempty"`
	Keys            []*parsedKey     `json:"keys,omitempty"`
	Present         *presentAnswer   `json:"present,omitempty"`
	Problems        []string         `json:"problems,omitempty"`
	Rules           *rulesAnswer     `json:"rules,omitempty"`
}

// parsedKey is what the kubelet's keyring compares images with.
type parsedKey struct {
	Host string `json:"host"`
	Path string `json:"path"`
}

type usedEntry struct {
	Key      string `json:"key"`
	Username string `json:"username"`
}

type containersEntry struct {
	Key      string `json:"key,omitempty"`
	Username string `json:"username"`
	Found    bool   `json:"found"`
}

func oracle() error {
	silenceLibraries()
	scratch, err := newScratch()
	if err != nil {
		return fail("%v", err)
	}
	defer os.RemoveAll(scratch.dir)
	input := bufio.NewReaderSize(os.Stdin, 1<<20)
	output := bufio.NewWriterSize(os.Stdout, 1<<16)
	defer output.Flush()
	encoder := json.NewEncoder(output)
	for number := 1; ; number++ {
		line, err := input.ReadBytes('\n')
		if len(strings.TrimSpace(string(line))) > 0 {
			answer, err := scratch.answer(line)
			if err != nil {
				return misuse("line %d: %v", number, err)
			}
			if err := encoder.Encode(answer); err != nil {
				return fail("%v", err)
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fail("%v", err)
		}
		// A caller that asks one question at a time waits for its answer.
		if input.Buffered() == 0 {
			output.Flush()
		}
	}
}

// scratch is where auth files are put for the look-up that reads files; memory-backed where there is such a place.
type scratch struct {
	dir, file string
	system    *types.SystemContext
}

func newScratch() (*scratch, error) {
	parent := ""
	if info, err := os.Stat("/dev/shm"); err == nil && info.IsDir() {
		parent = "/dev/shm"
	}
	dir, err := os.MkdirTemp(parent, "lab-oracle-")
	if err != nil {
		return nil, err
	}
	home := layout(dir)
	if err := os.MkdirAll(home.conf("empty"), 0o700); err != nil {
		return nil, err
	}
	if err := os.WriteFile(home.conf("registries.conf"), nil, 0o600); err != nil {
		return nil, err
	}
	s := &scratch{dir: dir, file: filepath.Join(dir, "auth.json"), system: clientContext(home)}
	s.system.AuthFilePath, s.system.DockerAuthConfig = s.file, nil
	return s, nil
}

func (s *scratch) answer(line []byte) (verdict, error) {
	var q question
	if err := json.Unmarshal(line, &q); err != nil {
		return verdict{}, err
	}
	if q.Keys != nil {
		return verdict{Kubelet: []usedEntry{}, Keys: parsedKeys(q.Keys)}, nil
	}
	if q.Present != nil {
		present, err := s.askManager(q.Image, *q.Present)
		return verdict{Kubelet: []usedEntry{}, Present: &present}, err
	}
	if q.Configuration != nil {
		problems, err := configurationProblems(q.Configuration)
		return verdict{Kubelet: []usedEntry{}, Problems: problems}, err
	}
	if q.Providers != nil {
		return verdict{Kubelet: []usedEntry{}, Problems: providerProblems(q.Providers, s.dir)}, nil
	}
	if q.Rules != nil {
		rules, err := q.Rules.answer()
		return verdict{Kubelet: []usedEntry{}, Rules: &rules}, err
	}
	content := []byte(q.AuthFile)
	var text string
	if json.Unmarshal(q.AuthFile, &text) == nil {
		content = []byte(text)
	}
	var v verdict
	v.askKubelet(content, q.Image)
	v.askContainers(s, content, q.Image)
	return v, nil
}

// parsedKeys has nil for a key that the keyring ignores.
func parsedKeys(keys []string) []*parsedKey {
	found := make([]*parsedKey, len(keys))
	for at, key := range keys {
		keyring := &credentialprovider.BasicDockerKeyring{}
		keyring.Add(nil, credentialprovider.DockerConfig{key: credentialprovider.DockerConfigEntry{}})
		index := reflect.ValueOf(keyring).Elem().FieldByName("index")
		if index.Len() == 0 {
			continue
		}
		if parsed, err := credentialprovider.ParseSchemelessURL(index.Index(0).String()); err == nil {
			found[at] = &parsedKey{parsed.Host, parsed.Path}
		}
	}
	return found
}

func (v *verdict) askKubelet(content []byte, image string) {
	v.Kubelet = []usedEntry{}
	repository, _, _, err := parsers.ParseImageName(image)
	if err != nil {
		v.KubeletError = err.Error()
		return
	}
	secret := corev1.Secret{
		Type: corev1.SecretTypeDockerConfigJson,
		Data: map[string][]byte{corev1.DockerConfigJsonKey: content},
	}
	found, err := lookUp([]corev1.Secret{secret}, repository)
	if err != nil {
		v.KubeletError = err.Error()
		return
	}
	for _, c := range found {
		v.Kubelet = append(v.Kubelet, usedEntry{c.key, c.auth.Username})
	}
}

func (v *verdict) askContainers(s *scratch, content []byte, image string) {
	name, err := reference.ParseNormalizedNamed(image)
	if err != nil {
		v.ContainersError = err.Error()
		return
	}
	if err := os.WriteFile(s.file, content, 0o600); err != nil {
		v.ContainersError = err.Error()
		return
	}
	found, err := config.GetCredentialsForRef(s.system, name)
	if err != nil {
		v.ContainersError = strings.ReplaceAll(err.Error(), s.file, "the file")
		return
	}
	v.Containers = &containersEntry{
		Key: keyOf(content, name.Name(), found), Username: found.Username,
		Found: found != (types.DockerAuthConfig{}),
	}
}

// keyOf finds the entry that holds the credential found: by the look-up's own order first, by value otherwise.
func keyOf(content []byte, name string, found types.DockerAuthConfig) string {
	var file struct {
		Auths map[string]struct{ Auth, IdentityToken string } `json:"auths"`
	}
	if found == (types.DockerAuthConfig{}) || json.Unmarshal(content, &file) != nil {
		return ""
	}
	holds := func(key string) bool {
		entry, present := file.Auths[key]
		decoded, _ := base64.StdEncoding.DecodeString(entry.Auth)
		username, password, _ := strings.Cut(string(decoded), ":")
		return present && username == found.Username && strings.Trim(password, "\x00") == found.Password
	}
	for candidate := name; ; {
		if holds(candidate) {
			return candidate
		}
		slash := strings.LastIndexByte(candidate, '/')
		if slash < 0 {
			break
		}
		candidate = candidate[:slash]
	}
	for _, key := range slices.Sorted(maps.Keys(file.Auths)) {
		if holds(key) {
			return key
		}
	}
	return ""
}
