# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The commands of the troubleshooting guide work, and modules print the messages that it documents.

tests/unit (images/test_pull_rules.py) checks that each rule has a section with its words. `oc` is the
benchmark's kubectl here, which accepts the guide's commands like oc.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.guided import broken_pod, deployment, inventory
from support.guides import GUIDES
from support.logins import user_kubeconfig
from support.modules import run_module
from tools import prepare

pytestmark = pytest.mark.slow

#: The reasons for not running a command here.
NEEDS_A_NODE = "the lab's node is no machine that one can log in to"
NOT_TYPED = {
    "oc debug node/NODE": NEEDS_A_NODE,
    "oc edit": "it opens an editor",
    "openssl s_client": "the lab's registry has another port",
    "skopeo": "no part of the tests",
    "oc get proxies": "the lab has no cluster-wide proxy",
}


@pytest.fixture
def oc(installed, tmp_path):
    """Install the benchmark's kubectl as the reader's `oc`."""
    directory = tmp_path / "bin"
    directory.mkdir()
    (directory / "oc").symlink_to(prepare.kubectl())
    installed.environment["PATH"] = f"{directory}:{installed.environment['PATH']}"


@pytest.fixture(scope="module")
def project(own_lab):
    """Two projects, one with a pod that cannot pull."""
    for name in ("project-a", "project-b"):
        own_lab.namespace(name)
    broken_pod(own_lab, "project-a")
    deployment(own_lab, "project-a")


def test_the_commands_of_the_troubleshooting_guide_work_as_written(installed, own_lab, oc, project):
    account = own_lab.registry("private")["accounts"][0]
    installed.stand_ins["developer@example.com"] = account["username"]
    inventory(installed, registry_password=account["password"], docker_hub_token="a-token-of-docker-hub")
    (installed.folder / "ca.crt").write_text("-----BEGIN CERTIFICATE-----\n", encoding="utf-8")
    installed.follow("troubleshooting", only_shown=NOT_TYPED)


LOGIN = [{"registry": "registry.example.com", "username": "u", "password": "a-long-password"}]
SECRET = {"namespaces": ["project-a"], "name": "private-registry", "registries": LOGIN}


class Modules:
    """Runs modules on the lab. Each run returns all messages of the module."""

    def __init__(self, lab: Any, folder: Path) -> None:
        self.lab, self.folder = lab, folder

    def __call__(self, module: str, **options: Any) -> str:
        result = run_module(module, **{"kubeconfig": self.lab.kubeconfig, **options})
        return f"{result.get('msg', '')} {result.get('warnings', '')}"

    def alone(self, **options: Any) -> str:
        """Run pull_secret without a kubeconfig."""
        return self("pull_secret", **SECRET, **{"kubeconfig": None, "api_key": "not-a-token", **options})

    def elsewhere(self) -> str:
        """A kubeconfig that expects another host as the API server."""
        path = Path(
            user_kubeconfig(self.lab, self.lab.data["server"], self.folder / "elsewhere", {"token": "not-a-token"})
        )
        config = json.loads(path.read_text(encoding="utf-8"))
        config["clusters"][0]["cluster"]["tls-server-name"] = "other.example.com"
        path.write_text(json.dumps(config), encoding="utf-8")
        return str(path)

    def file(self, text: str) -> str:
        path = self.folder / "config.json"
        path.write_text(text, encoding="utf-8")
        return str(path)


def _delegated(run: Modules) -> str:
    registry = run.lab.registry("delegated")
    login = [{"registry": registry["host"], **registry["accounts"][0]}]
    return run("pull_secret", **{**SECRET, "registries": login}, verify=True, registry_ca_cert=run.lab.data["ca_cert"])


def _refused_login(run: Modules) -> str:
    login = [{**LOGIN[0], "registry": run.lab.registry("private")["host"]}]
    return run("pull_secret", **{**SECRET, "registries": login}, verify=True, registry_ca_cert=run.lab.data["ca_cert"])


def _unasked(run: Modules) -> str:
    login = [{**LOGIN[0], "registry": run.lab.registry("private")["host"]}]
    return run("pull_secret", **{**SECRET, "registries": login}, verify=True)


def _unnamed(run: Modules) -> str:
    login = [{**LOGIN[0], "registry": "127.0.0.1:6443"}]
    run("pull_secret", namespaces=["project-a"], name="unnamed", registries=login)
    how = {"namespaces": ["project-a"], "names": ["unnamed"], "verify": True}
    return str(run_module("pull_secret_info", kubeconfig=run.lab.kubeconfig, **how)["namespaces"])


def _file(text: str) -> Callable[[Modules], str]:
    return lambda run: run("pull_secret", namespaces=["project-a"], name="x", auth_file=run.file(text))


#: The messages that the guide shows, and the calls that provoke them.
PROVOKED: dict[str, Callable[[Modules], str]] = {
    "certificate verify failed: unable to get local": lambda run: run.alone(host=run.lab.data["server"]),
    "Hostname mismatch, certificate is not valid": lambda run: run.alone(kubeconfig=run.elsewhere()),
    "kubeconfig /nowhere/config": lambda run: run("pull_secret", **SECRET, kubeconfig="/nowhere/config"),
    "No such file or directory in": lambda run: run(
        "pull_secret", namespaces=["project-a"], name="x", auth_file="auth.json"
    ),
    "'namespace_selector' selects no namespace": lambda run: run(
        "pull_secret", name="x", registries=LOGIN, namespace_selector={"labels": "team=none"}
    ),
    "service account robot does not exist": lambda run: run(
        "sa_wait", namespaces=["project-a"], service_accounts=["robot"], timeout=0
    ),
    "the credential helper 'docker-credential-desktop'": _file('{"auths": {"quay.io": {}}, "credsStore": "desktop"}'),
    "nothing was written because a login does not work": _refused_login,
    "another host. Nothing was sent": _delegated,
    "where only hosts that": _unnamed,
    "was not verified: asking registry": _unasked,
    "neither the kubelet nor CRI-O": lambda run: run(
        "pull_secret", **{**SECRET, "registries": [{**LOGIN[0], "registry": "quay.io:443"}], "name": "odd"}
    ),
}


def shown() -> list[str]:
    """The messages of modules that the guide shows."""
    page = (GUIDES / "troubleshooting.rst").read_text(encoding="utf-8")
    section = page.partition("\nMessages from the modules\n---")[2]
    return re.findall(r"^``(.+)``$", section, re.MULTILINE)


def test_each_documented_message_has_one_function_that_provokes_it() -> None:
    assert [[part for part in PROVOKED if part in text] for text in shown()] == [[part] for part in PROVOKED]


@pytest.mark.parametrize("text", shown(), ids=lambda text: text[:40])
def test_a_module_returns_the_documented_message(own_lab, project, tmp_path, text):
    provoke = next(function for part, function in PROVOKED.items() if part in text)
    assert text in provoke(Modules(own_lab, tmp_path))
