// Signed images: what cosign attaches to an image in the form that nodes read, made here with a key of the lab.
package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"strings"

	"github.com/distribution/distribution/v3/registry/auth/token"
	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	imagespec "github.com/opencontainers/image-spec/specs-go/v1"
	"go.podman.io/image/v5/docker"
	"go.podman.io/image/v5/pkg/blobinfocache/none"
	"go.podman.io/image/v5/types"
)

const (
	signatureLayer      = "application/vnd.dev.cosign.simplesigning.v1+json"
	signatureAnnotation = "dev.cosignproject.cosign/signature"
	sigstoreBundle      = "application/vnd.dev.sigstore.bundle.v0.3+json"
	emptyConfig         = "application/vnd.oci.empty.v1+json"
)

// The parts of an image that can be signed, beside those that have the name of an architecture.
const (
	partImage = "image"
	partIndex = "index"
)

// signRequest pushes an image and signs parts of it: image, or index and the names of architectures.
type signRequest struct {
	Name          string   `json:"name"`
	Image         string   `json:"image"`
	Architectures []string `json:"architectures,omitempty"` // for an index of images
	Only          string   `json:"only,omitempty"`          // the architecture of an image without an index; amd64 where it is empty
	Sign          []string `json:"sign,omitempty"`
	Bundle        []string `json:"bundle,omitempty"` // signed in the form that nodes do not read
	Identity      string   `json:"identity,omitempty"`
	OtherKey      bool     `json:"other_key,omitempty"`
	Label         string   `json:"label,omitempty"` // another image than without it, or with another one
}

// newSigningKey also returns the public key as PEM.
func newSigningKey() (*ecdsa.PrivateKey, string, error) {
	key, err := newKey()
	if err != nil {
		return nil, "", err
	}
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return nil, "", err
	}
	return key, string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public})), nil
}

// signPushed returns the digest of each part.
func (r *registries) signPushed(ctx context.Context, wanted signRequest) (map[string]digest.Digest, error) {
	registry, err := r.named(wanted.Name)
	if err != nil {
		return nil, err
	}
	key := r.signingKey
	if wanted.OtherKey {
		if key, _, err = newSigningKey(); err != nil {
			return nil, err
		}
	}
	name, tag, err := splitImage(wanted.Image)
	if err != nil {
		return nil, err
	}
	grant, err := registry.tokens.issue(ownAccount, []*token.ResourceActions{{Type: "repository", Name: name, Actions: []string{"pull", "push"}}})
	if err != nil {
		return nil, err
	}
	repository := pushedRepository{registry.image.home, registry.host + "/" + name, grant}
	parts, err := repository.pushParts(ctx, tag, wanted)
	if err != nil {
		return nil, err
	}
	identity := wanted.Identity
	if identity == "" {
		identity = repository.name + ":" + tag
	}
	for _, part := range wanted.Sign {
		signed, err := digestOf(parts, part)
		if err != nil {
			return nil, err
		}
		if err := repository.attach(ctx, key, signed, identity); err != nil {
			return nil, err
		}
	}
	for _, part := range wanted.Bundle {
		signed, err := digestOf(parts, part)
		if err != nil {
			return nil, err
		}
		if err := repository.attachBundle(ctx, signed); err != nil {
			return nil, err
		}
	}
	return parts, nil
}

func digestOf(parts map[string]digest.Digest, part string) (digest.Digest, error) {
	found, ok := parts[part]
	if !ok {
		return "", fmt.Errorf("the image has no part %q", part)
	}
	return found, nil
}

// pushedRepository is a repository with a token that may push to it.
type pushedRepository struct {
	home   layout
	name   string
	bearer string
}

// pushParts pushes one image, or an index of one image for each architecture.
func (p pushedRepository) pushParts(ctx context.Context, tag string, wanted signRequest) (map[string]digest.Digest, error) {
	if len(wanted.Architectures) == 0 {
		description, blobs, err := imageFor(cmp.Or(wanted.Only, "amd64"), wanted.Label)
		if err != nil {
			return nil, err
		}
		return map[string]digest.Digest{partImage: digest.FromBytes(description)}, p.put(ctx, tag, description, nil, blobs...)
	}
	index := imagespec.Index{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: imagespec.MediaTypeImageIndex}
	parts := map[string]digest.Digest{}
	for _, architecture := range wanted.Architectures {
		description, blobs, err := imageFor(architecture, wanted.Label)
		if err != nil {
			return nil, err
		}
		described := describe(imagespec.MediaTypeImageManifest, description)
		described.Platform = &imagespec.Platform{Architecture: architecture, OS: "linux"}
		if err := p.put(ctx, tag, description, &described.Digest, blobs...); err != nil {
			return nil, err
		}
		index.Manifests = append(index.Manifests, described)
		parts[architecture] = described.Digest
	}
	content, err := json.Marshal(index)
	if err != nil {
		return nil, err
	}
	parts[partIndex] = digest.FromBytes(content)
	return parts, p.put(ctx, tag, content, nil)
}

// imageFor is the small image for an architecture, with a label if that is not empty: its manifest and its blobs.
func imageFor(architecture, label string) ([]byte, [][]byte, error) {
	layer, diffID, err := smallLayer()
	if err != nil {
		return nil, nil, err
	}
	var labels map[string]string
	if label != "" {
		labels = map[string]string{"lab": label}
	}
	config, err := json.Marshal(imagespec.Image{
		Platform: imagespec.Platform{Architecture: architecture, OS: "linux"},
		Config:   imagespec.ImageConfig{Cmd: []string{"/hello"}, Labels: labels},
		RootFS:   imagespec.RootFS{Type: "layers", DiffIDs: []digest.Digest{diffID}},
		History:  []imagespec.History{{CreatedBy: "lab"}},
	})
	if err != nil {
		return nil, nil, err
	}
	description, err := json.Marshal(imagespec.Manifest{
		Versioned: specs.Versioned{SchemaVersion: 2},
		MediaType: imagespec.MediaTypeImageManifest,
		Config:    describe(imagespec.MediaTypeImageConfig, config),
		Layers:    []imagespec.Descriptor{describe(imagespec.MediaTypeImageLayerGzip, layer)},
	})
	return description, [][]byte{config, layer}, err
}

// attach pushes the signature of a manifest to the tag at which containers/image looks for it.
func (p pushedRepository) attach(ctx context.Context, key *ecdsa.PrivateKey, signed digest.Digest, identity string) error {
	payload, err := json.Marshal(map[string]any{
		"critical": map[string]any{
			"type":     "cosign container image signature",
			"image":    map[string]string{"docker-manifest-digest": signed.String()},
			"identity": map[string]string{"docker-reference": identity},
		},
		"optional": nil,
	})
	if err != nil {
		return err
	}
	sum := sha256.Sum256(payload)
	made, err := ecdsa.SignASN1(rand.Reader, key, sum[:])
	if err != nil {
		return err
	}
	layer := describe(signatureLayer, payload)
	layer.Annotations = map[string]string{signatureAnnotation: base64.StdEncoding.EncodeToString(made)}
	config, err := json.Marshal(imagespec.Image{RootFS: imagespec.RootFS{Type: "layers", DiffIDs: []digest.Digest{layer.Digest}}})
	if err != nil {
		return err
	}
	attachment, err := json.Marshal(imagespec.Manifest{
		Versioned: specs.Versioned{SchemaVersion: 2},
		MediaType: imagespec.MediaTypeImageManifest,
		Config:    describe(imagespec.MediaTypeImageConfig, config),
		Layers:    []imagespec.Descriptor{layer},
	})
	if err != nil {
		return err
	}
	return p.put(ctx, attachmentTag(signed)+".sig", attachment, nil, config, payload)
}

// attachBundle adds a referrer such as cosign 3 writes, by the tag of registries without the API for referrers. Its content does not matter.
func (p pushedRepository) attachBundle(ctx context.Context, signed digest.Digest) error {
	config, bundle := []byte("{}"), []byte(`{"mediaType": "`+sigstoreBundle+`"}`)
	referrer, err := json.Marshal(imagespec.Manifest{
		Versioned:    specs.Versioned{SchemaVersion: 2},
		MediaType:    imagespec.MediaTypeImageManifest,
		ArtifactType: sigstoreBundle,
		Config:       describe(emptyConfig, config),
		Layers:       []imagespec.Descriptor{describe(sigstoreBundle, bundle)},
	})
	if err != nil {
		return err
	}
	described := describe(imagespec.MediaTypeImageManifest, referrer)
	described.ArtifactType = sigstoreBundle
	if err := p.put(ctx, attachmentTag(signed), referrer, &described.Digest, config, bundle); err != nil {
		return err
	}
	index, err := json.Marshal(imagespec.Index{
		Versioned: specs.Versioned{SchemaVersion: 2},
		MediaType: imagespec.MediaTypeImageIndex,
		Manifests: []imagespec.Descriptor{described},
	})
	if err != nil {
		return err
	}
	return p.put(ctx, attachmentTag(signed), index, nil)
}

func attachmentTag(of digest.Digest) string { return strings.Replace(of.String(), ":", "-", 1) }

// put pushes blobs and a manifest: to the tag, or by its digest only.
func (p pushedRepository) put(ctx context.Context, tag string, description []byte, only *digest.Digest, blobs ...[]byte) error {
	to, err := docker.ParseReference("//" + p.name + ":" + tag)
	if err != nil {
		return err
	}
	system := clientContext(p.home)
	system.DockerBearerRegistryToken = p.bearer
	destination, err := to.NewImageDestination(ctx, system)
	if err != nil {
		return err
	}
	defer destination.Close()
	for _, blob := range blobs {
		about := types.BlobInfo{Digest: digest.FromBytes(blob), Size: int64(len(blob))}
		if _, err := destination.PutBlob(ctx, bytes.NewReader(blob), about, none.NoCache, false); err != nil {
			return err
		}
	}
	return destination.PutManifest(ctx, description, only)
}
