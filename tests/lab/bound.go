// Provisioning since 4.16, write by write as it was recorded. Two controllers share the work: one names the
// secret in the account and makes it with empty content, the other fills it with a token bound to it.
package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
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
	// Names are cut to leave room for the five random characters.
	longestPrefix = 58
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

// accountKey is the account a managed secret belongs to.
func accountKey(o metav1.Object) string {
	if name := o.GetAnnotations()[accountAnnotation]; name != "" {
		return o.GetNamespace() + "/" + name
	}
	return ""
}

// syncAccount names the secret in the account, then makes the secret.
func (b *bound) syncAccount(ctx context.Context, key string) error {
	namespace, name, _ := cache.SplitMetaNamespaceKey(key)
	account, err := b.accounts.ServiceAccounts(namespace).Get(name)
	if err != nil || account.DeletionTimestamp != nil {
		return ignoreNotFound(err)
	}
	managed, err := b.managedSecrets(account)
	if err != nil {
		return err
	}
	secret := managedName(account, managed)
	if secret == "" {
		if left := b.remaining(account); left > 0 {
			b.naming.AddAfter(key, left)
			return nil
		}
		secret = pullSecretPrefix(name) + randomSuffix()
	}
	if !refersTo(account, secret) {
		if account, err = b.refer(ctx, account, secret); err != nil {
			return ignoreGone(err)
		}
	}
	return ignoreGone(b.ensureSecret(ctx, account, secret))
}

func (b *bound) managedSecrets(account *corev1.ServiceAccount) ([]*corev1.Secret, error) {
	all, err := b.secrets.Secrets(account.Namespace).List(labels.Everything())
	managed := slices.DeleteFunc(all, func(s *corev1.Secret) bool {
		return s.DeletionTimestamp != nil || s.Annotations[accountAnnotation] != account.Name && !isLegacyOf(s, account)
	})
	slices.SortFunc(managed, func(x, y *corev1.Secret) int { return strings.Compare(x.Name, y.Name) })
	return managed, err
}

// managedName finds the name already in use, by the annotation, the account's lists, or the secrets themselves: a lost
// annotation gets its old value again, and an account made anew gets the secret of its predecessor.
func managedName(account *corev1.ServiceAccount, managed []*corev1.Secret) string {
	annotated := account.Annotations[refAnnotation]
	linked, existing := "", ""
	for _, secret := range managed {
		if secret.Name == annotated {
			return annotated
		}
		if existing == "" {
			existing = secret.Name
		}
		if linked == "" && (pulls(account, secret.Name) || mounts(account, secret.Name)) {
			linked = secret.Name
		}
	}
	if linked != "" {
		return linked
	}
	if existing != "" {
		return existing
	}
	// The annotation alone: the secret was deleted or is not made yet. A stranger's name is not taken.
	if strings.HasPrefix(annotated, pullSecretPrefix(account.Name)) {
		return annotated
	}
	return ""
}

// pullSecretPrefix is the part of the name before the random characters; long account names are cut and marked by a hash.
func pullSecretPrefix(account string) string {
	const ending = "-dockercfg-"
	if len(account)+len(ending) <= longestPrefix {
		return account + ending
	}
	hash := fnv.New32a()
	_, _ = hash.Write([]byte(account))
	mark := fmt.Sprintf("-%08x", hash.Sum32())
	return account[:longestPrefix-len(ending)-len(mark)] + mark + ending
}

func pulls(account *corev1.ServiceAccount, secret string) bool {
	return slices.Contains(account.ImagePullSecrets, corev1.LocalObjectReference{Name: secret})
}

func mounts(account *corev1.ServiceAccount, secret string) bool {
	return slices.ContainsFunc(account.Secrets, func(r corev1.ObjectReference) bool { return r.Name == secret })
}

func refersTo(account *corev1.ServiceAccount, secret string) bool {
	return account.Annotations[refAnnotation] == secret && pulls(account, secret) && mounts(account, secret)
}

// refer repeats the entries it found and appends its own, guarded by the resourceVersion that was read.
func (b *bound) refer(ctx context.Context, account *corev1.ServiceAccount, secret string) (*corev1.ServiceAccount, error) {
	patch := applycore.ServiceAccount(account.Name, account.Namespace).
		WithUID(account.UID).WithResourceVersion(account.ResourceVersion).
		WithAnnotations(map[string]string{refAnnotation: secret})
	for _, reference := range account.ImagePullSecrets {
		patch.WithImagePullSecrets(applycore.LocalObjectReference().WithName(reference.Name))
	}
	if !pulls(account, secret) {
		patch.WithImagePullSecrets(applycore.LocalObjectReference().WithName(secret))
	}
	for _, reference := range account.Secrets {
		patch.WithSecrets(applycore.ObjectReference().WithName(reference.Name))
	}
	if !mounts(account, secret) {
		patch.WithSecrets(applycore.ObjectReference().WithName(secret))
	}
	return b.client.CoreV1().ServiceAccounts(account.Namespace).Apply(ctx, patch, applyAs(accountManager))
}

func applyAs(manager string) metav1.ApplyOptions {
	return metav1.ApplyOptions{FieldManager: manager, Force: true}
}

// ensureSecret makes the secret empty, or gives it back what marks it as this account's; content stays.
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
		return b.adopt(ctx, existing, account)
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
	if b.orphaned(account, secret) {
		options := metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &secret.UID}}
		return ignoreNotFound(b.client.CoreV1().Secrets(namespace).Delete(ctx, name, options))
	}
	if left := b.freshFor(secret); left > 0 {
		b.filling.AddAfter(key, left)
		return nil
	}
	return ignoreGone(b.fill(ctx, account, secret))
}

// orphaned is a managed secret whose account has another managed secret and does not list this one.
func (b *bound) orphaned(account *corev1.ServiceAccount, secret *corev1.Secret) bool {
	named := account.Annotations[refAnnotation]
	if named == "" || named == secret.Name || pulls(account, secret.Name) || mounts(account, secret.Name) {
		return false
	}
	other, err := b.secrets.Secrets(account.Namespace).Get(named)
	return err == nil && other.Annotations[accountAnnotation] == account.Name
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
