# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A project user decides nothing outside the own project by the objects that a plan of a pull without a secret reads.

In each test, mallory is the attacker and administers one project. The other project is the victim's.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.hostile_text import attacks
from support.lab import Lab, path_of
from support.modules import run_module
from support.objects import auth_file, pull_secret
from support.playbooks import play
from support.project_user import ProjectUser
from support.provider_configs import config

AUDIENCE = "zot"
BUILDS, STREAMS = (f"/apis/{group}.openshift.io/v1/namespaces" for group in ("build", "image"))


@pytest.fixture
def mallory(lab: Lab, namespace: str) -> ProjectUser:
    return ProjectUser.create(lab, "mallory", namespace)


@pytest.fixture
def victim(namespaces: Any) -> str:
    (name,) = namespaces(1)
    return str(name)


@pytest.fixture
def providers(lab: Lab, tmp_path: Path) -> Path:
    host = lab.registry("private")["host"]
    path = tmp_path / "providers.json"
    path.write_text(json.dumps(config(matchImages=[host], tokens={"serviceAccountTokenAudience": AUDIENCE})))
    return path


def plans(lab: Lab, providers: Path, *namespaces: str, **question: Any) -> dict[str, Any]:
    """The plans of each namespace."""
    result = run_module(
        "pull_access_info",
        kubeconfig=lab.kubeconfig,
        namespaces=[*namespaces],
        secretless=True,
        credential_provider_config=str(providers),
        **question,
    )
    assert not result["failed"], result["msg"]
    return {each["name"]: [row["secretless"] for row in each["access"]] for each in result["namespaces"]}


def set_up(lab: Lab, namespace: str) -> None:
    """A secret for the registry that `default` lists, and a pod with it."""
    registry = lab.registry("private")
    lab.create(namespace, "secrets", pull_secret("pull", auth_file({registry["host"]: ("robot", "canary-of-a-robot")})))
    lab.set_account(namespace, imagePullSecrets=["pull"])
    lab.pod(namespace, "app", registry["image"])


def test_odd_objects_stop_nothing_and_change_no_plan_of_others(
    lab: Lab, mallory: ProjectUser, victim: str, providers: Path, tmp_path: Path
) -> None:
    """She plants annotations, builds, image streams, workloads and pods with any content that the API server accepts."""
    for namespace in (mallory.namespace, victim):
        set_up(lab, namespace)
    before = plans(lab, providers, victim)
    mark = tmp_path / "evaluated"
    texts = [*attacks(f"touch {mark}"), "a\nb: c", "x" * 100_000, "\u202e", ""]
    for text in texts:
        mallory.request(
            "PATCH",
            path_of(mallory.namespace, "serviceaccounts", "default"),
            {"metadata": {"annotations": {"example.com/role": text, "eks.amazonaws.com/ecr-role-arn": text}}},
        )
    values = [
        None,
        3,
        "x",
        [],
        [None],
        {"pullSecret": None},
        {"secret": {"name": texts}},
        {"secret": [{"name": text} for text in texts]},
    ]
    for at, value in enumerate(values):
        for root, kind, spec in (
            (BUILDS, "BuildConfig", {"strategy": value, "output": value}),
            (
                STREAMS,
                "ImageStream",
                {"tags": [{"name": value, "from": {"kind": "DockerImage", "name": value}}, value]},
            ),
        ):
            group = root.split("/")[2]
            body = {"apiVersion": f"{group}/v1", "kind": kind, "metadata": {"name": f"odd-{at}"}, "spec": spec}
            lab.api("POST", f"{root}/{mallory.namespace}/{kind.lower()}s", body, expect=(201, 400, 422))
    names = [{"from": {"kind": "DockerImage", "name": text}, "name": "v1"} for text in texts]
    body = {
        "apiVersion": "image.openshift.io/v1",
        "kind": "ImageStream",
        "metadata": {"name": "texts"},
        "spec": {"tags": names},
    }
    lab.api("POST", f"{STREAMS}/{mallory.namespace}/imagestreams", body)
    token = {"serviceAccountToken": {"audience": texts[0], "path": "token"}}
    container = {"name": "app", "image": f"{lab.registry('private')['host']}/{'a' * 200}:v1"}
    spec = {"containers": [container], "volumes": [{"name": "t", "projected": {"sources": [token]}}]}
    mallory.create_object("pods", {"metadata": {"name": "odd"}, "spec": spec})

    found = plans(lab, providers, mallory.namespace, victim)
    assert found[victim] == before[victim]
    assert len(found[mallory.namespace]) == 2
    inventory = tmp_path / "hosts.yml"
    inventory.write_text(yaml.dump({"all": {"hosts": {"lab": {"image_pull_kubeconfig": str(lab.kubeconfig)}}}}))
    shown = play(
        "explain",
        inventory,
        "-e",
        f"pod={mallory.namespace}/odd",
        "-e",
        "secretless=true",
        "-e",
        f"credential_provider_config={providers}",
    )
    assert "without a secret, right:" in shown.output
    assert all(line.isprintable() for line in shown.output.splitlines())
    assert "canary" not in shown.output + str(found)
    assert not mark.exists(), "a text of a project user was evaluated"


def test_no_account_of_hers_replaces_the_role_of_another(
    lab: Lab, mallory: ProjectUser, victim: str, tmp_path: Path
) -> None:
    """She names an account so that its role could have the name of the role for the victim's account."""
    registry, names = lab.registry("private"), {}
    for namespace, account, audience in ((victim, "robot", "zot-east"), (mallory.namespace, "robot-zot", "east")):
        lab.create(namespace, "serviceaccounts", {"metadata": {"name": account}})
        path = tmp_path / f"{account}.json"
        path.write_text(
            json.dumps(config(matchImages=[registry["host"]], tokens={"serviceAccountTokenAudience": audience}))
        )
        (plan,) = plans(lab, path, namespace, service_account=account, image=registry["image"])[namespace]
        (fix,) = [each["fix"] for each in plan["checks"] if each["check"] == "right"]
        role, binding = yaml.safe_load_all(fix)
        assert role["rules"][0]["resourceNames"] == [account]
        assert (binding["metadata"]["namespace"], binding["roleRef"]["name"]) == (namespace, role["metadata"]["name"])
        names[role["metadata"]["name"]] = account
    assert [*names.values()] == ["robot", "robot-zot"]
