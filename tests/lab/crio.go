// CRI-O's part of a pull, by its own library: short names, mirrors, blocked registries, credentials and the policy. The frames
// of the messages are those of CRI-O 1.36.
package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"

	"github.com/opencontainers/go-digest"
	"go.podman.io/image/v5/copy"
	"go.podman.io/image/v5/docker"
	"go.podman.io/image/v5/docker/reference"
	"go.podman.io/image/v5/image"
	"go.podman.io/image/v5/manifest"
	ocilayout "go.podman.io/image/v5/oci/layout"
	"go.podman.io/image/v5/pkg/shortnames"
	"go.podman.io/image/v5/signature"
	"go.podman.io/image/v5/transports"
	"go.podman.io/image/v5/types"
	crierrors "k8s.io/cri-api/pkg/errors"
)

// pulledImage is an image as the node stores it.
type pulledImage struct {
	Name   string        `json:"name"` // with tag or digest
	Digest digest.Digest `json:"digest"`
	ID     string        `json:"id"`
}

// candidates are the full names that a name of a pod may mean. In enforcing mode more than one is an error.
func candidates(system *types.SystemContext, name string) ([]reference.Named, error) {
	resolved, err := shortnames.Resolve(system, name)
	if err != nil {
		if strings.Contains(err.Error(), "short-name resolution enforced but cannot prompt without a TTY") {
			return nil, fmt.Errorf("short name mode is enforcing, but image name %s returns ambiguous list", name)
		}
		return nil, err
	}
	names := make([]reference.Named, 0, len(resolved.PullCandidates))
	for _, candidate := range resolved.PullCandidates {
		named := candidate.Value
		if canonical, ok := named.(reference.Canonical); ok {
			// Of a tag and a digest the digest counts; the library takes no name with both.
			if named, err = reference.WithDigest(reference.TrimNamed(named), canonical.Digest()); err != nil {
				return nil, err
			}
		}
		names = append(names, named)
	}
	return names, nil
}

// pullAny asks for one candidate after the other, with one credential or none; the last error counts.
func pullAny(ctx context.Context, system *types.SystemContext, name string, login *types.DockerAuthConfig, whole bool) (pulledImage, error) {
	with := *system
	with.DockerAuthConfig = login
	names, err := candidates(&with, name)
	if err != nil {
		return pulledImage{}, err
	}
	for _, candidate := range names {
		var pulled pulledImage
		if pulled, err = pullOne(ctx, &with, candidate, whole); err == nil {
			return pulled, nil
		}
	}
	return pulledImage{}, err
}

func pullOne(ctx context.Context, system *types.SystemContext, name reference.Named, whole bool) (pulledImage, error) {
	ctx, cancel := context.WithTimeout(ctx, pullPatience)
	defer cancel()
	read := readImage
	if whole {
		read = copyImage
	}
	pulled, err := read(ctx, system, name)
	if err != nil {
		return pulled, inFrame(err)
	}
	return pulled, nil
}

// copyImage copies all of an image to a directory, as CRI-O copies it to its storage.
func copyImage(ctx context.Context, system *types.SystemContext, name reference.Named) (pulledImage, error) {
	from, err := docker.NewReference(name)
	if err != nil {
		return pulledImage{}, err
	}
	directory, err := os.MkdirTemp(system.BigFilesTemporaryDir, "image-")
	if err != nil {
		return pulledImage{}, err
	}
	defer os.RemoveAll(directory)
	to, err := ocilayout.NewReference(directory, "")
	if err != nil {
		return pulledImage{}, err
	}
	judge, err := policyOf(system)
	if err != nil {
		return pulledImage{}, err
	}
	defer func() { _ = judge.Destroy() }()
	copied, err := copy.Image(ctx, judge, to, from, &copy.Options{SourceCtx: system, DestinationCtx: system})
	if err != nil {
		return pulledImage{}, err
	}
	return describeImage(name, copied, manifest.GuessMIMEType(copied))
}

func policyOf(system *types.SystemContext) (*signature.PolicyContext, error) {
	policy, err := signature.DefaultPolicy(system)
	if err != nil {
		return nil, err
	}
	return signature.NewPolicyContext(policy)
}

// readImage does what copy.Image does before it copies layers: the manifest from the first place that has it, of an index the platform's, then
// the policy.
func readImage(ctx context.Context, system *types.SystemContext, name reference.Named) (pulledImage, error) {
	from, err := docker.NewReference(name)
	if err != nil {
		return pulledImage{}, err
	}
	judge, err := policyOf(system)
	if err != nil {
		return pulledImage{}, err
	}
	defer func() { _ = judge.Destroy() }()
	source, err := from.NewImageSource(ctx, system)
	if err != nil {
		return pulledImage{}, notOpened{transports.ImageName(from), err}
	}
	defer source.Close()
	content, kind, err := source.GetManifest(ctx, nil)
	if err != nil {
		return pulledImage{}, fmt.Errorf("reading manifest for %s: %w", transports.ImageName(from), err)
	}
	var platform *digest.Digest // of an index; nil of an image
	if manifest.MIMETypeIsMultiImage(kind) {
		chosen, err := choosePlatform(system, content, kind)
		if err != nil {
			return pulledImage{}, fmt.Errorf("choosing an image from manifest list %s: %w", transports.ImageName(from), err)
		}
		platform = &chosen
	}
	unparsed := image.UnparsedInstance(source, platform)
	if allowed, err := judge.IsRunningImageAllowed(ctx, unparsed); !allowed || err != nil {
		rejected := fmt.Errorf("Source image rejected: %w", err)
		if platform != nil {
			rejected = fmt.Errorf("copying system image from manifest list: %w", rejected)
		}
		return pulledImage{}, rejected
	}
	if content, kind, err = unparsed.Manifest(ctx); err != nil {
		return pulledImage{}, fmt.Errorf("reading manifest for %s: %w", transports.ImageName(from), err)
	}
	return describeImage(name, content, kind)
}

func choosePlatform(system *types.SystemContext, index []byte, kind string) (digest.Digest, error) {
	list, err := manifest.ListFromBlob(index, kind)
	if err != nil {
		return "", err
	}
	return list.ChooseInstance(system)
}

func describeImage(name reference.Named, content []byte, kind string) (pulledImage, error) {
	sum, err := manifest.Digest(content)
	if err != nil {
		return pulledImage{}, fmt.Errorf("digesting image: %w", err)
	}
	pulled := pulledImage{name.String(), sum, sum.Encoded()}
	// The identity of an image is that of its configuration; an index has none of its own.
	if parsed, err := manifest.FromBlob(content, kind); err == nil && parsed.ConfigInfo().Digest != "" {
		pulled.ID = parsed.ConfigInfo().Digest.Encoded()
	}
	return pulled, nil
}

// notOpened is the error of an image whose manifest no place gave.
type notOpened struct {
	name string
	err  error
}

func (n notOpened) Error() string { return fmt.Sprintf("initializing source %s: %v", n.name, n.err) }
func (n notOpened) Unwrap() error { return n.err }

// inFrame puts an error into the words of CRI-O, which tries again for an artifact unless the network failed.
func inFrame(err error) error {
	var network net.Error
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) || errors.As(err, &network) {
		return fmt.Errorf("unable to pull image: %w", err)
	}
	again := "image reference: reference is a container image, not an OCI artifact"
	var closed notOpened
	if errors.As(err, &closed) {
		again = "image reference: get manifest from ref: create image source: " + closed.err.Error()
	}
	return fmt.Errorf("unable to pull image or OCI artifact: pull image err: %w; artifact err: %s", err, again)
}

// toKubelet is what the kubelet gets of an error: a text, with a prefix that it knows for two kinds.
func toKubelet(err error) string {
	var unmet signature.PolicyRequirementError
	var invalid signature.InvalidSignatureError
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return crierrors.ErrRegistryUnavailable.Error() + ": " + err.Error()
	case errors.As(err, &unmet), errors.As(err, &invalid):
		return crierrors.ErrSignatureValidationFailed.Error() + ": " + err.Error()
	}
	return err.Error()
}
