# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measures an audit and a list of images, each next to the plain floor of its lists, a what-if question, a rotation, an export and a
prune: five more pods and one more pull secret per namespace.

Also measures a what-if question that asks the registries of seven containers in each namespace.
"""

from __future__ import annotations

import base64
import json
import statistics
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from contenders import LOGIN, OWNER_LABELS, Contenders, Process
from support.lab import Lab

SECRET, PODS = "audited", 5
#: An audit and a what-if question alternate this often, because their ratio is promised.
REPEATS = 3

#: The secret that is left after the change of the question with registries, and the number of images in each namespace.
LEFT, IMAGES = "left", 7

#: The kinds that the audit has to read completely.
LISTS = (
    ("/api/v1/namespaces", ""),
    ("/api/v1/pods", ""),
    ("/api/v1/serviceaccounts", ""),
    ("/api/v1/secrets", "type%3Dkubernetes.io/dockerconfigjson"),
    ("/api/v1/secrets", "type%3Dkubernetes.io/dockercfg"),
    ("/apis/rbac.authorization.k8s.io/v1/rolebindings", ""),
)


def audits(lab: Lab, contenders: Contenders, namespaces: Sequence[str]) -> dict[str, Any]:
    """Seconds, memory and requests of each work, seconds of the audit with its report, of the floor, and of a second rotation.

    The what-if question removes the secret of all pods, so each pull is evaluated before and after the change. The prune removes it.
    """
    fill(lab, namespaces)
    rounds = [
        (
            measure(lab, lambda: contenders.audit(with_report=False)),
            measure(lab, lambda: contenders.what_if(SECRET)),
        )
        for _repeat in range(REPEATS)
    ]
    work = {name: _median(runs) for name, runs in zip(("audit", "what-if"), zip(*rounds, strict=True), strict=True)}
    whole = checked(contenders.audit(with_report=True))
    floor = _floor(contenders, LISTS)
    listed = [list_images(lab, contenders) for _repeat in range(REPEATS)]
    rotations = [measure(lab, contenders.rotation) for _run in range(2)]
    work |= {
        "rotation": rotations[0],
        "export": measure(lab, contenders.export),
        "prune": measure(lab, contenders.prune),
    }
    return {
        "namespaces": len(namespaces),
        "pods": PODS * len(namespaces),
        "work": work,
        "with_report": whole.seconds,
        "floor": floor,
        "images": _median(listed),
        "rotation_again": rotations[1]["seconds"],
    }


def list_images(lab: Lab, contenders: Contenders) -> dict[str, float]:
    """Seconds, MiB and requests of a list of all images in use, and the seconds of an empty play and of the lists that it read."""
    audit = lab.audit()
    found = measure(lab, contenders.images)
    uris = {urlsplit(event["requestURI"]) for event in audit.requests() if event["verb"] == "list"}
    lists = {(uri.path, dict(parse_qsl(uri.query)).get("fieldSelector", "").replace("=", "%3D")) for uri in uris}
    return {**found, "empty": checked(contenders.empty()).seconds, "floor": _floor(contenders, sorted(lists))}


def _floor(contenders: Contenders, lists: Sequence[tuple[str, str]]) -> float:
    return float(json.loads(checked(contenders.lists(lists)).output)["seconds"])


def measure(lab: Lab, run: Callable[[], Process]) -> dict[str, float]:
    """Seconds, MiB and requests of a command that succeeds."""
    audit = lab.audit()
    process = checked(run())
    requests = sum(event.get("userAgent") != "tests" for event in audit.requests())
    return {"seconds": process.seconds, "peak_mib": process.peak_mib, "requests": requests}


def _median(runs: Sequence[dict[str, float]]) -> dict[str, float]:
    """The median of each value, and the largest memory."""
    found = {name: statistics.median(run[name] for run in runs) for name in runs[0]}
    return {**found, "peak_mib": max(run["peak_mib"] for run in runs)}


def asked(lab: Lab, contenders: Contenders, namespaces: Sequence[str]) -> dict[str, Any]:
    """Seconds of a what-if question with all registries asked. Each namespace has a login of its own in two secrets, and loses one of them."""
    lab.registry_set("private", *(f"--add={namespace}" for namespace in namespaces))
    registry = lab.registry("private")
    logins = {each["username"]: each["password"] for each in registry["accounts"]}
    for number in range(IMAGES):
        lab.sign(f"team/app-{number}:v1")

    def make(namespace: str) -> None:
        content = auth_file(registry["host"], namespace, logins[namespace])
        for name in (SECRET, LEFT):
            lab.create(namespace, "secrets", {**content, "metadata": {"name": name}})
        lab.set_account(namespace, imagePullSecrets=[SECRET, LEFT])
        for number in range(IMAGES):
            lab.pod(namespace, f"pod-{number}", f"{registry['host']}/team/app-{number}:v1")

    with ThreadPoolExecutor(max_workers=12) as pool:
        list(pool.map(make, namespaces))
    before = _requests(lab)
    found = checked(contenders.what_if(SECRET, asks=True))
    return {
        "namespaces": len(namespaces),
        "containers": IMAGES * len(namespaces),
        "seconds": found.seconds,
        "peak_mib": found.peak_mib,
        "requests": _requests(lab) - before,
    }


def _requests(lab: Lab) -> int:
    """The number of tokens and manifests that were requested."""
    return sum(n for one in lab.registry_counts("private").values() for n in one.values() if isinstance(n, int))


def checked(process: Process) -> Process:
    assert process.status == 0, process.output[-2000:]
    return process


def fill(lab: Lab, namespaces: Sequence[str]) -> None:
    secret = {
        **auth_file(LOGIN["registry"], LOGIN["username"], LOGIN["password"]),
        "metadata": {"name": SECRET, "labels": OWNER_LABELS},
    }

    def make(namespace: str) -> None:
        lab.create(namespace, "secrets", secret)
        lab.set_account(namespace, imagePullSecrets=[SECRET])
        for number in range(PODS):
            lab.pod(namespace, f"pod-{number}", f"{LOGIN['registry']}/team/app:{number}")

    with ThreadPoolExecutor(max_workers=12) as pool:
        list(pool.map(make, (name for name in namespaces if lab.get(name, "secrets", SECRET) is None)))


def auth_file(registry: str, username: str, password: str) -> dict[str, Any]:
    """The type and data of a secret with this login."""
    auth = base64.b64encode(f"{username}:{password}".encode()).decode()
    content = base64.b64encode(json.dumps({"auths": {registry: {"auth": auth}}}).encode()).decode()
    return {"type": "kubernetes.io/dockerconfigjson", "data": {".dockerconfigjson": content}}


__all__ = ["asked", "audits", "measure"]
