// The control socket: how `lab set` and `lab push` reach a running lab.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"time"
)

type controlRequest struct {
	Op          string         `json:"op"`
	Provisioner *string        `json:"provisioner,omitempty"`
	Delay       *time.Duration `json:"delay,omitempty"`
	Image       string         `json:"image,omitempty"`
}

type controlAnswer struct {
	Error string `json:"error,omitempty"`
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
	var answer controlAnswer
	if err := s.handle(request); err != nil {
		answer.Error = err.Error()
	}
	_ = json.NewEncoder(connection).Encode(answer)
}

func (s *supervisor) handle(request controlRequest) error {
	ctx, cancel := context.WithTimeout(context.Background(), controlPatience)
	defer cancel()
	switch request.Op {
	case "set":
		return s.change(ctx, request)
	case "push":
		if s.registries == nil {
			return fmt.Errorf("this lab has no registries")
		}
		pushed, err := s.registries.integrated.pushImage(ctx, request.Image)
		if err != nil || s.openshift == nil {
			return err
		}
		return s.openshift.recordPush(ctx, request.Image, pushed)
	}
	return fmt.Errorf("unknown operation %q", request.Op)
}

// change sets the cluster's description first, so that nobody sees the new behaviour under the old one.
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
	return control(dir, request)
}

func push(dir, image string) error {
	return control(dir, controlRequest{Op: "push", Image: image})
}

// control sends one request to the lab in dir and waits for its answer.
func control(dir string, request controlRequest) error {
	info, err := readLab(dir)
	if err != nil {
		return err
	}
	connection, err := net.Dial("unix", info.Socket)
	if err != nil {
		return fail("the lab in %s does not run", info.Dir)
	}
	defer connection.Close()
	_ = connection.SetDeadline(time.Now().Add(controlPatience))
	if err := json.NewEncoder(connection).Encode(request); err != nil {
		return fail("%v", err)
	}
	var answer controlAnswer
	if err := json.NewDecoder(connection).Decode(&answer); err != nil {
		return fail("the lab gave no answer: %v", err)
	}
	if answer.Error != "" {
		return fail("%s", answer.Error)
	}
	return nil
}
