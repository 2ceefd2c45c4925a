# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the machine config operator brings the pull secret to the nodes: pools, their configurations, and the cost of a change. Pure.

openshift/api machineconfiguration/v1, machine-config-operator pkg/controller/{template,render,node}, pkg/controller/common/iri_secret_merger.go and
docs/NodeDisruptionPolicy.md.
"""

from __future__ import annotations

import base64
import binascii
import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_to_bytes

from ..core.objects import Json, Kind, ObjectRef, as_dict, as_int, as_list, as_str, metadata
from ..core.text import redact_line
from ..dockerconfig.auth_file import AuthFile, parse_stored
from ..dockerconfig.json_text import InvalidContent

_API = "machineconfiguration.openshift.io/v1"
MACHINE_CONFIG_POOL = Kind(_API, "MachineConfigPool", "machineconfigpools", "machine config pool", namespaced=False)
MACHINE_CONFIG = Kind(_API, "MachineConfig", "machineconfigs", "machine config", namespaced=False)
MACHINE_CONFIGURATION = ObjectRef(
    Kind(
        "operator.openshift.io/v1",
        "MachineConfiguration",
        "machineconfigurations",
        "machine configuration",
        namespaced=False,
    ),
    "",
    "cluster",
)

#: Where the pull secret is on a node.
NODE_FILE = "/var/lib/kubelet/config.json"
#: Keys of the registry that runs on the control plane of a cluster that was installed without a registry (OpenShift 4.22). If the cluster has an
#: InternalReleaseImage, the operator writes its own entries for them into each configuration, whatever the pull secret has there.
_RELEASE_IMAGE_REGISTRY = re.compile(r"(?:localhost|api-int\.[^/:]+):22625\Z")
#: From this version on, a change only writes the file.
_WITHOUT_DRAIN = (4, 7, 4)
_VERSION = re.compile(r"v?(\d{1,4})\.(\d{1,4})(?:\.(\d{1,4}))?")
#: The directory of systemd units on a node, and a comment in one of them.
_UNIT_FILES = "/etc/systemd/system"
_COMMENT = re.compile(r"^\s*[#;].*$", re.MULTILINE)
#: Maximum size of an unpacked configuration in bytes. A valid one has some hundred kilobytes.
_MOST_BYTES = 16 * 1024 * 1024
#: Maximum number of characters that are shown of a pool's message.
_MOST_TEXT = 300


@dataclass(frozen=True)
class Pool:
    """A machine config pool.

    `current` is the last configuration that all of its machines had, and `target` the one that they should get. Both are names, empty
    where the pool reports none. `complaint` is the pool's message about its degradation, redacted.
    """

    name: str
    paused: bool
    degraded: bool
    current: str
    target: str
    machines: int
    updated: int
    is_updated: bool
    complaint: str = ""

    @classmethod
    def of(cls, obj: Json) -> Pool:
        spec, status = as_dict(obj.get("spec")), as_dict(obj.get("status"))
        conditions = {as_str(each.get("type")): each for each in map(as_dict, as_list(status.get("conditions")))}
        said = {name: each.get("status") == "True" for name, each in conditions.items()}
        return cls(
            as_str(metadata(obj).get("name")),
            spec.get("paused") is True,
            said.get("Degraded", False),
            as_str(as_dict(status.get("configuration")).get("name")),
            as_str(as_dict(spec.get("configuration")).get("name")),
            as_int(status.get("machineCount")) or 0,
            as_int(status.get("updatedMachineCount")) or 0,
            said.get("Updated", False),
            redact_line(as_str(as_dict(conditions.get("Degraded")).get("message")), _MOST_TEXT),
        )

    @property
    def is_done(self) -> bool:
        """Whether all machines have the target configuration."""
        return bool(self.target) and self.current == self.target and self.is_updated and self.updated == self.machines

    def report(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "machines": self.machines,
            "updated": self.updated,
            "paused": self.paused,
            "degraded": self.degraded,
            "rendered": self.target,
        }


def auth_file_of(config: Json | None) -> AuthFile | None:
    """Return the pull secret in a rendered configuration, or None when it cannot be found there."""
    for file in _files(config):
        if file.get("path") == NODE_FILE:
            try:
                return parse_stored(_content(as_dict(file.get("contents"))), legacy=False)
            except (ValueError, OSError, EOFError, zlib.error, binascii.Error, InvalidContent):
                return None
    return None


def text_of_file(config: Json | None, path: str) -> str:
    """Return the text of a file in a rendered configuration.

    :raises ValueError: when the file is not there or cannot be decoded. The message does not quote it.
    """
    for file in _files(config):
        if file.get("path") == path:
            try:
                return _content(as_dict(file.get("contents")))
            except (ValueError, OSError, EOFError, zlib.error):
                raise ValueError("it cannot be decoded") from None
    raise ValueError("it is missing")


def texts_in_directory(config: Json | None, directory: str, suffix: str) -> list[str]:
    """Return the texts of the files with this suffix in a rendered configuration, in the lexical order in which a directory is walked.

    :raises ValueError: when one of them cannot be decoded. The message does not quote it.
    """
    paths = (as_str(file.get("path")) for file in _files(config))
    found = (path for path in paths if path.startswith(f"{directory}/") and path.endswith(suffix))
    return [text_of_file(config, path) for path in sorted(found, key=lambda path: path.split("/"))]


def texts_of_unit(config: Json | None, name: str) -> list[str]:
    """Return the texts of a systemd unit of a rendered configuration and of its drop-ins, without comments. Empty if it has no such unit.

    The operator writes some drop-ins as files (pkg/daemon/constants).

    :raises ValueError: when one of them cannot be decoded. The message does not quote it.
    """
    units = [unit for unit in _units(config) if unit.get("name") == name]
    parts = (part for unit in units for part in (unit, *map(as_dict, as_list(unit.get("dropins")))))
    files = texts_in_directory(config, f"{_UNIT_FILES}/{name}.d", ".conf") if units else []
    return [_COMMENT.sub("", text) for text in (*(as_str(part.get("contents")) for part in parts), *files)]


def is_same_pull_secret(rendered: AuthFile, secret: AuthFile) -> bool:
    """Whether a rendered pull secret has the entries of the cluster's pull secret and no others, apart from the operator's own entries."""
    return _entries_of_users(rendered) == _entries_of_users(secret)


def _entries_of_users(auth_file: AuthFile) -> dict[str, Mapping[str, Any]]:
    return {key: entry.meaning for key, entry in auth_file.entries.items() if not _RELEASE_IMAGE_REGISTRY.match(key)}


def differences(current: Json | None, target: Json | None) -> list[str]:
    """Return the other differences on the nodes, apart from their pull secret: files and units by name, and other fields."""
    before, after = _parts(current), _parts(target)
    return sorted(name for name in {*before, *after} if before.get(name) != after.get(name))


def drain_effect(configuration: Json | None, version: str) -> tuple[bool | None, str]:
    """Return whether a change of the pull secret drains or reboots nodes (None when unknown), and the source of that fact.

    `configuration` is `MACHINE_CONFIGURATION`, or None if it does not exist or cannot be read. `version` is the cluster's.
    """
    status = as_dict(as_dict(as_dict(configuration).get("status")).get("nodeDisruptionPolicyStatus"))
    for file in map(as_dict, as_list(as_dict(status.get("clusterPolicies")).get("files"))):
        if file.get("path") == NODE_FILE:
            actions = [as_str(as_dict(action).get("type")) for action in as_list(file.get("actions"))]
            costs = bool({"Drain", "Reboot"} & set(actions))
            return costs, f"the node disruption policy for {NODE_FILE} is {', '.join(actions) or 'empty'}"
    match = _VERSION.match(version)
    if match is None:
        return None, "neither the node disruption policy nor the version of the cluster is known"
    costs = tuple(int(part or 0) for part in match.groups()) < _WITHOUT_DRAIN
    return costs, f"version {version} {'drains and reboots nodes for it' if costs else 'only writes the file'}"


def _files(config: Json | None) -> Iterator[Json]:
    ignition = as_dict(as_dict(as_dict(config).get("spec")).get("config"))
    yield from map(as_dict, as_list(as_dict(ignition.get("storage")).get("files")))


def _units(config: Json | None) -> Iterator[Json]:
    ignition = as_dict(as_dict(as_dict(config).get("spec")).get("config"))
    yield from map(as_dict, as_list(as_dict(ignition.get("systemd")).get("units")))


def _content(contents: Json) -> str:
    """The text of a file: a data URL, optionally base64 and optionally compressed (RFC 2397, ignition `contents`).

    :raises ValueError: when it cannot be decoded.
    """
    head, comma, body = as_str(contents.get("source")).partition(",")
    if not (head.startswith("data:") and comma):
        raise ValueError("no data URL")
    data = unquote_to_bytes(body)
    if head.endswith(";base64"):
        data = base64.b64decode(data, validate=True)
    if contents.get("compression") == "gzip":
        data = _decompress(data)
    return data.decode("utf-8", "surrogateescape")


def _decompress(data: bytes) -> bytes:
    unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    found = unpacker.decompress(data, _MOST_BYTES)
    if unpacker.unconsumed_tail:
        raise ValueError("too large")
    return found


def _parts(config: Json | None) -> Mapping[str, Any]:
    """The parts of a node's configuration, by name."""
    spec = as_dict(as_dict(config).get("spec"))
    files = {as_str(file.get("path")): file for file in _files(config)}
    others = ("osImageURL", "kernelArguments", "kernelType", "extensions", "fips")
    parts = {f"file {path}": file for path, file in files.items() if path != NODE_FILE}
    parts |= {f"unit {as_str(unit.get('name'))}": unit for unit in _units(config)}
    return parts | {name: spec[name] for name in others if spec.get(name)}
