// The runtime as the kubelet sees it in one pull: which image is present, and a pull with each credential in turn.
package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"go.podman.io/image/v5/docker/reference"
	"go.podman.io/image/v5/types"
	corev1 "k8s.io/api/core/v1"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"
	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"
	"k8s.io/kubernetes/pkg/credentialprovider"
	kubecontainer "k8s.io/kubernetes/pkg/kubelet/container"
)

// imageService serves one image of one pod, and keeps what was tried.
type imageService struct {
	node      *node
	namespace string
	system    *types.SystemContext
	secrets   []corev1.Secret
	origins   []credential

	asked  bool // a registry was asked
	tried  []attempt
	failed error // of the first pull that failed
	pulled pulledImage
}

// errTooManyPulls is the kubelet's own refusal (pkg/kubelet/images/helpers.go): it asks no registry.
var errTooManyPulls = errors.New("pull QPS exceeded")

// PullImage tries one credential after the other, as the kubelet's runtime manager does; without any the node's own file decides.
func (s *imageService) PullImage(ctx context.Context, spec kubecontainer.ImageSpec, credentials []credentialprovider.TrackedAuthConfig,
	_ *runtimeapi.PodSandboxConfig) (string, *credentialprovider.TrackedAuthConfig, error) {
	s.asked = true
	if s.node.limiter != nil && !s.node.limiter.TryAccept() {
		s.failed = errTooManyPulls
		return "", nil, errTooManyPulls
	}
	if len(credentials) == 0 {
		err := s.pull(ctx, spec.Image, credentialprovider.AuthConfig{})
		if err != nil {
			return "", nil, errors.New(s.text(err, credentials))
		}
		return s.pulledRef(), nil, nil
	}
	var failures []error
	origins := slices.Clone(s.origins)
	for _, match := range credentials {
		var origin credential
		origin, origins = originOf(match, origins)
		err := s.pull(ctx, spec.Image, match.AuthConfig)
		s.tried = append(s.tried, attempt{origin.secret, origin.key, s.node.result(spec.Image, err)})
		if err == nil {
			return s.pulledRef(), &match, nil
		}
		failures = append(failures, errors.New(s.text(err, credentials)))
	}
	return "", nil, utilerrors.NewAggregate(failures)
}

// pull tries one credential. One with an empty user name is none to CRI-O, which then looks into the node's file.
func (s *imageService) pull(ctx context.Context, image string, auth credentialprovider.AuthConfig) error {
	var login *types.DockerAuthConfig
	if auth.Username != "" {
		login = &types.DockerAuthConfig{Username: auth.Username, Password: auth.Password}
	}
	system, end := s.node.root.takeAuthFile(s.system, s.namespace, image)
	defer end()
	pulled, err := s.node.fromRegistry(ctx, system, image, login)
	if err == nil {
		s.pulled = pulled
		return s.node.store.keep(pulled)
	}
	err = withoutValue(err, auth)
	if s.failed == nil {
		s.failed = err
	}
	return err
}

// fromRegistry pulls as the node's runtime does.
func (n *node) fromRegistry(ctx context.Context, system *types.SystemContext, image string, login *types.DockerAuthConfig) (pulledImage, error) {
	if n.options.runtime == runtimeContainerd {
		return fetchImage(ctx, system, image, login)
	}
	return pullAny(ctx, system, image, login, n.options.whole)
}

func (s *imageService) text(err error, credentials []credentialprovider.TrackedAuthConfig) string {
	inRuntimesWords := toKubelet
	if s.node.options.runtime == runtimeContainerd {
		inRuntimesWords = inWire
	}
	text := s.node.root.asOnNode(inRuntimesWords(err))
	for _, match := range credentials {
		text = withoutPassword(text, match.Password)
	}
	return text
}

// GetImageRef says whether an image is present; a name of several registries may be any of them.
func (s *imageService) GetImageRef(_ context.Context, spec kubecontainer.ImageSpec) (string, error) {
	names, err := candidates(s.system, spec.Image)
	if err != nil {
		// The runtime's errors reach the kubelet as they come over the wire, except those of a pull.
		return "", fmt.Errorf("rpc error: code = Unknown desc = %s", s.node.root.asOnNode(err.Error()))
	}
	for _, name := range names {
		if found, ok := s.node.store.find(name); ok {
			s.pulled = found
			return found.ID, nil
		}
	}
	return "", nil
}

// pulledRef is what a pull returns, by which the kubelet records it; GetImageRef gives the identity by which it looks for the record.
func (s *imageService) pulledRef() string {
	if s.node.options.digestRefs {
		return s.imageID()
	}
	return s.pulled.ID
}

// imageID is what the status of a container says of its image.
func (s *imageService) imageID() string {
	named, err := reference.ParseNamed(s.pulled.Name)
	if err != nil {
		return s.pulled.ID
	}
	return reference.TrimNamed(named).String() + "@" + s.pulled.Digest.String()
}

// GetImageSize is asked for an event only.
func (s *imageService) GetImageSize(context.Context, kubecontainer.ImageSpec) (uint64, error) {
	return 0, nil
}

// ListImages is asked when the kubelet starts, for pulls that were under way.
func (s *imageService) ListImages(context.Context) ([]kubecontainer.Image, error) {
	return s.node.store.list(), nil
}

var errUnused = errors.New("not needed for a pull")

// RemoveImage is not part of a pull.
func (s *imageService) RemoveImage(context.Context, kubecontainer.ImageSpec) error { return errUnused }

// ImageStats is not part of a pull.
func (s *imageService) ImageStats(context.Context) (*kubecontainer.ImageStats, error) {
	return nil, errUnused
}

// ImageFsInfo is not part of a pull.
func (s *imageService) ImageFsInfo(context.Context) (*runtimeapi.ImageFsInfoResponse, error) {
	return nil, errUnused
}
