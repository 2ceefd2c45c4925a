// `lab pull --follow`: the kubelet of a node that runs until it is told to end: it pulls for each new pod, and again where a pull failed.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/utils/ptr"
)

const (
	// followBackOff is the time until a pull that failed is tried again. A kubelet begins with ten seconds.
	followBackOff = time.Second
	// filesAge is how old the node's files get before the cluster's objects are read again.
	filesAge = time.Second
	// endPatience is how long pulls that are under way may take when the command ends.
	endPatience = 5 * time.Second
)

// podKey is one pod, and not a later one of its name.
type podKey struct {
	namespace, name string
	uid             types.UID
}

// followLine is one attempt to pull for a pod.
type followLine struct {
	pullReport
	UID     types.UID `json:"uid"`
	Attempt int       `json:"attempt"`       // from 1 on
	Read    time.Time `json:"read,omitzero"` // when the secrets were read, of a pull that waited in the queue
	Began   time.Time `json:"began"`
	Ended   time.Time `json:"ended"`
	Gone    bool      `json:"gone,omitempty"` // the pod was deleted or is being deleted, as was seen after the attempt
}

// history is what is remembered of a pod that has not been pulled for yet.
type history struct {
	attempts int
	held     *heldSecrets            // of a pull that waits in the queue
	events   map[event]*corev1.Event // as they were written
}

type follower struct {
	options pullOptions
	labels  labels.Set
	node    atomic.Pointer[node] // its files are never older than filesAge
	pods    map[string]cache.Store
	queue   workqueue.TypedDelayingInterface[podKey]

	mu     sync.Mutex
	seen   map[types.UID]*history
	output *json.Encoder
}

// nodeLabels are those that the kubelet gives each node, and further ones.
func nodeLabels(name string, further map[string]string) labels.Set {
	own := labels.Set{corev1.LabelOSStable: "linux", corev1.LabelArchStable: "amd64"}
	if name != "" {
		own[corev1.LabelHostname] = name
	}
	return labels.Merge(own, further)
}

// follow ends by SIGTERM, SIGINT or the end of standard input.
func follow(o pullOptions, further map[string]string, namespaces []string) error {
	lab, err := connect(o.dir)
	if err != nil {
		return err
	}
	if err := o.check(lab.info); err != nil {
		return err
	}
	// Until the node is there a signal ends the command at once: another one may have the node for long.
	n, err := startNode(context.Background(), lab, o.node)
	if err != nil {
		return err
	}
	defer n.close()
	running, err := untilTold()
	if err != nil {
		return err
	}
	o.after.ends = true
	f := &follower{
		options: o, labels: nodeLabels(o.node.name, further), pods: map[string]cache.Store{}, seen: map[types.UID]*history{},
		queue: workqueue.NewTypedDelayingQueue[podKey](), output: json.NewEncoder(os.Stdout),
	}
	f.node.Store(n)
	return f.run(running, namespaces)
}

// untilTold lasts until SIGTERM, SIGINT or the end of standard input. The signals stay caught: one that comes right behind the other
// reason would end the command in the midst of its work.
func untilTold() (context.Context, error) {
	input := os.Stdin
	if err := withoutTerminal(); err != nil {
		return nil, err
	}
	running, end := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	go func() {
		<-signals
		end()
	}()
	go func() {
		_, _ = io.Copy(io.Discard, input)
		end()
	}()
	return running, nil
}

func (f *follower) run(running context.Context, namespaces []string) error {
	working, cancel := context.WithCancel(context.Background())
	defer cancel()
	if err := f.watch(running, namespaces); err != nil {
		return err
	}
	fmt.Fprintln(os.Stderr, "following")
	var group sync.WaitGroup
	group.Go(func() { f.renew(running) })
	workers := atATime
	if f.options.node.name != "" {
		workers = 1
	}
	for range workers {
		group.Go(func() { f.work(running, working) })
	}
	<-running.Done()
	f.queue.ShutDown()
	late := time.AfterFunc(endPatience, cancel)
	defer late.Stop()
	group.Wait()
	return nil
}

// watch begins to follow the pods, of all namespaces where none is named, and returns when those that there are have been read.
func (f *follower) watch(running context.Context, namespaces []string) error {
	if len(namespaces) == 0 {
		namespaces = []string{metav1.NamespaceAll}
	}
	handler := cache.ResourceEventHandlerFuncs{
		AddFunc:    func(object any) { f.consider(nil, object.(*corev1.Pod)) },
		UpdateFunc: func(old, object any) { f.consider(old.(*corev1.Pod), object.(*corev1.Pod)) },
	}
	for _, namespace := range namespaces {
		factory := informers.NewSharedInformerFactoryWithOptions(f.node.Load().client, 0, informers.WithNamespace(namespace))
		pods := factory.Core().V1().Pods().Informer()
		f.pods[namespace] = pods.GetStore()
		if _, err := pods.AddEventHandler(handler); err != nil {
			return fail("%v", err)
		}
		factory.Start(running.Done())
		if !cache.WaitForCacheSync(running.Done(), pods.HasSynced) {
			return nil // it was told to end
		}
	}
	return nil
}

// consider takes up a pod that is new here, or whose deletion began. Later changes of a pod are no reason to pull.
func (f *follower) consider(old, pod *corev1.Pod) {
	isNew := old == nil || old.UID != pod.UID
	ends := pod.DeletionTimestamp != nil && (isNew || old.DeletionTimestamp == nil)
	if (isNew || ends) && f.isOurs(pod) {
		f.queue.Add(podKey{pod.Namespace, pod.Name, pod.UID})
	}
}

// isOurs says whether the pod is to be pulled for here: it waits, no other node has it, and it fits this one.
func (f *follower) isOurs(pod *corev1.Pod) bool {
	name := f.options.node.name
	switch {
	case pod.Status.Phase != corev1.PodPending && pod.DeletionTimestamp == nil:
		return false
	case name != "" && pod.Spec.NodeName != "" && pod.Spec.NodeName != name:
		return false
	}
	return labels.SelectorFromSet(pod.Spec.NodeSelector).Matches(f.labels)
}

// renew keeps the node's files as the cluster's objects say. While these cannot be read they stay as they are.
func (f *follower) renew(running context.Context) {
	var made []*node
	var before string
	for {
		select {
		case <-time.After(filesAge):
		case <-running.Done():
			for _, n := range made {
				n.close()
			}
			return
		}
		current := f.node.Load()
		next, err := current.renewed(running)
		if err != nil {
			if text := err.Error(); text != before && running.Err() == nil {
				fmt.Fprintln(os.Stderr, "lab: the node's files stay as they were:", text)
				before = text
			}
			continue
		}
		before = ""
		if next != current {
			made = append(made, next)
			f.node.Store(next)
		}
	}
}

func (f *follower) work(running, working context.Context) {
	for {
		key, ended := f.queue.Get()
		if ended {
			return
		}
		if running.Err() == nil && f.attend(working, key) {
			f.queue.AddAfter(key, followBackOff)
		}
		f.queue.Done(key)
	}
}

// current is the pod as it is now, nil when it is gone.
func (f *follower) current(key podKey) *corev1.Pod {
	store, found := f.pods[key.namespace]
	if !found {
		store = f.pods[metav1.NamespaceAll]
	}
	object, found, err := store.GetByKey(key.namespace + "/" + key.name)
	if err != nil || !found || object.(*corev1.Pod).UID != key.uid {
		return nil
	}
	return object.(*corev1.Pod)
}

// attend does for a pod what there is to do, and says whether it has to be tried again.
func (f *follower) attend(working context.Context, key podKey) bool {
	pod := f.current(key)
	switch {
	case pod == nil:
		f.forget(key.uid)
		return false
	case pod.DeletionTimestamp != nil:
		f.forget(key.uid)
		f.finish(working, pod)
		return false
	}
	if f.hold(working, pod) {
		f.queue.AddAfter(key, queueLook)
		return false
	}
	line := f.attempt(working, pod)
	if working.Err() != nil {
		return false
	}
	f.mu.Lock()
	_ = f.output.Encode(line)
	f.mu.Unlock()
	if line.Gone || line.Pulled && line.Error == "" {
		f.forget(key.uid)
		return false
	}
	return true
}

func (f *follower) attempt(working context.Context, pod *corev1.Pod) followLine {
	ctx, cancel := context.WithTimeout(working, 4*pullPatience)
	defer cancel()
	n := f.node.Load()
	past := f.past(pod.UID)
	past.attempts++
	line := followLine{UID: pod.UID, Attempt: past.attempts, Began: time.Now().UTC()}
	var err error
	read := n.secretsOf(ctx, pod.Namespace)
	if past.held != nil {
		line.Read, read = past.held.at, past.held.read
		past.held = nil
	}
	line.pullReport, err = n.pullPod(ctx, pod, f.options.after, read)
	if err == nil && f.options.after.status {
		err = n.writeEvents(ctx, pod, line.pullReport, past)
	}
	line.Ended = time.Now().UTC()
	if err != nil || !line.Pulled {
		line.Gone = n.isGone(ctx, pod)
	}
	if err != nil && !line.Gone {
		line.Error = err.Error()
	}
	return line
}

// isGone asks whether the pod is deleted or being deleted. Without an answer it is there.
func (n *node) isGone(ctx context.Context, pod *corev1.Pod) bool {
	found, err := n.client.CoreV1().Pods(pod.Namespace).Get(ctx, pod.Name, metav1.GetOptions{})
	if err != nil {
		return apierrors.IsNotFound(err)
	}
	return found.UID != pod.UID || found.DeletionTimestamp != nil
}

// finish ends a pod that is being deleted, as the kubelet does when its containers have ended. Who writes no status leaves it.
func (f *follower) finish(ctx context.Context, pod *corev1.Pod) {
	if !f.options.after.status {
		return
	}
	options := metav1.DeleteOptions{GracePeriodSeconds: ptr.To[int64](0), Preconditions: metav1.NewUIDPreconditions(string(pod.UID))}
	err := f.node.Load().client.CoreV1().Pods(pod.Namespace).Delete(ctx, pod.Name, options)
	if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
		fmt.Fprintf(os.Stderr, "lab: end of pod %s/%s: %v\n", pod.Namespace, pod.Name, err)
	}
}

func (f *follower) past(uid types.UID) *history {
	f.mu.Lock()
	defer f.mu.Unlock()
	found := f.seen[uid]
	if found == nil {
		found = &history{events: map[event]*corev1.Event{}}
		f.seen[uid] = found
	}
	return found
}

func (f *follower) forget(uid types.UID) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.seen, uid)
}
