# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the options of `pull_access_info`. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ...core.errors import OptionError, format_suggestion
from ...core.names import check_path_segment
from ...core.objects import POD, Json, Kind
from ...explain.fixes import access_options_of
from ...explain.subjects import WORKLOADS
from ...images import image_questions
from ...images.image_questions import RegistryAccess, access_of
from ...images.references import reference_of

ARGUMENTS: dict[str, Any] = {
    "pod": {"type": "str"},
    "workload": {"type": "str"},
    "image": {"type": "str"},
    "service_account": {"type": "str"},
    "secretless": {"type": "bool", "default": False},
    "credential_provider_config": {"type": "path"},
    **image_questions.ARGUMENTS,
}


@dataclass(frozen=True)
class PullAccess:
    """The question: about a pod, the pods of a workload (`pods_of`), or an account with an image, in each of the namespaces.

    Without any of them, it is about all pods and workloads. `registries` is how registries are asked, None if they are not asked.
    `access_options` are those of `make_offer`, also if registries are not asked. `secretless`: the answers include what a pull without a
    stored secret lacks, with the credential providers of `provider_config`, or None for those that the nodes have.
    """

    pod: str = ""
    pods_of: tuple[Kind, str] | None = None
    account: str = ""
    image: str = ""
    registries: RegistryAccess | None = None
    access_options: Sequence[str] = ()
    secretless: bool = False
    provider_config: Json | None = None

    @property
    def is_of_all(self) -> bool:
        """Whether the question is about all pods and workloads."""
        return not (self.pod or self.pods_of or self.image)


def from_options(options: Mapping[str, Any], read_objects: Callable[[str], Sequence[Json]]) -> PullAccess:
    """Return the question that the options ask. `read_objects` returns the objects in a file.

    :raises OptionError: for invalid names, a kind of workload that creates no pods, and a file without the configuration.
    """
    asked, path = _question(options), options["credential_provider_config"]
    if path is not None and not options["secretless"]:
        raise OptionError(
            "option 'credential_provider_config' is for 'secretless: true': set it, or leave the file out"
        )
    found = [] if path is None else read_objects(path)
    if path is not None and len(found) != 1:
        raise OptionError(
            f"option 'credential_provider_config': {path!r} has {len(found)} documents: give the file of a kubelet, which has one"
        )
    given = next(iter(found), None)
    return replace(
        asked, access_options=access_options_of(options), secretless=options["secretless"], provider_config=given
    )


def _question(options: Mapping[str, Any]) -> PullAccess:
    for option in ("pod", "service_account"):
        if options[option] is not None:
            check_path_segment(option, options[option])
    if options["image"] is not None:
        if not options["image"].strip():
            raise OptionError("option 'image' is empty: give the image as a pod would name it")
        return PullAccess(
            account=options["service_account"] or "default", image=options["image"], registries=_registries(options)
        )
    if options["service_account"] is not None:
        raise OptionError(
            "option 'service_account' is for 'image': a pod and a workload have their own. Give 'image', or leave it out"
        )
    workload, registries = _workload(options["workload"]), _registries(options)
    if workload is not None and workload[0] == POD:
        return PullAccess(workload[1], registries=registries)
    return PullAccess(options["pod"] or "", workload, registries=registries)


def _registries(options: Mapping[str, Any]) -> RegistryAccess | None:
    access, image = access_of(options), reference_of(options["image"] or "")
    return access and replace(access, named=image.host if image else "")


def _workload(given: str | None) -> tuple[Kind, str] | None:
    """Return kind and name of a workload or of a pod, which `oc` names in the same way, or None without the option."""
    if given is None:
        return None
    kind, slash, name = given.partition("/")
    if not slash or not kind:
        raise OptionError(f"option 'workload' is {given!r}: give KIND/NAME, such as deploy/app")
    found = _KINDS.get(kind.lower())
    if found is None:
        known = ", ".join(sorted(each.kind for each in (POD, *WORKLOADS.values())))
        raise OptionError(
            f"option 'workload' has the unknown kind {kind!r}{format_suggestion(kind.lower(), _KINDS) or '.'} "
            f"It is one of {known}, or its plural or short name in oc"
        )
    check_path_segment("workload", name)
    return found, name


_SHORT_NAMES = {
    "Pod": "po",
    "Deployment": "deploy",
    "StatefulSet": "sts",
    "DaemonSet": "ds",
    "ReplicaSet": "rs",
    "CronJob": "cj",
    "DeploymentConfig": "dc",
    "ReplicationController": "rc",
}


def _names_of(kind: Kind) -> Iterator[str]:
    """Yield the names of a kind that `oc` accepts and prints, such as `deployment.apps`."""
    group, slash, version = kind.api_version.partition("/")
    suffixes = ("", f".{group}", f".{version}.{group}") if slash else ("",)
    yield from (name + suffix for name in (kind.kind.lower(), kind.resource) for suffix in suffixes)
    if kind.kind in _SHORT_NAMES:
        yield _SHORT_NAMES[kind.kind]


_KINDS: Mapping[str, Kind] = {name: kind for kind in (POD, *WORKLOADS.values()) for name in _names_of(kind)}
