# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The secrets with which the machine config operator builds node images, as MachineOSConfigs name them. Pure.

openshift/api machineconfiguration/v1, MachineOSConfigSpec: `baseImagePullSecret` and `renderedImagePushSecret`. Both are in the namespace of the
operator. A changed login starts no build (machine-config-operator pkg/controller/common RequiresRebuild).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ..core.objects import Json, Kind, ObjectRef, as_dict, as_str, metadata, pick
from ..core.text import join_and
from .protected import is_for_node_builds

__all__ = ["MACHINE_OS_CONFIG", "BuildSecrets"]

_FIELDS = ("baseImagePullSecret", "renderedImagePushSecret")


def _trim_config(config: Json) -> Json:
    return {"metadata": pick(metadata(config), "name"), "spec": pick(as_dict(config.get("spec")), *_FIELDS)}


MACHINE_OS_CONFIG = Kind(
    "machineconfiguration.openshift.io/v1",
    "MachineOSConfig",
    "machineosconfigs",
    "machine OS config",
    trim=_trim_config,
    namespaced=False,
)


@dataclass(frozen=True)
class BuildSecrets:
    """The uses of secrets by their names, as clauses. None if they are not known, with the reason in `unread` if there is one."""

    uses: Mapping[str, Sequence[str]] | None = None
    unread: str = ""

    @classmethod
    def of(cls, configs: Iterable[Json]) -> BuildSecrets:
        """Return the secrets that these MachineOSConfigs name."""
        found: dict[str, list[str]] = defaultdict(list)
        for config in configs:
            spec, who = (
                as_dict(config.get("spec")),
                ObjectRef(MACHINE_OS_CONFIG, "", as_str(metadata(config).get("name"))),
            )
            for field in _FIELDS:
                if name := as_str(as_dict(spec.get(field)).get("name")):
                    found[name].append(f"{field} of {who}")
        return cls(dict(found))

    def describe(self, ref: ObjectRef) -> str:
        """Return how builds of node images use the secret, as a sentence. Empty if they do not use it."""
        if not is_for_node_builds(ref):
            return ""
        if self.uses is not None:
            uses = self.uses.get(ref.name, ())
            return (
                f"{ref} is {join_and(uses)}, and a wrong login shows at the next build of a node image" if uses else ""
            )
        why = f". The MachineOSConfigs could not be read: {self.unread}" if self.unread else ""
        return f"A MachineOSConfig may build node images with {ref}, and a wrong login shows at the next build{why}"
