// Imports of image streams. On OpenShift an ImageStreamImport is a question: its create does the import and answers with a status,
// and only the stream is stored. Here it is a custom resource whose create passes this webhook, which does the import, puts the status
// into the answer, and removes what was stored (openshift-apiserver pkg/image/apiserver/registry/imagestreamimport/rest.go).
package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"slices"
	"time"

	admissionv1 "k8s.io/api/admission/v1"
	registrationv1 "k8s.io/api/admissionregistration/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/utils/ptr"
)

var imageStreamImports = resource{imageStreams.group, "imagestreamimports", "ImageStreamImport", inNamespace, ""}

const (
	importHook    = "imports.lab.openshift-ops.example.com"
	importSeconds = 30 // the longest that an API server waits for a webhook
)

// imports answers the webhook.
type imports struct {
	openshift *openshift
	registry  *http.Client
	server    *http.Server
}

// importRequest is what is read of an ImageStreamImport.
type importRequest struct {
	Metadata struct {
		Name            string `json:"name"`
		Namespace       string `json:"namespace"`
		ResourceVersion string `json:"resourceVersion"`
	} `json:"metadata"`
	Spec struct {
		Import bool          `json:"import"`
		Images []wantedInTag `json:"images"`
	} `json:"spec"`
}

// wantedInTag is one image to be imported.
type wantedInTag struct {
	From struct {
		Kind string `json:"kind"`
		Name string `json:"name"`
	} `json:"from"`
	To *struct {
		Name string `json:"name"`
	} `json:"to"`
	ImportPolicy    map[string]any `json:"importPolicy"`
	ReferencePolicy map[string]any `json:"referencePolicy"`
}

// startImports returns once every create of an ImageStreamImport is answered.
func startImports(ctx context.Context, o *openshift, ca *authority) (*imports, error) {
	pair, err := ca.server()
	if err != nil {
		return nil, err
	}
	certificate, err := tls.X509KeyPair(pair.cert, pair.key)
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca.pem)
	i := &imports{openshift: o, registry: &http.Client{
		Timeout:   importSeconds * time.Second / 2,
		Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}},
	}}
	i.server = &http.Server{
		Handler: http.HandlerFunc(i.serve), ReadHeaderTimeout: importSeconds * time.Second,
		TLSConfig: &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12},
	}
	go func() { _ = i.server.ServeTLS(listener, "", "") }()
	if err = i.register(ctx, "https://"+listener.Addr().String(), ca); err == nil {
		err = i.waitRegistered(ctx)
	}
	if err != nil {
		i.stop()
		return nil, err
	}
	return i, nil
}

func (i *imports) stop() { i.server.Close() }

func (i *imports) register(ctx context.Context, url string, ca *authority) error {
	_, err := i.openshift.core.AdmissionregistrationV1().MutatingWebhookConfigurations().Create(ctx,
		&registrationv1.MutatingWebhookConfiguration{
			ObjectMeta: metav1.ObjectMeta{Name: importHook},
			Webhooks: []registrationv1.MutatingWebhook{{
				Name: importHook, AdmissionReviewVersions: []string{"v1"}, TimeoutSeconds: ptr.To[int32](importSeconds),
				ClientConfig:  registrationv1.WebhookClientConfig{URL: &url, CABundle: ca.pem},
				SideEffects:   ptr.To(registrationv1.SideEffectClassNoneOnDryRun),
				FailurePolicy: ptr.To(registrationv1.Fail),
				Rules: []registrationv1.RuleWithOperations{{
					Operations: []registrationv1.OperationType{registrationv1.Create},
					Rule: registrationv1.Rule{
						APIGroups: []string{imageStreamImports.group}, APIVersions: []string{"v1"}, Resources: []string{imageStreamImports.plural},
					},
				}},
			}},
		}, metav1.CreateOptions{})
	return err
}

// waitRegistered asks with an import of nothing: an API server knows a new webhook only after a while.
func (i *imports) waitRegistered(ctx context.Context) error {
	client := i.openshift.dynamic.Resource(imageStreamImports.versioned()).Namespace(metav1.NamespaceDefault)
	return poll(ctx, 30*time.Millisecond, func() (bool, error) {
		object := &unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{"import": false}}}
		object.SetAPIVersion(imageStreamImports.versioned().GroupVersion().String())
		object.SetKind(imageStreamImports.kind)
		object.SetName("lab")
		answer, err := client.Create(ctx, object, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
		if apierrors.IsNotFound(err) {
			return false, nil // the resource is not served yet
		}
		if err != nil {
			return false, err
		}
		_, answered := answer.Object["status"]
		return answered, nil
	})
}

func (i *imports) serve(w http.ResponseWriter, request *http.Request) {
	var review admissionv1.AdmissionReview
	if err := json.NewDecoder(request.Body).Decode(&review); err != nil || review.Request == nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	response := i.answer(request.Context(), review.Request)
	response.UID = review.Request.UID
	review.Request, review.Response = nil, response
	writeJSON(w, http.StatusOK, review)
}

// answer does the import and makes the patch that shows its status; or it refuses the create.
func (i *imports) answer(ctx context.Context, request *admissionv1.AdmissionRequest) *admissionv1.AdmissionResponse {
	var wanted importRequest
	err := json.Unmarshal(request.Object.Raw, &wanted)
	if err != nil {
		err = apierrors.NewBadRequest(err.Error())
	}
	// A dry run changes nothing here. On OpenShift it is not known, and imports.
	dry := ptr.Deref(request.DryRun, false)
	var status map[string]any
	if err == nil {
		wanted.Metadata.Namespace = request.Namespace
		status, err = i.carryOut(ctx, request, wanted, wanted.Spec.Import && !dry)
	}
	if err != nil {
		return refused(err)
	}
	patch := []map[string]any{{"op": "add", "path": "/status", "value": status}}
	if wanted.Metadata.ResourceVersion != "" {
		// It is that of the stream; no object may be created with one.
		patch = append(patch, map[string]any{"op": "remove", "path": "/metadata/resourceVersion"})
	}
	content, err := json.Marshal(patch)
	if err != nil {
		return refused(err)
	}
	if !dry {
		i.forget(ctx, wanted.Metadata.Namespace, wanted.Metadata.Name)
	}
	return &admissionv1.AdmissionResponse{Allowed: true, Patch: content, PatchType: ptr.To(admissionv1.PatchTypeJSONPatch)}
}

func refused(err error) *admissionv1.AdmissionResponse {
	var known apierrors.APIStatus
	if !errors.As(err, &known) {
		known = apierrors.NewInternalError(err)
	}
	status := known.Status()
	return &admissionv1.AdmissionResponse{Result: &status}
}

// forget removes what an earlier create has stored under the name, and soon what this one stores.
func (i *imports) forget(ctx context.Context, namespace, name string) {
	client := i.openshift.dynamic.Resource(imageStreamImports.versioned()).Namespace(namespace)
	_ = client.Delete(ctx, name, metav1.DeleteOptions{})
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), importSeconds*time.Second)
		defer cancel()
		for ctx.Err() == nil && client.Delete(ctx, name, metav1.DeleteOptions{}) != nil {
			time.Sleep(5 * time.Millisecond)
		}
	}()
}

// carryOut imports all images, and with record leaves them in the stream.
func (i *imports) carryOut(
	ctx context.Context, request *admissionv1.AdmissionRequest, wanted importRequest, record bool,
) (map[string]any, error) {
	rules, err := i.rules(ctx, request, wanted)
	if err != nil {
		return nil, err
	}
	stream, isNew, err := i.stream(ctx, wanted)
	if err != nil {
		return nil, err
	}
	logins, err := i.logins(ctx, wanted.Metadata.Namespace)
	if err != nil {
		return nil, err
	}
	found := make([]importedImage, len(wanted.Spec.Images))
	answers := make([]any, len(found))
	for at, image := range wanted.Spec.Images {
		found[at] = i.fetch(ctx, image.From.Name, rules, logins)
		answers[at] = found[at].answer()
	}
	status := map[string]any{"images": answers}
	if !record {
		return status, nil
	}
	addImports(stream, wanted.Spec.Images, found, time.Now())
	client := i.openshift.dynamic.Resource(imageStreams.versioned()).Namespace(wanted.Metadata.Namespace)
	if isNew {
		stream, err = client.Create(ctx, stream, metav1.CreateOptions{})
	} else {
		stream, err = client.Update(ctx, stream, metav1.UpdateOptions{})
	}
	if err != nil {
		return nil, err
	}
	status["import"] = stream.Object
	return status, nil
}

// stream is the one that is named, or a new one; a version that is given must be its.
func (i *imports) stream(ctx context.Context, wanted importRequest) (*unstructured.Unstructured, bool, error) {
	name, version := wanted.Metadata.Name, wanted.Metadata.ResourceVersion
	client := i.openshift.dynamic.Resource(imageStreams.versioned()).Namespace(wanted.Metadata.Namespace)
	stream, err := client.Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) && version == "" {
		stream = &unstructured.Unstructured{Object: map[string]any{}}
		stream.SetAPIVersion(imageStreams.versioned().GroupVersion().String())
		stream.SetKind(imageStreams.kind)
		stream.SetName(name)
		return stream, true, nil
	}
	if err != nil {
		return nil, false, err
	}
	if version != "" && version != stream.GetResourceVersion() {
		return nil, false, apierrors.NewConflict(
			schema.GroupResource{Group: imageStreams.group, Resource: "imagestream"}, name,
			fmt.Errorf("the image stream was updated from %q to %q", version, stream.GetResourceVersion()))
	}
	return stream, false, nil
}

// importRules is what images.config.openshift.io/cluster says of imports.
type importRules struct {
	Sources registrySources `json:"registrySources"`
	Allowed []struct {
		DomainName string `json:"domainName"`
	} `json:"allowedRegistriesForImport"`
}

// rules also refuses registries that are not allowed, except to a caller who may create images anyway.
func (i *imports) rules(ctx context.Context, request *admissionv1.AdmissionRequest, wanted importRequest) (importRules, error) {
	var rules importRules
	config, err := i.openshift.dynamic.Resource(imageConfigs.versioned()).Get(ctx, "cluster", metav1.GetOptions{})
	if err != nil {
		return rules, apierrors.NewInternalError(err)
	}
	if err := specOf(*config, &rules); err != nil || len(rules.Allowed) == 0 {
		return rules, err
	}
	review, err := i.openshift.core.AuthorizationV1().SubjectAccessReviews().Create(ctx, &authorizationv1.SubjectAccessReview{
		Spec: authorizationv1.SubjectAccessReviewSpec{
			User: request.UserInfo.Username, Groups: request.UserInfo.Groups,
			ResourceAttributes: &authorizationv1.ResourceAttributes{Verb: "create", Group: imageStreams.group, Resource: "images"},
		},
	}, metav1.CreateOptions{})
	if err != nil || review.Status.Allowed {
		return rules, err
	}
	var refused field.ErrorList
	for at, image := range wanted.Spec.Images {
		if host := hostOf(image.From.Name); !rules.allows(host) {
			path := field.NewPath("spec", "images").Index(at).Child("from", "name")
			refused = append(refused, field.Forbidden(path, fmt.Sprintf("importing images from registry %q is forbidden", host)))
		}
	}
	if len(refused) == 0 {
		return rules, nil
	}
	kind := schema.GroupKind{Group: imageStreams.group, Kind: imageStreamImports.kind}
	return rules, apierrors.NewInvalid(kind, wanted.Metadata.Name, refused)
}

func (r importRules) allows(host string) bool {
	name, _, err := net.SplitHostPort(host)
	if err != nil {
		name = host
	}
	for _, allowed := range r.Allowed {
		if allowed.DomainName == host || allowed.DomainName == name {
			return true
		}
	}
	return false
}

// addImports writes what was imported, and what was not, into spec and status of the stream.
func addImports(stream *unstructured.Unstructured, wanted []wantedInTag, found []importedImage, now time.Time) {
	generation := stream.GetGeneration() + 1
	annotations := stream.GetAnnotations()
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations["openshift.io/image.dockerRepositoryCheck"] = now.UTC().Format(time.RFC3339)
	stream.SetAnnotations(annotations)
	for at, image := range wanted {
		if image.To == nil {
			continue
		}
		spec := named(stream, "spec", "name", image.To.Name)
		status := named(stream, "status", "tag", image.To.Name)
		if found[at].failure != nil {
			if spec["from"] == nil {
				setSource(spec, image, generation)
			}
			setFailure(status, found[at].failure, generation, now)
		} else {
			setImage(spec, status, image, found[at], generation, now)
		}
		put(stream, "spec", "name", spec)
		put(stream, "status", "tag", status)
	}
}

func setImage(spec, status map[string]any, image wantedInTag, found importedImage, generation int64, now time.Time) {
	delete(status, "conditions")
	items, _ := status["items"].([]any)
	newest := map[string]any{}
	if len(items) > 0 {
		newest, _ = items[0].(map[string]any)
	}
	if newest["image"] != found.digest.String() || newest["dockerImageReference"] != found.reference || spec["from"] == nil {
		setSource(spec, image, generation)
		status["items"] = append([]any{map[string]any{
			"created": now.UTC().Format(time.RFC3339), "dockerImageReference": found.reference,
			"image": found.digest.String(), "generation": generation,
		}}, items...)
	}
	spec["importPolicy"] = orEmpty(image.ImportPolicy)
}

// setSource leaves a reference policy as it is: an import does not change it.
func setSource(spec map[string]any, image wantedInTag, generation int64) {
	spec["from"] = map[string]any{"kind": "DockerImage", "name": image.From.Name}
	spec["generation"] = generation
	spec["importPolicy"] = orEmpty(image.ImportPolicy)
	if known, _ := spec["referencePolicy"].(map[string]any); known["type"] == nil {
		spec["referencePolicy"] = map[string]any{"type": cmp.Or(textOf(image.ReferencePolicy["type"]), "Source")}
	}
}

// setFailure keeps a condition that says the same: its time is that of the first failure.
func setFailure(status map[string]any, failure *metav1.Status, generation int64, now time.Time) {
	condition := map[string]any{
		"type": "ImportSuccess", "status": "False", "reason": string(failure.Reason), "message": failure.Message,
		"generation": generation, "lastTransitionTime": now.UTC().Format(time.RFC3339),
	}
	known, _ := status["conditions"].([]any)
	if !slices.ContainsFunc(known, func(each any) bool {
		old, _ := each.(map[string]any)
		return old["type"] == condition["type"] && old["reason"] == condition["reason"] && old["message"] == condition["message"]
	}) {
		status["conditions"] = []any{condition}
	}
	if status["items"] == nil {
		status["items"] = []any{}
	}
}

// named is the tag of a name in spec or status, or an empty one with that name.
func named(stream *unstructured.Unstructured, part, key, name string) map[string]any {
	tags, _, _ := unstructured.NestedSlice(stream.Object, part, "tags")
	for _, each := range tags {
		if tag, ok := each.(map[string]any); ok && tag[key] == name {
			return tag
		}
	}
	return map[string]any{key: name}
}

// put replaces the tag of that name, or adds it.
func put(stream *unstructured.Unstructured, part, key string, tag map[string]any) {
	tags, _, _ := unstructured.NestedSlice(stream.Object, part, "tags")
	at := slices.IndexFunc(tags, func(each any) bool {
		known, ok := each.(map[string]any)
		return ok && known[key] == tag[key]
	})
	if at < 0 {
		tags = append(tags, tag)
	} else {
		tags[at] = tag
	}
	if err := unstructured.SetNestedSlice(stream.Object, tags, part, "tags"); err != nil {
		log.Printf("import: %v", err)
	}
}

func orEmpty(given map[string]any) map[string]any {
	if given == nil {
		return map[string]any{}
	}
	return given
}

func textOf(value any) string {
	text, _ := value.(string)
	return text
}
