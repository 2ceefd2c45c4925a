// The control socket: how `lab set`, `lab registry`, `lab push` and `lab sign` reach a running lab.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/opencontainers/go-digest"
)

type controlRequest struct {
	Op          string          `json:"op"`
	Provisioner *string         `json:"provisioner,omitempty"`
	Delay       *time.Duration  `json:"delay,omitempty"`
	Image       string          `json:"image,omitempty"`
	Registry    *registryChange `json:"registry,omitempty"`
	Sign        *signRequest    `json:"sign,omitempty"`
}

type controlAnswer struct {
	Error    string                   `json:"error,omitempty"`
	Registry *registryReport          `json:"registry,omitempty"`
	Digests  map[string]digest.Digest `json:"digests,omitempty"` // of the parts of a signed image
}

// controlPatience is longer than any operation takes.
const controlPatience = 60 * time.Second

func (s *supervisor) serveControl() {
	for {
		connection, err := s.socket.Accept()
		if err != nil {
			return
		}
		go s.answer(connection)
	}
}

func (s *supervisor) answer(connection net.Conn) {
	defer connection.Close()
	_ = connection.SetDeadline(time.Now().Add(controlPatience))
	var request controlRequest
	if err := json.NewDecoder(connection).Decode(&request); err != nil {
		return
	}
	answer, err := s.handle(request)
	if err != nil {
		answer.Error = err.Error()
	}
	_ = json.NewEncoder(connection).Encode(answer)
}

func (s *supervisor) handle(request controlRequest) (controlAnswer, error) {
	ctx, cancel := context.WithTimeout(context.Background(), controlPatience)
	defer cancel()
	if request.Op == "set" {
		return controlAnswer{}, s.change(ctx, request)
	}
	if s.registries == nil {
		return controlAnswer{}, fmt.Errorf("this lab has no registries")
	}
	switch {
	case request.Op == "push":
		pushed, err := s.registries.integrated.pushImage(ctx, request.Image)
		if err != nil || s.openshift == nil {
			return controlAnswer{}, err
		}
		return controlAnswer{}, s.openshift.recordPush(ctx, request.Image, pushed)
	case request.Op == "sign" && request.Sign != nil:
		digests, err := s.registries.signPushed(ctx, *request.Sign)
		return controlAnswer{Digests: digests}, err
	case request.Op == "registry" && request.Registry != nil:
		return s.changeRegistry(*request.Registry)
	}
	return controlAnswer{}, fmt.Errorf("unknown operation %q", request.Op)
}

// changeRegistry answers with the counts up to now.
func (s *supervisor) changeRegistry(change registryChange) (controlAnswer, error) {
	registry, err := s.registries.named(change.Name)
	if err != nil {
		return controlAnswer{}, err
	}
	if err := registry.change(change); err != nil {
		return controlAnswer{}, err
	}
	if len(change.Add) > 0 {
		if err := s.describeRegistry(registry); err != nil {
			return controlAnswer{}, err
		}
	}
	report := registry.tokens.rules.report()
	return controlAnswer{Registry: &report}, nil
}

// describeRegistry writes the registry's accounts to lab.json.
func (s *supervisor) describeRegistry(registry *tokenRegistry) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.info.Registries[registry.name] = registry.info()
	return s.info.write()
}

// change sets the cluster's description first, so that no client sees the new behaviour with the old description.
func (s *supervisor) change(ctx context.Context, request controlRequest) error {
	if s.provisioner == nil {
		return fmt.Errorf("this lab has no provisioner to change")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	mode, delay := s.provisioner.settings()
	if request.Delay != nil {
		delay = *request.Delay
	}
	if request.Provisioner != nil {
		mode = *request.Provisioner
		if err := s.openshift.describe(ctx, mode); err != nil {
			return err
		}
	}
	if err := s.provisioner.set(mode, delay); err != nil {
		return err
	}
	s.info.Provisioner = mode
	return s.info.write()
}

func set(dir string, request controlRequest) error {
	if request.Provisioner == nil && request.Delay == nil {
		return misuse("nothing to set: give --provisioner or --provision-delay")
	}
	if request.Provisioner != nil {
		switch *request.Provisioner {
		case modeBound, modeLegacy, modeRemoved:
		default:
			return misuse("--provisioner is bound, legacy or removed, not %q", *request.Provisioner)
		}
	}
	if request.Delay != nil && *request.Delay < 0 {
		return misuse("--provision-delay cannot be negative")
	}
	_, err := control(dir, request)
	return err
}

func push(dir, image string) error {
	_, err := control(dir, controlRequest{Op: "push", Image: image})
	return err
}

// sign is `lab sign`. It prints the digest of each part of the image.
func sign(dir string, wanted signRequest) error {
	answer, err := control(dir, controlRequest{Op: "sign", Sign: &wanted})
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(answer.Digests)
}

// changeRegistry is `lab registry`. It prints the counts with asJSON, or if no change is requested.
func changeRegistry(dir string, change registryChange, asJSON bool) error {
	answer, err := control(dir, controlRequest{Op: "registry", Registry: &change})
	if err != nil || change.isChange() && !asJSON {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(answer.Registry)
}

// control sends one request to the lab in dir and waits for its answer.
func control(dir string, request controlRequest) (controlAnswer, error) {
	info, err := readLab(dir)
	if err != nil {
		return controlAnswer{}, err
	}
	connection, err := net.Dial("unix", info.Socket)
	if err != nil {
		return controlAnswer{}, fail("the lab in %s does not run", info.Dir)
	}
	defer connection.Close()
	_ = connection.SetDeadline(time.Now().Add(controlPatience))
	if err := json.NewEncoder(connection).Encode(request); err != nil {
		return controlAnswer{}, fail("%v", err)
	}
	var answer controlAnswer
	if err := json.NewDecoder(connection).Decode(&answer); err != nil {
		return controlAnswer{}, fail("the lab gave no answer: %v", err)
	}
	if answer.Error != "" {
		return controlAnswer{}, fail("%s", answer.Error)
	}
	return answer, nil
}
