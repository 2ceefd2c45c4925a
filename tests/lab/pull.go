// `lab pull`: what a node does for a pod. The kubelet's own image manager builds the keyring, decides whether an image that is
// present may be used, and tries each credential in turn; the runtime below it is in crio.go.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/docker/distribution/registry/api/errcode"
	v2 "github.com/docker/distribution/registry/api/v2"
	"go.podman.io/image/v5/docker"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/kubernetes/pkg/credentialprovider"
)

const pullPatience = 30 * time.Second

type pullReport struct {
	Namespace    string          `json:"namespace"`
	Pod          string          `json:"pod"`
	Pulled       bool            `json:"pulled"`
	Images       []imageReport   `json:"images"`
	Ignored      []ignoredSecret `json:"ignored"`
	NodeProblems []string        `json:"node_problems"` // why the nodes' files are not as the cluster's objects say
	Error        string          `json:"error,omitempty"`
}

type imageReport struct {
	Image      string    `json:"image"`
	Volume     string    `json:"volume,omitempty"` // the image volume whose image it is; the containers mount it
	Pulled     bool      `json:"pulled"`
	Reason     string    `json:"reason"`
	Tried      []attempt `json:"tried"`
	Containers []string  `json:"containers"`
	PullPolicy string    `json:"pull_policy"`
	Present    bool      `json:"present"` // it was used as it was on the node; no registry was asked
	ImageID    string    `json:"image_id,omitempty"`
	Waiting    *waiting  `json:"waiting"`
	Events     []event   `json:"events"`
}

type attempt struct {
	Secret string `json:"secret"`
	Key    string `json:"key"`
	Result string `json:"result"`
}

type ignoredSecret struct {
	Secret string `json:"secret"`
	Reason string `json:"reason"`
}

// pullOptions are what `lab pull` was asked for.
type pullOptions struct {
	dir    string
	node   nodeOptions
	asJSON bool
	after  pullEffects
}

func (o pullOptions) check(info labInfo) error {
	if o.after.status && info.foreign() {
		return misuse("--status writes what no node did; it is for the lab's own cluster only")
	}
	return nil
}

func pull(o pullOptions, namespace, pod string) error {
	lab, err := connect(o.dir)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 4*pullPatience)
	defer cancel()
	if err := o.check(lab.info); err != nil {
		return err
	}
	n, err := startNode(ctx, lab, o.node)
	if err != nil {
		return err
	}
	defer n.close()
	if err := withoutTerminal(); err != nil {
		return err
	}
	report, err := n.pullNamed(ctx, namespace, pod, o.after)
	if err != nil {
		return misuse("%v", err)
	}
	if o.asJSON {
		err = json.NewEncoder(os.Stdout).Encode(report)
	} else {
		report.print()
	}
	if err == nil && !report.Pulled {
		return exitError{code: 1}
	}
	return err
}

// pullNamed reads one pod and its secrets from the API.
func (n *node) pullNamed(ctx context.Context, namespace, name string, after pullEffects) (pullReport, error) {
	pod, err := n.client.CoreV1().Pods(namespace).Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return pullReport{}, err
	}
	return n.pullPod(ctx, pod, after, n.secretsOf(ctx, namespace))
}

// secretsOf reads the secrets of a namespace when they are wanted.
func (n *node) secretsOf(ctx context.Context, namespace string) secretReader {
	return func(secret string) (*corev1.Secret, error) {
		found, err := n.client.CoreV1().Secrets(namespace).Get(ctx, secret, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return nil, nil
		}
		return found, err
	}
}

// secretReader returns nil for a secret that is not there.
type secretReader func(name string) (*corev1.Secret, error)

func (n *node) pullPod(ctx context.Context, pod *corev1.Pod, after pullEffects, read secretReader) (pullReport, error) {
	report := pullReport{
		Namespace: pod.Namespace, Pod: pod.Name, Pulled: true,
		Images: []imageReport{}, Ignored: []ignoredSecret{}, NodeProblems: append([]string{}, n.problems...),
	}
	pullSecrets, missing, err := pullSecrets(pod, read)
	if err != nil {
		return report, err
	}
	report.Ignored = append(report.Ignored, missing...)
	for _, secret := range pullSecrets {
		if reason := unreadable(secret); reason != "" {
			report.Ignored = append(report.Ignored, ignoredSecret{secret.Name, reason})
		}
	}
	for _, wanted := range imagesOf(pod) {
		result := n.ensure(ctx, pod, pullSecrets, wanted, after.again)
		report.Images = append(report.Images, result)
		report.Pulled = report.Pulled && (result.Pulled || len(result.Containers) == 0) // a volume that no container mounts stops none
	}
	if after.status {
		err = n.writeStatus(ctx, pod, report, after.ends)
	}
	return report, err
}

// pullSecrets reads the secrets that the pod names; one that does not exist is skipped, as the kubelet does.
func pullSecrets(pod *corev1.Pod, read secretReader) ([]corev1.Secret, []ignoredSecret, error) {
	var found []corev1.Secret
	var missing []ignoredSecret
	for _, reference := range pod.Spec.ImagePullSecrets {
		if reference.Name == "" {
			continue
		}
		secret, err := read(reference.Name)
		if err != nil {
			return nil, nil, err
		}
		if secret == nil {
			missing = append(missing, ignoredSecret{reference.Name, "missing"})
			continue
		}
		found = append(found, *secret)
	}
	return found, missing, nil
}

// wantedImage is one image as one or more containers of a pod ask for it, or an image volume, with the containers that mount it.
type wantedImage struct {
	image      string
	policy     corev1.PullPolicy
	containers []string
	volume     string
}

// imagesOf are the images of the volumes, which the kubelet pulls first, and then those of the containers.
func imagesOf(pod *corev1.Pod) []wantedImage {
	containers := slices.Concat(pod.Spec.InitContainers, pod.Spec.Containers)
	for _, ephemeral := range pod.Spec.EphemeralContainers {
		containers = append(containers, corev1.Container(ephemeral.EphemeralContainerCommon))
	}
	images := imageVolumesOf(pod, containers)
	for _, container := range containers {
		at := slices.IndexFunc(images, func(w wantedImage) bool {
			return w.volume == "" && w.image == container.Image && w.policy == container.ImagePullPolicy
		})
		if at < 0 {
			images = append(images, wantedImage{container.Image, container.ImagePullPolicy, nil, ""})
			at = len(images) - 1
		}
		images[at].containers = append(images[at].containers, container.Name)
	}
	return images
}

func imageVolumesOf(pod *corev1.Pod, containers []corev1.Container) []wantedImage {
	var images []wantedImage
	for _, volume := range pod.Spec.Volumes {
		if volume.Image == nil {
			continue
		}
		wanted := wantedImage{volume.Image.Reference, volume.Image.PullPolicy, []string{}, volume.Name}
		for _, container := range containers {
			if slices.ContainsFunc(container.VolumeMounts, func(m corev1.VolumeMount) bool { return m.Name == volume.Name }) {
				wanted.containers = append(wanted.containers, container.Name)
			}
		}
		images = append(images, wanted)
	}
	return images
}

// reason says in one sentence how the image was got, or why it was not.
func (n *node) reason(s *imageService, repository string, err error) string {
	switch {
	case err == nil && !s.asked:
		return "present on the node"
	case !s.asked:
		return err.Error()
	case errors.Is(s.failed, errTooManyPulls):
		return s.failed.Error()
	case len(s.tried) == 0:
		return fmt.Sprintf("no credential matches %s; anonymous pull answered %s", repository, n.result(repository, s.failed))
	case err == nil:
		last := s.tried[len(s.tried)-1]
		return fmt.Sprintf("secret %s key %s", last.Secret, last.Key)
	}
	first := s.tried[0]
	return fmt.Sprintf("secret %s key %s answered %s; no anonymous pull is tried where a credential matches",
		first.Secret, first.Key, first.Result)
}

// withoutValue guards against an error text that repeats what it was given.
func withoutValue(err error, auth credentialprovider.AuthConfig) error {
	if err == nil {
		return nil
	}
	if text := withoutPassword(err.Error(), auth.Password); text != err.Error() {
		return errors.New(text)
	}
	return err
}

// withoutPassword leaves the shortest alone: they are in any text.
func withoutPassword(text, password string) string {
	if len(password) < 4 {
		return text
	}
	return strings.ReplaceAll(text, password, "(password)")
}

// result is the outcome of one attempt in a few words.
func (n *node) result(image string, err error) string {
	if err == nil {
		return "pulled"
	}
	if mirrored := inWords(err); strings.Contains(mirrored, "(Mirrors also failed") {
		return n.root.asOnNode(strings.Join(strings.Fields(mirrored), " "))
	}
	var refused docker.ErrUnauthorizedForCredentials
	if errors.As(err, &refused) {
		return "401 unauthorized by the token server"
	}
	var coded errcode.Error
	if !errors.As(err, &coded) {
		return n.root.asOnNode(strings.Join(strings.Fields(inWords(err)), " "))
	}
	switch coded.Code {
	case errcode.ErrorCodeUnauthorized:
		return "401 unauthorized"
	case errcode.ErrorCodeDenied:
		// The client library also calls a 401 with error="insufficient_scope" denied.
		if n.isLabRegistry(image) {
			return "401 unauthorized"
		}
		return "denied"
	case v2.ErrorCodeManifestUnknown, v2.ErrorCodeNameUnknown:
		return "404 " + strings.ToLower(strings.ReplaceAll(coded.Code.String(), "_", " "))
	}
	return strings.Join(strings.Fields(coded.Error()), " ")
}

// inWords is an error without the frame that the runtime puts around it.
func inWords(err error) string {
	var closed notOpened
	if errors.As(err, &closed) {
		return closed.err.Error()
	}
	return err.Error()
}

func (n *node) isLabRegistry(image string) bool {
	host, _, _ := strings.Cut(image, "/")
	for _, registry := range n.info.Registries {
		if registry.Host == host {
			return true
		}
	}
	return false
}

func (r pullReport) print() {
	for _, problem := range r.NodeProblems {
		fmt.Printf("node: %s\n", problem)
	}
	for _, secret := range r.Ignored {
		fmt.Printf("secret %s ignored: %s\n", secret.Secret, secret.Reason)
	}
	for _, image := range r.Images {
		fmt.Println(image.Image)
		for _, try := range image.Tried {
			fmt.Printf("  secret %s key %s -> %s\n", try.Secret, try.Key, try.Result)
		}
		word := "not pulled"
		if image.Pulled {
			word = "pulled"
		}
		fmt.Printf("  %s: %s\n", word, image.Reason)
	}
}
