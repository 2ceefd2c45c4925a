// The integrated registry is removed: what was provisioned before is taken away once, and nothing is made.
package main

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/util/retry"
)

// cleanUp deletes generated secrets, with the tokens behind those of older releases, and strips them from their accounts
// (cluster-openshift-controller-manager-operator pkg/operator/internalimageregistry/cleanup_controller.go). The account's annotation
// stays, dangling, as after the real clean-up; so do secrets that a pod names. The real one also waits ten minutes.
func cleanUp(ctx context.Context, client kubernetes.Interface) error {
	accounts, err := client.CoreV1().ServiceAccounts(metav1.NamespaceAll).List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	secrets, err := client.CoreV1().Secrets(metav1.NamespaceAll).List(ctx, metav1.ListOptions{
		FieldSelector: "type=" + string(corev1.SecretTypeDockercfg),
	})
	if err != nil {
		return err
	}
	pods, err := client.CoreV1().Pods(metav1.NamespaceAll).List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	existing := map[string]*corev1.Secret{}
	for i, secret := range secrets.Items {
		existing[secret.Namespace+"/"+secret.Name] = &secrets.Items[i]
	}
	inUse := secretsOfPods(pods.Items)
	for _, account := range accounts.Items {
		name := generatedNameOf(&account)
		key := account.Namespace + "/" + name
		secret, found := existing[key]
		if name == "" || inUse[key] || found && !isGenerated(secret) {
			continue
		}
		if found {
			if err := remove(ctx, client, secret); err != nil {
				return err
			}
		}
		if err := strip(ctx, client, &account, name); err != nil {
			return err
		}
	}
	return nil
}

// generatedNameOf is what the annotation names or, without one, the first entry with the generated prefix.
func generatedNameOf(account *corev1.ServiceAccount) string {
	if annotated := account.Annotations[refAnnotation]; annotated != "" {
		return annotated
	}
	return linkedPullSecret(account)
}

func isGenerated(secret *corev1.Secret) bool {
	return secret.Annotations[accountAnnotation] != "" || secret.Annotations[tokenNameAnnotation] != ""
}

func secretsOfPods(pods []corev1.Pod) map[string]bool {
	used := map[string]bool{}
	for _, pod := range pods {
		for _, reference := range pod.Spec.ImagePullSecrets {
			used[pod.Namespace+"/"+reference.Name] = true
		}
	}
	return used
}

func remove(ctx context.Context, client kubernetes.Interface, secret *corev1.Secret) error {
	for _, name := range []string{secret.Annotations[tokenNameAnnotation], secret.Name} {
		if name == "" {
			continue
		}
		err := client.CoreV1().Secrets(secret.Namespace).Delete(ctx, name, metav1.DeleteOptions{})
		if ignoreNotFound(err) != nil {
			return err
		}
	}
	return nil
}

func strip(ctx context.Context, client kubernetes.Interface, account *corev1.ServiceAccount, secret string) error {
	accounts := client.CoreV1().ServiceAccounts(account.Namespace)
	return retry.RetryOnConflict(retry.DefaultRetry, func() error {
		found, err := accounts.Get(ctx, account.Name, metav1.GetOptions{})
		if err != nil || !pulls(found, secret) && !mounts(found, secret) {
			return ignoreNotFound(err)
		}
		dropReferences(found, secret)
		_, err = accounts.Update(ctx, found, metav1.UpdateOptions{})
		return ignoreNotFound(err)
	})
}
