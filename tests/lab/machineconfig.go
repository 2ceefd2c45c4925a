// The stand-in for the machine config operator: it renders the nodes' pull secret into the configuration of each pool, and rolls that out,
// machine by machine.
package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"log"
	"net/url"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	extensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/informers"
	listercore "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"
)

var (
	machineConfigPools = resource{"machineconfiguration.openshift.io", "machineconfigpools", "MachineConfigPool", extensionsv1.ClusterScoped, ""}
	machineConfigs     = resource{"machineconfiguration.openshift.io", "machineconfigs", "MachineConfig", extensionsv1.ClusterScoped, ""}
	machineConfiguring = resource{"operator.openshift.io", "machineconfigurations", "MachineConfiguration", extensionsv1.ClusterScoped, ""}
	osConfigs          = resource{"machineconfiguration.openshift.io", "machineosconfigs", "MachineOSConfig", extensionsv1.ClusterScoped, ""}
	releaseImages      = resource{"machineconfiguration.openshift.io", "internalreleaseimages", "InternalReleaseImage", extensionsv1.ClusterScoped, ""}
)

// The registry on the control plane of a cluster that was installed without a registry. A cluster has an object of this name then.
const (
	releaseImage      = "cluster"
	releaseLogin      = `{"auth":"b3BlbnNoaWZ0OnJlbGVhc2U="}`
	releaseOnNode     = "localhost:22625"
	releaseOfInternal = "api-int.lab.example.com:22625"
)

const (
	configNamespace = "openshift-config"
	nodeSecret      = "pull-secret"
	nodeSecretCopy  = "global-pull-secret-copy" // for builds of node images
	configOperator  = "openshift-machine-config-operator"
	nodeFile        = "/var/lib/kubelet/config.json"
)

// Annotations of a pool that control the stand-in's behaviour: durations, the number of failing machines, a further file of its
// configuration, and the configuration of its kubelets' credential providers. Pausing is the pool's own `spec.paused`.
const (
	renderDelay  = "lab.openshift-ops.example.com/render-delay"
	machineDelay = "lab.openshift-ops.example.com/machine-delay"
	degraded     = "lab.openshift-ops.example.com/degraded"
	furtherFile  = "lab.openshift-ops.example.com/further-file"
	providers    = "lab.openshift-ops.example.com/credential-providers"
)

// The files of a kubelet, as the operator's templates name them.
const (
	kubeletFile   = "/etc/kubernetes/kubelet.conf"
	providersFile = "/etc/kubernetes/credential-providers/generic-credential-provider.yaml"
	kubeletUnit   = "kubelet.service"
)

const operatorPause = 50 * time.Millisecond

// pool is the stand-in's knowledge of one pool.
type pool struct {
	name     string
	machines int64
	seen     string    // the content that was seen last
	since    time.Time // and since when
	begun    time.Time // when the machine that is being written was begun
	config   string    // the configuration that all machines have
	rolling  string    // the one that they are given
	updated  int64     // number of machines that have it
}

// machineConfigOperator reads its pools again and again, from the cache of the watches, and writes only changes. So an unused lab takes no
// processor time.
type machineConfigOperator struct {
	openshift *openshift
	pools     []*pool
	secrets   listercore.SecretLister
	objects   cache.GenericLister // the pools
	configs   cache.GenericLister
	releases  cache.GenericLister
	builds    cache.GenericLister // the configurations of node images
	end       func()
}

func newMachineConfigOperator(o *openshift) *machineConfigOperator {
	return &machineConfigOperator{openshift: o, pools: []*pool{
		{name: "master", machines: 3, updated: 3}, {name: "worker", machines: 2, updated: 2},
	}}
}

// start makes the pools, already rolled out, and begins to watch over them.
func (m *machineConfigOperator) start(ctx context.Context) error {
	for _, r := range []resource{machineConfigPools, machineConfigs, machineConfiguring, releaseImages, osConfigs} {
		if err := m.openshift.define(ctx, r); err != nil {
			return err
		}
		if err := m.openshift.waitEstablished(ctx, r); err != nil {
			return err
		}
	}
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: configOperator}}
	if _, err := m.openshift.core.CoreV1().Namespaces().Create(ctx, namespace, metav1.CreateOptions{}); err != nil {
		return err
	}
	none := []any{map[string]any{"path": nodeFile, "actions": []any{map[string]any{"type": "None"}}}}
	policies := map[string]any{"clusterPolicies": map[string]any{"files": none}}
	if err := m.openshift.put(ctx, machineConfiguring, "cluster", map[string]any{
		"status": map[string]any{"nodeDisruptionPolicyStatus": policies},
	}); err != nil {
		return err
	}
	secret, err := m.openshift.core.CoreV1().Secrets(configNamespace).Get(ctx, nodeSecret, metav1.GetOptions{})
	if err != nil {
		return err
	}
	content, err := contentOf(secret)
	if err != nil {
		return err
	}
	for _, p := range m.pools {
		name, config := p.render(content, "", "")
		if err := m.openshift.put(ctx, machineConfigs, name, config); err != nil {
			return err
		}
		p.seen, p.config, p.rolling = content, name, name
		if err := m.openshift.put(ctx, machineConfigPools, p.name, map[string]any{
			"spec":   map[string]any{"paused": false, "configuration": configurationOf(p, name)},
			"status": p.status(name, false),
		}); err != nil {
			return err
		}
	}
	watching, unwatch := context.WithCancel(context.Background())
	m.watch(watching)
	unrepeat := repeat(operatorPause, func(ctx context.Context) {
		if err := m.copySecret(ctx); err != nil && ctx.Err() == nil && !apierrors.IsConflict(err) {
			log.Printf("copy of the pull secret: %v", err)
		}
		for _, p := range m.pools {
			if err := m.reconcile(ctx, p); err != nil && ctx.Err() == nil && !apierrors.IsConflict(err) {
				log.Printf("machine config pool %s: %v", p.name, err)
			}
		}
	})
	m.end = func() {
		unrepeat()
		unwatch()
	}
	return nil
}

func (m *machineConfigOperator) stop() {
	if m.end != nil {
		m.end()
	}
}

// watch returns when all that is there has been read.
func (m *machineConfigOperator) watch(ctx context.Context) {
	core := informers.NewSharedInformerFactoryWithOptions(m.openshift.core, 0, informers.WithNamespace(configNamespace))
	custom := dynamicinformer.NewDynamicSharedInformerFactory(m.openshift.dynamic, 0)
	m.secrets = core.Core().V1().Secrets().Lister()
	m.objects = custom.ForResource(machineConfigPools.versioned()).Lister()
	m.configs = custom.ForResource(machineConfigs.versioned()).Lister()
	m.builds = custom.ForResource(osConfigs.versioned()).Lister()
	m.releases = custom.ForResource(releaseImages.versioned()).Lister()
	core.Start(ctx.Done())
	custom.Start(ctx.Done())
	core.WaitForCacheSync(ctx.Done())
	custom.WaitForCacheSync(ctx.Done())
}

// contentOf is the content of the nodes' file: the secret's content, without white space between its parts.
func contentOf(secret *corev1.Secret) (string, error) {
	var compact bytes.Buffer
	err := json.Compact(&compact, secret.Data[corev1.DockerConfigJsonKey])
	return compact.String(), err
}

// copySecret keeps the copy of the pull secret for builds of node images, if there are any (pkg/operator/sync.go).
func (m *machineConfigOperator) copySecret(ctx context.Context) error {
	configs, err := m.builds.List(labels.Everything())
	if err != nil || len(configs) == 0 {
		return err
	}
	secret, err := m.secrets.Secrets(configNamespace).Get(nodeSecret)
	if err != nil {
		return err
	}
	return m.openshift.hold(ctx, configOperator, nodeSecretCopy, secret.Data[corev1.DockerConfigJsonKey])
}

// mergedContent is the content with the logins of the registry on the control plane, if there is one: MergeIRIAuthIntoPullSecret.
func (m *machineConfigOperator) mergedContent(content string) (string, error) {
	if _, err := m.releases.Get(releaseImage); err != nil {
		return content, ignoreNotFound(err)
	}
	var parsed map[string]any
	if err := json.Unmarshal([]byte(content), &parsed); err != nil {
		return "", err
	}
	auths, ok := parsed["auths"].(map[string]any)
	if !ok {
		return "", errors.New("pull secret missing 'auths' field")
	}
	auths[releaseOnNode], auths[releaseOfInternal] = json.RawMessage(releaseLogin), json.RawMessage(releaseLogin)
	merged, err := json.Marshal(parsed)
	return string(merged), err
}

// render returns the configuration of a pool that holds the content, and its name, which is derived from the content.
func (p *pool) render(content, further, providers string) (string, map[string]any) {
	sum := sha256.Sum256([]byte(p.name + content + further + providers))
	name := "rendered-" + p.name + "-" + hex.EncodeToString(sum[:16])
	files := []any{file(nodeFile, content), file(kubeletFile, "kind: KubeletConfiguration\n")}
	if further != "" {
		files = append(files, file(further, "further"))
	}
	command := "[Service]\nExecStart=/usr/bin/kubelet"
	if providers != "" {
		files = append(files, file(providersFile, providers))
		command += " \\\n  --image-credential-provider-config=" + providersFile
	}
	unit := map[string]any{"name": kubeletUnit, "contents": command + "\n"}
	return name, map[string]any{"spec": map[string]any{"config": map[string]any{
		"ignition": map[string]any{"version": "3.4.0"},
		"storage":  map[string]any{"files": files},
		"systemd":  map[string]any{"units": []any{unit}},
	}}}
}

func file(path, content string) map[string]any {
	return map[string]any{"path": path, "mode": int64(0o600), "contents": map[string]any{"source": "data:," + url.PathEscape(content)}}
}

func configurationOf(p *pool, name string) map[string]any {
	return map[string]any{"name": name, "source": []any{
		map[string]any{"apiVersion": "machineconfiguration.openshift.io/v1", "kind": "MachineConfig", "name": "00-" + p.name},
	}}
}

// reconcile is one look at a pool: the configuration is rendered a while after the secret has changed, and until then the pool says that
// all its machines are up to date.
func (m *machineConfigOperator) reconcile(ctx context.Context, p *pool) error {
	found, err := m.objects.Get(p.name)
	if err != nil {
		return err
	}
	object := found.DeepCopyObject().(*unstructured.Unstructured)
	if err := m.target(ctx, p, object); err != nil {
		return err
	}
	target, _, _ := unstructured.NestedString(object.Object, "spec", "configuration", "name")
	paused, _, _ := unstructured.NestedBool(object.Object, "spec", "paused")
	fails := object.GetAnnotations()[degraded] != ""
	if !paused {
		p.roll(target, fails, annotated(object, machineDelay, 60*time.Millisecond))
	}
	status := p.status(target, paused)
	if fails && p.updated < p.machines {
		status["degradedMachineCount"] = int64(1)
		p.condition(status, "Degraded", true, "Node worker-1 is reporting: \"unexpected on-disk state\"")
	}
	object.Object["status"] = status
	if equality.Semantic.DeepEqual(found, object) {
		return nil
	}
	_, err = m.openshift.dynamic.Resource(machineConfigPools.versioned()).Update(ctx, object, metav1.UpdateOptions{})
	return err
}

// target sets the configuration that the pool is to have, once the content has been there for a while.
func (m *machineConfigOperator) target(ctx context.Context, p *pool, object *unstructured.Unstructured) error {
	secret, err := m.secrets.Secrets(configNamespace).Get(nodeSecret)
	if err != nil {
		return err
	}
	content, err := contentOf(secret)
	if err != nil {
		return err
	}
	if content, err = m.mergedContent(content); err != nil {
		return err
	}
	further, ofKubelets := object.GetAnnotations()[furtherFile], object.GetAnnotations()[providers]
	if seen := content + further + ofKubelets; seen != p.seen {
		p.seen, p.since = seen, time.Now()
	}
	if time.Since(p.since) < annotated(object, renderDelay, 200*time.Millisecond) {
		return nil
	}
	name, config := p.render(content, further, ofKubelets)
	found, err := m.configs.Get(name)
	if err != nil || !equality.Semantic.DeepEqual(found.(*unstructured.Unstructured).Object["spec"], config["spec"]) {
		if err := m.openshift.put(ctx, machineConfigs, name, config); err != nil {
			return err
		}
	}
	return unstructured.SetNestedField(object.Object, configurationOf(p, name), "spec", "configuration")
}

// roll writes the configuration to the next machine when the last one has had its time.
func (p *pool) roll(target string, fails bool, each time.Duration) {
	if p.rolling != target {
		p.rolling, p.updated, p.begun = target, 0, time.Now()
	}
	if p.updated < p.machines && !(fails && p.updated == p.machines-1) && time.Since(p.begun) >= each {
		p.updated++
		p.begun = time.Now()
	}
	if p.updated == p.machines {
		p.config = target
	}
}

func (p *pool) status(target string, paused bool) map[string]any {
	updated := p.updated
	if p.rolling != target && p.config != target {
		updated = 0
	}
	status := map[string]any{
		"configuration": configurationOf(p, p.config), "machineCount": p.machines, "updatedMachineCount": updated,
		"readyMachineCount": updated, "degradedMachineCount": int64(0),
	}
	done := p.config == target
	p.condition(status, "Updated", done, "")
	p.condition(status, "Updating", !done && !paused, "")
	p.condition(status, "Degraded", false, "")
	return status
}

func (p *pool) condition(status map[string]any, name string, is bool, message string) {
	value := map[bool]string{true: "True", false: "False"}[is]
	conditions, _ := status["conditions"].([]any)
	kept := []any{}
	for _, condition := range conditions {
		if condition.(map[string]any)["type"] != name {
			kept = append(kept, condition)
		}
	}
	status["conditions"] = append(kept, map[string]any{"type": name, "status": value, "message": message})
}

// annotated is the duration of an annotation.
func annotated(object *unstructured.Unstructured, name string, usual time.Duration) time.Duration {
	if given, err := time.ParseDuration(object.GetAnnotations()[name]); err == nil {
		return given
	}
	return usual
}

// repeat calls work again and again, and returns the function that ends that.
func repeat(pause time.Duration, work func(context.Context)) func() {
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Add(1)
	go func() {
		defer running.Done()
		for ctx.Err() == nil {
			work(ctx)
			select {
			case <-ctx.Done():
			case <-time.After(pause):
			}
		}
	}()
	return func() {
		cancel()
		running.Wait()
	}
}
