// The kubelet's memory of who may use an image that is present (KEP-2535), kept by its own code in the directory of a named node.
package main

import (
	"context"
	"path/filepath"

	utilfeature "k8s.io/apiserver/pkg/util/feature"
	"k8s.io/klog/v2"
	"k8s.io/kubernetes/pkg/features"
	kubeletconfig "k8s.io/kubernetes/pkg/kubelet/apis/config"
	"k8s.io/kubernetes/pkg/kubelet/images/pullmanager"
)

// stripes is how many pulls of different images may touch the records at a time. With more than 31 the kubelet of v1.36 makes 31 locks
// and takes one by a number modulo the size that was asked for: it panics at one image in 32.
const stripes = 31

// startRecords opens the images and the records of a node. The gate is one of the process: on where the node checks again, and where
// it has nothing to check, since the kubelet then also says which secret a credential came from.
func (n *node) startRecords(ctx context.Context, memory string) error {
	var err error
	if n.store, err = openStore(memory); err != nil {
		return fail("%v", err)
	}
	n.records = &pullmanager.NoopImagePullManager{}
	check := n.options.recheck || memory == ""
	gate := map[string]bool{string(features.KubeletEnsureSecretPulledImages): check}
	if err := utilfeature.DefaultMutableFeatureGate.SetFromMap(gate); err != nil {
		return fail("%v", err)
	}
	if !n.options.recheck {
		return nil
	}
	records, err := pullmanager.NewFSPullRecordsAccessor(klog.Background(), filepath.Join(memory, "kubelet"))
	if err != nil {
		return fail("%v", err)
	}
	policy, err := enforcerOf(n.options.policy, n.options.allowList)
	if err != nil {
		return fail("%v", err)
	}
	n.records, err = pullmanager.NewImagePullManager(ctx, records, policy, &imageService{node: n, system: n.system("")}, stripes)
	return err
}

// enforcerOf is the kubelet's policy; the default where none is named.
func enforcerOf(policy string, allowList []string) (pullmanager.ImagePullPolicyEnforcer, error) {
	if policy == "" {
		policy = string(kubeletconfig.NeverVerifyPreloadedImages)
	}
	return pullmanager.NewImagePullCredentialVerificationPolicy(kubeletconfig.ImagePullCredentialsVerificationPolicy(policy), allowList)
}
