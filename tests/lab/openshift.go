// OpenShift's share of the API: the puller role, the API groups by which clients know an OpenShift
// cluster, and the objects that say whether the integrated registry is there.
package main

import (
	"cmp"
	"context"
	"errors"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	extensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	extensions "k8s.io/apiextensions-apiserver/pkg/client/clientset/clientset"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/utils/ptr"
)

type openshift struct {
	core       kubernetes.Interface
	extensions extensions.Interface
	dynamic    dynamic.Interface
	hostname   string // the integrated registry's host:port
	bundle     []byte // the authorities that all nodes trust
}

// resource is one custom resource that stands for an OpenShift API. Its version is v1 where none is said.
type resource struct {
	group, plural, kind string
	scope               extensionsv1.ResourceScope
	version             string
}

const (
	inCluster   = extensionsv1.ClusterScoped
	inNamespace = extensionsv1.NamespaceScoped
)

var (
	clusterVersions  = resource{"config.openshift.io", "clusterversions", "ClusterVersion", inCluster, ""}
	clusterOperators = resource{"config.openshift.io", "clusteroperators", "ClusterOperator", inCluster, ""}
	imageConfigs     = resource{"config.openshift.io", "images", "Image", inCluster, ""}
	registryConfigs  = resource{"imageregistry.operator.openshift.io", "configs", "Config", inCluster, ""}
	imageStreams     = resource{"image.openshift.io", "imagestreams", "ImageStream", inNamespace, ""}
	projects         = resource{"project.openshift.io", "projects", "Project", inCluster, ""}
)

// The sources of the nodes' registry settings.
var (
	digestMirrorSets = resource{"config.openshift.io", "imagedigestmirrorsets", "ImageDigestMirrorSet", inCluster, ""}
	tagMirrorSets    = resource{"config.openshift.io", "imagetagmirrorsets", "ImageTagMirrorSet", inCluster, ""}
	sourcePolicies   = resource{"operator.openshift.io", "imagecontentsourcepolicies", "ImageContentSourcePolicy", inCluster, "v1alpha1"}
	clusterPolicies  = resource{"config.openshift.io", "clusterimagepolicies", "ClusterImagePolicy", inCluster, ""}
	imagePolicies    = resource{"config.openshift.io", "imagepolicies", "ImagePolicy", inNamespace, ""}
)

// Resources that only clients of the lab read.
var (
	credentialProviders = resource{"config.openshift.io", "criocredentialproviderconfigs", "CRIOCredentialProviderConfig", inCluster, ""}
	deploymentConfigs   = resource{"apps.openshift.io", "deploymentconfigs", "DeploymentConfig", inNamespace, ""}
	buildConfigs        = resource{"build.openshift.io", "buildconfigs", "BuildConfig", inNamespace, ""}
	catalogSources      = resource{"operators.coreos.com", "catalogsources", "CatalogSource", inNamespace, "v1alpha1"}
	serviceVersions     = resource{"operators.coreos.com", "clusterserviceversions", "ClusterServiceVersion", inNamespace, "v1alpha1"}
)

// The integrated registry's Service, by whose names pods reach it.
const (
	registryNamespace = "openshift-image-registry"
	registryService   = "image-registry"
	registryPort      = 5000
	registryIP        = "10.0.0.48"
)

func (r resource) versioned() schema.GroupVersionResource {
	return schema.GroupVersionResource{Group: r.group, Version: cmp.Or(r.version, "v1"), Resource: r.plural}
}

func newOpenShift(config *rest.Config, hostname string, bundle []byte) (*openshift, error) {
	core, err1 := kubernetes.NewForConfig(config)
	ext, err2 := extensions.NewForConfig(config)
	dyn, err3 := dynamic.NewForConfig(config)
	return &openshift{core, ext, dyn, hostname, bundle}, errors.Join(err1, err2, err3)
}

func (o *openshift) install(ctx context.Context, mode string) error {
	if err := o.installRole(ctx); err != nil {
		return err
	}
	all := []resource{
		clusterVersions, clusterOperators, imageConfigs, registryConfigs, imageStreams, imageStreamImports, projects,
		digestMirrorSets, tagMirrorSets, sourcePolicies, clusterPolicies, imagePolicies,
		credentialProviders, deploymentConfigs, buildConfigs, catalogSources, serviceVersions,
	}
	if err := atOnce(all, func(r resource) error {
		if err := o.define(ctx, r); err != nil {
			return err
		}
		return o.waitEstablished(ctx, r)
	}); err != nil {
		return err
	}
	for _, name := range []string{"openshift-config", registryNamespace} {
		namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}
		if _, err := o.core.CoreV1().Namespaces().Create(ctx, namespace, metav1.CreateOptions{}); err != nil {
			return err
		}
	}
	bundle := &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: "user-ca-bundle"},
		Data:       map[string]string{"ca-bundle.crt": string(o.bundle)},
	}
	if _, err := o.core.CoreV1().ConfigMaps("openshift-config").Create(ctx, bundle, metav1.CreateOptions{}); err != nil {
		return err
	}
	return o.describe(ctx, mode)
}

// atOnce does the same with all in parallel, and returns the errors.
func atOnce[T any](all []T, do func(T) error) error {
	failures := make([]error, len(all))
	var group sync.WaitGroup
	for i, one := range all {
		group.Go(func() { failures[i] = do(one) })
	}
	group.Wait()
	return errors.Join(failures...)
}

func (o *openshift) installRole(ctx context.Context) error {
	role := &rbacv1.ClusterRole{
		ObjectMeta: metav1.ObjectMeta{Name: pullerRole},
		Rules: []rbacv1.PolicyRule{{
			APIGroups: []string{"", "image.openshift.io"},
			Resources: []string{"imagestreams/layers"},
			Verbs:     []string{"get"},
		}},
	}
	_, err := o.core.RbacV1().ClusterRoles().Create(ctx, role, metav1.CreateOptions{})
	return err
}

func (o *openshift) define(ctx context.Context, r resource) error {
	definition := &extensionsv1.CustomResourceDefinition{
		ObjectMeta: metav1.ObjectMeta{Name: r.plural + "." + r.group},
		Spec: extensionsv1.CustomResourceDefinitionSpec{
			Group: r.group,
			Scope: r.scope,
			Names: extensionsv1.CustomResourceDefinitionNames{Plural: r.plural, Kind: r.kind},
			Versions: []extensionsv1.CustomResourceDefinitionVersion{{
				Name: r.versioned().Version, Served: true, Storage: true,
				Schema: &extensionsv1.CustomResourceValidation{OpenAPIV3Schema: &extensionsv1.JSONSchemaProps{
					Type: "object", XPreserveUnknownFields: ptr.To(true),
				}},
			}},
		},
	}
	_, err := o.extensions.ApiextensionsV1().CustomResourceDefinitions().Create(ctx, definition, metav1.CreateOptions{})
	return err
}

func (o *openshift) waitEstablished(ctx context.Context, r resource) error {
	client := o.extensions.ApiextensionsV1().CustomResourceDefinitions()
	return poll(ctx, 30*time.Millisecond, func() (bool, error) {
		definition, err := client.Get(ctx, r.plural+"."+r.group, metav1.GetOptions{})
		if err != nil {
			return false, err
		}
		for _, condition := range definition.Status.Conditions {
			if condition.Type == extensionsv1.Established && condition.Status == extensionsv1.ConditionTrue {
				return true, nil
			}
		}
		return false, nil
	})
}

// describe makes the cluster's own description fit the provisioner's mode.
func (o *openshift) describe(ctx context.Context, mode string) error {
	removed := mode == modeRemoved
	version, hostname, reason, management := "4.20.0", o.hostname, "Ready", "Managed"
	if mode == modeLegacy {
		version = "4.14.0"
	}
	if removed {
		hostname, reason, management = "", "Removed", "Removed"
	}
	if err := o.serve(ctx, !removed); err != nil {
		return err
	}
	available := map[string]any{"type": "Available", "status": "True", "reason": reason}
	imageStatus := map[string]any{}
	if hostname != "" {
		imageStatus["internalRegistryHostname"] = hostname
	}
	for _, object := range []struct {
		resource resource
		name     string
		content  map[string]any
	}{
		{clusterVersions, "version", map[string]any{"status": map[string]any{
			"desired": map[string]any{"version": version},
			"capabilities": map[string]any{
				"enabledCapabilities": []any{"Build", "DeploymentConfig", "ImageRegistry"},
				"knownCapabilities":   []any{"Build", "Console", "DeploymentConfig", "ImageRegistry", "MachineAPI"},
			},
		}}},
		{clusterOperators, "image-registry", map[string]any{"status": map[string]any{"conditions": []any{available}}}},
		{imageConfigs, "cluster", map[string]any{"status": imageStatus}},
		{registryConfigs, "cluster", map[string]any{"spec": map[string]any{"managementState": management}}},
	} {
		if err := o.put(ctx, object.resource, object.name, object.content); err != nil {
			return err
		}
	}
	return nil
}

// serve makes the registry's Service be there or not.
func (o *openshift) serve(ctx context.Context, there bool) error {
	client := o.core.CoreV1().Services(registryNamespace)
	if !there {
		return ignoreNotFound(client.Delete(ctx, registryService, metav1.DeleteOptions{}))
	}
	service := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: registryService},
		Spec:       corev1.ServiceSpec{ClusterIP: registryIP, Ports: []corev1.ServicePort{{Port: registryPort}}},
	}
	// It is looked for first: one that is there is refused for its address, not as one that is there.
	_, err := client.Get(ctx, registryService, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		_, err = client.Create(ctx, service, metav1.CreateOptions{})
	}
	return err
}

// put creates or replaces one object. A resource just defined may not be served yet: not found is tried again.
func (o *openshift) put(ctx context.Context, r resource, name string, content map[string]any) error {
	client := o.dynamic.Resource(r.versioned())
	object := &unstructured.Unstructured{Object: content}
	object.SetAPIVersion(r.versioned().GroupVersion().String())
	object.SetKind(r.kind)
	object.SetName(name)
	return poll(ctx, 30*time.Millisecond, func() (bool, error) {
		existing, err := client.Get(ctx, name, metav1.GetOptions{})
		if err == nil {
			object.SetResourceVersion(existing.GetResourceVersion())
			_, err = client.Update(ctx, object, metav1.UpdateOptions{})
		} else if apierrors.IsNotFound(err) {
			_, err = client.Create(ctx, object, metav1.CreateOptions{})
		}
		if apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
			return false, nil
		}
		return err == nil, err
	})
}

// waitForDefaultAccount is the last step of a start: the controllers work.
func waitForDefaultAccount(ctx context.Context, config *rest.Config) error {
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	return poll(ctx, 30*time.Millisecond, func() (bool, error) {
		_, err := client.CoreV1().ServiceAccounts("default").Get(ctx, "default", metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return false, nil
		}
		return err == nil, err
	})
}
