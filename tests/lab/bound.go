// Provisioning since 4.16, write by write as it was recorded. Two controllers share the work: one names the
// secret in the account and makes it with empty content, the other fills it with a token bound to it.
package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	applycore "k8s.io/client-go/applyconfigurations/core/v1"
	applymeta "k8s.io/client-go/applyconfigurations/meta/v1"
	informercore "k8s.io/client-go/informers/core/v1"
	listers "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"
)

const (
	accountManager = "openshift.io/image-registry-pull-secrets_service-account-controller"
	secretManager  = "openshift.io/image-registry-pull-secrets_image-pull-secret-controller"
	// A token is replaced when 40 % of its life is left.
	refreshFraction = 0.4
)

type bound struct {
	*controller
	urls     []string
	accounts listers.ServiceAccountLister
	secrets  listers.SecretLister
	filling  queue
	naming   queue
}

func newBound(c *controller, urls []string) {
	b := &bound{controller: c, urls: urls}
	b.naming = c.addQueue(b.syncAccount)
	b.filling = c.addQueue(b.syncSecret)

	accounts := c.informers.Core().V1().ServiceAccounts()
	b.accounts = accounts.Lister()
	_, _ = accounts.Informer().AddEventHandler(enqueue(b.naming, ownKey))

	secrets := informercore.NewFilteredSecretInformer(c.client, metav1.NamespaceAll, 0,
		cache.Indexers{cache.NamespaceIndex: cache.MetaNamespaceIndexFunc}, secretsOfType(corev1.SecretTypeDockercfg))
	c.addInformer(secrets)
	b.secrets = listers.NewSecretLister(secrets.GetIndexer())
	_, _ = secrets.AddEventHandler(enqueue(b.filling, ownKey))
	_, _ = secrets.AddEventHandler(enqueue(b.naming, accountKey))
}

// accountKey is the account a managed secret belongs to, or one that an older release made.
func accountKey(o metav1.Object) string {
	if name := o.GetAnnotations()[accountAnnotation]; name != "" {
		return o.GetNamespace() + "/" + name
	}
	return tokenAccountKey(o)
}

// syncAccount names the secret in the account, then makes the secret.
func (b *bound) syncAccount(ctx context.Context, key string) error {
	namespace, name, _ := cache.SplitMetaNamespaceKey(key)
	account, err := b.accounts.ServiceAccounts(namespace).Get(name)
	if err != nil || account.DeletionTimestamp != nil {
		return ignoreNotFound(err)
	}
	existing, err := b.secrets.Secrets(namespace).List(labels.Everything())
	if err != nil {
		return err
	}
	secret := managedName(account, existing)
	if secret == "" {
		if left := b.remaining(account); left > 0 {
			b.naming.AddAfter(key, left)
			return nil
		}
		secret = generatedName(name, pullSecretKind)
	}
	if account, err = b.refer(ctx, account, secret); err != nil {
		return ignoreGone(err)
	}
	return ignoreGone(b.ensureSecret(ctx, account, secret))
}

// managedName finds the name already in use. The annotation decides, whatever it names, a user's secret too; without it, so does
// a secret made for this account, or for its predecessor of the same name, and then one that an older release made.
func managedName(account *corev1.ServiceAccount, existing []*corev1.Secret) string {
	if annotated := account.Annotations[refAnnotation]; annotated != "" {
		return annotated
	}
	slices.SortFunc(existing, func(x, y *corev1.Secret) int { return strings.Compare(x.Name, y.Name) })
	for _, secret := range existing {
		if owner := secret.Annotations[accountAnnotation]; owner == account.Name || owner == "" && ownedBy(secret, account) {
			return secret.Name
		}
	}
	for _, reference := range account.ImagePullSecrets {
		for _, secret := range existing {
			if secret.Name == reference.Name && isLegacyOf(secret, account) {
				return secret.Name
			}
		}
	}
	return ""
}

func pulls(account *corev1.ServiceAccount, secret string) bool {
	return slices.Contains(account.ImagePullSecrets, corev1.LocalObjectReference{Name: secret})
}

func mounts(account *corev1.ServiceAccount, secret string) bool {
	return slices.ContainsFunc(account.Secrets, func(r corev1.ObjectReference) bool { return r.Name == secret })
}

// refer applies the annotation and the entries, unless this manager has applied just that before. A list that lacks the entry is
// repeated with the entry at its end, guarded by the resourceVersion that was read; so its last writer is this manager.
func (b *bound) refer(ctx context.Context, account *corev1.ServiceAccount, secret string) (*corev1.ServiceAccount, error) {
	applied, err := applycore.ExtractServiceAccount(account, accountManager)
	if err != nil {
		return nil, err
	}
	patch := applycore.ServiceAccount(account.Name, account.Namespace).
		WithAnnotations(map[string]string{refAnnotation: secret}).
		WithSecrets(applycore.ObjectReference().WithName(secret))
	if pulls(account, secret) {
		patch.ImagePullSecrets = applied.ImagePullSecrets
	} else {
		for _, reference := range account.ImagePullSecrets {
			patch.WithImagePullSecrets(applycore.LocalObjectReference().WithName(reference.Name))
		}
		patch.WithImagePullSecrets(applycore.LocalObjectReference().WithName(secret))
	}
	if equality.Semantic.DeepEqual(patch, applied) {
		return account, nil
	}
	patch.WithUID(account.UID)
	if len(patch.ImagePullSecrets) > 0 {
		patch.WithResourceVersion(account.ResourceVersion)
	}
	return b.client.CoreV1().ServiceAccounts(account.Namespace).Apply(ctx, patch, applyAs(accountManager))
}

func applyAs(manager string) metav1.ApplyOptions {
	return metav1.ApplyOptions{FieldManager: manager, Force: true}
}

// ensureSecret creates an empty secret, or restores the marks of this account on an existing one and keeps its content.
func (b *bound) ensureSecret(ctx context.Context, account *corev1.ServiceAccount, name string) error {
	content := []byte("{}")
	existing, err := b.secrets.Secrets(account.Namespace).Get(name)
	switch {
	case apierrors.IsNotFound(err):
	case err != nil:
		return err
	case existing.Annotations[bindingAnnotation] == bindingLegacy:
		return nil
	case isLegacyOf(existing, account):
		return b.adopt(ctx, existing)
	case existing.Annotations[accountAnnotation] == account.Name && ownedBy(existing, account):
		return nil
	default:
		content = existing.Data[corev1.DockerConfigKey]
	}
	patch := applycore.Secret(name, account.Namespace).
		WithAnnotations(map[string]string{accountAnnotation: account.Name}).
		WithOwnerReferences(applymeta.OwnerReference().WithAPIVersion("v1").WithKind("ServiceAccount").
			WithName(account.Name).WithUID(account.UID)).
		WithType(corev1.SecretTypeDockercfg).
		WithData(map[string][]byte{corev1.DockerConfigKey: content})
	_, err = b.client.CoreV1().Secrets(account.Namespace).Apply(ctx, patch, applyAs(accountManager))
	return err
}

func ownedBy(secret *corev1.Secret, account *corev1.ServiceAccount) bool {
	return slices.ContainsFunc(secret.OwnerReferences, func(r metav1.OwnerReference) bool { return r.UID == account.UID })
}

// syncSecret fills a managed secret, or deletes it when its account names another one.
func (b *bound) syncSecret(ctx context.Context, key string) error {
	namespace, name, _ := cache.SplitMetaNamespaceKey(key)
	secret, err := b.secrets.Secrets(namespace).Get(name)
	if err != nil {
		return ignoreNotFound(err)
	}
	if secret.DeletionTimestamp != nil {
		return b.release(ctx, secret)
	}
	owner := secret.Annotations[accountAnnotation]
	if owner == "" || secret.Annotations[bindingAnnotation] == bindingLegacy {
		return nil
	}
	account, err := b.accounts.ServiceAccounts(namespace).Get(owner)
	if err != nil {
		return ignoreNotFound(err)
	}
	if orphaned(account, secret) {
		return ignoreGone(b.discard(ctx, account, secret))
	}
	if len(b.urls) == 0 {
		return nil // no name of the registry was observed, so there is nothing to write
	}
	if left := b.freshFor(secret); left > 0 {
		b.filling.AddAfter(key, left)
		return nil
	}
	return ignoreGone(b.fill(ctx, account, secret))
}

// orphaned is a managed secret whose account's annotation names another one.
func orphaned(account *corev1.ServiceAccount, secret *corev1.Secret) bool {
	named, found := account.Annotations[refAnnotation]
	return found && named != secret.Name
}

// discard takes an orphaned secret out of its account's lists and deletes it.
func (b *bound) discard(ctx context.Context, account *corev1.ServiceAccount, secret *corev1.Secret) error {
	if pulls(account, secret.Name) || mounts(account, secret.Name) {
		account = account.DeepCopy()
		dropReferences(account, secret.Name)
		if _, err := b.client.CoreV1().ServiceAccounts(account.Namespace).Update(ctx, account, metav1.UpdateOptions{}); err != nil {
			return err
		}
	}
	options := metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &secret.UID}}
	return b.client.CoreV1().Secrets(secret.Namespace).Delete(ctx, secret.Name, options)
}

// fill asks for a token that lives no longer than the secret and writes it for every name of the registry.
func (b *bound) fill(ctx context.Context, account *corev1.ServiceAccount, secret *corev1.Secret) error {
	request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{
		BoundObjectRef: &authenticationv1.BoundObjectReference{
			Kind: "Secret", APIVersion: "v1", Name: secret.Name, UID: secret.UID,
		},
	}}
	answer, err := b.client.CoreV1().ServiceAccounts(account.Namespace).
		CreateToken(ctx, account.Name, request, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	auth := base64.StdEncoding.EncodeToString([]byte("<token>:" + answer.Status.Token))
	entries := map[string]map[string]string{}
	for _, url := range b.urls {
		entries[url] = map[string]string{"auth": auth}
	}
	content, err := json.Marshal(entries)
	if err != nil {
		return err
	}
	patch := applycore.Secret(secret.Name, secret.Namespace).WithUID(secret.UID).
		WithAnnotations(map[string]string{bindingAnnotation: "bound"}).
		WithType(corev1.SecretTypeDockercfg).
		WithData(map[string][]byte{corev1.DockerConfigKey: content})
	_, err = b.client.CoreV1().Secrets(secret.Namespace).Apply(ctx, patch, applyAs(secretManager))
	return err
}

// freshFor is how long the secret's content stays good; zero or less means that it is to be filled now.
func (b *bound) freshFor(secret *corev1.Secret) time.Duration {
	if secret.Annotations[bindingAnnotation] != "bound" {
		return 0
	}
	var entries map[string]struct{ Auth string }
	if json.Unmarshal(secret.Data[corev1.DockerConfigKey], &entries) != nil || len(entries) != len(b.urls) {
		return 0
	}
	left := time.Duration(1<<63 - 1)
	for _, url := range b.urls {
		left = min(left, tokenFreshFor(entries[url].Auth))
	}
	return left
}

// tokenFreshFor reads times from the token itself, unverified: it is our own.
func tokenFreshFor(auth string) time.Duration {
	decoded, err := base64.StdEncoding.DecodeString(auth)
	if err != nil {
		return 0
	}
	_, token, _ := strings.Cut(string(decoded), ":")
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return 0
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return 0
	}
	var claims struct{ Iat, Exp int64 }
	if json.Unmarshal(payload, &claims) != nil {
		return 0
	}
	life := time.Duration(claims.Exp-claims.Iat) * time.Second
	return time.Until(time.Unix(claims.Exp, 0)) - time.Duration(float64(life)*refreshFraction)
}

func ignoreNotFound(err error) error {
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

// ignoreGone drops the errors of a namespace that is going: nothing can be made in it any more.
func ignoreGone(err error) error {
	if apierrors.IsForbidden(err) && apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause) {
		return nil
	}
	return ignoreNotFound(err)
}
