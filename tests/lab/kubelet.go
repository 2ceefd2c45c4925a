// The kubelet's image manager, with the lab's runtime below it: what it decides, what it would write into the status, its events.
package main

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/flowcontrol"
	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"
	"k8s.io/kubernetes/pkg/credentialprovider/secrets"
	"k8s.io/kubernetes/pkg/kubelet/images"
	"k8s.io/kubernetes/pkg/util/parsers"
)

// waiting is state.waiting of a container's status.
type waiting struct {
	Reason  string `json:"reason"`
	Message string `json:"message"`
}

// The kubelet's own times for a pull that failed.
const (
	backOffFirst = 10 * time.Second
	backOffMost  = 300 * time.Second
)

// ensure makes an image of a pod be there. With again, a pull that failed is asked for once more, so that the answer is the back-off.
func (n *node) ensure(ctx context.Context, pod *corev1.Pod, pullSecrets []corev1.Secret, wanted wantedImage, again bool) imageReport {
	report := imageReport{
		Image: wanted.image, Volume: wanted.volume, PullPolicy: string(wanted.policy), Containers: wanted.containers, Tried: []attempt{}, Events: []event{},
	}
	repository, _, _, err := parsers.ParseImageName(wanted.image)
	parseError := err
	service := &imageService{
		node: n, namespace: pod.Namespace, system: n.system(pod.Namespace), secrets: pullSecrets,
		origins: originsFor(pullSecrets, n.config, repository),
	}
	recorder := &recorder{events: &report.Events}
	manager := images.NewImageManager(recorder, n.keyring, service, n.records, flowcontrol.NewBackOff(backOffFirst, backOffMost),
		false, nil, 0, 0, noTimes{})
	sandbox := &runtimeapi.PodSandboxConfig{Metadata: &runtimeapi.PodSandboxMetadata{
		Name: pod.Name, Namespace: pod.Namespace, Uid: string(pod.UID),
	}}
	defer n.provider.turn(pod.Namespace)()
	ask := func() (string, error) {
		_, message, err := manager.EnsureImageExists(ctx, &corev1.ObjectReference{}, pod, wanted.image, pullSecrets, sandbox, "", wanted.policy)
		return message, err
	}
	message, err := ask()
	if again && err != nil && service.asked {
		message, err = ask()
	}
	report.Tried = append(report.Tried, service.tried...)
	report.Pulled, report.Present = err == nil, err == nil && !service.asked
	if err != nil {
		report.Waiting = &waiting{err.Error(), message}
		recorder.Event(nil, corev1.EventTypeWarning, "Failed", "Error: "+err.Error())
	} else {
		report.ImageID = service.imageID()
	}
	switch {
	case parseError != nil:
		report.Reason = parseError.Error()
	case err != nil && !service.asked && keyringError(pullSecrets) != nil:
		report.Reason = "keyring error: " + err.Error()
	case err != nil && !service.asked:
		report.Reason = message
	default:
		report.Reason = n.reason(service, repository, err)
	}
	return report
}

func keyringError(pullSecrets []corev1.Secret) error {
	_, err := secrets.MakeDockerKeyring(pullSecrets, nil)
	return err
}

// event is one of the pod's events, as the kubelet would send it.
type event struct {
	Type    string `json:"type"`
	Reason  string `json:"reason"`
	Message string `json:"message"`
}

// recorder keeps the events of one image.
type recorder struct{ events *[]event }

func (r *recorder) Event(_ runtime.Object, kind, reason, message string) {
	*r.events = append(*r.events, event{kind, reason, message})
}

func (r *recorder) Eventf(object runtime.Object, kind, reason, format string, args ...any) {
	r.Event(object, kind, reason, fmt.Sprintf(format, args...))
}

func (r *recorder) AnnotatedEventf(object runtime.Object, _ map[string]string, kind, reason, format string, args ...any) {
	r.Eventf(object, kind, reason, format, args...)
}

// noTimes drops how long pods waited.
type noTimes struct{}

func (noTimes) RecordImageStartedPulling(types.UID)  {}
func (noTimes) RecordImageFinishedPulling(types.UID) {}
