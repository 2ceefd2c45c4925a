// Command lab is the test lab of this collection: a real control plane, the registries and the
// node's side of an image pull, all on loopback and in one binary.
package main

import (
	"errors"
	"fmt"
	"os"
	"runtime/debug"

	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllers "k8s.io/kubernetes/cmd/kube-controller-manager/app"
)

// The parts of the control plane are sub-commands, so that each is a process of its own and can be stopped alone.
const (
	partEtcd        = "etcd"
	partAPIServer   = "kube-apiserver"
	partControllers = "kube-controller-manager"
)

// exitError carries the exit status of a command in addition to its message. An empty message prints nothing.
type exitError struct {
	code    int
	message string
}

func (e exitError) Error() string { return e.message }

// fail is the ordinary failure of a command: one line and exit status 1.
func fail(format string, args ...any) error {
	return exitError{code: 1, message: fmt.Sprintf(format, args...)}
}

// misuse is a wrong command line or an API that does not answer: one line and exit status 2.
func misuse(format string, args ...any) error {
	return exitError{code: 2, message: fmt.Sprintf(format, args...)}
}

func main() {
	saveProcessorTime()
	if len(os.Args) > 1 {
		runPart(os.Args[1], os.Args[2:])
	}
	err := rootCommand().Execute()
	if err == nil {
		return
	}
	code := 2
	var exit exitError
	if errors.As(err, &exit) {
		code = exit.code
	}
	if message := err.Error(); message != "" {
		fmt.Fprintln(os.Stderr, "lab:", message)
	}
	os.Exit(code)
}

// saveProcessorTime collects garbage less often. The control plane of a test allocates much and keeps little, so this saves a sixth of
// its processor time for some hundred megabytes of memory.
func saveProcessorTime() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(400)
		debug.SetMemoryLimit(2 << 30)
	}
}

// runPart does not return when name is a part of the control plane.
func runPart(name string, args []string) {
	switch name {
	case partEtcd:
		etcdmain.Main(append([]string{name}, args...))
		os.Exit(0)
	case partAPIServer:
		command := apiserver.NewAPIServerCommand()
		command.SetArgs(args)
		os.Exit(cli.Run(command))
	case partControllers:
		command := controllers.NewControllerManagerCommand()
		command.SetArgs(args)
		os.Exit(cli.Run(command))
	}
}
