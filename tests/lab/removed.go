// The integrated registry is removed: what was provisioned before is taken away once, and nothing is made.
package main

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/util/retry"
)

// cleanUp deletes managed secrets and strips them from their accounts. The account's annotation stays,
// dangling, as after the real clean-up; so do secrets that a pod names. The real one also waits ten minutes.
func cleanUp(ctx context.Context, client kubernetes.Interface) error {
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
	inUse := secretsOfPods(pods.Items)
	for _, secret := range secrets.Items {
		if secret.Annotations[accountAnnotation] == "" || inUse[secret.Namespace+"/"+secret.Name] {
			continue
		}
		if err := strip(ctx, client, &secret); err != nil {
			return err
		}
		err := client.CoreV1().Secrets(secret.Namespace).Delete(ctx, secret.Name, metav1.DeleteOptions{})
		if ignoreNotFound(err) != nil {
			return err
		}
	}
	return nil
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

func strip(ctx context.Context, client kubernetes.Interface, secret *corev1.Secret) error {
	accounts := client.CoreV1().ServiceAccounts(secret.Namespace)
	return retry.RetryOnConflict(retry.DefaultRetry, func() error {
		account, err := accounts.Get(ctx, secret.Annotations[accountAnnotation], metav1.GetOptions{})
		if err != nil {
			return ignoreNotFound(err)
		}
		dropReferences(account, secret.Name)
		_, err = accounts.Update(ctx, account, metav1.UpdateOptions{})
		return ignoreNotFound(err)
	})
}
