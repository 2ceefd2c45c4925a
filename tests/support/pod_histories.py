# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Starts the same pod on nodes of the lab with different pasts. Each has its own images and its own records of the kubelet."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .lab import Lab
from .node_memories import NAMESPACE, NodeMemories

__all__ = ["HISTORIES", "PodHistories", "PodOnNode"]

Place = tuple[str, str]
Options = tuple[str, ...]

#: Who pulls: a pod with the login of another namespace, a pod without a secret on nodes with a login, the pod itself.
OTHER, NODES, OWN = "other", "nodes", "own"
#: The kubelet at a pull: without the check of images that are present, as it is before the changes, and as it is after them.
UNCHECKED, BEFORE, AFTER = "unchecked", "before", "after"
#: The pulls before the changes, in this order, by the name of the past.
HISTORIES: Mapping[str, Sequence[tuple[str, str]]] = {
    "first": [(OWN, BEFORE)],
    "preloaded": [(OTHER, UNCHECKED), (OWN, BEFORE)],
    "other-secret": [(OTHER, BEFORE), (OWN, BEFORE)],
    "node-login": [(NODES, BEFORE), (OWN, BEFORE)],
    "unchecked": [(OWN, UNCHECKED)],
    "later-secret": [(OTHER, UNCHECKED), (OWN, BEFORE), (OTHER, AFTER)],
    "later-login": [(OTHER, UNCHECKED), (OWN, BEFORE), (NODES, AFTER)],
}


@dataclass(frozen=True)
class PodOnNode:
    """A pod with its images. `kubelets`: the options of its node before and after the changes, for each node that it can be."""

    place: Place
    images: Sequence[str]
    kubelets: Sequence[tuple[Options, Options]]


class PodHistories:
    """The nodes of some pods, one for each past and each kubelet."""

    def __init__(self, lab: Lab, pods: Iterable[PodOnNode], memories: NodeMemories) -> None:
        self.lab, self.pods, self.memories = lab, {each.place: each for each in pods}, memories

    def make_pullers(self) -> None:
        """Create the pods of others for the images that have none yet."""
        for image in dict.fromkeys(image for pod in self.pods.values() for image in pod.images):
            name = f"{OTHER}-{self.memories.number_of(image)}"
            if self.lab.get(NAMESPACE, "pods", name) is None:
                container = {"name": "c", "image": image, "imagePullPolicy": "Always"}
                for who, secret in ((OTHER, "every-login"), (NODES, "no-such-secret")):
                    meta = {"name": f"{who}-{self.memories.number_of(image)}"}
                    spec = {"containers": [container], "imagePullSecrets": [{"name": secret}]}
                    self.lab.create(NAMESPACE, "pods", {"metadata": meta, "spec": spec})

    def pull_as_others(self, *, later: bool) -> None:
        """Make the pulls of others before the pod starts, or after it. The nodes need `NodeMemories.logins`."""
        self._pull(lambda pulls, at: (OWN in {who for who, _when in pulls[:at]}) == later and pulls[at][0] != OWN)

    def start(self) -> Mapping[Place, Mapping[str, bool]]:
        """Start the pods for the first time. Return whether each part gets its image in all pasts."""
        return {
            place: {part: all(each) for part, each in found.items()}
            for place, found in self._pull(lambda pulls, at: pulls[at][0] == OWN).items()
        }

    def restart(self, places: Iterable[Place]) -> Mapping[Place, Mapping[str, Sequence[bool]]]:
        """Start these pods again, with the kubelets after the changes. Return the results of each part."""
        lines: dict[Options, list[tuple[Place, Place, str]]] = defaultdict(list)
        for place in places:
            for at, (_before, after) in enumerate(self.pods[place].kubelets):
                lines[after] += [(place, place, self._node(place, at, history)) for history in HISTORIES]
        return self._run(lines)

    def _pull(self, is_meant: Any) -> Mapping[Place, Mapping[str, Sequence[bool]]]:
        lines: dict[Options, list[tuple[Place, Place, str]]] = defaultdict(list)
        for pod in self.pods.values():
            for at, kubelets in enumerate(pod.kubelets):
                for history, pulls in HISTORIES.items():
                    for step, (who, when) in enumerate(pulls):
                        if is_meant(pulls, step):
                            options = {UNCHECKED: (), BEFORE: kubelets[0], AFTER: kubelets[1]}[when]
                            node = self._node(pod.place, at, history)
                            lines[options] += [(pod.place, place, node) for place in self._pullers(pod, who)]
        return self._run(lines)

    def _pullers(self, pod: PodOnNode, who: str) -> Iterator[Place]:
        if who == OWN:
            yield pod.place
        else:
            yield from ((NAMESPACE, f"{who}-{self.memories.number_of(image)}") for image in pod.images)

    def _run(self, lines: Mapping[Options, Sequence[tuple[Place, Place, str]]]) -> Mapping[Place, Any]:
        """Pull on all nodes, those with the same options together. Each line has the pod, the pod that pulls, and its node."""
        found: dict[Place, dict[str, list[bool]]] = defaultdict(lambda: defaultdict(list))
        for options, each in lines.items():
            text = "".join(
                json.dumps({"namespace": puller[0], "pod": puller[1], "node": node}) + "\n"
                for _place, puller, node in each
            )
            done = self.lab.run(
                "pull", "--dir", str(self.lab.dir), "--stdin", "--node", "others", *options,
                check=False, stdin=text, timeout=3600,
            )  # fmt: skip
            assert done.returncode in (0, 1), done.stderr
            for (place, puller, _node), line in zip(each, done.stdout.splitlines(), strict=True):
                if place == puller:
                    for image in json.loads(line)["images"]:
                        found[place][image.get("volume") or "judged"].append(image["pulled"])
        return found

    def _node(self, place: Place, kubelet: int, history: str) -> str:
        return f"{'-'.join(place)}-{kubelet}-{history}"
