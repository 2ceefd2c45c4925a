// The role binding by which the pods of a namespace may pull the images of that namespace.
package main

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	informerrbac "k8s.io/client-go/informers/rbac/v1"
	listers "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"
)

const (
	pullerRole         = "system:image-puller"
	pullersBinding     = "system:image-pullers"
	pullersDescription = "Allows all pods in this namespace to pull images from this namespace.  It is auto-managed by a controller; remove subjects to disable."
)

type pullers struct {
	*controller
	namespaces listers.NamespaceLister
	bindings   cache.Indexer
}

// newPullers makes the binding where it is missing, also after a deletion; an edited one is left as it is.
func newPullers(c *controller) {
	p := &pullers{controller: c}
	q := c.addQueue(p.sync)
	namespaces := c.informers.Core().V1().Namespaces()
	p.namespaces = namespaces.Lister()
	_, _ = namespaces.Informer().AddEventHandler(enqueue(q, metav1.Object.GetName))
	bindings := informerrbac.NewFilteredRoleBindingInformer(c.client, metav1.NamespaceAll, 0, cache.Indexers{},
		func(options *metav1.ListOptions) { options.FieldSelector = "metadata.name=" + pullersBinding })
	c.addInformer(bindings)
	p.bindings = bindings.GetIndexer()
	_, _ = bindings.AddEventHandler(enqueue(q, metav1.Object.GetNamespace))
}

func (p *pullers) sync(ctx context.Context, name string) error {
	namespace, err := p.namespaces.Get(name)
	if err != nil || namespace.Status.Phase == corev1.NamespaceTerminating {
		return ignoreNotFound(err)
	}
	if _, exists, err := p.bindings.GetByKey(name + "/" + pullersBinding); exists || err != nil {
		return err
	}
	binding := &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{
			Name: pullersBinding, Namespace: name,
			Annotations: map[string]string{"openshift.io/description": pullersDescription},
		},
		Subjects: []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.GroupKind, Name: "system:serviceaccounts:" + name}},
		RoleRef:  rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: pullerRole},
	}
	_, err = p.client.RbacV1().RoleBindings(name).Create(ctx, binding, metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	return ignoreGone(err)
}
