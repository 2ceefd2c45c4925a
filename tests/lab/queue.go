// Pulls that wait on the node: the kubelet reads the secrets of a pod before it makes the sandbox and queues the pull, and a change of
// them in between does not reach that pull.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// queued on a pod keeps its pull in the queue, after the node has read its secrets, for as long as the pod has this annotation.
const queued = "lab.openshift-ops.example.com/queued"

// queueLook is how often the node looks whether a pull may begin.
const queueLook = 200 * time.Millisecond

// heldSecrets are the secrets of a pod as they were when the node took it up.
type heldSecrets struct {
	at    time.Time
	found map[string]*corev1.Secret
}

func (h *heldSecrets) read(name string) (*corev1.Secret, error) { return h.found[name], nil }

// hold says whether the pull of a pod has to wait. The first time it reads the secrets of the pod and says so in its status. As a
// scheduler does, it gives the pod to a node that has a name.
func (f *follower) hold(ctx context.Context, pod *corev1.Pod) bool {
	if _, waits := pod.Annotations[queued]; !waits {
		return false
	}
	past, n := f.past(pod.UID), f.node.Load()
	if past.held != nil {
		return true
	}
	held := &heldSecrets{time.Now().UTC(), map[string]*corev1.Secret{}}
	read := n.secretsOf(ctx, pod.Namespace)
	for _, reference := range pod.Spec.ImagePullSecrets {
		secret, err := read(reference.Name)
		if err != nil {
			fmt.Fprintf(os.Stderr, "lab: secret %s/%s: %v\n", pod.Namespace, reference.Name, err)
			return false
		}
		held.found[reference.Name] = secret
	}
	if err := n.accept(ctx, pod, f.options.after.status && past.attempts == 0); err != nil && !apierrors.IsNotFound(err) {
		fmt.Fprintf(os.Stderr, "lab: pod %s/%s: %v\n", pod.Namespace, pod.Name, err)
	}
	past.held = held
	return true
}

// accept binds a pod to the node and, for its first pull, writes the status that a kubelet writes before it makes anything.
func (n *node) accept(ctx context.Context, pod *corev1.Pod, first bool) error {
	pods := n.client.CoreV1().Pods(pod.Namespace)
	if n.options.name != "" && pod.Spec.NodeName == "" {
		binding := &corev1.Binding{
			ObjectMeta: metav1.ObjectMeta{Namespace: pod.Namespace, Name: pod.Name, UID: pod.UID},
			Target:     corev1.ObjectReference{Kind: "Node", Name: n.options.name},
		}
		if err := pods.Bind(ctx, binding, metav1.CreateOptions{}); err != nil && !apierrors.IsConflict(err) {
			return err
		}
	}
	if !first {
		return nil
	}
	var statuses []corev1.ContainerStatus
	for _, container := range pod.Spec.Containers {
		waits := corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "ContainerCreating"}}
		statuses = append(statuses, corev1.ContainerStatus{Name: container.Name, Image: container.Image, State: waits})
	}
	body, err := json.Marshal(statusPatch(pod, map[string]any{"phase": corev1.PodPending, "containerStatuses": statuses}))
	if err != nil {
		return err
	}
	_, err = pods.Patch(ctx, pod.Name, types.MergePatchType, body, metav1.PatchOptions{}, "status")
	return err
}
