// CRI-O's credential provider. The kubelet's own plugin mechanism runs this program as the plugin: it writes the auth file of a namespace
// for an image that has mirrors, and CRI-O pulls with that file.
package main

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"go.podman.io/image/v5/docker/reference"
	"go.podman.io/image/v5/pkg/sysregistriesv2"
	"go.podman.io/image/v5/types"
	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"
	kubeletv1 "k8s.io/kubelet/config/v1"
	providerv1 "k8s.io/kubelet/pkg/apis/credentialprovider/v1"
	"k8s.io/kubernetes/pkg/credentialprovider/plugin"
	"k8s.io/utils/ptr"
)

const (
	providerName     = "crio-credential-provider"
	providerAudience = "https://kubernetes.default.svc"
	namespacedAuth   = "/etc/crio/auth"
	audienceVerb     = "request-serviceaccounts-token-audience"
)

// credentialProvider is that of a node, with the directory of its configuration and its program. Pods of a namespace share an auth file for
// each image, so that two pulls at the same time can take it from each other, and a real node tries again. Here they take turns.
type credentialProvider struct {
	dir   string
	turns sync.Map
}

func (c *credentialProvider) config() string {
	return filepath.Join(c.dir, "generic-credential-provider.yaml")
}
func (c *credentialProvider) bin() string  { return filepath.Join(c.dir, "bin") }
func (c *credentialProvider) root() string { return filepath.Join(c.dir, "root") }

// use makes the provider read and write the files in this directory.
func (c *credentialProvider) use(root nodeRoot) error {
	if c == nil {
		return nil
	}
	next := c.root() + ".new"
	if err := os.Symlink(string(root), next); err != nil {
		return err
	}
	return os.Rename(next, c.root())
}

// turn waits until no other pod of the namespace pulls. It returns the end of the turn.
func (c *credentialProvider) turn(namespace string) func() {
	if c == nil {
		return func() {}
	}
	mine, _ := c.turns.LoadOrStore(namespace, &sync.Mutex{})
	mine.(*sync.Mutex).Lock()
	return mine.(*sync.Mutex).Unlock
}

// startProvider registers the provider with the kubelet's code, once in a process: as on a real node, another configuration needs a new start.
func (n *node) startProvider() error {
	if n.options.providerConfig != "" {
		return n.register(n.options.providerConfig, n.options.providerBin)
	}
	if len(n.files.MatchImages) == 0 {
		return nil
	}
	dir, err := os.MkdirTemp(n.home(), ".provider-")
	if err != nil {
		return fail("%v", err)
	}
	n.ends = append(n.ends, func() { _ = os.RemoveAll(dir) })
	provider := &credentialProvider{dir: dir}
	if err := errors.Join(provider.write(n.info, n.files.MatchImages), provider.use(n.root)); err != nil {
		return fail("%v", err)
	}
	if err := n.register(provider.config(), provider.bin()); err != nil {
		return err
	}
	n.provider = provider
	return nil
}

// register makes the kubelet's code read a configuration, and check it.
func (n *node) register(config, programs string) error {
	getAccount := func(namespace, name string) (*corev1.ServiceAccount, error) {
		return n.client.CoreV1().ServiceAccounts(namespace).Get(context.Background(), name, metav1.GetOptions{})
	}
	if err := plugin.RegisterCredentialProviderPlugins(config, programs, n.accountToken, getAccount); err != nil {
		return misuse("the kubelet does not start: Failed to register CRI auth plugins: %v", err)
	}
	return nil
}

// providerProblems is why a kubelet does not start with a configuration of credential providers. All programs that it names exist.
func providerProblems(config json.RawMessage, dir string) (problems []string) {
	defer func() {
		// The kubelet registers a name once in a process, after all checks, and panics at the second time.
		if recover() != nil {
			problems = nil
		}
	}()
	var named struct {
		Providers []struct {
			Name string `json:"name"`
		} `json:"providers"`
	}
	_ = json.Unmarshal(config, &named) // what has another form is refused below
	file, programs := filepath.Join(dir, "providers.json"), filepath.Join(dir, "programs")
	err := errors.Join(os.WriteFile(file, config, 0o600), os.MkdirAll(programs, 0o700))
	for _, one := range named.Providers {
		if program, err := os.Executable(); err == nil && one.Name == filepath.Base(one.Name) {
			_ = os.Symlink(program, filepath.Join(programs, one.Name))
		}
	}
	if err == nil {
		err = plugin.RegisterCredentialProviderPlugins(file, programs, nil, nil)
	}
	if err != nil {
		return []string{err.Error()}
	}
	return nil
}

// write writes the configuration, as the machine config operator makes it without a cloud, and the plugin, which is this program.
func (c *credentialProvider) write(info labInfo, matchImages []string) error {
	config := kubeletv1.CredentialProviderConfig{
		TypeMeta: metav1.TypeMeta{APIVersion: kubeletv1.SchemeGroupVersion.String(), Kind: "CredentialProviderConfig"},
		Providers: []kubeletv1.CredentialProvider{{
			Name: providerName, MatchImages: matchImages, APIVersion: providerv1.SchemeGroupVersion.String(),
			DefaultCacheDuration: &metav1.Duration{Duration: time.Second},
			Args:                 []string{"provider", "--root", c.root(), "--server", info.Server, "--ca-cert", info.CACert},
			TokenAttributes: &kubeletv1.ServiceAccountTokenAttributes{
				ServiceAccountTokenAudience: providerAudience, RequireServiceAccount: ptr.To(false), CacheType: kubeletv1.TokenServiceAccountTokenCacheType,
			},
		}},
	}
	content, err := json.Marshal(config)
	if err != nil {
		return err
	}
	program, err := os.Executable()
	if err != nil {
		return err
	}
	return errors.Join(
		os.WriteFile(c.config(), content, 0o600),
		os.Mkdir(c.bin(), 0o700),
		os.Symlink(program, filepath.Join(c.bin(), providerName)),
	)
}

// accountToken is a new token at each request. A kubelet keeps it, so that it runs the plugin once in a second only.
func (n *node) accountToken(namespace, name string, request *authenticationv1.TokenRequest) (*authenticationv1.TokenRequest, error) {
	ctx := context.Background()
	for _, audience := range request.Spec.Audiences {
		if err := n.mayRequest(ctx, namespace, name, audience); err != nil {
			return nil, err
		}
	}
	return n.client.CoreV1().ServiceAccounts(namespace).CreateToken(ctx, name, request, metav1.CreateOptions{})
}

// mayRequest asks what the admission NodeRestriction would ask for this node. No pod of the lab has a volume with such a token.
func (n *node) mayRequest(ctx context.Context, namespace, name, audience string) error {
	user := "system:node:" + n.options.name
	review, err := n.client.AuthorizationV1().SubjectAccessReviews().Create(ctx, &authorizationv1.SubjectAccessReview{
		Spec: authorizationv1.SubjectAccessReviewSpec{
			User: user, Groups: []string{"system:nodes", "system:authenticated"},
			ResourceAttributes: &authorizationv1.ResourceAttributes{
				Namespace: namespace, Verb: audienceVerb, Version: "v1", Resource: audience, Name: name,
			},
		},
	}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	if !review.Status.Allowed {
		return fmt.Errorf("audience %q not found in pod spec volume, %s is not authorized to request tokens for this audience", audience, user)
	}
	return nil
}

// takeAuthFile gives CRI-O's pull of an image the auth file of its namespace. The file serves one pull only: the kubelet's next credential
// for the image finds none.
func (r nodeRoot) takeAuthFile(system *types.SystemContext, namespace, image string) (*types.SystemContext, func()) {
	path, err := r.authFile(namespace, image)
	if err != nil || !fileExists(path) {
		return system, func() {}
	}
	taken := path + ".in-use"
	if err := os.Rename(path, taken); err != nil {
		return system, func() {}
	}
	with := *system
	with.AuthFilePath = taken
	return &with, func() { _ = os.Remove(taken) }
}

// authFile is where the provider writes for an image, whose tag and digest do not count.
func (r nodeRoot) authFile(namespace, image string) (string, error) {
	named, err := reference.ParseNormalizedNamed(image)
	if err != nil {
		return "", err
	}
	return filepath.Join(r.file(namespacedAuth), fmt.Sprintf("%s-%x.json", namespace, sha256.Sum256([]byte(named.Name())))), nil
}

// providerOptions are what the plugin knows of its node.
type providerOptions struct{ root, server, caCert string }

// provide is the plugin: a request on input, and an answer without credentials on output.
func provide(o providerOptions, input io.Reader, output io.Writer) error {
	klog.SetOutput(io.Discard)
	var request providerv1.CredentialProviderRequest
	if err := json.NewDecoder(input).Decode(&request); err != nil {
		return fail("unable to parse the request: %v", err)
	}
	if err := o.writeAuthFile(request); err != nil {
		return fail("%v", err)
	}
	return json.NewEncoder(output).Encode(providerv1.CredentialProviderResponse{
		TypeMeta:     metav1.TypeMeta{APIVersion: providerv1.SchemeGroupVersion.String(), Kind: "CredentialProviderResponse"},
		CacheKeyType: providerv1.RegistryPluginCacheKeyType,
	})
}

func (o providerOptions) writeAuthFile(request providerv1.CredentialProviderRequest) error {
	namespace, err := namespaceOf(request.ServiceAccountToken)
	if err != nil {
		return err
	}
	root := nodeRoot(o.root)
	mirrors, err := root.mirrorsOf(request.Image)
	if err != nil || len(mirrors) == 0 {
		return err
	}
	secrets, err := o.secretsOf(request.ServiceAccountToken, namespace)
	if err != nil {
		return err
	}
	content, err := os.ReadFile(root.file(nodeAuthFile))
	if err != nil {
		return err
	}
	var file authFile
	if err := json.Unmarshal(content, &file); err != nil {
		return err
	}
	if file.Auths == nil {
		file.Auths = map[string]authEntry{}
	}
	maps.Copy(file.Auths, entriesFor(secrets, append(mirrors, request.Image)))
	if len(file.Auths) == 0 {
		return errors.New("no login is for the image")
	}
	if content, err = json.Marshal(file); err != nil {
		return err
	}
	path, err := root.authFile(namespace, request.Image)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	return writeAtomically(path, content)
}

// namespaceOf is that of a token's account. The API server checks the token later.
func namespaceOf(token string) (string, error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return "", errors.New("the request has no token")
	}
	content, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return "", err
	}
	var claims struct {
		Kubernetes struct {
			Namespace string `json:"namespace"`
		} `json:"kubernetes.io"`
	}
	if err := json.Unmarshal(content, &claims); err != nil {
		return "", err
	}
	if claims.Kubernetes.Namespace == "" {
		return "", errors.New("the token has no namespace")
	}
	return claims.Kubernetes.Namespace, nil
}

// mirrorsOf are the places of all mirrors of a repository, whether for tags or for digests.
func (r nodeRoot) mirrorsOf(repository string) ([]string, error) {
	found, err := sysregistriesv2.FindRegistry(&types.SystemContext{
		SystemRegistriesConfPath: r.file(registriesConfPath), SystemRegistriesConfDirPath: r.file(registriesConfDir),
	}, repository)
	if err != nil || found == nil {
		return nil, err
	}
	var places []string
	for _, mirror := range found.Mirrors {
		places = append(places, mirror.Location)
	}
	return places, nil
}

func (o providerOptions) secretsOf(token, namespace string) ([]corev1.Secret, error) {
	client, err := kubernetes.NewForConfig(&rest.Config{
		Host: o.server, BearerToken: token, TLSClientConfig: rest.TLSClientConfig{CAFile: o.caCert}, UserAgent: providerName,
	})
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	listed, err := client.CoreV1().Secrets(namespace).List(ctx, metav1.ListOptions{FieldSelector: "type=" + string(corev1.SecretTypeDockerConfigJson)})
	if err != nil {
		return nil, fmt.Errorf("unable to retrieve secrets: %w", err)
	}
	return listed.Items, nil
}

// authFile and authEntry are the only fields that the provider reads and writes.
type authFile struct {
	Auths map[string]authEntry `json:"auths"`
}

type authEntry struct {
	Auth string `json:"auth,omitempty"`
}

// entriesFor are the entries of the secrets whose key is the beginning of one of the places, without its scheme. Later secrets replace
// the entries of earlier ones. Of two keys in one secret that differ in their scheme only, a real provider takes any.
func entriesFor(secrets []corev1.Secret, places []string) map[string]authEntry {
	entries := map[string]authEntry{}
	for _, secret := range secrets {
		var file authFile
		if err := json.Unmarshal(secret.Data[corev1.DockerConfigJsonKey], &file); err != nil {
			continue
		}
		for _, key := range slices.Sorted(maps.Keys(file.Auths)) {
			begin := withoutScheme(key)
			fits := slices.ContainsFunc(places, func(place string) bool { return strings.HasPrefix(place, begin) })
			if auth, ok := reencoded(file.Auths[key].Auth); ok && fits {
				entries[begin] = authEntry{auth}
			}
		}
	}
	return entries
}

// reencoded is the login as the provider writes it. Text without a colon becomes an empty login, and what is not base64 is left out.
func reencoded(auth string) (string, bool) {
	decoded, err := base64.StdEncoding.DecodeString(auth)
	if err != nil {
		return "", false
	}
	user, password, found := strings.Cut(string(decoded), ":")
	if !found {
		user, password = "", ""
	}
	return base64.StdEncoding.EncodeToString([]byte(user + ":" + strings.Trim(password, "\x00"))), true
}
