# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Generated nodes: versions and settings that decide about present images, as objects of the lab and as options of its node."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from hypothesis import strategies as st

from .audited import LISTED, POLICY
from .lab import Lab
from .lab_nodes import LabNode, add_kubelet_config, add_nodes

__all__ = ["CERTAIN_NODES", "NODES", "NodeCase", "show_nodes"]

#: Runtimes, and whether the kubelet finds its records of the images that they pulled. CRI-O 1.35 without a patch number can be either.
RUNTIMES: Mapping[str, Sequence[bool]] = {
    "cri-o://1.36.0": (True,),
    "cri-o://1.35.2": (True,),
    "cri-o://1.35.1": (False,),
    "cri-o://1.34.11": (False,),
    "cri-o://1.35": (True, False),
    "cri-o://1.36": (True,),
}
ALLOW_LISTS = (
    ("{private}/team/app", "{never}/team/app"),
    ("{private}/*", "{source}/team/*"),
    ("{private}/te", "{integrated}/*", "{delegated}/team/app"),
)
DEFAULT, ALLOWLISTED = "NeverVerifyPreloadedImages", "NeverVerifyAllowlistedImages"


@dataclass(frozen=True)
class NodeCase:
    """A node. Without a `policy`, the kubelet has its default. `verifies`: whether the kubelet verifies present images."""

    kubelet: str
    runtime: str
    policy: str = ""
    allow_list: tuple[str, ...] = ()
    verifies: bool = True

    def options(self, names: Mapping[str, str]) -> list[tuple[str, ...]]:
        """Return the options of the lab's node. There are several if its versions leave open which it is."""
        if not self.verifies:
            return [()]
        own = ["--recheck"]
        if self.policy not in ("", DEFAULT):
            own += ["--verification-policy", self.policy]
        if self.allow_list:
            own += ["--verification-allow-list", ",".join(self._entries(names))]
        return [tuple(own if finds else [*own, "--digest-refs"]) for finds in RUNTIMES[self.runtime]]

    def upgraded(self, version: str) -> NodeCase:
        """Return the node with this version of Kubernetes from 1.35 on, and so of CRI-O, whose patch number is not known."""
        return replace(self, kubelet=f"v{version}", runtime=f"cri-o://{version}", verifies=True)

    def settings(self, names: Mapping[str, str]) -> dict[str, object]:
        """Return the fields of its KubeletConfig."""
        policy: dict[str, object] = {POLICY: self.policy} if self.policy else {}
        return {**policy, LISTED: self._entries(names)} if self.allow_list else policy

    def _entries(self, names: Mapping[str, str]) -> list[str]:
        return [entry.format(**names) for entry in self.allow_list]


#: The lab has the code of Kubernetes 1.36. Its node behaves like 1.35 apart from allow-lists and short names.
_VERIFYING = st.builds(
    NodeCase,
    st.sampled_from(("v1.35.4", "v1.36.1")),
    st.sampled_from((*RUNTIMES, "cri-o://1.36.0")),
    st.sampled_from(("", "", DEFAULT, "NeverVerify", "AlwaysVerify", "AlwaysVerify")),
)
_LISTING = st.builds(
    NodeCase,
    st.just("v1.36.1"),
    st.sampled_from(("cri-o://1.36.0", "cri-o://1.35.1")),
    st.just(ALLOWLISTED),
    st.sampled_from(ALLOW_LISTS),
)
NODES = st.one_of(_VERIFYING, _VERIFYING, _LISTING)
#: Nodes of each run: one that gives an image to all pods, one whose records decide, and one that pulls at every start.
CERTAIN_NODES = (
    NodeCase("v1.34.2", "cri-o://1.34.11", verifies=False),
    NodeCase("v1.36.1", "cri-o://1.36.0"),
    NodeCase("v1.35.4", "cri-o://1.35.1", "AlwaysVerify"),
)


def show_nodes(lab: Lab, cases: Iterable[NodeCase], names: Mapping[str, str]) -> dict[NodeCase, str]:
    """Create an object for each node, in a pool of its own with its settings. Return the names of the nodes."""
    found = {case: f"node-{number}" for number, case in enumerate(dict.fromkeys(cases))}
    add_nodes(lab, *(LabNode(name, name, case.kubelet, case.runtime, "amd64") for case, name in found.items()))
    for case, name in found.items():
        if settings := case.settings(names):
            add_kubelet_config(lab, name, settings)
    return found
