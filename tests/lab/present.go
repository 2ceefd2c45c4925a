// Whether the kubelet uses an image that is present, and whether it starts with a policy: its own code, asked by `lab oracle`.
package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"

	"k8s.io/apimachinery/pkg/runtime"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"
	utilfeature "k8s.io/apiserver/pkg/util/feature"
	"k8s.io/klog/v2"
	kubeletconfig "k8s.io/kubernetes/pkg/kubelet/apis/config"
	kubeletscheme "k8s.io/kubernetes/pkg/kubelet/apis/config/scheme"
	"k8s.io/kubernetes/pkg/kubelet/apis/config/validation"
	"k8s.io/kubernetes/pkg/kubelet/images/pullmanager"
)

// presentImage is the identity of the image that is asked about.
const presentImage = "sha256:image"

// presentQuestion is what decides about an image that is present. The record is the content of its file, nil if there is none.
type presentQuestion struct {
	Policy    string                                 `json:"policy"`
	AllowList []string                               `json:"allow_list"`
	Record    *string                                `json:"record"`
	Intent    bool                                   `json:"intent"` // a pull of the image's text has begun
	Secrets   []kubeletconfig.ImagePullSecret        `json:"secrets"`
	Account   *kubeletconfig.ImagePullServiceAccount `json:"account"`
}

type presentAnswer struct {
	MustPull bool   `json:"must_pull"`
	Error    string `json:"error,omitempty"` // of the policy: there is no answer
}

// askManager asks a pull manager that has nothing but the record of the question.
func (s *scratch) askManager(image string, q presentQuestion) (presentAnswer, error) {
	enforcer, err := enforcerOf(q.Policy, q.AllowList)
	if err != nil {
		return presentAnswer{Error: err.Error()}, nil
	}
	home := filepath.Join(s.dir, "kubelet")
	defer os.RemoveAll(home)
	logger := klog.Background()
	records, err := pullmanager.NewFSPullRecordsAccessor(logger, home)
	if err != nil {
		return presentAnswer{}, err
	}
	if q.Record != nil {
		name := fmt.Sprintf("sha256-%x", sha256.Sum256([]byte(presentImage)))
		if err := os.WriteFile(filepath.Join(home, "image_manager", "pulled", name), []byte(*q.Record), 0o600); err != nil {
			return presentAnswer{}, err
		}
	}
	ctx := context.Background()
	manager, err := pullmanager.NewImagePullManager(ctx, records, enforcer, nil, stripes)
	if err != nil {
		return presentAnswer{}, err
	}
	if q.Intent {
		if err := records.WriteImagePullIntent(logger, image); err != nil {
			return presentAnswer{}, err
		}
	}
	credentials := func() ([]kubeletconfig.ImagePullSecret, *kubeletconfig.ImagePullServiceAccount, error) {
		return q.Secrets, q.Account, nil
	}
	must, err := manager.MustAttemptImagePull(ctx, image, presentImage, credentials)
	return presentAnswer{MustPull: must}, err
}

// The fields of a kubelet's configuration about images that are present.
const (
	policyField    = "imagePullCredentialsVerificationPolicy"
	allowListField = "preloadedImagesVerificationAllowlist"
)

// configurationProblems are the reasons why a kubelet does not start with a configuration of these fields. It is read as the kubelet
// reads its file: decoded, completed with defaults, and checked.
func configurationProblems(fields map[string]any) ([]string, error) {
	given := maps.Clone(fields)
	given["kind"], given["apiVersion"] = "KubeletConfiguration", "kubelet.config.k8s.io/v1beta1"
	given["containerRuntimeEndpoint"] = "unix:///var/run/crio/crio.sock"
	given["failCgroupV1"] = false // the check also looks at the host, which is not that of a node
	content, err := json.Marshal(given)
	if err != nil {
		return nil, err
	}
	_, codecs, err := kubeletscheme.NewSchemeAndCodecs()
	if err != nil {
		return nil, err
	}
	decoded, err := runtime.Decode(codecs.UniversalDecoder(), content)
	if err != nil {
		return nil, err
	}
	config, ok := decoded.(*kubeletconfig.KubeletConfiguration)
	if !ok {
		return nil, fmt.Errorf("not a kubelet's configuration: %T", decoded)
	}
	err = validation.ValidateKubeletConfiguration(config, utilfeature.DefaultFeatureGate)
	if err == nil {
		return nil, nil
	}
	var several utilerrors.Aggregate
	if !errors.As(err, &several) {
		return []string{err.Error()}, nil
	}
	var problems []string
	for _, one := range several.Errors() {
		problems = append(problems, one.Error())
	}
	return problems, nil
}
