# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pods that were created before the link are reported or deleted. The lab has no kubelet, so the tests write the status of pods."""

from __future__ import annotations

from typing import Any

import pytest
from support.lab import path_of

OWNER = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web", "uid": "u", "controller": True}


def link(run: Any, namespace: str, **options: Any) -> dict[str, Any]:
    return run("sa_link", namespaces=[namespace], secrets=["mine"], require="none", **options)


def make(lab: Any, namespace: str, name: str, *, waits: str = "", owned: bool = True, own: str = "") -> None:
    spec: dict[str, Any] = {"containers": [{"name": "app", "image": "quay.io/team/app"}]}
    if own:
        spec["imagePullSecrets"] = [{"name": own}]
    meta = {"name": name, "ownerReferences": [OWNER] if owned else []}
    lab.create(namespace, "pods", {"metadata": meta, "spec": spec})
    state = {"waiting": {"reason": waits}} if waits else {"running": {}}
    container = {"name": "app", "ready": False, "restartCount": 0, "image": "i", "imageID": "", "state": state}
    status = {"phase": "Pending" if waits else "Running", "containerStatuses": [container]}
    lab.api("PATCH", f"{path_of(namespace, 'pods', name)}/status", {"status": status})


def pods(lab: Any, namespace: str) -> list[str]:
    return sorted(pod["metadata"]["name"] for pod in lab.api("GET", path_of(namespace, "pods"))["items"])


@pytest.fixture
def crowd(lab, namespace) -> str:
    make(lab, namespace, "stuck", waits="ImagePullBackOff")
    make(lab, namespace, "stuck-too", waits="ErrImagePull")
    make(lab, namespace, "alone", waits="ImagePullBackOff", owned=False)
    make(lab, namespace, "own-list", waits="ImagePullBackOff", own="theirs")
    make(lab, namespace, "runs")
    return namespace


class TestPods:
    def test_stuck_deletes_only_recoverable_pods_and_check_mode_lists_them(self, lab, run, crowd):
        with lab.no_writes():
            checked = link(run, crowd, restart_pods="stuck", check=True)
        real = link(run, crowd, restart_pods="stuck")
        for part in ("changed", "diff", "namespaces", "summary"):
            assert checked[part] == real[part], part
        actions = [(change["action"], change["kind"], change["name"]) for change in real["namespaces"][0]["changes"]]
        assert actions == [
            ("update", "ServiceAccount", "default"),
            ("delete", "Pod", "stuck"),
            ("delete", "Pod", "stuck-too"),
        ]
        assert pods(lab, crowd) == ["alone", "own-list", "runs"]
        with lab.no_writes():
            assert link(run, crowd, restart_pods="stuck")["changed"] is False

    def test_a_pod_with_its_own_list_is_kept_even_if_the_account_has_its_names(self, lab, run, crowd):
        """The pod lacks the platform's entry, so a recreated pod would fail in the same way."""
        lab.set_account(crowd, imagePullSecrets=["theirs"])
        assert link(run, crowd, restart_pods="stuck")["changed"]
        assert pods(lab, crowd) == ["alone", "own-list", "runs"]
