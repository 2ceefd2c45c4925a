# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of pull_access_info become a question about pods, workloads or an image. Names that cannot exist are refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import OptionError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.subjects import WORKLOADS
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_access import (
    PullAccess,
    from_options,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.image_questions import RegistryAccess
from support.objects import raised

NONE: dict[str, Any] = {
    **dict.fromkeys(("pod", "workload", "image", "service_account", "realm_hosts", "registry_ca_cert")),
    "ask_registries": False,
    "secretless": False,
    "credential_provider_config": None,
    "registry_validate_certs": True,
    "registry_timeout": 10,
}


def asked(**given: Any) -> PullAccess:
    return from_options({**NONE, **given}, lambda path: FILES[path])


#: The objects in each file.
FILES: dict[str, list[dict[str, Any]]] = {"one": [{"kind": "a"}], "two": [{}, {}], "empty": []}


def test_the_options_become_questions() -> None:
    assert asked() == PullAccess()
    assert asked(pod="app") == PullAccess(pod="app")
    assert asked(image="q.io/a") == PullAccess(account="default", image="q.io/a")
    assert asked(image="q.io/a", service_account="builder") == PullAccess(account="builder", image="q.io/a")


def test_registries_are_asked_when_that_is_wanted() -> None:
    how = {"realm_hosts": ["sso"], "registry_ca_cert": "/ca", "registry_validate_certs": False, "registry_timeout": 3}
    assert asked(**how) == PullAccess(access_options=("registry_ca_cert", "realm_hosts"))
    wanted = RegistryAccess("/ca", validate_certs=False, timeout=3, realm_hosts=("sso",))
    for given in ({"pod": "p"}, {"image": "q.io/a"}, {"workload": "Job/j"}, {}):
        named = "q.io" if "image" in given else ""
        assert asked(ask_registries=True, **how, **given).registries == replace(wanted, named=named)


@pytest.mark.parametrize("timeout", [0, -1, 3601])
def test_a_time_in_which_no_registry_can_answer_is_refused(timeout: int) -> None:
    for ask in (True, False):
        with pytest.raises(OptionError, match=r"^option 'registry_timeout' is in seconds, from 1 to 3600$"):
            asked(ask_registries=ask, registry_timeout=timeout)


@pytest.mark.parametrize("given", [{"pod": "p"}, {"image": "q.io/a"}, {"workload": "Job/j"}], ids=str)
def test_the_question_is_about_everything_if_no_object_is_named(given: dict[str, str]) -> None:
    assert asked(ask_registries=True).is_of_all
    assert not asked(**given).is_of_all


@pytest.mark.parametrize("kind", [*WORKLOADS, "Deployment", "CRONJOB"])
def test_the_workload_kinds_are_known(kind: str) -> None:
    assert asked(workload=f"{kind}/app") == PullAccess(pods_of=(WORKLOADS[kind.lower()], "app"))


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        ("deploy", "deployment"),
        ("deployments", "deployment"),
        ("deployment.apps", "deployment"),
        ("deployments.v1.apps", "deployment"),
        ("sts", "statefulset"),
        ("ds", "daemonset"),
        ("rs", "replicaset"),
        ("RC", "replicationcontroller"),
        ("job.batch", "job"),
        ("cj", "cronjob"),
        ("dc", "deploymentconfig"),
        ("deploymentconfig.apps.openshift.io", "deploymentconfig"),
    ],
)
def test_workload_names_in_oc_form_are_accepted(given: str, kind: str) -> None:
    assert asked(workload=f"{given}/app") == PullAccess(pods_of=(WORKLOADS[kind], "app"))


@pytest.mark.parametrize("given", ["po", "pod", "pods", "Pod"])
def test_a_pod_name_in_oc_form_is_accepted(given: str) -> None:
    assert asked(workload=f"{given}/app") == PullAccess(pod="app")


@pytest.mark.parametrize("given", ["app", "/app", ""])
def test_a_workload_without_a_kind_is_refused(given: str) -> None:
    assert raised(OptionError, lambda: asked(workload=given)) == (
        f"option 'workload' is {given!r}: give KIND/NAME, such as deploy/app"
    )


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("svc/app", "."),
        ("deplyoment/app", ": did you mean 'deployment'?"),
        ("Deployments.batch/app", ": did you mean 'deployments.apps'?"),
        ("pod.apps/app", "."),
    ],
)
def test_an_unknown_kind_of_workload_is_refused(given: str, meant: str) -> None:
    assert raised(OptionError, lambda: asked(workload=given)) == (
        f"option 'workload' has the unknown kind {given[:-4]!r}{meant} It is one of CronJob, DaemonSet, Deployment, "
        "DeploymentConfig, Job, Pod, ReplicaSet, ReplicationController, StatefulSet, or its plural or short name in oc"
    )


@pytest.mark.parametrize(
    "given",
    [
        {"pod": "a/b"},
        {"workload": "Job/"},
        {"workload": "Job/a/b"},
        {"image": " "},
        {"image": "q", "service_account": ".."},
        {"service_account": "a"},
    ],
)
def test_names_that_cannot_exist_are_refused(given: dict[str, str]) -> None:
    with pytest.raises(OptionError):
        asked(**given)


def test_the_plan_without_secrets_can_have_the_configuration_of_a_file() -> None:
    assert asked(secretless=True) == PullAccess(secretless=True)
    given = asked(secretless=True, credential_provider_config="one", image="q.io/a")
    assert (given.provider_config, given.secretless, given.image) == ({"kind": "a"}, True, "q.io/a")


@pytest.mark.parametrize(("path", "number"), [("two", 2), ("empty", 0)])
def test_a_file_with_several_configurations_is_refused(path: str, number: int) -> None:
    message = f"option 'credential_provider_config': {path!r} has {number} documents: give the file of a kubelet, which has one"
    assert raised(OptionError, lambda: asked(secretless=True, credential_provider_config=path)) == message


def test_a_file_that_nothing_reads_is_refused() -> None:
    message = "option 'credential_provider_config' is for 'secretless: true': set it, or leave the file out"
    assert raised(OptionError, lambda: asked(credential_provider_config="one")) == message
