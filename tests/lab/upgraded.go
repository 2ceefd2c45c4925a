// Pull secrets that an older release left behind, as 4.16 and later treat them: kept by name and content,
// marked, and taken away together with their token.
package main

import (
	"context"
	"encoding/json"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
)

// legacyMark labels the token secret and is the finalizer of the pull secret.
const legacyMark = "openshift.io/legacy-token"

const bindingLegacy = "legacy"

// isLegacyOf is a pull secret that the older controllers made for this account.
func isLegacyOf(secret *corev1.Secret, account *corev1.ServiceAccount) bool {
	return secret.Annotations[tokenNameAnnotation] != "" &&
		secret.Annotations[corev1.ServiceAccountUIDKey] == string(account.UID)
}

// adopt marks a legacy pull secret and its token as legacy; the content is not touched. It gets no annotation of a bound one: who
// owns it is said by those that it has.
func (b *bound) adopt(ctx context.Context, secret *corev1.Secret) error {
	label := map[string]any{"metadata": map[string]any{"labels": map[string]any{legacyMark: "true"}}}
	if err := b.merge(ctx, secret.Namespace, secret.Annotations[tokenNameAnnotation], label); err != nil {
		return err
	}
	return b.merge(ctx, secret.Namespace, secret.Name, map[string]any{"metadata": map[string]any{
		"resourceVersion": secret.ResourceVersion,
		"annotations":     map[string]any{bindingAnnotation: bindingLegacy},
		"finalizers":      append(slices.Clone(secret.Finalizers), legacyMark),
	}})
}

// release ends a legacy pull secret that is being deleted: its token goes first, then the finalizer.
func (b *bound) release(ctx context.Context, secret *corev1.Secret) error {
	if !slices.Contains(secret.Finalizers, legacyMark) {
		return nil
	}
	token := secret.Annotations[tokenNameAnnotation]
	if err := b.client.CoreV1().Secrets(secret.Namespace).Delete(ctx, token, metav1.DeleteOptions{}); ignoreNotFound(err) != nil {
		return err
	}
	left := slices.DeleteFunc(slices.Clone(secret.Finalizers), func(f string) bool { return f == legacyMark })
	return b.merge(ctx, secret.Namespace, secret.Name, map[string]any{"metadata": map[string]any{
		"resourceVersion": secret.ResourceVersion, "finalizers": left,
	}})
}

// forget removes the finalizer everywhere, because other modes have no controller that would release these secrets.
func forget(ctx context.Context, client kubernetes.Interface) error {
	secrets, err := client.CoreV1().Secrets(metav1.NamespaceAll).List(ctx, metav1.ListOptions{
		FieldSelector: "type=" + string(corev1.SecretTypeDockercfg),
	})
	if err != nil {
		return err
	}
	for _, secret := range secrets.Items {
		if !slices.Contains(secret.Finalizers, legacyMark) {
			continue
		}
		_, err := client.CoreV1().Secrets(secret.Namespace).Patch(ctx, secret.Name, types.MergePatchType,
			[]byte(`{"metadata":{"finalizers":null}}`), metav1.PatchOptions{})
		if ignoreNotFound(err) != nil {
			return err
		}
	}
	return nil
}

func (b *bound) merge(ctx context.Context, namespace, name string, patch map[string]any) error {
	body, err := json.Marshal(patch)
	if err != nil {
		return err
	}
	_, err = b.client.CoreV1().Secrets(namespace).Patch(ctx, name, types.MergePatchType, body, metav1.PatchOptions{})
	return ignoreNotFound(err)
}
