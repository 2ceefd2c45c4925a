// The image stream that a push into the integrated registry leaves in the API, as the real registry does by an
// ImageStreamMapping: the stream when it is missing, and the tag's newest item.
package main

import (
	"context"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// recordPush writes the stream of NAMESPACE/NAME:TAG. A project that does not exist has no streams: the lab's registry takes its
// images all the same.
func (o *openshift) recordPush(ctx context.Context, image string, pushed digest.Digest) error {
	repository, tag, err := splitImage(image)
	if err != nil {
		return err
	}
	namespace, name, _ := strings.Cut(repository, "/")
	client := o.dynamic.Resource(imageStreams.versioned()).Namespace(namespace)
	return poll(ctx, 30*time.Millisecond, func() (bool, error) {
		stream, err := client.Get(ctx, name, metav1.GetOptions{})
		missing := apierrors.IsNotFound(err)
		if err != nil && !missing {
			return false, err
		}
		if missing {
			stream = &unstructured.Unstructured{Object: map[string]any{}}
			stream.SetAPIVersion(imageStreams.versioned().GroupVersion().String())
			stream.SetKind(imageStreams.kind)
			stream.SetName(name)
		}
		if !addPush(stream.Object, o.hostname+"/"+repository, tag, pushed, time.Now()) {
			return true, nil
		}
		if missing {
			_, err = client.Create(ctx, stream, metav1.CreateOptions{})
		} else {
			_, err = client.Update(ctx, stream, metav1.UpdateOptions{})
		}
		if apierrors.IsConflict(err) || apierrors.IsAlreadyExists(err) {
			return false, nil
		}
		return true, ignoreNotFound(err)
	})
}

// addPush puts an item at the head of the tag's, and says whether the stream is another then: the same image again is no new item.
func addPush(stream map[string]any, repository, tag string, pushed digest.Digest, now time.Time) bool {
	if _, found, _ := unstructured.NestedMap(stream, "spec", "lookupPolicy"); !found {
		_ = unstructured.SetNestedField(stream, false, "spec", "lookupPolicy", "local")
	}
	_ = unstructured.SetNestedField(stream, repository, "status", "dockerImageRepository")
	tags, _, _ := unstructured.NestedSlice(stream, "status", "tags")
	at := -1
	for i := range tags {
		if known, ok := tags[i].(map[string]any); ok && known["tag"] == tag {
			at = i
		}
	}
	if at < 0 {
		tags = append(tags, map[string]any{"tag": tag})
		at = len(tags) - 1
	}
	known := tags[at].(map[string]any)
	items, _ := known["items"].([]any)
	if len(items) > 0 {
		if newest, ok := items[0].(map[string]any); ok && newest["image"] == pushed.String() {
			return false
		}
	}
	item := map[string]any{
		"created": now.UTC().Format(time.RFC3339), "generation": int64(1),
		"dockerImageReference": repository + "@" + pushed.String(), "image": pushed.String(),
	}
	known["items"] = append([]any{item}, items...)
	delete(known, "conditions") // a success takes a failed import's condition away
	return unstructured.SetNestedSlice(stream, tags, "status", "tags") == nil
}
