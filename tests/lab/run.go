// `lab run`, similar to `kubectl run`: a pod that asks for an image, in a project that is created if it is missing.
package main

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
)

// madeHere marks the objects of this command: no other objects are replaced.
const madeHere = "lab.openshift-ops.example.com/made"

const runPatience = 30 * time.Second

type runOptions struct{ dir, namespace, pod, image, account string }

func runPod(o runOptions) error {
	lab, err := connect(o.dir)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), runPatience)
	defer cancel()
	if err := o.makeProject(ctx, lab.client); err != nil {
		return misuse("project %s: %v", o.namespace, err)
	}
	if err := o.replacePod(ctx, lab.client); err != nil {
		return misuse("pod %s/%s: %v", o.namespace, o.pod, err)
	}
	fmt.Printf("pod %s/%s asks for %s\n", o.namespace, o.pod, o.image)
	return nil
}

func (o runOptions) makeProject(ctx context.Context, client kubernetes.Interface) error {
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: o.namespace, Labels: map[string]string{madeHere: "true"}}}
	_, err := client.CoreV1().Namespaces().Create(ctx, namespace, metav1.CreateOptions{})
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return err
	}
	return wait.PollUntilContextCancel(ctx, 50*time.Millisecond, true, func(ctx context.Context) (bool, error) {
		_, err := client.CoreV1().ServiceAccounts(o.namespace).Get(ctx, o.account, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return false, nil
		}
		return err == nil, err
	})
}

// replacePod recreates the pod, because admission gives a pod its pull secrets only once, when it is created.
func (o runOptions) replacePod(ctx context.Context, client kubernetes.Interface) error {
	pods := client.CoreV1().Pods(o.namespace)
	old, err := pods.Get(ctx, o.pod, metav1.GetOptions{})
	if err == nil {
		if old.Labels[madeHere] == "" {
			return fmt.Errorf("it exists and was not made by this command")
		}
		now := int64(0)
		err = pods.Delete(ctx, o.pod, metav1.DeleteOptions{GracePeriodSeconds: &now})
	}
	if err != nil && !apierrors.IsNotFound(err) {
		return err
	}
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: o.pod, Labels: map[string]string{madeHere: "true"}},
		Spec: corev1.PodSpec{
			ServiceAccountName: o.account,
			Containers:         []corev1.Container{{Name: "app", Image: o.image}},
		},
	}
	_, err = pods.Create(ctx, pod, metav1.CreateOptions{})
	return err
}
