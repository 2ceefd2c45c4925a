// Provisioning of 4.11 to 4.15: a long-lived token secret, and a pull secret made from it, already filled.
// The account is marked while its token is awaited, and neither secret is named by an annotation.
package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	informercore "k8s.io/client-go/informers/core/v1"
	listers "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/utils/ptr"
)

const (
	pendingAnnotation   = "openshift.io/create-dockercfg-secrets.pending-token"
	createdByAnnotation = "kubernetes.io/created-by"
	createdBy           = "openshift.io/create-dockercfg-secrets"
	tokenNameAnnotation = "openshift.io/token-secret.name"
	tokenAnnotation     = "openshift.io/token-secret.value"
	legacyUser          = "serviceaccount"
	legacyEmail         = "serviceaccount@example.org"
)

type legacy struct {
	*controller
	urls     []string
	accounts listers.ServiceAccountLister
	queue    queue
}

func newLegacy(c *controller, urls []string) {
	l := &legacy{controller: c, urls: urls}
	l.queue = c.addQueue(l.sync)
	accounts := c.informers.Core().V1().ServiceAccounts()
	l.accounts = accounts.Lister()
	_, _ = accounts.Informer().AddEventHandler(enqueue(l.queue, ownKey))
	for _, secretType := range []corev1.SecretType{corev1.SecretTypeServiceAccountToken, corev1.SecretTypeDockercfg} {
		secrets := informercore.NewFilteredSecretInformer(c.client, metav1.NamespaceAll, 0, cache.Indexers{}, secretsOfType(secretType))
		c.addInformer(secrets)
		_, _ = secrets.AddEventHandler(enqueue(l.queue, tokenAccountKey))
	}
}

func tokenAccountKey(o metav1.Object) string {
	if name := o.GetAnnotations()[corev1.ServiceAccountNameKey]; name != "" {
		return o.GetNamespace() + "/" + name
	}
	return ""
}

func (l *legacy) sync(ctx context.Context, key string) error {
	namespace, name, _ := cache.SplitMetaNamespaceKey(key)
	account, err := l.accounts.ServiceAccounts(namespace).Get(name)
	if err != nil || account.DeletionTimestamp != nil {
		return ignoreNotFound(err)
	}
	account = account.DeepCopy()
	if secret := linkedPullSecret(account); secret != "" {
		return ignoreGone(l.repair(ctx, account, secret))
	}
	if account.Annotations[pendingAnnotation] == "" {
		if left := l.remaining(account); left > 0 {
			l.queue.AddAfter(key, left)
			return nil
		}
		metav1.SetMetaDataAnnotation(&account.ObjectMeta, pendingAnnotation, generatedName(name, tokenSecretKind))
		if account, err = l.update(ctx, account); err != nil {
			return ignoreGone(err)
		}
	}
	return ignoreGone(l.makePair(ctx, account))
}

// linkedPullSecret is the pull secret named by either list; the other list is repaired from it.
func linkedPullSecret(account *corev1.ServiceAccount) string {
	prefix := generatedPrefix(account.Name, pullSecretKind)
	for _, reference := range account.ImagePullSecrets {
		if strings.HasPrefix(reference.Name, prefix) {
			return reference.Name
		}
	}
	for _, reference := range account.Secrets {
		if strings.HasPrefix(reference.Name, prefix) {
			return reference.Name
		}
	}
	return ""
}

func (l *legacy) repair(ctx context.Context, account *corev1.ServiceAccount, secret string) error {
	_, err := l.client.CoreV1().Secrets(account.Namespace).Get(ctx, secret, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		// A deleted secret is first taken out of both lists; a new pair follows.
		dropReferences(account, secret)
		_, err = l.update(ctx, account)
		return err
	}
	if err != nil || (pulls(account, secret) && mounts(account, secret)) {
		return err
	}
	link(account, secret)
	_, err = l.update(ctx, account)
	return err
}

func link(account *corev1.ServiceAccount, secret string) {
	if !mounts(account, secret) {
		account.Secrets = append(account.Secrets, corev1.ObjectReference{Name: secret})
	}
	if !pulls(account, secret) {
		account.ImagePullSecrets = append(account.ImagePullSecrets, corev1.LocalObjectReference{Name: secret})
	}
}

func dropReferences(account *corev1.ServiceAccount, secret string) {
	account.Secrets = slices.DeleteFunc(account.Secrets, func(r corev1.ObjectReference) bool { return r.Name == secret })
	account.ImagePullSecrets = slices.DeleteFunc(account.ImagePullSecrets,
		func(r corev1.LocalObjectReference) bool { return r.Name == secret })
}

func (l *legacy) update(ctx context.Context, account *corev1.ServiceAccount) (*corev1.ServiceAccount, error) {
	return l.client.CoreV1().ServiceAccounts(account.Namespace).Update(ctx, account, metav1.UpdateOptions{})
}

// makePair goes as far as it can: token secret, then (once the token is there) pull secret, then both lists.
func (l *legacy) makePair(ctx context.Context, account *corev1.ServiceAccount) error {
	token, err := l.tokenSecret(ctx, account)
	if err != nil || len(token.Data[corev1.ServiceAccountTokenKey]) == 0 {
		return err // the token secret's next change brings us back
	}
	secret, err := l.pullSecret(ctx, account, token)
	if err != nil {
		return err
	}
	link(account, secret.Name)
	delete(account.Annotations, pendingAnnotation)
	_, err = l.update(ctx, account)
	return err
}

func (l *legacy) tokenSecret(ctx context.Context, account *corev1.ServiceAccount) (*corev1.Secret, error) {
	name := account.Annotations[pendingAnnotation]
	client := l.client.CoreV1().Secrets(account.Namespace)
	existing, err := client.Get(ctx, name, metav1.GetOptions{})
	if !apierrors.IsNotFound(err) {
		return existing, err
	}
	return client.Create(ctx, &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{
			Name: name, Namespace: account.Namespace,
			Annotations: map[string]string{
				corev1.ServiceAccountNameKey: account.Name,
				corev1.ServiceAccountUIDKey:  string(account.UID),
				createdByAnnotation:          createdBy,
			},
			OwnerReferences: []metav1.OwnerReference{{APIVersion: "v1", Kind: "ServiceAccount", Name: account.Name, UID: account.UID}},
		},
		Type: corev1.SecretTypeServiceAccountToken,
	}, metav1.CreateOptions{})
}

func (l *legacy) pullSecret(ctx context.Context, account *corev1.ServiceAccount, token *corev1.Secret) (*corev1.Secret, error) {
	client := l.client.CoreV1().Secrets(account.Namespace)
	all, err := client.List(ctx, metav1.ListOptions{FieldSelector: "type=" + string(corev1.SecretTypeDockercfg)})
	if err != nil {
		return nil, err
	}
	for _, secret := range all.Items {
		if secret.Annotations[tokenNameAnnotation] == token.Name {
			return &secret, nil
		}
	}
	value := string(token.Data[corev1.ServiceAccountTokenKey])
	content, err := json.Marshal(l.entries(value))
	if err != nil {
		return nil, err
	}
	return client.Create(ctx, &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{
			Name: generatedName(account.Name, pullSecretKind), Namespace: account.Namespace,
			Annotations: map[string]string{
				corev1.ServiceAccountNameKey: account.Name,
				corev1.ServiceAccountUIDKey:  string(account.UID),
				tokenNameAnnotation:          token.Name,
				tokenAnnotation:              value,
			},
			OwnerReferences: []metav1.OwnerReference{{
				APIVersion: "v1", Kind: "Secret", Name: token.Name, UID: token.UID,
				Controller: ptr.To(true), BlockOwnerDeletion: ptr.To(false),
			}},
		},
		Type: corev1.SecretTypeDockercfg,
		Data: map[string][]byte{corev1.DockerConfigKey: content},
	}, metav1.CreateOptions{})
}

func (l *legacy) entries(token string) map[string]map[string]string {
	entries := map[string]map[string]string{}
	for _, url := range l.urls {
		entries[url] = map[string]string{
			"username": legacyUser,
			"password": token,
			"email":    legacyEmail,
			"auth":     base64.StdEncoding.EncodeToString([]byte(legacyUser + ":" + token)),
		}
	}
	return entries
}
