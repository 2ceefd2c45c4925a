// The stand-in for the hosted cluster config operator: the nodes' pull secret is the HostedCluster's, merged with the user's additions.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"maps"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/kubernetes/pkg/credentialprovider"
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

// hostedOperator looks every 200 ms: long enough for a test to see that its own write is reverted.
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
	told := ""
	h.end = repeat(200*time.Millisecond, func(ctx context.Context) {
		err := h.reconcile(ctx)
		if err == nil || ctx.Err() != nil || apierrors.IsConflict(err) {
			told = ""
		} else if err.Error() != told {
			told = err.Error()
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

// reconcile does what openshift/hypershift's controller globalps does (reconcileGlobalPullSecret), in its order.
func (h *hostedOperator) reconcile(ctx context.Context) error {
	if err := h.openshift.hold(ctx, configNamespace, nodeSecret, h.original); err != nil {
		return err
	}
	if merges, err := h.merges(ctx); err != nil || !merges {
		return err
	}
	secrets := h.openshift.core.CoreV1().Secrets(hostedNamespace)
	additional, err := secrets.Get(ctx, additionalSecret, metav1.GetOptions{})
	if ignoreNotFound(err) != nil {
		return err
	}
	if err != nil || additional.Data == nil {
		if err := ignoreNotFound(secrets.Delete(ctx, mergedSecret, metav1.DeleteOptions{})); err != nil {
			return err
		}
		return h.openshift.hold(ctx, hostedNamespace, originalSecret, h.original)
	}
	merged, err := merge(h.original, additional)
	if err != nil {
		return err
	}
	if err := h.openshift.hold(ctx, hostedNamespace, originalSecret, h.original); err != nil {
		return err
	}
	return h.openshift.hold(ctx, hostedNamespace, mergedSecret, merged)
}

// merges says whether the controller globalps runs on the cluster's platform (cmd.go).
func (h *hostedOperator) merges(ctx context.Context) (bool, error) {
	object, err := h.openshift.dynamic.Resource(infrastructures.versioned()).Get(ctx, "cluster", metav1.GetOptions{})
	if err != nil {
		return false, err
	}
	platform, _, err := unstructured.NestedString(object.Object, "status", "platformStatus", "type")
	return platform == "AWS" || platform == "Azure" || platform == "", err
}

// merge is validateAdditionalPullSecret and mergePullSecrets: the type of the secret does not count, a part that the kubelet does not
// decode stops all, numbers become float64, and a key "auths" in another case is a panic, which the controller's runtime recovers.
func merge(original []byte, additional *corev1.Secret) (content []byte, err error) {
	defer func() {
		if reason := recover(); reason != nil {
			err = fmt.Errorf("panic: %v", reason)
		}
	}()
	given, there := additional.Data[corev1.DockerConfigJsonKey]
	if !there {
		return nil, errors.New("pull secret data is not a valid docker config json")
	}
	var valid credentialprovider.DockerConfigJSON
	if err := json.Unmarshal(given, &valid); err != nil {
		return nil, fmt.Errorf("invalid docker config json format: %w", err)
	}
	if len(valid.Auths) == 0 {
		return nil, errors.New("docker config json must contain at least one auth entry")
	}
	var base, more map[string]any
	if err := json.Unmarshal(original, &base); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(given, &more); err != nil {
		return nil, err
	}
	platform, users := base["auths"].(map[string]any), more["auths"].(map[string]any)
	maps.Copy(users, platform)
	return json.Marshal(map[string]any{"auths": users})
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
