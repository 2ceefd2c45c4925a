// The events of a pod as objects, as the kubelet sends them.
package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// longestEventPrefix leaves room for the time in the name of an event.
const longestEventPrefix = 230

// writeEvents writes the events of one attempt. One that was sent before is counted on, as the kubelet does.
func (n *node) writeEvents(ctx context.Context, pod *corev1.Pod, report pullReport, past *history) error {
	for _, image := range report.Images {
		for _, one := range image.Events {
			if err := n.writeEvent(ctx, pod, image.containerOf(one), one, past); err != nil {
				return err
			}
		}
	}
	return nil
}

// containerOf is the container that an event is of. The pull of a volume's image is the pod's; its failure is told of a container too.
func (r imageReport) containerOf(one event) string {
	if len(r.Containers) == 0 || r.Volume != "" && !strings.HasPrefix(one.Message, "Error: ") {
		return ""
	}
	return r.Containers[0]
}

func (n *node) writeEvent(ctx context.Context, pod *corev1.Pod, container string, one event, past *history) error {
	events, now := n.client.CoreV1().Events(pod.Namespace), metav1.Now()
	if before := past.events[one]; before != nil {
		next := before.DeepCopy()
		next.Count, next.LastTimestamp = before.Count+1, now
		written, err := events.Update(ctx, next, metav1.UpdateOptions{})
		if err == nil {
			past.events[one] = written
		}
		if !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
			return err
		}
	}
	written, err := events.Create(ctx, n.eventObject(pod, container, one, now), metav1.CreateOptions{})
	if err == nil {
		past.events[one] = written
	}
	if apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause) {
		return nil // nothing new comes into such a namespace
	}
	return err
}

func (n *node) eventObject(pod *corev1.Pod, container string, one event, now metav1.Time) *corev1.Event {
	name := pod.Name[:min(len(pod.Name), longestEventPrefix)]
	source := corev1.EventSource{Component: "kubelet", Host: n.options.name}
	return &corev1.Event{
		ObjectMeta: metav1.ObjectMeta{Namespace: pod.Namespace, Name: fmt.Sprintf("%s.%x", name, time.Now().UnixNano())},
		InvolvedObject: corev1.ObjectReference{
			APIVersion: "v1", Kind: "Pod", Namespace: pod.Namespace, Name: pod.Name, UID: pod.UID,
			ResourceVersion: pod.ResourceVersion, FieldPath: fieldPath(pod, container),
		},
		Type: one.Type, Reason: one.Reason, Message: one.Message, Source: source,
		ReportingController: source.Component, ReportingInstance: source.Host,
		Count: 1, FirstTimestamp: now, LastTimestamp: now,
	}
}

// fieldPath is the place of a container in its pod. It is empty for events of the whole pod.
func fieldPath(pod *corev1.Pod, container string) string {
	if container == "" {
		return ""
	}
	list := "containers"
	if slices.ContainsFunc(pod.Spec.InitContainers, func(c corev1.Container) bool { return c.Name == container }) {
		list = "initContainers"
	}
	if slices.ContainsFunc(pod.Spec.EphemeralContainers, func(c corev1.EphemeralContainer) bool { return c.Name == container }) {
		list = "ephemeralContainers"
	}
	return fmt.Sprintf("spec.%s{%s}", list, container)
}
