// containerd's part of a pull, by its own library: it resolves the name, fetches what the image consists of, and unpacks nothing. The
// frames of the messages are those of containerd 2.1.
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"net/url"
	"os"

	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/containerd/v2/core/remotes"
	"github.com/containerd/containerd/v2/core/remotes/docker"
	"github.com/containerd/containerd/v2/plugins/content/local"
	"github.com/containerd/errdefs"
	"github.com/containerd/platforms"
	"go.podman.io/image/v5/docker/reference"
	"go.podman.io/image/v5/types"
)

// fetchImage pulls one image with one credential or none. Short names and mirrors are not containerd's on OpenShift, so it has none here.
func fetchImage(ctx context.Context, system *types.SystemContext, image string, login *types.DockerAuthConfig) (pulledImage, error) {
	ctx, cancel := context.WithTimeout(ctx, pullPatience)
	defer cancel()
	named, err := reference.ParseDockerRef(image)
	if err != nil {
		return pulledImage{}, fmt.Errorf("failed to parse image reference %q: %w", image, err)
	}
	pulled, err := fetchNamed(ctx, system, named, login)
	if err != nil {
		return pulled, fmt.Errorf("failed to pull and unpack image %q: %w", named, err)
	}
	return pulled, nil
}

func fetchNamed(ctx context.Context, system *types.SystemContext, named reference.Named, login *types.DockerAuthConfig) (pulledImage, error) {
	client, err := clientOf(system)
	if err != nil {
		return pulledImage{}, err
	}
	defer client.CloseIdleConnections()
	resolver := docker.NewResolver(docker.ResolverOptions{Hosts: docker.ConfigureDefaultRegistries(
		docker.WithClient(client),
		docker.WithAuthorizer(docker.NewDockerAuthorizer(docker.WithAuthClient(client), docker.WithAuthCreds(func(string) (string, string, error) {
			if login == nil {
				return "", "", nil
			}
			return login.Username, login.Password, nil
		}))),
	)})
	name, found, err := resolver.Resolve(ctx, named.String())
	if err != nil {
		return pulledImage{}, fmt.Errorf("failed to resolve reference %q: %w", named, err)
	}
	fetcher, err := resolver.Fetcher(ctx, name)
	if err != nil {
		return pulledImage{}, fmt.Errorf("failed to get fetcher for %q: %w", name, err)
	}
	directory, err := os.MkdirTemp(system.BigFilesTemporaryDir, "containerd-")
	if err != nil {
		return pulledImage{}, err
	}
	defer os.RemoveAll(directory)
	store, err := local.NewStore(directory)
	if err != nil {
		return pulledImage{}, err
	}
	handler := images.Handlers(remotes.FetchHandler(store, fetcher), images.ChildrenHandler(store))
	if err := images.Dispatch(ctx, handler, nil, found); err != nil {
		return pulledImage{}, err
	}
	config, err := images.Config(ctx, store, found, platforms.All)
	if err != nil {
		return pulledImage{}, fmt.Errorf("failed to unpack image on snapshotter overlayfs: %w", err)
	}
	return pulledImage{named.String(), found.Digest, config.Digest.Encoded()}, nil
}

// clientOf trusts what the node trusts, and takes its proxy.
func clientOf(system *types.SystemContext) (*http.Client, error) {
	authorities, err := x509.SystemCertPool()
	if err != nil {
		return nil, err
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = &tls.Config{RootCAs: authorities}
	transport.Proxy = func(*http.Request) (*url.URL, error) { return system.DockerProxyURL, nil }
	return &http.Client{Transport: transport}, nil
}

// inWire is what the kubelet gets of an error of containerd: the code of an unknown one is taken off.
func inWire(err error) string {
	if errdefs.IsNotFound(err) {
		return "rpc error: code = NotFound desc = " + err.Error()
	}
	return err.Error()
}
