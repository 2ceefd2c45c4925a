// Child processes that cannot outlive the supervisor.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"time"
)

type child struct {
	name string
	cmd  *exec.Cmd
	done chan struct{}
}

// onSpawnThread runs functions on one thread that never ends: the kernel sends the parent-death signal
// when the *thread* that started a child is gone, and Go ends idle threads.
var onSpawnThread = sync.OnceValue(func() chan func() {
	work := make(chan func())
	go func() {
		runtime.LockOSThread()
		for f := range work {
			f()
		}
	}()
	return work
})

// startPart starts a part of the control plane, its output going to logPath.
func startPart(name, logPath string, args ...string) (*child, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	log, err := os.OpenFile(logPath, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	c := &child{name: name, cmd: exec.Command(self, append([]string{name}, args...)...), done: make(chan struct{})}
	c.cmd.Args[0] = name // the name it shows in `ps` and sends as its user agent
	c.cmd.Stdout, c.cmd.Stderr = log, log
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	started := make(chan error)
	onSpawnThread() <- func() { started <- c.cmd.Start() }
	if err := <-started; err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	go func() {
		_ = c.cmd.Wait()
		close(c.done)
	}()
	return c, nil
}

func (c *child) ended() bool {
	select {
	case <-c.done:
		return true
	default:
		return false
	}
}

// stop asks, waits, then kills.
func (c *child) stop(patience time.Duration) {
	_ = c.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-c.done:
	case <-time.After(patience):
		_ = c.cmd.Process.Kill()
		<-c.done
	}
}

// stopTogether stops several children at once.
func stopTogether(patience time.Duration, children ...*child) {
	var group sync.WaitGroup
	for _, c := range children {
		if c != nil {
			group.Go(func() { c.stop(patience) })
		}
	}
	group.Wait()
}
