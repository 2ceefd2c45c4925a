// `lab pull`: the node's part. The pod as admission left it, the secrets it names, the kubelet's keyring,
// and one manifest request for each credential until one is accepted.
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
	"go.podman.io/image/v5/types"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/kubernetes/pkg/credentialprovider"
	"k8s.io/kubernetes/pkg/util/parsers"
)

const pullPatience = 30 * time.Second

type pullReport struct {
	Namespace string          `json:"namespace"`
	Pod       string          `json:"pod"`
	Pulled    bool            `json:"pulled"`
	Images    []imageReport   `json:"images"`
	Ignored   []ignoredSecret `json:"ignored"`
}

type imageReport struct {
	Image  string    `json:"image"`
	Pulled bool      `json:"pulled"`
	Reason string    `json:"reason"`
	Tried  []attempt `json:"tried"`
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

// node is what a pull needs to know of the lab.
type node struct {
	info   labInfo
	client kubernetes.Interface
}

// connect reads what the lab says of itself and opens the way to its cluster.
func connect(dir string) (node, error) {
	silenceLibraries()
	info, err := readLab(dir)
	if err != nil {
		return node{}, err
	}
	config, err := loadKubeconfig(info.Kubeconfig)
	if err != nil {
		return node{}, misuse("%v", err)
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return node{}, misuse("%v", err)
	}
	return node{info, client}, nil
}

func pull(dir, namespace, pod string, asJSON bool) error {
	lab, err := connect(dir)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 4*pullPatience)
	defer cancel()
	report, err := lab.pullPod(ctx, namespace, pod)
	if err != nil {
		return misuse("%v", err)
	}
	if asJSON {
		err = json.NewEncoder(os.Stdout).Encode(report)
	} else {
		report.print()
	}
	if err == nil && !report.Pulled {
		return exitError{code: 1}
	}
	return err
}

func (n node) pullPod(ctx context.Context, namespace, name string) (pullReport, error) {
	report := pullReport{Namespace: namespace, Pod: name, Pulled: true, Images: []imageReport{}, Ignored: []ignoredSecret{}}
	pod, err := n.client.CoreV1().Pods(namespace).Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return report, err
	}
	pullSecrets, missing, err := n.pullSecrets(ctx, pod)
	if err != nil {
		return report, err
	}
	report.Ignored = append(report.Ignored, missing...)
	for _, secret := range pullSecrets {
		if reason := unreadable(secret); reason != "" {
			report.Ignored = append(report.Ignored, ignoredSecret{secret.Name, reason})
		}
	}
	for _, image := range imagesOf(pod) {
		result := n.pullImage(ctx, pullSecrets, image)
		report.Images = append(report.Images, result)
		report.Pulled = report.Pulled && result.Pulled
	}
	return report, nil
}

// pullSecrets reads the secrets that the pod names; one that does not exist is skipped, as the kubelet does.
func (n node) pullSecrets(ctx context.Context, pod *corev1.Pod) ([]corev1.Secret, []ignoredSecret, error) {
	var found []corev1.Secret
	var missing []ignoredSecret
	for _, reference := range pod.Spec.ImagePullSecrets {
		if reference.Name == "" {
			continue
		}
		secret, err := n.client.CoreV1().Secrets(pod.Namespace).Get(ctx, reference.Name, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			missing = append(missing, ignoredSecret{reference.Name, "missing"})
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		found = append(found, *secret)
	}
	return found, missing, nil
}

func imagesOf(pod *corev1.Pod) []string {
	var images []string
	for _, container := range slices.Concat(pod.Spec.InitContainers, pod.Spec.Containers) {
		if !slices.Contains(images, container.Image) {
			images = append(images, container.Image)
		}
	}
	return images
}

// pullImage follows the kubelet: with a match only the matching credentials are tried, without one a single anonymous pull.
func (n node) pullImage(ctx context.Context, pullSecrets []corev1.Secret, image string) imageReport {
	report := imageReport{Image: image, Tried: []attempt{}}
	repository, _, _, err := parsers.ParseImageName(image)
	if err != nil {
		report.Reason = err.Error()
		return report
	}
	credentials, err := lookUp(pullSecrets, repository)
	if err != nil {
		report.Reason = "keyring error: " + err.Error()
		return report
	}
	if len(credentials) == 0 {
		err := n.fetch(ctx, image, credentialprovider.AuthConfig{})
		report.Pulled = err == nil
		report.Reason = fmt.Sprintf("no credential matches %s; anonymous pull answered %s", repository, n.result(image, err))
		return report
	}
	for _, c := range credentials {
		err := n.fetch(ctx, image, c.auth)
		result := n.result(image, err)
		report.Tried = append(report.Tried, attempt{c.secret, c.key, result})
		if err == nil {
			report.Pulled, report.Reason = true, fmt.Sprintf("secret %s key %s", c.secret, c.key)
			return report
		}
	}
	first := report.Tried[0]
	report.Reason = fmt.Sprintf("secret %s key %s answered %s; no anonymous pull is tried where a credential matches",
		first.Secret, first.Key, first.Result)
	return report
}

// fetch asks for the manifest with one credential. An empty user name is no credential, as for CRI-O.
func (n node) fetch(ctx context.Context, image string, auth credentialprovider.AuthConfig) error {
	ctx, cancel := context.WithTimeout(ctx, pullPatience)
	defer cancel()
	reference, err := docker.ParseReference("//" + image)
	if err != nil {
		return err
	}
	system := clientContext(layout(n.info.Dir))
	if auth.Username != "" {
		system.DockerAuthConfig = &types.DockerAuthConfig{Username: auth.Username, Password: auth.Password}
	}
	source, err := reference.NewImageSource(ctx, system)
	if err != nil {
		return withoutValue(err, auth)
	}
	defer source.Close()
	_, _, err = source.GetManifest(ctx, nil)
	return withoutValue(err, auth)
}

// withoutValue guards against an error text that repeats what it was given.
func withoutValue(err error, auth credentialprovider.AuthConfig) error {
	if err == nil || auth.Password == "" || !strings.Contains(err.Error(), auth.Password) {
		return err
	}
	return errors.New(strings.ReplaceAll(err.Error(), auth.Password, "(password)"))
}

// result is the outcome of one attempt in a few words.
func (n node) result(image string, err error) string {
	if err == nil {
		return "pulled"
	}
	var refused docker.ErrUnauthorizedForCredentials
	if errors.As(err, &refused) {
		return "401 unauthorized by the token server"
	}
	var coded errcode.Error
	if !errors.As(err, &coded) {
		return strings.Join(strings.Fields(err.Error()), " ")
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

func (n node) isLabRegistry(image string) bool {
	host, _, _ := strings.Cut(image, "/")
	for _, registry := range n.info.Registries {
		if registry.Host == host {
			return true
		}
	}
	return false
}

func (r pullReport) print() {
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
