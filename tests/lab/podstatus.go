// The pod status that the kubelet would write after it asked for the images.
package main

import (
	"context"
	"encoding/json"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// pullEffects are the effects of a pull in addition to its report.
type pullEffects struct {
	status bool // write the pod's status
	again  bool // ask once more, so that a failed pull is in back-off
	ends   bool // the containers of a pod that is not restarted have run to their end
}

// writeStatus sets the container statuses and the phase, of this pod and not of a later one of its name.
func (n *node) writeStatus(ctx context.Context, pod *corev1.Pod, report pullReport, ends bool) error {
	body, err := json.Marshal(statusPatch(pod, podStatus(pod, report, metav1.Now(), ends)))
	if err != nil {
		return err
	}
	_, err = n.client.CoreV1().Pods(pod.Namespace).Patch(ctx, pod.Name, types.MergePatchType, body, metav1.PatchOptions{}, "status")
	return err
}

// statusPatch is refused by the API server where another pod has the name by now.
func statusPatch(pod *corev1.Pod, status map[string]any) map[string]any {
	return map[string]any{"metadata": map[string]any{"uid": pod.UID}, "status": status}
}

// podStatus is the status of a pod whose images were asked for all at once. An ordinary init container whose image is there has run
// to its end; the containers after one that waits are not begun. With ends, so have all containers of a pod that is not restarted.
func podStatus(pod *corev1.Pod, report pullReport, now metav1.Time, ends bool) map[string]any {
	begun := true
	var inits, containers, ephemerals []corev1.ContainerStatus
	for _, container := range pod.Spec.InitContainers {
		status := containerStatus(container.Name, container.Image, report, begun, now)
		stays := container.RestartPolicy != nil && *container.RestartPolicy == corev1.ContainerRestartPolicyAlways
		if status.State.Running != nil && !stays {
			complete(&status, now)
			status.Ready = true
		}
		begun = begun && status.State.Waiting == nil
		inits = append(inits, status)
	}
	for _, container := range pod.Spec.Containers {
		containers = append(containers, containerStatus(container.Name, container.Image, report, begun, now))
	}
	for _, container := range pod.Spec.EphemeralContainers {
		ephemerals = append(ephemerals, containerStatus(container.Name, container.Image, report, true, now))
	}
	phase := corev1.PodRunning
	if slices.ContainsFunc(slices.Concat(inits, containers), func(s corev1.ContainerStatus) bool { return s.State.Waiting != nil }) {
		phase = corev1.PodPending
	} else if ends && (pod.Spec.RestartPolicy == corev1.RestartPolicyNever || pod.Spec.RestartPolicy == corev1.RestartPolicyOnFailure) {
		phase = corev1.PodSucceeded
		completeAll(now, inits, containers, ephemerals)
	}
	return map[string]any{
		"phase": phase, "initContainerStatuses": inits, "containerStatuses": containers, "ephemeralContainerStatuses": ephemerals,
	}
}

// completeAll ends all running containers.
func completeAll(now metav1.Time, lists ...[]corev1.ContainerStatus) {
	for _, list := range lists {
		for i := range list {
			if list[i].State.Running != nil {
				complete(&list[i], now)
			}
		}
	}
}

// complete is a container that has run to its end.
func complete(status *corev1.ContainerStatus, now metav1.Time) {
	status.State = corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{Reason: "Completed", StartedAt: now, FinishedAt: now}}
	started := false
	status.Ready, status.Started = false, &started
}

func containerStatus(name, image string, report pullReport, begun bool, now metav1.Time) corev1.ContainerStatus {
	status := corev1.ContainerStatus{Name: name, Image: image}
	if !begun {
		status.State.Waiting = &corev1.ContainerStateWaiting{Reason: "PodInitializing"}
		return status
	}
	for _, result := range report.Images {
		if !slices.Contains(result.Containers, name) {
			continue
		}
		if result.Waiting != nil {
			status.State.Waiting = &corev1.ContainerStateWaiting{Reason: result.Waiting.Reason, Message: result.Waiting.Message}
			return status
		}
		status.ImageID = result.ImageID
	}
	started := true
	status.State.Running = &corev1.ContainerStateRunning{StartedAt: now}
	status.Ready, status.Started = true, &started
	return status
}
