// The stand-in for the hosted cluster config operator: the nodes' pull secret is the HostedCluster's, and what a user adds is merged beside it.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"log"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	hostedNamespace  = "kube-system"
	originalSecret   = "original-pull-secret"
	additionalSecret = "additional-pull-secret"
	mergedSecret     = "global-pull-secret"
)

const (
	nodePoolLabel = "hypershift.openshift.io/nodePool"
	syncedLabel   = "hypershift.openshift.io/nodepool-globalps-enabled"
)

// hostedOperator looks every 200 ms: long enough for a test to see what it has written being reverted.
type hostedOperator struct {
	openshift *openshift
	original  []byte
	end       func()
}

func newHostedOperator(o *openshift, original []byte) *hostedOperator {
	return &hostedOperator{openshift: o, original: original}
}

// start makes nodes of a pool that is replaced, which get the merged secret, and of one that is updated in place, which never do.
func (h *hostedOperator) start(ctx context.Context) error {
	for _, node := range []struct {
		name, pool string
		synced     bool
	}{{"workers-1", "workers", true}, {"workers-2", "workers", true}, {"inplace-1", "inplace", false}} {
		labels := map[string]string{nodePoolLabel: node.pool}
		if node.synced {
			labels[syncedLabel] = "true"
		}
		object := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: node.name, Labels: labels}}
		if _, err := h.openshift.core.CoreV1().Nodes().Create(ctx, object, metav1.CreateOptions{}); err != nil {
			return err
		}
	}
	if err := h.reconcile(ctx); err != nil {
		return err
	}
	h.end = repeat(200*time.Millisecond, func(ctx context.Context) {
		if err := h.reconcile(ctx); err != nil && ctx.Err() == nil && !apierrors.IsConflict(err) {
			log.Printf("hosted cluster config operator: %v", err)
		}
	})
	return nil
}

func (h *hostedOperator) stop() {
	if h.end != nil {
		h.end()
	}
}

func (h *hostedOperator) reconcile(ctx context.Context) error {
	if err := h.openshift.hold(ctx, configNamespace, nodeSecret, h.original); err != nil {
		return err
	}
	if err := h.openshift.hold(ctx, hostedNamespace, originalSecret, h.original); err != nil {
		return err
	}
	additional, err := h.openshift.core.CoreV1().Secrets(hostedNamespace).Get(ctx, additionalSecret, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return ignoreNotFound(h.openshift.core.CoreV1().Secrets(hostedNamespace).Delete(ctx, mergedSecret, metav1.DeleteOptions{}))
	}
	if err != nil {
		return err
	}
	merged, valid := mergedAuths(h.original, additional)
	if !valid {
		return nil
	}
	return h.openshift.hold(ctx, hostedNamespace, mergedSecret, merged)
}

// mergedAuths adds what the user gives to the original, whose entry is kept where both have one.
func mergedAuths(original []byte, additional *corev1.Secret) ([]byte, bool) {
	var base, more struct {
		Auths map[string]json.RawMessage `json:"auths"`
	}
	if additional.Type != corev1.SecretTypeDockerConfigJson || json.Unmarshal(original, &base) != nil ||
		json.Unmarshal(additional.Data[corev1.DockerConfigJsonKey], &more) != nil || len(more.Auths) == 0 {
		return nil, false
	}
	for key, entry := range base.Auths {
		more.Auths[key] = entry
	}
	content, err := json.Marshal(more)
	return content, err == nil
}

// hold makes a pull secret hold exactly the content.
func (o *openshift) hold(ctx context.Context, namespace, name string, content []byte) error {
	client := o.core.CoreV1().Secrets(namespace)
	found, err := client.Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		_, err = client.Create(ctx, &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Name: name},
			Type:       corev1.SecretTypeDockerConfigJson,
			Data:       map[string][]byte{corev1.DockerConfigJsonKey: content},
		}, metav1.CreateOptions{})
		return err
	}
	if err != nil || bytes.Equal(found.Data[corev1.DockerConfigJsonKey], content) {
		return err
	}
	found.Data = map[string][]byte{corev1.DockerConfigJsonKey: content}
	_, err = client.Update(ctx, found, metav1.UpdateOptions{})
	return err
}
