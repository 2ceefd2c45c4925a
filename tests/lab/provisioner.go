// The provisioner: what OpenShift's controllers do to service accounts, in one of several modes that can
// be changed while the lab runs.
package main

import (
	"context"
	"net"
	"slices"
	"strconv"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/workqueue"
)

const (
	modeBound   = "bound"   // 4.16 and later: short-lived tokens bound to the secret
	modeLegacy  = "legacy"  // 4.11 to 4.15: one long-lived token secret behind each pull secret
	modeRemoved = "removed" // the integrated registry is removed: nothing is made
	modeOff     = "off"     // plain Kubernetes
)

const (
	refAnnotation     = "openshift.io/internal-registry-pull-secret-ref"
	accountAnnotation = "openshift.io/internal-registry-auth-token.service-account"
	bindingAnnotation = "openshift.io/internal-registry-auth-token.binding"
)

// provisioner runs one mode at a time.
type provisioner struct {
	client    kubernetes.Interface
	hostnames []string // names of the registry in addition to the names of its Service

	mu    sync.Mutex
	mode  string
	delay time.Duration
	end   func() // stops the running mode and waits for it
}

func newProvisioner(config *rest.Config, hostname string) (*provisioner, error) {
	client, err := kubernetes.NewForConfig(config)
	p := &provisioner{client: client}
	if hostname != "" {
		p.hostnames = []string{hostname}
	}
	return p, err
}

// registryURLs are the keys of each pull secret. A controller learns them from the registry's Service: while that has never been
// there, it knows none, also not the other names.
func (p *provisioner) registryURLs(ctx context.Context) ([]string, error) {
	service, err := p.client.CoreV1().Services(registryNamespace).Get(ctx, registryService, metav1.GetOptions{})
	if err != nil {
		return nil, ignoreNotFound(err)
	}
	host := registryService + "." + registryNamespace + ".svc"
	urls := slices.Clone(p.hostnames)
	for _, name := range []string{host, service.Spec.ClusterIP, host + ".cluster.local"} {
		urls = append(urls, net.JoinHostPort(name, strconv.Itoa(registryPort)))
	}
	return urls, nil
}

func (p *provisioner) settings() (string, time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.mode, p.delay
}

// set ends the running mode and starts the new one, as a controller that is restarted; it returns when the new one watches.
func (p *provisioner) set(mode string, delay time.Duration) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.end != nil {
		p.end()
		p.end = nil
	}
	if p.mode == modeBound && mode != modeBound {
		if err := forget(context.Background(), p.client); err != nil {
			return err
		}
	}
	urls, err := p.registryURLs(context.Background())
	if err != nil {
		return err
	}
	p.mode, p.delay = mode, delay
	base := newController(p.client, delay)
	switch mode {
	case modeBound:
		newBound(base, urls)
		newPullers(base)
	case modeLegacy:
		newLegacy(base, urls)
		newPullers(base)
	case modeRemoved:
		return cleanUp(context.Background(), p.client)
	}
	p.end = base.run()
	return nil
}

func (p *provisioner) stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.end != nil {
		p.end()
		p.end = nil
	}
}

// controller holds what all modes share: a client, its watches and its queues.
type controller struct {
	client    kubernetes.Interface
	informers informers.SharedInformerFactory
	narrowed  []cache.SharedIndexInformer // watches of a part of a kind, which the factory cannot hold
	delay     time.Duration
	workers   []func(context.Context)
	queues    []queue

	mu   sync.Mutex
	seen map[types.UID]time.Time // when an account without pull secret was first seen
}

type queue = workqueue.TypedRateLimitingInterface[string]

// workersPerQueue bounds how many namespaces are served at once, as in the real controllers.
const workersPerQueue = 5

func newController(client kubernetes.Interface, delay time.Duration) *controller {
	return &controller{
		client:    client,
		informers: informers.NewSharedInformerFactory(client, 0),
		delay:     delay,
		seen:      map[types.UID]time.Time{},
	}
}

// addQueue makes a queue of object keys served by sync; a failed key is tried again after 5 ms, 10 ms, 20 ms ...
func (c *controller) addQueue(sync func(ctx context.Context, key string) error) queue {
	limiter := workqueue.NewTypedItemExponentialFailureRateLimiter[string](5*time.Millisecond, 10*time.Second)
	q := workqueue.NewTypedRateLimitingQueue(limiter)
	c.queues = append(c.queues, q)
	work := func(ctx context.Context) {
		for {
			key, shutdown := q.Get()
			if shutdown {
				return
			}
			if err := sync(ctx, key); err != nil && ctx.Err() == nil {
				q.AddRateLimited(key)
			} else {
				q.Forget(key)
			}
			q.Done(key)
		}
	}
	for range workersPerQueue {
		c.workers = append(c.workers, work)
	}
	return q
}

func (c *controller) addInformer(informer cache.SharedIndexInformer) {
	c.narrowed = append(c.narrowed, informer)
}

// run starts watches and workers and returns the function that ends them.
func (c *controller) run() func() {
	ctx, cancel := context.WithCancel(context.Background())
	var group wait.Group
	c.informers.Start(ctx.Done())
	for _, informer := range c.narrowed {
		group.StartWithChannel(ctx.Done(), informer.Run)
	}
	c.informers.WaitForCacheSync(ctx.Done())
	for _, informer := range c.narrowed {
		cache.WaitForCacheSync(ctx.Done(), informer.HasSynced)
	}
	for _, work := range c.workers {
		group.StartWithContext(ctx, work)
	}
	return func() {
		cancel()
		for _, q := range c.queues {
			q.ShutDown()
		}
		c.informers.Shutdown()
		group.Wait()
	}
}

// remaining is how long an account has still to wait for its first write.
func (c *controller) remaining(account *corev1.ServiceAccount) time.Duration {
	if c.delay == 0 {
		return 0
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	first, known := c.seen[account.UID]
	if !known {
		first = time.Now()
		c.seen[account.UID] = first
	}
	return c.delay - time.Since(first)
}

// enqueue returns handlers that queue the key which name gives for an object; an empty key is not queued.
func enqueue(q queue, name func(metav1.Object) string) cache.ResourceEventHandler {
	add := func(object any) {
		if gone, ok := object.(cache.DeletedFinalStateUnknown); ok {
			object = gone.Obj
		}
		if o, ok := object.(metav1.Object); ok {
			if key := name(o); key != "" {
				q.Add(key)
			}
		}
	}
	return cache.ResourceEventHandlerFuncs{
		AddFunc:    add,
		UpdateFunc: func(_, object any) { add(object) },
		DeleteFunc: add,
	}
}

func ownKey(o metav1.Object) string { return o.GetNamespace() + "/" + o.GetName() }

// secretsOfType narrows a watch of secrets to those that matter here.
func secretsOfType(secretType corev1.SecretType) func(*metav1.ListOptions) {
	return func(options *metav1.ListOptions) { options.FieldSelector = "type=" + string(secretType) }
}
