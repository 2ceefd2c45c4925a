// `lab pull` of many pods in one process: one connection, the node's files made once, several pods at a time.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// atATime is how many pods pull side by side. Those of a node that remembers images take turns: who comes first decides who pulls.
const atATime = 8

const manyPatience = time.Hour

// manyPods say which pods: all of some namespaces, those on standard input, or those that come.
type manyPods struct{ all, stdin, follow bool }

func (m *manyPods) args(command *cobra.Command, args []string) error {
	switch {
	case m.follow:
		return cobra.ArbitraryArgs(command, args)
	case m.all:
		return cobra.MinimumNArgs(1)(command, args)
	case m.stdin:
		return cobra.NoArgs(command, args)
	}
	return cobra.ExactArgs(2)(command, args)
}

// podTask is one pod to pull for on a node; the read is its own, so that it happens in parallel too.
type podTask struct {
	namespace, pod string
	node           string // empty: that of the command
	pull           func(context.Context, *node) (pullReport, error)
}

func pullMany(o pullOptions, many manyPods, namespaces []string) error {
	lab, err := connect(o.dir)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), manyPatience)
	defer cancel()
	if err := o.check(lab.info); err != nil {
		return err
	}
	n, err := startNode(ctx, lab, o.node)
	if err != nil {
		return err
	}
	defer n.close()
	var tasks []podTask
	if many.all {
		tasks, err = n.podsOf(ctx, namespaces, o.after)
	} else {
		tasks, err = n.podsFrom(os.Stdin, o.after)
	}
	if err != nil {
		return err
	}
	if err := withoutTerminal(); err != nil {
		return err
	}
	output := bufio.NewWriter(os.Stdout)
	defer output.Flush()
	return n.pullAll(ctx, tasks, json.NewEncoder(output))
}

// podsOf reads whole namespaces, with two requests each.
func (n *node) podsOf(ctx context.Context, namespaces []string, after pullEffects) ([]podTask, error) {
	read := make([][]podTask, len(namespaces))
	numbers := make([]int, len(namespaces))
	for i := range numbers {
		numbers[i] = i
	}
	err := atOnce(numbers, func(i int) (err error) {
		read[i], err = n.podsOfOne(ctx, namespaces[i], after)
		return err
	})
	if err != nil {
		return nil, misuse("%v", err)
	}
	var tasks []podTask
	for _, some := range read {
		tasks = append(tasks, some...)
	}
	return tasks, nil
}

func (n *node) podsOfOne(ctx context.Context, namespace string, after pullEffects) ([]podTask, error) {
	pods, err := n.client.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	listed, err := n.client.CoreV1().Secrets(namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	byName := map[string]*corev1.Secret{}
	for i := range listed.Items {
		byName[listed.Items[i].Name] = &listed.Items[i]
	}
	tasks := make([]podTask, 0, len(pods.Items))
	for i := range pods.Items {
		pod := &pods.Items[i]
		tasks = append(tasks, podTask{namespace, pod.Name, "", func(ctx context.Context, n *node) (pullReport, error) {
			return n.pullPod(ctx, pod, after, func(name string) (*corev1.Secret, error) { return byName[name], nil })
		}})
	}
	return tasks, nil
}

// podsFrom reads JSON lines {"namespace", "pod"}, and the name of another node where the command has one.
func (n *node) podsFrom(input io.Reader, after pullEffects) ([]podTask, error) {
	var tasks []podTask
	decoder := json.NewDecoder(input)
	for {
		var line struct {
			Namespace string `json:"namespace"`
			Pod       string `json:"pod"`
			Node      string `json:"node"`
		}
		if err := decoder.Decode(&line); errors.Is(err, io.EOF) {
			return tasks, nil
		} else if err != nil {
			return nil, misuse("line %d of the input: %v", len(tasks)+1, err)
		}
		if line.Namespace == "" || line.Pod == "" {
			return nil, misuse("line %d of the input names no namespace and pod", len(tasks)+1)
		}
		if line.Node != "" && (n.options.name == "" || !nodeName.MatchString(line.Node)) {
			return nil, misuse("line %d of the input: a node is a name such as worker-1, and needs --node", len(tasks)+1)
		}
		tasks = append(tasks, podTask{line.Namespace, line.Pod, line.Node, func(ctx context.Context, n *node) (pullReport, error) {
			return n.pullNamed(ctx, line.Namespace, line.Pod, after)
		}})
	}
}

// pullAll prints the reports in the order of the tasks. A pod that gave no answer has `error` and is not pulled.
func (n *node) pullAll(ctx context.Context, tasks []podTask, output *json.Encoder) error {
	results := make([]chan pullReport, len(tasks))
	for i := range results {
		results[i] = make(chan pullReport, 1)
	}
	next := make(chan []int)
	for range atATime {
		go func() {
			for queue := range next {
				n.pullQueue(ctx, tasks, queue, results)
			}
		}()
	}
	go func() {
		defer close(next)
		for _, queue := range n.queues(tasks) {
			next <- queue
		}
	}()
	return printAll(results, output)
}

// queues are the positions of the tasks that take turns: those of one node that remembers images.
func (n *node) queues(tasks []podTask) [][]int {
	var queues [][]int
	known := map[string]int{}
	for i, task := range tasks {
		at, found := known[task.node]
		if !found || n.options.name == "" {
			at = len(queues)
			queues, known[task.node] = append(queues, nil), at
		}
		queues[at] = append(queues[at], i)
	}
	return queues
}

func (n *node) pullQueue(ctx context.Context, tasks []podTask, queue []int, results []chan pullReport) {
	on, err := n, error(nil)
	if name := tasks[queue[0]].node; name != "" && name != n.options.name {
		on, err = n.another(ctx, name)
		defer on.close()
	}
	for _, i := range queue {
		if err != nil {
			results[i] <- tasks[i].silent(err)
			continue
		}
		results[i] <- tasks[i].run(ctx, on)
	}
}

// another is a node like this one, with the same files, and with images and records of its own.
func (n *node) another(ctx context.Context, name string) (*node, error) {
	other := *n
	other.ends, other.options.name = nil, name
	memory, err := other.remember()
	if err != nil {
		return &other, err
	}
	return &other, other.startRecords(ctx, memory)
}

func printAll(results []chan pullReport, output *json.Encoder) error {
	var refused, silent int
	for _, result := range results {
		report := <-result
		if report.Error != "" {
			silent++
		} else if !report.Pulled {
			refused++
		}
		if err := output.Encode(report); err != nil {
			return err
		}
	}
	if silent > 0 {
		return misuse("%d of %d pods gave no answer", silent, len(results))
	}
	if refused > 0 {
		return exitError{code: 1}
	}
	return nil
}

func (t podTask) run(ctx context.Context, n *node) pullReport {
	ctx, cancel := context.WithTimeout(ctx, 4*pullPatience)
	defer cancel()
	report, err := t.pull(ctx, n)
	if err != nil {
		return t.silent(err)
	}
	report.Namespace, report.Pod = t.namespace, t.pod
	return report
}

// silent is the report of a pod that gave no answer.
func (t podTask) silent(err error) pullReport {
	return pullReport{
		Namespace: t.namespace, Pod: t.pod, Images: []imageReport{}, Ignored: []ignoredSecret{}, NodeProblems: []string{}, Error: err.Error(),
	}
}

// withoutTerminal keeps the libraries from asking a person which of several registries is meant: no node has a terminal.
func withoutTerminal() error {
	null, err := os.Open(os.DevNull)
	if err != nil {
		return err
	}
	os.Stdin = null
	return nil
}
