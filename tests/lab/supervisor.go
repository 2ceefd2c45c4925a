// The supervisor: the process that is the lab. It starts everything, watches over it and ends it.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"k8s.io/client-go/rest"
)

const (
	startPatience = 90 * time.Second
	// Unix socket paths end at 107 bytes; a longer directory gets its socket elsewhere.
	longestSocket = 100
)

type supervisor struct {
	options     upOptions
	dir         layout
	lock        *os.File
	ca          *authority
	plane       *controlPlane
	registries  *registries
	provisioner *provisioner
	openshift   *openshift
	operator    operator
	imports     *imports
	socket      net.Listener

	mu   sync.Mutex // guards info
	info labInfo
}

func supervise() error {
	lock := os.NewFile(3, "lock")
	statusPipe := os.NewFile(4, "status")
	// These were inherited without the close-on-exec flag; a child that had the lock would keep a dead lab alive.
	syscall.CloseOnExec(3)
	syscall.CloseOnExec(4)
	signal.Ignore(syscall.SIGHUP)
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()

	stdin := bufio.NewReader(os.Stdin)
	s := &supervisor{lock: lock}
	line, err := stdin.ReadBytes('\n')
	if err != nil {
		return fail("started by hand: use `lab up`")
	}
	if err := json.Unmarshal(line, &s.options); err != nil {
		return fail("%v", err)
	}
	s.dir = layout(s.options.Dir)
	return s.run(ctx, stdin, statusPipe)
}

func (s *supervisor) run(ctx context.Context, stdin *bufio.Reader, statusPipe *os.File) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer s.stop()
	watchOwner(cancel, s.options.OwnerPID)
	go watchStarter(cancel, stdin)

	startCtx, startDone := context.WithTimeoutCause(ctx, startPatience, errors.New("not ready in time; see the logs"))
	defer startDone()
	err := s.start(startCtx)
	if err != nil {
		log.Printf("start: %v", err)
		_ = json.NewEncoder(statusPipe).Encode(status{Error: err.Error()})
		return fail("%v", err)
	}
	_ = json.NewEncoder(statusPipe).Encode(status{Ready: true})
	statusPipe.Close()
	log.Print("ready")
	s.waitForEnd(ctx)
	return nil
}

func (s *supervisor) waitForEnd(ctx context.Context) {
	var died <-chan string
	if s.plane != nil {
		died = s.plane.died()
	}
	select {
	case <-ctx.Done():
		log.Printf("ending: %v", context.Cause(ctx))
	case name := <-died:
		log.Printf("ending: %s has ended", name)
	}
	if errors.Is(context.Cause(ctx), errOwnerGone) {
		s.stop()
		removeAll(string(s.dir), readLock(s.lock))
	}
}

func (s *supervisor) start(ctx context.Context) error {
	var err error
	if s.ca, err = newAuthority(); err != nil {
		return err
	}
	if err := os.WriteFile(s.dir.caCert(), s.ca.pem, 0o600); err != nil {
		return err
	}
	s.info = labInfo{
		Dir: string(s.dir), Kubeconfig: s.options.Kubeconfig, CACert: s.dir.caCert(),
		Provisioner: s.options.Provisioner, PID: os.Getpid(), Registries: map[string]registryInfo{},
	}
	if err := s.startRegistries(); err != nil {
		return err
	}
	cluster, err := s.cluster(ctx)
	if err != nil {
		return err
	}
	if s.registries != nil {
		if err := s.registries.connect(ctx, cluster); err != nil {
			return err
		}
	}
	if err := s.startPlatform(ctx); err != nil {
		return err
	}
	if err := s.listen(); err != nil {
		return err
	}
	return s.info.write()
}

func (s *supervisor) startRegistries() error {
	if s.options.NoRegistries {
		return nil
	}
	var err error
	if s.registries, err = newRegistries(s.dir, s.ca); err != nil {
		return err
	}
	s.info.Registries = s.registries.info()
	s.info.SigningKey = s.registries.publicKey
	return nil
}

// cluster is the control plane of this lab, or the reader's own.
func (s *supervisor) cluster(ctx context.Context) (*rest.Config, error) {
	if s.options.Kubeconfig != "" {
		s.info.Provisioner = modeOff
		config, err := loadKubeconfig(s.options.Kubeconfig)
		if err == nil {
			s.info.Server = config.Host
		}
		return config, err
	}
	var err error
	s.plane, err = startControlPlane(ctx, s.dir, s.ca)
	if err != nil {
		return nil, err
	}
	s.info.Kubeconfig, s.info.Server = s.dir.kubeconfig(), s.plane.server
	s.info.AuditLog = s.dir.log("audit")
	return s.plane.admin, nil
}

// startPlatform adds OpenShift's share and waits for the first service account.
func (s *supervisor) startPlatform(ctx context.Context) error {
	if s.plane == nil {
		return nil
	}
	if s.options.Provisioner != modeOff {
		if err := s.startOpenShift(ctx); err != nil {
			return err
		}
	}
	return waitForDefaultAccount(ctx, s.plane.admin)
}

func (s *supervisor) startOpenShift(ctx context.Context) error {
	hostname := ""
	if s.registries != nil {
		hostname = s.registries.integrated.host
	}
	var err error
	if s.openshift, err = newOpenShift(s.plane.admin, hostname, s.ca.pem); err != nil {
		return err
	}
	if err := s.openshift.install(ctx, s.options.Provisioner); err != nil {
		return err
	}
	if s.imports, err = startImports(ctx, s.openshift, s.ca); err != nil {
		return err
	}
	if s.operator, err = startPlatformOperator(ctx, s.openshift, s.options.Platform); err != nil {
		return err
	}
	if s.provisioner, err = newProvisioner(s.plane.openshift, hostname); err != nil {
		return err
	}
	return s.provisioner.set(s.options.Provisioner, s.options.Delay)
}

// stop ends everything, last started first; safe to call twice.
func (s *supervisor) stop() {
	if s.socket != nil {
		s.socket.Close()
	}
	if s.operator != nil {
		s.operator.stop()
	}
	if s.imports != nil {
		s.imports.stop()
	}
	if s.provisioner != nil {
		s.provisioner.stop()
	}
	if s.registries != nil {
		s.registries.stop()
	}
	if s.plane != nil {
		s.plane.stop()
	}
}

var (
	errOwnerGone   = errors.New("the owner process is gone")
	errStarterGone = errors.New("`lab up` ended before the lab was ready")
)

// watchStarter ends the lab when `up` goes away without having said keep.
func watchStarter(cancel context.CancelCauseFunc, stdin *bufio.Reader) {
	if line, _ := stdin.ReadString('\n'); line != keep {
		cancel(errStarterGone)
	}
}

// watchOwner looks once a second; the start time tells the owner from a later process of the same id.
func watchOwner(cancel context.CancelCauseFunc, pid int) {
	if pid == 0 {
		return
	}
	born := processStart(pid)
	go func() {
		for born != "" && processStart(pid) == born {
			time.Sleep(time.Second)
		}
		cancel(errOwnerGone)
	}()
}

// processStart is empty for a process that is gone or only waits to be reaped.
func processStart(pid int) string {
	content, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return ""
	}
	// The command name, in parentheses, may hold spaces; fields are counted after it.
	_, rest, found := strings.Cut(string(content[strings.LastIndexByte(string(content), ')'):]), " ")
	fields := strings.Fields(rest)
	if !found || len(fields) < 20 || fields[0] == "Z" {
		return ""
	}
	return fields[19]
}

// socketPath is in the lab's directory, or in a short one of its own that the lock file remembers.
func (s *supervisor) socketPath() (string, error) {
	if path := s.dir.file("ctl.sock"); len(path) < longestSocket {
		return path, nil
	}
	short, err := os.MkdirTemp("", "lab-")
	if err != nil {
		return "", err
	}
	content := readLock(s.lock)
	content.SocketDir = short
	if content.PID == 0 {
		content.PID = os.Getpid()
	}
	return filepath.Join(short, "ctl.sock"), writeLock(s.lock, content)
}

func (s *supervisor) listen() error {
	path, err := s.socketPath()
	if err != nil {
		return err
	}
	if s.socket, err = net.Listen("unix", path); err != nil {
		return fmt.Errorf("control socket: %w", err)
	}
	s.info.Socket = path
	go s.serveControl()
	return os.Chmod(path, 0o600)
}
