// `lab up` and `lab down`: starting the supervisor, waiting for it, and taking everything away again.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"syscall"
	"time"
)

type upOptions struct {
	Dir          string
	Provisioner  string
	Delay        time.Duration
	Platform     string
	OwnerPID     int
	Kubeconfig   string
	NoRegistries bool
}

// status is what the supervisor tells `up` while it starts: one JSON line, ready or the error.
type status struct {
	Ready bool   `json:"ready"`
	Error string `json:"error,omitempty"`
}

// keep is what `up` tells the supervisor once it has seen it ready. Until then the end of `up` is the end of the lab.
const keep = "keep\n"

func (o *upOptions) check() error {
	if !slices.Contains([]string{modeBound, modeLegacy, modeRemoved, modeOff}, o.Provisioner) {
		return misuse("--provisioner is bound, legacy, removed or off, not %q", o.Provisioner)
	}
	if !slices.Contains([]string{platformNone, platformStandalone, platformHosted, platformManaged}, o.Platform) {
		return misuse("--platform is standalone, hosted or managed, not %q", o.Platform)
	}
	if o.Platform != platformNone && (o.Provisioner == modeOff || o.Kubeconfig != "") {
		return misuse("--platform needs a control plane of its own with a provisioner: without one it is no OpenShift")
	}
	if o.Kubeconfig != "" && o.NoRegistries {
		return misuse("--kubeconfig with --no-registries leaves nothing to start")
	}
	if o.OwnerPID < 0 || o.Delay < 0 {
		return misuse("--owner-pid and --provision-delay cannot be negative")
	}
	var err error
	if o.Dir, err = absolute(o.Dir); err != nil {
		return err
	}
	if o.Kubeconfig == "" {
		return nil
	}
	if o.Kubeconfig, err = absolute(o.Kubeconfig); err != nil {
		return err
	}
	if _, err = loadKubeconfig(o.Kubeconfig); err != nil {
		return misuse("%v", err)
	}
	return nil
}

func up(o upOptions) error {
	if err := o.check(); err != nil {
		return err
	}
	// From here on an interrupt must find the lab either not begun or fully undone.
	interrupts := make(chan os.Signal, 1)
	signal.Notify(interrupts, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	lock, content, err := claim(o.Dir)
	if err != nil {
		return err
	}
	if err := layout(o.Dir).makeDirs(); err != nil {
		return fail("%v", err)
	}
	supervisor, err := launch(o, lock)
	if err != nil {
		removeAll(o.Dir, content)
		return fail("%v", err)
	}
	content.PID = supervisor.process.Pid
	if err := writeLock(lock, content); err != nil {
		return fail("%v", err)
	}
	if err := supervisor.wait(interrupts); err != nil {
		supervisor.end()
		return undo(o.Dir, content, err)
	}
	info, err := readLab(o.Dir)
	if err != nil {
		return err
	}
	fmt.Print(info.summary())
	return nil
}

// undo removes what a failed start made, but keeps the logs where they are needed to understand it.
func undo(dir string, content lockContent, cause error) error {
	if errors.Is(cause, errInterrupted) {
		removeAll(dir, content)
		return exitError{code: 130, message: cause.Error()}
	}
	return fail("%v (logs are in %s; `lab down` removes them)", cause, layout(dir).file("logs"))
}

var errInterrupted = errors.New("interrupted; nothing is left")

// launched is the supervisor as `up` sees it.
type launched struct {
	process *os.Process
	exited  chan struct{}
	stdin   io.WriteCloser
	status  chan status
}

// launch starts the supervisor in a session of its own. It inherits the lock and so holds it.
func launch(o upOptions, lock *os.File) (*launched, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	log, err := os.OpenFile(layout(o.Dir).log("supervisor"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	statusRead, statusWrite, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	command := exec.Command(self, "supervise")
	command.Dir = "/"
	command.Stdout, command.Stderr = log, log
	command.ExtraFiles = []*os.File{lock, statusWrite}
	command.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	stdin, err := command.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := command.Start(); err != nil {
		return nil, err
	}
	statusWrite.Close()
	l := &launched{command.Process, make(chan struct{}), stdin, make(chan status, 1)}
	go func() {
		_ = command.Wait()
		close(l.exited)
	}()
	go l.readStatus(statusRead)
	return l, json.NewEncoder(stdin).Encode(o)
}

func (l *launched) readStatus(pipe *os.File) {
	s := status{Error: "the supervisor ended at its start"}
	if line, err := bufio.NewReader(pipe).ReadBytes('\n'); err == nil {
		_ = json.Unmarshal(line, &s)
	}
	l.status <- s
}

func (l *launched) wait(interrupts <-chan os.Signal) error {
	select {
	case <-interrupts:
		return errInterrupted
	case s := <-l.status:
		if !s.Ready {
			return errors.New(s.Error)
		}
		_, err := io.WriteString(l.stdin, keep)
		return err
	}
}

func (l *launched) end() {
	_ = l.process.Signal(syscall.SIGTERM)
	select {
	case <-l.exited:
	case <-time.After(15 * time.Second):
		_ = l.process.Kill()
		<-l.exited
	}
}

func down(dir string) error {
	dir, err := absolute(dir)
	if err != nil {
		return err
	}
	lock, err := os.OpenFile(layout(dir).lock(), os.O_RDWR, 0)
	if os.IsNotExist(err) {
		fmt.Printf("no lab in %s\n", dir)
		return nil
	}
	if err != nil {
		return fail("%v", err)
	}
	defer lock.Close()
	if !tryLock(lock) {
		if err := stopHolder(lock); err != nil {
			return err
		}
	}
	removeAll(dir, readLock(lock))
	return nil
}

// stopHolder ends the supervisor that holds the lock; its children end with it, however it ends.
func stopHolder(lock *os.File) error {
	var pid int
	for range 20 {
		if pid = readLock(lock).PID; pid > 0 {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	if pid <= 0 {
		return fail("the lab is just starting; try again")
	}
	for _, attempt := range []struct {
		signal   syscall.Signal
		patience time.Duration
	}{{syscall.SIGTERM, 15 * time.Second}, {syscall.SIGKILL, 5 * time.Second}} {
		_ = syscall.Kill(pid, attempt.signal)
		if waitForLock(lock, attempt.patience) {
			return nil
		}
	}
	return fail("process %d does not end", pid)
}
