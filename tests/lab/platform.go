// `lab up --platform`: what looks after the pull secret of the nodes, and by which objects such a cluster is known.
package main

import (
	"context"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	extensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

const (
	platformNone       = ""           // nothing looks after it
	platformStandalone = "standalone" // the machine config operator
	platformHosted     = "hosted"     // the hosted cluster config operator: hosted control planes
	platformManaged    = "managed"    // ROSA classic, OpenShift Dedicated: the machine config operator, and a webhook that refuses changes
)

var infrastructures = resource{"config.openshift.io", "infrastructures", "Infrastructure", extensionsv1.ClusterScoped, ""}

// The platform's own entries, with logins that are none.
const originalContent = `{"auths": {
  "cloud.openshift.com": {"auth": "b3BlbnNoaWZ0OnRva2Vu", "email": "you@example.com"},
  "quay.io": {"auth": "b3BlbnNoaWZ0OnF1YXk=", "email": "you@example.com"},
  "registry.connect.redhat.com": {"auth": "dXNlcjpjb25uZWN0", "email": "you@example.com"},
  "registry.redhat.io": {"auth": "dXNlcjpyZWRoYXQ=", "email": "you@example.com"}
}}`

// operator is a stand-in that runs until it is stopped.
type operator interface {
	start(ctx context.Context) error
	stop()
}

// startPlatformOperator describes the platform and starts what looks after its nodes' pull secret; nil where nothing does.
func startPlatformOperator(ctx context.Context, o *openshift, platform string) (operator, error) {
	if platform == platformNone {
		return nil, nil
	}
	if err := o.describePlatform(ctx, platform); err != nil {
		return nil, err
	}
	if err := o.hold(ctx, configNamespace, nodeSecret, []byte(originalContent)); err != nil {
		return nil, err
	}
	var running operator = newMachineConfigOperator(o)
	if platform == platformHosted {
		running = newHostedOperator(o, []byte(originalContent))
	}
	if err := running.start(ctx); err != nil {
		return nil, err
	}
	switch platform {
	case platformHosted:
		return running, o.refuseHostedChanges(ctx)
	case platformManaged:
		return running, o.refuseChanges(ctx)
	}
	return running, nil
}

func (o *openshift) describePlatform(ctx context.Context, platform string) error {
	if err := o.define(ctx, infrastructures); err != nil {
		return err
	}
	if err := o.waitEstablished(ctx, infrastructures); err != nil {
		return err
	}
	status := map[string]any{"controlPlaneTopology": "HighlyAvailable", "infrastructureName": "lab"}
	if platform == platformHosted {
		status["controlPlaneTopology"] = "External"
	}
	aws := map[string]any{"type": "AWS", "aws": map[string]any{"region": "us-west-2"}}
	if platform == platformManaged {
		aws["aws"] = map[string]any{"region": "us-west-2", "resourceTags": []any{
			map[string]any{"key": "red-hat-clustertype", "value": "rosa"}, map[string]any{"key": "red-hat-managed", "value": "true"},
		}}
	}
	status["platformStatus"] = aws
	return o.put(ctx, infrastructures, "cluster", map[string]any{"status": status})
}

const refusal = "Prevented from accessing Red Hat managed resources. This is in an effort to prevent harmful actions that may cause " +
	"unintended consequences or affect the stability of the cluster. If you have any questions about this, please reach out to Red Hat " +
	"support at https://access.redhat.com/support"

// refuseChanges stands in for the webhook regular-user-validation.managed.openshift.io, with its words.
func (o *openshift) refuseChanges(ctx context.Context) error {
	return o.refuse(ctx, "regular-user-validation.managed.openshift.io", `request.namespace != "`+configNamespace+`"`, refusal,
		metav1.StatusReasonForbidden, deniedRule("", "v1", []string{"secrets"}, admissionv1.Update, admissionv1.Delete))
}

const hostedRefusal = "This resource cannot be created, updated, or deleted. Please ask your administrator to modify the resource in the HostedCluster object."

// refuseHostedChanges is the policy of a hosted cluster for settings of its HostedCluster (openshift/hypershift resources/kas/admissionpolicies.go).
func (o *openshift) refuseHostedChanges(ctx context.Context) error {
	every := []admissionv1.OperationType{admissionv1.Create, admissionv1.Update, admissionv1.Delete}
	return o.refuse(ctx, "mirror", "false", hostedRefusal, metav1.StatusReasonInvalid,
		deniedRule(digestMirrorSets.group, "*", []string{digestMirrorSets.plural, tagMirrorSets.plural}, every...),
		deniedRule(sourcePolicies.group, "*", []string{sourcePolicies.plural}, every...),
		deniedRule(imageConfigs.group, "*", []string{imageConfigs.plural}, every[1:]...))
}

func deniedRule(group, version string, plurals []string, operations ...admissionv1.OperationType) admissionv1.NamedRuleWithOperations {
	return admissionv1.NamedRuleWithOperations{RuleWithOperations: admissionv1.RuleWithOperations{
		Operations: operations,
		Rule:       admissionv1.Rule{APIGroups: []string{group}, APIVersions: []string{version}, Resources: plurals},
	}}
}

// refuse makes an admission policy that refuses requests of the rules, unless the expression is true.
func (o *openshift) refuse(ctx context.Context, name, expression, message string, reason metav1.StatusReason, rules ...admissionv1.NamedRuleWithOperations) error {
	policy := &admissionv1.ValidatingAdmissionPolicy{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: admissionv1.ValidatingAdmissionPolicySpec{
			FailurePolicy:    ptr.To(admissionv1.Fail),
			MatchConstraints: &admissionv1.MatchResources{ResourceRules: rules},
			Validations:      []admissionv1.Validation{{Expression: expression, Message: message, Reason: ptr.To(reason)}},
		},
	}
	client := o.core.AdmissionregistrationV1()
	if _, err := client.ValidatingAdmissionPolicies().Create(ctx, policy, metav1.CreateOptions{}); err != nil {
		return err
	}
	binding := &admissionv1.ValidatingAdmissionPolicyBinding{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: admissionv1.ValidatingAdmissionPolicyBindingSpec{
			PolicyName: name, ValidationActions: []admissionv1.ValidationAction{admissionv1.Deny},
		},
	}
	_, err := client.ValidatingAdmissionPolicyBindings().Create(ctx, binding, metav1.CreateOptions{})
	return err
}
