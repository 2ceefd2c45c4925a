// A node of the lab: its files, which are made for each command, and, if it has a name, its memory between commands.
package main

import (
	"bytes"
	"context"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"syscall"

	"go.podman.io/image/v5/types"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/util/flowcontrol"
	"k8s.io/kubernetes/pkg/credentialprovider"
	"k8s.io/kubernetes/pkg/kubelet/images/pullmanager"
)

// nodeOptions say what kind of node it is. Without a name it remembers nothing, so no image is ever present.
type nodeOptions struct {
	name                        string
	digestRefs                  bool     // a pull returns repository and digest, as that of CRI-O before 1.35.2 and 1.36.0
	recheck                     bool     // the kubelet's gate KubeletEnsureSecretPulledImages
	policy                      string   // its imagePullCredentialsVerificationPolicy
	allowList                   []string // its preloadedImagesVerificationAllowlist
	shortNames                  string
	runtime                     string // cri-o where it is empty
	proxy                       string
	machine                     string // the node's architecture in Go's words, for CRI-O; that of this machine where it is empty
	whole                       bool
	providerConfig, providerBin string  // the kubelet's credential providers; empty: only CRI-O's, if the cluster configures it
	pullQPS                     float32 // the kubelet's registryPullQPS, with a burst of one pull; 0: no limit
}

// The node's ways with a name of several registries to search: all are asked, or none.
const (
	shortNamesPermissive = "permissive"
	shortNamesEnforcing  = "enforcing"
)

// The container runtimes below the kubelet.
const (
	runtimeCRIO       = "cri-o"
	runtimeContainerd = "containerd"
)

var nodeName = regexp.MustCompile(`^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$`)

func (o nodeOptions) check() error {
	if o.shortNames != shortNamesPermissive && o.shortNames != shortNamesEnforcing {
		return misuse("--short-names is permissive or enforcing, not %q", o.shortNames)
	}
	if o.name != "" && !nodeName.MatchString(o.name) {
		return misuse("--node is a name such as worker-1, not %q", o.name)
	}
	if o.runtime != "" && o.runtime != runtimeCRIO && o.runtime != runtimeContainerd {
		return misuse("--runtime is cri-o or containerd, not %q", o.runtime)
	}
	if target, err := url.Parse(o.proxy); o.proxy != "" && (err != nil || target.Host == "") {
		return misuse("--proxy is a URL such as http://127.0.0.1:3128, not %q", o.proxy)
	}
	if o.machine != "" && o.runtime == runtimeContainerd {
		return misuse("--architecture is for CRI-O only")
	}
	if o.recheck && o.name == "" {
		return misuse("--recheck needs --node: a node without a name has no images to check again")
	}
	return o.checkVerification()
}

// checkVerification refuses what a kubelet does not start with, in its words.
func (o nodeOptions) checkVerification() error {
	if o.policy == "" && len(o.allowList) == 0 {
		return nil
	}
	if !o.recheck {
		return misuse("--verification-policy and --verification-allow-list need --recheck")
	}
	problems, err := configurationProblems(map[string]any{policyField: o.policy, allowListField: o.allowList})
	if err != nil {
		return fail("%v", err)
	}
	if len(problems) > 0 {
		return misuse("the kubelet does not start: %s", strings.Join(problems, "; "))
	}
	return nil
}

// clusterClients is the lab and the way to its cluster.
type clusterClients struct {
	info    labInfo
	client  kubernetes.Interface
	dynamic dynamic.Interface
}

// node pulls for pods.
type node struct {
	clusterClients
	options  nodeOptions
	root     nodeRoot
	problems []string // problems that the machine config operator would report
	files    nodeFiles
	auth     []byte // the node's own credentials, as stored in the cluster

	config  credentialprovider.DockerConfig // the node's own credentials
	keyring credentialprovider.DockerKeyring
	store   *imageStore
	records pullmanager.ImagePullManager
	limiter flowcontrol.RateLimiter // nil without a limit

	provider *credentialProvider // nil without one

	ends []func()
}

// connect reads the lab's description and connects to its cluster.
func connect(dir string) (clusterClients, error) {
	silenceLibraries()
	info, err := readLab(dir)
	if err != nil {
		return clusterClients{}, err
	}
	config, err := loadKubeconfig(info.Kubeconfig)
	if err != nil {
		return clusterClients{}, misuse("%v", err)
	}
	client, err1 := kubernetes.NewForConfig(config)
	dyn, err2 := dynamic.NewForConfig(config)
	if err := errors.Join(err1, err2); err != nil {
		return clusterClients{}, misuse("%v", err)
	}
	return clusterClients{info, client, dyn}, nil
}

// startNode makes a node of a running lab. It ends with close.
func startNode(ctx context.Context, lab clusterClients, options nodeOptions) (*node, error) {
	if err := options.check(); err != nil {
		return nil, err
	}
	if err := trustSystem(layout(lab.info.Dir)); err != nil {
		return nil, err
	}
	n := &node{clusterClients: lab, options: options}
	if options.pullQPS > 0 {
		n.limiter = flowcontrol.NewTokenBucketRateLimiter(options.pullQPS, 1)
	}
	err := n.start(ctx)
	if err != nil {
		n.close()
		return nil, err
	}
	return n, nil
}

func (n *node) start(ctx context.Context) error {
	memory, err := n.remember()
	if err != nil {
		return err
	}
	if err := n.prepare(ctx, memory); err != nil {
		return err
	}
	n.config, n.keyring = n.root.keyring()
	if err := n.startProvider(); err != nil {
		return err
	}
	return n.startRecords(ctx, memory)
}

// home is where all nodes of the lab have their directories.
func (n *node) home() string { return layout(n.info.Dir).file("nodes") }

// memory is the directory of a node with a name; empty of one without.
func (n *node) memory() string {
	if n.options.name == "" {
		return ""
	}
	return filepath.Join(n.home(), n.options.name)
}

// remember opens the directory of a node with a name; one command at a time works in it, as one kubelet does.
func (n *node) remember() (string, error) {
	memory := n.memory()
	if memory == "" {
		return "", nil
	}
	if err := os.MkdirAll(memory, 0o700); err != nil {
		return "", fail("%v", err)
	}
	lock, err := os.OpenFile(filepath.Join(memory, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return "", fail("%v", err)
	}
	n.ends = append(n.ends, func() { lock.Close() })
	return memory, syscall.Flock(int(lock.Fd()), syscall.LOCK_EX)
}

// prepare writes the node's files into a directory of this run.
func (n *node) prepare(ctx context.Context, memory string) error {
	if err := n.read(ctx, memory); err != nil {
		return err
	}
	return n.write()
}

// read makes the content of the node's files.
func (n *node) read(ctx context.Context, memory string) error {
	var err error
	if n.files, err = n.render(ctx, memory); err != nil {
		return err
	}
	n.auth, err = n.nodeCredentials(ctx)
	return err
}

func (n *node) write() error {
	if err := os.MkdirAll(n.home(), 0o700); err != nil {
		return fail("%v", err)
	}
	root, err := os.MkdirTemp(n.home(), ".run-")
	if err != nil {
		return fail("%v", err)
	}
	n.root = nodeRoot(root)
	n.ends = append(n.ends, func() { _ = os.RemoveAll(root) })
	return n.root.write(n.files, n.auth)
}

// renewed is this node with files made from the cluster's current objects, or itself if the objects have not changed. It shares the
// images, the records and the lock of the first one. close removes only the files.
func (n *node) renewed(ctx context.Context) (*node, error) {
	next := *n
	next.ends, next.problems = nil, nil
	if err := next.read(ctx, n.memory()); err != nil {
		return nil, err
	}
	if bytes.Equal(next.auth, n.auth) && reflect.DeepEqual(next.files, n.files) && slices.Equal(next.problems, n.problems) {
		return n, nil
	}
	if err := next.write(); err != nil {
		next.close()
		return nil, err
	}
	if err := next.provider.use(next.root); err != nil {
		next.close()
		return nil, fail("%v", err)
	}
	next.config, next.keyring = next.root.keyring()
	return &next, nil
}

// render reads the cluster's objects and makes the files from them. If that fails, the operator leaves the nodes unchanged: a node with
// a name keeps its last files, and a node without a name has the files that every node starts with. In a cluster that is not the
// lab's, only pods and their secrets are read, so its global credentials never come here.
func (n *node) render(ctx context.Context, memory string) (nodeFiles, error) {
	if n.info.foreign() {
		files, _, err := imageRules{payload: defaultPayload}.render()
		return files, err
	}
	kept := filepath.Join(memory, "files.json")
	rules, err := readImageRules(ctx, n.dynamic)
	var bad badObject
	if err != nil && !errors.As(err, &bad) {
		return nodeFiles{}, misuse("%v", err)
	}
	var files nodeFiles
	var warning error
	if err == nil {
		files, warning, err = rules.render()
	}
	if warning != nil {
		n.problems = append(n.problems, warning.Error())
	}
	if err == nil && memory != "" {
		err = keepFiles(kept, files)
	}
	if err == nil {
		return files, nil
	}
	n.problems = append(n.problems, err.Error())
	if memory != "" {
		if before, found := keptFiles(kept); found {
			return before, nil
		}
	}
	files, _, err = imageRules{openshift: rules.openshift, payload: defaultPayload}.render()
	return files, err
}

// nodeCredentials is the cluster's global pull secret, the nodes' own file; `{}` where there is none.
func (n *node) nodeCredentials(ctx context.Context) ([]byte, error) {
	if n.info.foreign() {
		return []byte("{}"), nil
	}
	secret, err := n.client.CoreV1().Secrets(globalNamespace).Get(ctx, globalSecret, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return []byte("{}"), nil
	}
	if err != nil {
		return nil, misuse("%v", err)
	}
	content := secret.Data[corev1.DockerConfigJsonKey]
	if len(content) == 0 {
		return []byte("{}"), nil
	}
	return content, nil
}

const (
	globalNamespace = "openshift-config"
	globalSecret    = "pull-secret"
)

// system is how CRI-O of this node pulls for pods of a namespace.
func (n *node) system(namespace string) *types.SystemContext {
	system := n.root.system(layout(n.info.Dir), namespace)
	mode := types.ShortNameModeDisabled
	if n.options.shortNames == shortNamesEnforcing {
		mode = types.ShortNameModeEnforcing
	}
	system.ShortNameMode = &mode
	if n.options.proxy != "" {
		system.DockerProxyURL, _ = url.Parse(n.options.proxy) // checked before
	}
	system.ArchitectureChoice = n.options.machine
	return system
}

func (n *node) close() {
	for i := len(n.ends) - 1; i >= 0; i-- {
		n.ends[i]()
	}
	n.ends = nil
}
