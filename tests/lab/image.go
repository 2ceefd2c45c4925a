// The small real image that every registry holds, and how it is pushed.
package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"os"
	"path/filepath"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	imagespec "github.com/opencontainers/image-spec/specs-go/v1"
	"go.podman.io/image/v5/copy"
	"go.podman.io/image/v5/docker"
	"go.podman.io/image/v5/manifest"
	ocilayout "go.podman.io/image/v5/oci/layout"
	"go.podman.io/image/v5/signature"
	"go.podman.io/image/v5/types"
)

// pushSource is an OCI layout on disk and the lab whose settings clients of the registries use.
type pushSource struct {
	dir  string
	home layout
}

// writeImage makes an image of one layer with one file.
func writeImage(home layout) (pushSource, error) {
	source := pushSource{home.file("image"), home}
	description, blobs, err := imageFor("amd64", "")
	if err != nil {
		return source, err
	}
	return source, source.writeLayout(description, blobs...)
}

func describe(mediaType string, content []byte) imagespec.Descriptor {
	return imagespec.Descriptor{MediaType: mediaType, Digest: digest.FromBytes(content), Size: int64(len(content))}
}

func smallLayer() ([]byte, digest.Digest, error) {
	var plain, packed bytes.Buffer
	content := []byte("hello from the lab\n")
	archive := tar.NewWriter(&plain)
	if err := archive.WriteHeader(&tar.Header{Name: "hello", Mode: 0o644, Size: int64(len(content))}); err != nil {
		return nil, "", err
	}
	if _, err := archive.Write(content); err != nil {
		return nil, "", err
	}
	if err := archive.Close(); err != nil {
		return nil, "", err
	}
	compressor := gzip.NewWriter(&packed)
	if _, err := compressor.Write(plain.Bytes()); err != nil {
		return nil, "", err
	}
	err := compressor.Close()
	return packed.Bytes(), digest.FromBytes(plain.Bytes()), err
}

func (s pushSource) writeLayout(description []byte, blobs ...[]byte) error {
	index, err := json.Marshal(imagespec.Index{
		Versioned: specs.Versioned{SchemaVersion: 2},
		MediaType: imagespec.MediaTypeImageIndex,
		Manifests: []imagespec.Descriptor{describe(imagespec.MediaTypeImageManifest, description)},
	})
	if err != nil {
		return err
	}
	store := filepath.Join(s.dir, imagespec.ImageBlobsDir, "sha256")
	if err := os.MkdirAll(store, 0o700); err != nil {
		return err
	}
	for _, blob := range append(blobs, description) {
		if err := os.WriteFile(filepath.Join(store, digest.FromBytes(blob).Encoded()), blob, 0o600); err != nil {
			return err
		}
	}
	if err := os.WriteFile(filepath.Join(s.dir, imagespec.ImageIndexFile), index, 0o600); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(s.dir, imagespec.ImageLayoutFile), []byte(`{"imageLayoutVersion":"1.0.0"}`), 0o600)
}

// push copies the image to a registry with a bearer token of the lab's own, and returns what it is there.
func (s pushSource) push(ctx context.Context, image, bearer string) (digest.Digest, error) {
	from, err := ocilayout.NewReference(s.dir, "")
	if err != nil {
		return "", err
	}
	to, err := docker.ParseReference("//" + image)
	if err != nil {
		return "", err
	}
	policy, err := signature.NewPolicyContext(&signature.Policy{
		Default: signature.PolicyRequirements{signature.NewPRInsecureAcceptAnything()},
	})
	if err != nil {
		return "", err
	}
	defer policy.Destroy()
	destination := clientContext(s.home)
	destination.DockerBearerRegistryToken = bearer
	pushed, err := copy.Image(ctx, policy, to, from, &copy.Options{
		SourceCtx: clientContext(s.home), DestinationCtx: destination,
		// Registries refuse an OCI manifest to clients that do not name it in Accept; this type reaches all.
		ForceManifestMIMEType: manifest.DockerV2Schema2MediaType,
	})
	if err != nil {
		return "", err
	}
	return manifest.Digest(pushed)
}

// clientContext is a registry client that trusts the lab's CA and reads no configuration or credential of the machine.
func clientContext(home layout) *types.SystemContext {
	return &types.SystemContext{
		DockerCertPath:              home.caDir(),
		AuthFilePath:                home.conf("no-auth.json"),
		SystemRegistriesConfPath:    home.conf("registries.conf"),
		SystemRegistriesConfDirPath: home.conf("empty"),
		RegistriesDirPath:           home.conf("empty"),
		BlobInfoCacheDir:            home.file("cache"),
		BigFilesTemporaryDir:        home.file("conf"),
		DockerAuthConfig:            &types.DockerAuthConfig{},
	}
}
