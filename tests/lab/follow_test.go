// Tests of which pods a node that follows takes up, without a cluster.
package main

import (
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/workqueue"
)

func followed(uid string, change func(*corev1.Pod)) *corev1.Pod {
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "project-a", Name: "app", UID: types.UID(uid)}}
	pod.Status.Phase = corev1.PodPending
	if change != nil {
		change(pod)
	}
	return pod
}

func on(node string) func(*corev1.Pod) { return func(p *corev1.Pod) { p.Spec.NodeName = node } }

func selecting(selector map[string]string) func(*corev1.Pod) {
	return func(p *corev1.Pod) { p.Spec.NodeSelector = selector }
}

func in(phase corev1.PodPhase) func(*corev1.Pod) {
	return func(p *corev1.Pod) { p.Status.Phase = phase }
}

func TestWhosePod(t *testing.T) {
	for name, test := range map[string]struct {
		node   string
		change func(*corev1.Pod)
		want   bool
	}{
		"new":                       {"", nil, true},
		"running":                   {"", in(corev1.PodRunning), false},
		"at its end":                {"", in(corev1.PodSucceeded), false},
		"of a node, to any":         {"", on("worker-1"), true},
		"of this node":              {"worker-1", on("worker-1"), true},
		"of another node":           {"worker-1", on("worker-2"), false},
		"of no node yet":            {"worker-1", nil, true},
		"a label that it has":       {"", selecting(map[string]string{"pool": "canary"}), true},
		"another value":             {"", selecting(map[string]string{"pool": "other"}), false},
		"one of two":                {"", selecting(map[string]string{"pool": "canary", "zone": "a"}), false},
		"a label of each node":      {"", selecting(map[string]string{"kubernetes.io/os": "linux"}), true},
		"its name":                  {"worker-1", selecting(map[string]string{"kubernetes.io/hostname": "worker-1"}), true},
		"another's name":            {"worker-2", selecting(map[string]string{"kubernetes.io/hostname": "worker-1"}), false},
		"a name where it has none":  {"", selecting(map[string]string{"kubernetes.io/hostname": "worker-1"}), false},
		"running, but to be ended":  {"", func(p *corev1.Pod) { in(corev1.PodRunning)(p); p.DeletionTimestamp = &metav1.Time{} }, true},
		"to be ended by another":    {"worker-1", func(p *corev1.Pod) { on("worker-2")(p); p.DeletionTimestamp = &metav1.Time{} }, false},
		"both of them, and another": {"worker-1", func(p *corev1.Pod) { on("worker-1")(p); selecting(map[string]string{"pool": "x"})(p) }, false},
	} {
		f := &follower{options: pullOptions{node: nodeOptions{name: test.node}}, labels: nodeLabels(test.node, map[string]string{"pool": "canary"})}
		if got := f.isOurs(followed("1", test.change)); got != test.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestWhatIsTakenUp(t *testing.T) {
	ending := func(p *corev1.Pod) { p.DeletionTimestamp = &metav1.Time{Time: time.Now()} }
	for name, test := range map[string]struct {
		old, pod *corev1.Pod
		want     int
	}{
		"added":                     {nil, followed("1", nil), 1},
		"changed":                   {followed("1", nil), followed("1", nil), 0},
		"another of its name":       {followed("1", nil), followed("2", nil), 1},
		"its deletion begins":       {followed("1", nil), followed("1", ending), 1},
		"changed while it is ended": {followed("1", ending), followed("1", ending), 0},
		"not ours":                  {nil, followed("1", selecting(map[string]string{"pool": "x"})), 0},
	} {
		f := &follower{queue: workqueue.NewTypedDelayingQueue[podKey]()}
		f.consider(test.old, test.pod)
		if got := f.queue.Len(); got != test.want {
			t.Errorf("%s: %d", name, got)
		}
		f.queue.ShutDown()
	}
}

func TestAPodThatIsThere(t *testing.T) {
	for _, namespace := range []string{"", "project-a"} {
		store := cache.NewStore(cache.MetaNamespaceKeyFunc)
		f := &follower{pods: map[string]cache.Store{namespace: store}}
		if f.current(podKey{"project-a", "app", "1"}) != nil {
			t.Error("found before it was there")
		}
		if err := store.Add(followed("1", nil)); err != nil {
			t.Fatal(err)
		}
		if f.current(podKey{"project-a", "app", "1"}) == nil {
			t.Error("not found")
		}
		if f.current(podKey{"project-a", "app", "2"}) != nil {
			t.Error("another of its name was taken for it")
		}
	}
}

func TestEventObject(t *testing.T) {
	pod := followed("1", func(p *corev1.Pod) {
		p.Name = fmt.Sprintf("%0253d", 0)
		p.Spec.InitContainers = []corev1.Container{{Name: "first"}}
		p.Spec.Containers = []corev1.Container{{Name: "app"}}
		p.Spec.EphemeralContainers = []corev1.EphemeralContainer{{EphemeralContainerCommon: corev1.EphemeralContainerCommon{Name: "debug"}}}
	})
	n := &node{options: nodeOptions{name: "worker-1"}}
	for container, want := range map[string]string{
		"first": "spec.initContainers{first}", "app": "spec.containers{app}", "debug": "spec.ephemeralContainers{debug}",
	} {
		object := n.eventObject(pod, container, event{"Normal", "Pulled", "text"}, metav1.Now())
		if object.InvolvedObject.FieldPath != want || object.InvolvedObject.UID != "1" || len(object.Name) > 253 || object.Source.Host != "worker-1" {
			t.Errorf("%+v", object)
		}
	}
}
