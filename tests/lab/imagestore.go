// The images that a node has. One without a name has none, whatever it pulls.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"go.podman.io/image/v5/docker/reference"
	kubecontainer "k8s.io/kubernetes/pkg/kubelet/container"
)

type imageStore struct {
	path   string
	mu     sync.Mutex
	images map[string]pulledImage // by name
}

// openStore reads what the node in that directory has; without a directory the store stays empty.
func openStore(memory string) (*imageStore, error) {
	store := &imageStore{images: map[string]pulledImage{}}
	if memory == "" {
		return store, nil
	}
	store.path = filepath.Join(memory, "images.json")
	content, err := os.ReadFile(store.path)
	if os.IsNotExist(err) {
		return store, nil
	}
	if err != nil {
		return store, err
	}
	if err := json.Unmarshal(content, &store.images); err != nil {
		return store, fmt.Errorf("%s: %w", store.path, err)
	}
	return store, nil
}

// keep remembers a pulled image under its name and under its digest.
func (s *imageStore) keep(pulled pulledImage) error {
	if s.path == "" {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	digested := pulled
	if named, err := reference.ParseNamed(pulled.Name); err == nil {
		digested.Name = reference.TrimNamed(named).String() + "@" + pulled.Digest.String()
	}
	if s.images[pulled.Name] == pulled && s.images[digested.Name] == digested {
		return nil
	}
	s.images[pulled.Name], s.images[digested.Name] = pulled, digested
	content, err := json.MarshalIndent(s.images, "", "  ")
	if err != nil {
		return err
	}
	return writeAtomically(s.path, content)
}

func (s *imageStore) find(name reference.Named) (pulledImage, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found, ok := s.images[name.String()]
	return found, ok
}

func (s *imageStore) list() []kubecontainer.Image {
	s.mu.Lock()
	defer s.mu.Unlock()
	var images []kubecontainer.Image
	for _, one := range s.images {
		images = append(images, kubecontainer.Image{ID: one.ID, RepoTags: []string{one.Name}})
	}
	return images
}
