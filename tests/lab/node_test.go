// Tests of what a node says and keeps, without a cluster.
package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	"go.podman.io/image/v5/docker/reference"
	"go.podman.io/image/v5/signature"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/klog/v2"
	"k8s.io/kubernetes/pkg/credentialprovider"
	"k8s.io/utils/ptr"
)

// The texts are those of a node with CRI-O 1.37-dev.
func TestFrames(t *testing.T) {
	const name = "docker://registry.example.com/team/app:v1"
	refused := &net.OpError{Op: "dial", Net: "tcp", Err: fmt.Errorf("connect: %w", syscall.ECONNREFUSED)}
	for want, err := range map[string]error{
		"unable to pull image or OCI artifact: pull image err: initializing source " + name + ": reading manifest v1 in team/app: denied; " +
			"artifact err: image reference: get manifest from ref: create image source: reading manifest v1 in team/app: denied": notOpened{
			name, errors.New("reading manifest v1 in team/app: denied"),
		},
		"SignatureValidationFailed: unable to pull image or OCI artifact: pull image err: Source image rejected: Running image " + name +
			" is rejected by policy.; artifact err: image reference: reference is a container image, not an OCI artifact": fmt.Errorf(
			"Source image rejected: %w", signature.PolicyRequirementError("Running image "+name+" is rejected by policy.")),
		"RegistryUnavailable: unable to pull image: initializing source " + name + ": dial tcp: connect: connection refused": notOpened{name, refused},
		"unable to pull image: initializing source " + name + ": lookup registry.example.com: no such host": notOpened{
			name, &net.DNSError{Err: "no such host", Name: "registry.example.com", IsNotFound: true},
		},
		"unable to pull image: initializing source " + name + ": context deadline exceeded": notOpened{name, context.DeadlineExceeded},
	} {
		if got := toKubelet(inFrame(err)); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestImagesOfAPod(t *testing.T) {
	one := corev1.Container{Name: "one", Image: "a", ImagePullPolicy: corev1.PullAlways}
	two, three, four := one, one, one
	two.Name, three.Name, four.Name = "two", "three", "four"
	three.ImagePullPolicy, four.Image = corev1.PullNever, "b"
	got := imagesOf(&corev1.Pod{Spec: corev1.PodSpec{
		InitContainers: []corev1.Container{one}, Containers: []corev1.Container{two, three},
		EphemeralContainers: []corev1.EphemeralContainer{{EphemeralContainerCommon: corev1.EphemeralContainerCommon(four)}},
	}})
	if text := fmt.Sprint(got); text != "[{a Always [one two] } {a Never [three] } {b Always [four] }]" {
		t.Error(text)
	}
}

func TestImageVolumesOfAPod(t *testing.T) {
	volume := func(name, image string) corev1.Volume {
		source := corev1.VolumeSource{Image: &corev1.ImageVolumeSource{Reference: image, PullPolicy: corev1.PullAlways}}
		return corev1.Volume{Name: name, VolumeSource: source}
	}
	mounts := []corev1.VolumeMount{{Name: "model", MountPath: "/model"}}
	got := imagesOf(&corev1.Pod{Spec: corev1.PodSpec{
		Volumes:    []corev1.Volume{volume("model", "a"), {Name: "other"}, volume("unused", "b")},
		Containers: []corev1.Container{{Name: "one", Image: "a", ImagePullPolicy: corev1.PullAlways, VolumeMounts: mounts}, {Name: "two", Image: "c"}},
	}})
	if text := fmt.Sprint(got); text != "[{a Always [one] model} {b Always [] unused} {a Always [one] } {c  [two] }]" {
		t.Error(text)
	}
}

func TestPodStatus(t *testing.T) {
	pod := &corev1.Pod{Spec: corev1.PodSpec{
		InitContainers: []corev1.Container{{Name: "first"}, {Name: "beside", RestartPolicy: ptr.To(corev1.ContainerRestartPolicyAlways)}, {Name: "last"}},
		Containers:     []corev1.Container{{Name: "app"}},
	}}
	states := func(failed string, ends bool) string {
		report := pullReport{}
		for _, name := range []string{"first", "beside", "last", "app"} {
			image := imageReport{Containers: []string{name}}
			if name == failed {
				image.Waiting = &waiting{"ErrImagePull", "why"}
			}
			report.Images = append(report.Images, image)
		}
		status := podStatus(pod, report, metav1.Now(), ends)
		words := []string{fmt.Sprint(status["phase"])}
		for _, list := range []string{"initContainerStatuses", "containerStatuses"} {
			for _, one := range status[list].([]corev1.ContainerStatus) {
				switch {
				case one.State.Waiting != nil:
					words = append(words, one.State.Waiting.Reason)
				case one.State.Terminated != nil:
					words = append(words, one.State.Terminated.Reason)
				default:
					words = append(words, "running")
				}
			}
		}
		return strings.Join(words, " ")
	}
	for failed, want := range map[string]string{
		"":     "Running Completed running Completed running",
		"last": "Pending Completed running ErrImagePull PodInitializing",
		"app":  "Pending Completed running Completed ErrImagePull",
	} {
		if got := states(failed, false); got != want {
			t.Errorf("%q: %s, want %s", failed, got, want)
		}
	}
	if got := states("", true); got != "Running Completed running Completed running" {
		t.Error("a pod that is restarted has no end:", got)
	}
	pod.Spec.RestartPolicy = corev1.RestartPolicyNever
	if got := states("", true); got != "Succeeded Completed Completed Completed Completed" {
		t.Error(got)
	}
	if got := states("app", true); got != "Pending Completed running Completed ErrImagePull" {
		t.Error(got)
	}
}

func TestOrigins(t *testing.T) {
	content := `{"auths": {"registry.example.com/team": {"username": "u", "password": "p"}, "registry.example.com": {"username": "u", "password": "p"}}}`
	secret := corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: "pull", Namespace: "project-a"}, Type: corev1.SecretTypeDockerConfigJson,
		Data: map[string][]byte{corev1.DockerConfigJsonKey: []byte(content)},
	}
	origins := originsFor([]corev1.Secret{secret}, entriesOf(secret), "registry.example.com/team/app")
	var got []string
	for range 4 {
		var c credential
		c, origins = originOf(credentialprovider.TrackedAuthConfig{AuthConfig: credentialprovider.AuthConfig{Username: "u", Password: "p"}}, origins)
		got = append(got, c.secret+" "+c.key)
	}
	want := "pull registry.example.com/team,pull registry.example.com," +
		"openshift-config/pull-secret registry.example.com/team,openshift-config/pull-secret registry.example.com"
	if strings.Join(got, ",") != want {
		t.Error(got)
	}
}

func TestImageStore(t *testing.T) {
	memory := t.TempDir()
	sum := digest.FromString("manifest")
	for _, where := range []string{memory, ""} {
		store, err := openStore(where)
		if err != nil {
			t.Fatal(err)
		}
		if err := store.keep(pulledImage{"registry.example.com/team/app:v1", sum, "id"}); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]string{
		"registry.example.com/team/app:v1":                "id",
		"registry.example.com/team/app@" + sum.String():   "id",
		"registry.example.com/team/app:v2":                "",
		"registry.example.com/team/other@" + sum.String(): "",
	} {
		named, err := reference.ParseNamed(name)
		if err != nil {
			t.Fatal(err)
		}
		kept, err := openStore(memory)
		if err != nil {
			t.Fatal(err)
		}
		if found, _ := kept.find(named); found.ID != want {
			t.Errorf("%s: %q, want %q", name, found.ID, want)
		}
		if none, _ := openStore(""); len(none.images) > 0 {
			t.Error("a node without a name remembers")
		}
	}
}

// The names are enough to reach each lock.
func TestAnyImageCanBeRecorded(t *testing.T) {
	n := &node{options: nodeOptions{name: "node-1", recheck: true}}
	if err := n.startRecords(t.Context(), t.TempDir()); err != nil {
		t.Fatal(err)
	}
	for i := range 1000 {
		image := fmt.Sprintf("registry.example.com:%d/team/app:v1", 20000+i)
		if err := n.records.RecordPullIntent(klog.Background(), image); err != nil {
			t.Fatal(err)
		}
		n.records.RecordImagePullFailed(t.Context(), image)
	}
}

func TestConfigurationProblems(t *testing.T) {
	off := map[string]any{"KubeletEnsureSecretPulledImages": false}
	list := []string{"quay.io/*"}
	for _, test := range []struct {
		fields map[string]any
		want   string
	}{
		{map[string]any{}, ""},
		{map[string]any{"featureGates": off}, ""},
		{map[string]any{policyField: "NeverVerifyAllowlistedImages", allowListField: list}, ""},
		{map[string]any{policyField: "NeverVerify", "featureGates": off}, "feature gate is not enabled"},
		{map[string]any{policyField: "Sometimes"}, `option "Sometimes"`},
		{map[string]any{policyField: "NeverVerifyAllowlistedImages", allowListField: []string{"*"}}, "not a valid wildcard"},
		{map[string]any{allowListField: list}, "can't set `preloadedImagesVerificationAllowlist`"},
	} {
		problems, err := configurationProblems(test.fields)
		if err != nil || (len(problems) == 0) != (test.want == "") || !strings.Contains(strings.Join(problems, "\n"), test.want) {
			t.Errorf("%v %v, want %q", problems, err, test.want)
		}
	}
}

func TestKeptFiles(t *testing.T) {
	path := t.TempDir() + "/files.json"
	if _, found := keptFiles(path); found {
		t.Error("found before it was written")
	}
	files := nodeFiles{Registries: []byte("a"), Policies: map[string][]byte{"project-a": []byte("{}")}}
	if err := keepFiles(path, files); err != nil {
		t.Fatal(err)
	}
	if got, found := keptFiles(path); !found || fmt.Sprint(got) != fmt.Sprint(files) {
		t.Error(got)
	}
}

func TestPushIntoAStream(t *testing.T) {
	stream := map[string]any{"status": map[string]any{"tags": []any{map[string]any{
		"tag": "v1", "conditions": []any{map[string]any{"type": "ImportSuccess", "status": "False"}}, "items": nil,
	}}}}
	one, two := digest.FromString("one"), digest.FromString("two")
	for i, test := range []struct {
		pushed digest.Digest
		want   bool
	}{{one, true}, {one, false}, {two, true}, {one, true}} {
		if got := addPush(stream, "host/project-b/app", "v1", test.pushed, time.Now()); got != test.want {
			t.Errorf("push %d: %v", i, got)
		}
	}
	tags, _, _ := unstructured.NestedSlice(stream, "status", "tags")
	tag := tags[0].(map[string]any)
	if len(tags) != 1 || len(tag["items"].([]any)) != 3 || tag["conditions"] != nil {
		t.Error(stream)
	}
	if newest := tag["items"].([]any)[0].(map[string]any); newest["dockerImageReference"] != "host/project-b/app@"+one.String() {
		t.Error(newest)
	}
}

func TestNodeOptions(t *testing.T) {
	for want, options := range map[string]nodeOptions{
		"":               {shortNames: shortNamesPermissive, name: "worker-1", recheck: true},
		"--short-names":  {shortNames: "other"},
		"--node is":      {shortNames: shortNamesEnforcing, name: "../other"},
		"needs --node":   {shortNames: shortNamesEnforcing, recheck: true},
		"--runtime":      {shortNames: shortNamesEnforcing, runtime: "docker"},
		"need --recheck": {shortNames: shortNamesEnforcing, policy: "AlwaysVerify"},
		"`preloadedImagesVerificationAllowlist` if": {
			shortNames: shortNamesEnforcing, name: "worker-1", recheck: true, policy: "AlwaysVerify", allowList: []string{"quay.io/*"},
		},
		"--proxy": {shortNames: shortNamesEnforcing, proxy: "127.0.0.1:3128"},
	} {
		err := options.check()
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

func TestTasksOfANodeThatRemembersTakeTurns(t *testing.T) {
	tasks := []podTask{{node: ""}, {node: "a"}, {node: "b"}, {node: "a"}, {node: ""}}
	remembers := &node{options: nodeOptions{name: "default"}}
	if got := remembers.queues(tasks); !slices.EqualFunc(got, [][]int{{0, 4}, {1, 3}, {2}}, slices.Equal[[]int]) {
		t.Errorf("got %v", got)
	}
	if got := (&node{}).queues([]podTask{{}, {}}); len(got) != 2 {
		t.Errorf("got %v", got)
	}
}
