# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The probe pod makes a node pull an image and asks for no privileges."""

from __future__ import annotations

from typing import Any

from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import ObjectRef
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_probe.pods import (
    PullProbe,
    pod_for,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.probe_pods import LABELS, PROBE_POD

REF = ObjectRef(PROBE_POD, "a", "pull-probe-1")


def spec_of(asked: PullProbe, selector: Any = None) -> dict[str, Any]:
    change = pod_for(REF, asked, "q.io/a:1", selector or {})
    assert change.body["metadata"] == {"name": "pull-probe-1", "namespace": "a", "labels": LABELS}
    return dict(change.body["spec"])


class TestPod:
    def test_the_pod_forces_the_pull_and_does_nothing_else(self) -> None:
        spec = spec_of(PullProbe(("q.io/a:1",), timeout=30))
        (container,) = spec.pop("containers")
        assert {name: container[name] for name in ("name", "image", "imagePullPolicy", "command")} == {
            "name": "probe",
            "image": "q.io/a:1",
            "imagePullPolicy": "Always",
            "command": ["true"],
        }
        assert spec == {
            "serviceAccountName": "default",
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "restartPolicy": "Never",
            "activeDeadlineSeconds": 90,
            "tolerations": [{"operator": "Exists"}],
            "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        }

    def test_a_restricted_namespace_accepts_the_pod(self) -> None:
        """The pod meets the restricted Pod Security Standard of Kubernetes. OpenShift chooses the user."""
        (container,) = spec_of(PullProbe(("q.io/a:1",)))["containers"]
        context = container["securityContext"]
        assert context["allowPrivilegeEscalation"] is False
        assert context["capabilities"] == {"drop": ["ALL"]}
        assert "runAsUser" not in context
        assert container["resources"]["requests"].keys() == container["resources"]["limits"].keys()

    def test_the_account_the_pull_list_and_the_node_labels_are_the_given_ones(self) -> None:
        asked = PullProbe(("q.io/a:1",), "builder", ("x", "y"))
        spec = spec_of(asked, {"pool": "gpu"})
        assert spec["serviceAccountName"] == "builder"
        assert spec["imagePullSecrets"] == [{"name": "x"}, {"name": "y"}]
        assert spec["nodeSelector"] == {"pool": "gpu"}
