# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verdicts of pull_access_info on generated pods and their image volumes agree with the lab's node under several configurations of the cluster.

`IMAGE_PULL_PODS` sets the number of pods. Each pod is pulled and checked under every configuration. Each pod is also started on nodes of its
kind that have the image, with different records of the kubelet. The verdicts of the lab's node are compared with a real kubelet with CRI-O
in tests/lab_fidelity.
"""

from __future__ import annotations

import base64
import json
import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from support.fixes import carry_out
from support.generated_pods import ABSENT, KINDS, NAMESPACES, READABLE, VOLUME, PodCase, Pods, generated
from support.history import bare_key
from support.hostile_registry import answer, served
from support.lab import Lab
from support.modules import run_module
from support.node_memories import MEMORIES, NodeMemories
from support.registry_settings import PUBLIC_KEY, credential_provider, registry_settings

COUNT = int(os.environ.get("IMAGE_PULL_PODS", "100"))
#: A number of pods with which rare combinations are certain.
LARGE = 500

#: Addresses without a listener that need no name resolution.
SOURCE, NEVER = "127.0.0.9:5001", "127.0.0.9:5002"
#: A host without listeners, whose mirror has the same port.
WILD = SOURCE.partition(":")[0]
#: A repository on each registry, for settings that need a key.
TEAM = "/team"
#: The namespaces whose accounts may list secrets, as CRI-O's credential provider needs it.
LISTING = tuple(f"generated-{number}" for number in range(7))
#: Part of each reason that is about a signature.
SIGNATURE = "a signature for images in"
#: The namespaces with image policies of their own.
OWN_POLICIES = ("generated-0", "generated-3", "generated-6")


def hosts(lab: Lab) -> dict[str, str]:
    """Return the values for the names in braces."""
    private, delegated, integrated = (lab.registry(name)["host"] for name in ("private", "delegated", "integrated"))
    bare, _colon, port = private.partition(":")
    index = json.loads((lab.dir / "image" / "index.json").read_text())
    return {
        "private": private, "bare": bare, "port": port, "delegated": delegated, "mirror": delegated, "integrated": integrated,
        "source": SOURCE, "never": NEVER, "wild": f"{WILD}:{port}", "digest": index["manifests"][0]["digest"],
    }  # fmt: skip


@dataclass(frozen=True)
class Setting:
    """One configuration of the cluster.

    `sources` are registrySources, with the names in braces. `nodes_login` is the key of the login in the nodes' file, and `has_auth` whether
    its entry has the field that CRI-O reads. `signatures`: image policies of the cluster and of some namespaces require them. `provider`:
    nodes have CRI-O's credential provider for the mirrored images.
    """

    name: str
    sources: Mapping[str, Any] = field(default_factory=dict)
    mirrors: bool = False
    nodes_login: str = ""
    has_auth: bool = True
    signatures: bool = False
    provider: bool = False

    @contextmanager
    def applied(
        self, lab: Lab, names: Mapping[str, str], logins: Mapping[str, tuple[str, str]] | None = None
    ) -> Iterator[None]:
        """Apply the setting until the end of the block. `logins` replace those of the nodes."""
        # The node asks nothing outside the machine.
        search = {"containerRuntimeSearchRegistries": ["{delegated}", "{private}"]}
        given = {**search, **self.sources}
        sources = {key: [host.format(**names) for host in value] for key, value in given.items()}
        account = lab.registry("private")["accounts"][0]
        login = (account["username"], account["password"])
        entry = login if self.has_auth else dict(zip(("username", "password"), login, strict=True))
        node: dict[str, Any] = {self.nodes_login.format(**names): entry} if self.nodes_login else {}
        mirrors: dict[str, list[dict[str, Any]]] = {}
        if self.mirrors:
            to = [f"{names['private']}{TEAM}"]
            signed = {"source": f"{SOURCE}/signed", "mirrors": [f"{names['private']}/signed"]}
            wild = {"source": f"*{WILD[WILD.index('.') :]}", "mirrors": [names["bare"]]}
            mirrors["tag"] = [{"source": f"{SOURCE}{TEAM}", "mirrors": to}, signed, wild]
            mirrors["digest"] = [
                {"source": f"{SOURCE}{TEAM}", "mirrors": [f"127.0.0.9:5003{TEAM}", *to]},
                {"source": NEVER, "mirrors": [names["delegated"]], "mirrorSourcePolicy": "NeverContactSource"},
            ]
        policies = policies_for(lab, names) if self.signatures else ()
        nodes = node if logins is None else logins
        with (
            registry_settings(lab, sources=sources or None, node=nodes, policies=policies, **mirrors),
            ExitStack() as more,
        ):
            if self.provider:
                more.enter_context(credential_provider(lab, [SOURCE, NEVER], LISTING))
            yield


def policies_for(lab: Lab, names: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """Return scopes with the namespace, or "" for all, and the key. The last one is hidden by a policy of the cluster."""
    key, signed, own = lab.data["signing_key"], f"{names['private']}/signed", f"{names['private']}/own"
    return [
        (signed, "", key),
        (f"{SOURCE}/signed", "", key),
        (f"{signed}/platform", "", PUBLIC_KEY),
        *((own, namespace, key) for namespace in OWN_POLICIES),
        (f"{signed}/none", OWN_POLICIES[0], PUBLIC_KEY),
    ]


SETTINGS = (
    Setting("as it is installed"),
    Setting("mirrors, and nodes with a login for them", mirrors=True, nodes_login="{private}"),
    Setting("mirrors, and nodes without a login", mirrors=True),
    Setting(
        "mirrors, and nodes with a login that CRI-O does not read",
        mirrors=True,
        nodes_login="{private}",
        has_auth=False,
    ),
    Setting(
        "a blocked registry, which is also a mirror",
        sources={"blockedRegistries": ["{delegated}", "{private}/other"]},
        mirrors=True,
        nodes_login="{private}",
    ),
    Setting(
        "only some registries are allowed, and not all mirrors of them",
        sources={
            "allowedRegistries": [
                "{private}/team",
                "{private}/own",
                "{integrated}",
                "{source}",
                "{never}",
                "{wild}/other",
            ]
        },
        mirrors=True,
        nodes_login="{private}",
    ),
    Setting(
        "signatures, allowed registries, mirrors, and nodes with a login and a credential provider",
        # The last one is inside the scope of a policy, and accepts images without a signature.
        sources={"allowedRegistries": ["{private}", "*.0.0.9", "{integrated}", "{private}/signed/bundle"]},
        mirrors=True,
        nodes_login="{private}",
        signatures=True,
        provider=True,
    ),
)


@pytest.fixture(scope="module")
def lab(lab_factory: Any) -> Lab:
    """A separate lab, because the tests change the configuration of its nodes."""
    found: Lab = lab_factory()
    return found


@pytest.fixture(scope="module")
def pods(lab: Lab) -> Pods:
    made = Pods(lab, generated(COUNT), hosts(lab))
    made.make()
    return made


@dataclass(frozen=True)
class Judged:
    """One image of a pod with the node's result for it and the verdict of the collection.

    `is_shown`: whether the status of a pod can show the result. It shows none for a volume that no container mounts, and not that for the
    container's own image if a mounted volume fails.
    """

    case: PodCase
    image: str
    is_shown: bool
    pulled: bool
    reason: str
    verdict: str
    said: str
    cause: str
    has_fix: bool

    def __str__(self) -> str:
        return f"{self.verdict} ({self.said}), but pulled is {self.pulled} ({self.reason}): {self.image}, {self.case}"


Pulls = Mapping[tuple[str, str], Any]


def pulled(pods: Pods, *options: str) -> Pulls:
    places = [pods.place(number) for number in range(len(pods.cases))]
    return dict(zip(places, pods.lab.pull_all(places, *options), strict=True))


@pytest.fixture(scope="module")
def pulled_once(pods: Pods) -> Callable[[Setting], Pulls]:
    """Return the nodes' results under the current setting, without writing a status. All tests of a setting share them."""
    found: dict[str, Pulls] = {}

    def under(setting: Setting) -> Pulls:
        if setting.name not in found:
            found[setting.name] = pulled(pods)
        return found[setting.name]

    return under


def judged(pods: Pods, done: Pulls, **options: Any) -> list[Judged]:
    result = run_module("pull_access_info", kubeconfig=pods.lab.kubeconfig, namespaces=pods.namespaces, **options)
    assert not result["failed"], result["msg"]
    rows = {
        (namespace["name"], row["name"], row["container"] or row["volume"]): row
        for namespace in result["namespaces"]
        for row in namespace["access"]
        if row["kind"] == "Pod"
    }
    return [each for _place, each in judged_places(pods, done, rows)]


def judged_places(
    pods: Pods, done: Pulls, rows: Mapping[Any, Any]
) -> Iterator[tuple[tuple[tuple[str, str], str], Judged]]:
    """Yield each image with its place: namespace and pod, and the volume."""
    for number, case in enumerate(pods.cases):
        place = pods.place(number)
        pulls = {each.get("volume", ""): each for each in done[place]["images"] if _is_judged(each)}
        assert [*pulls] == ([VOLUME, ""] if case.volume else [""])
        fails = case.is_mounted and not all(each["pulled"] for volume, each in pulls.items() if volume)
        for volume, pull in pulls.items():
            row = rows[(*place, volume or "judged")]
            assert row["image"] == pull["image"] == (case.volume if volume else case.image).format(**pods.names)
            is_shown = case.is_mounted if volume else not fails
            told = row["verdict"], row["reason"], row["cause"], bool(row["fix"])
            yield (place, volume), Judged(case, row["image"], is_shown, pull["pulled"], pull["reason"], *told)


def is_open(each: Judged) -> bool:
    """Whether no object and no registry shows the answer, so that the verdict may be unknown."""
    if each.case.pull_policy == "Never":
        return "whether the node has the image cannot be seen from here" in each.said
    if "whether a key of the policy made it cannot be seen from here" in each.said:
        return each.image.partition(":v1")[0].rpartition("/")[2] in READABLE
    # At an address without a listener, the node fails, and nothing can be asked for the image or its signatures.
    unseen = ("could not be asked from here", "whether the image has the right one cannot be seen from here")
    return not each.pulled and each.image.startswith(f"{WILD}:") and any(text in each.said for text in unseen)


def _is_judged(pull: Mapping[str, Any]) -> bool:
    return bool(pull.get("volume")) or "judged" in pull["containers"]


def is_wrong_without_asking(each: Judged) -> bool:
    """Whether the verdict is wrong, apart from a login that no registry was asked about."""
    return (each.verdict == "will_not_pull" and each.pulled) or (
        each.verdict == "pulls" and not each.pulled and "was not asked" not in each.said
    )


@dataclass(frozen=True)
class Start:
    """One start of a container, or mount of a volume, on a node that has the image. `uses`: the node does not ask a registry."""

    memory: str
    options: Sequence[str]
    uses: bool
    pulled: bool
    reason: str


@dataclass(frozen=True)
class Explained:
    """One image of a pod on its kind of node: the explanation, and all starts. `told`: `uses`, `asks`, `refuses` or `unknown`."""

    judged: Judged
    told: str
    starts: Sequence[Start]

    @property
    def expected(self) -> str:
        """The answer that holds whatever records the node has. Unknown if the records decide."""
        uses = {start.uses for start in self.starts}
        if len(uses) > 1:
            return "unknown"
        return "uses" if True in uses else "refuses" if self.judged.case.pull_policy == "Never" else "asks"

    def __str__(self) -> str:
        return f"{self.told}, but {self.expected}: {self.judged}, {self.starts}"


#: The nodes have no login of their own here, so an image that a mirror would serve can only be present.
PRESENT = SETTINGS[2]


@pytest.fixture(scope="module")
def starts(pods: Pods) -> Mapping[tuple[str, str, str], Sequence[Start]]:
    """All starts on nodes that have the image, by namespace, pod and volume. Each pod is on a node of its kind, once with each memory.

    A container is left out if the node pulls the volume of the pod: it then finds the record of that pull.
    """
    memories = NodeMemories(pods.lab, [pods.names[name] for name in ("source", "never", "wild")])
    memories.prepare()
    # The status of a node has no name without a registry.
    named = (image for case in pods.cases for image in (case.volume, case.image) if image.startswith("{"))
    images = dict.fromkeys(image.format(**pods.names) for image in named)
    with PRESENT.applied(pods.lab, pods.names, memories.logins):
        present = memories.fill(images)
    pods.list_images(present)
    alike: dict[tuple[str, ...], list[tuple[str, str]]] = defaultdict(list)
    for number, case in enumerate(pods.cases):
        for options in case.node.options(pods.names):
            alike[options].append(pods.place(number))
    todo = [(memory, options) for options in alike for memory in MEMORIES]
    with PRESENT.applied(pods.lab, pods.names), ThreadPoolExecutor(2) as pool:
        done = list(pool.map(lambda each: memories.start(*each, alike[each[1]]), todo))
    found: dict[tuple[str, str, str], list[Start]] = defaultdict(list)
    changed: set[tuple[str, str, str]] = set()
    for (memory, options), reports in zip(todo, done, strict=True):
        for report in reports:
            images = [each for each in report["images"] if _is_judged(each)]
            places = [(report["namespace"], report["pod"], each.get("volume", "")) for each in images]
            if images[0]["pulled"] and not images[0]["present"]:
                changed.update(places[1:])
            for place, each in zip(places, images, strict=True):
                if each["image"] in present:
                    found[place].append(Start(memory, options, each["present"], each["pulled"], each["reason"]))
    return {place: each for place, each in found.items() if place not in changed}


def told_by(steps: Sequence[Mapping[str, Any]]) -> str:
    """The answer of the last step about the present image. Without one, the image is pulled."""
    told = [step for step in steps if step["step"] == "cached"]
    if not told:
        return "asks"
    if told[-1]["ok"] is not None:
        return "uses" if told[-1]["ok"] else "refuses"
    return "asks" if "so it pulls the image again at every start" in told[-1]["message"] else "unknown"


@pytest.fixture(scope="module")
def explained(
    pods: Pods,
    pulled_once: Callable[[Setting], Pulls],
    starts: Mapping[tuple[str, str, str], Sequence[Start]],
) -> Sequence[Explained]:
    """Each image that a node can have, as explained for its pod."""
    lab, rows = pods.lab, {}
    options = {"ask_registries": True, "realm_hosts": lab.registry_hosts, "registry_ca_cert": lab.data["ca_cert"]}
    with PRESENT.applied(lab, pods.names):
        done = pulled_once(PRESENT)
        for first in range(0, len(pods.cases), NAMESPACES):
            places = [pods.place(number) for number in range(first, min(first + NAMESPACES, len(pods.cases)))]
            names = [namespace for namespace, _pod in places]
            result = run_module(
                "pull_access_info", kubeconfig=lab.kubeconfig, namespaces=names, pod=places[0][1], **options
            )
            assert not result["failed"], result["msg"]
            for namespace in result["namespaces"]:
                for row in namespace["access"]:
                    rows[namespace["name"], row["name"], row["container"] or row["volume"]] = row
    return [
        Explained(each, told_by(rows[(*place, volume or "judged")]["steps"]), starts[(*place, volume)])
        for (place, volume), each in judged_places(pods, done, rows)
        if (*place, volume) in starts
    ]


class TestPresentImages:
    """These tests are before those that write the status of the pods: a pod with an error of the node had no image there."""

    def test_the_explanation_is_unknown_exactly_where_the_records_of_the_node_decide(
        self, explained: Sequence[Explained]
    ) -> None:
        wrong = [each for each in explained if each.told != each.expected]
        print(Counter((each.judged.case.pull_policy, each.expected) for each in explained))
        assert {each.expected for each in explained} >= {"uses", "asks", "unknown"}
        assert not wrong, f"{len(wrong)} of {len(explained)}, such as {wrong[0]}"

    def test_the_verdict_holds_at_each_start(self, explained: Sequence[Explained]) -> None:
        """The node lists the image, so the verdict is unknown only if the records of the node decide."""
        wrong = [each for each in explained if not _holds(each)]
        print(Counter((each.judged.verdict, each.told, *sorted(_results(each))) for each in explained))
        asked = {start.pulled for each in explained for start in each.starts if not start.uses}
        assert asked == {True, False}
        assert {each.judged.verdict for each in explained} >= {"pulls", "will_not_pull", "unknown"}
        assert not wrong, f"{len(wrong)} of {len(explained)}, such as {wrong[0]}"


def _results(each: Explained) -> set[bool]:
    return {start.pulled for start in each.starts}


def _holds(each: Explained) -> bool:
    if each.judged.verdict == "unknown":
        return each.told != "uses" and (len(_results(each)) > 1 or is_open(each.judged))
    return _results(each) == {each.judged.verdict == "pulls"}


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
class TestGeneratedPods:
    def test_each_verdict_matches_the_node_when_the_registries_are_asked(
        self, pods: Pods, pulled_once: Callable[[Setting], Pulls], setting: Setting
    ) -> None:
        realm_hosts, ca_cert = pods.lab.registry_hosts, pods.lab.data["ca_cert"]
        with setting.applied(pods.lab, pods.names):
            done = pulled_once(setting)
            found = judged(pods, done, ask_registries=True, realm_hosts=realm_hosts, registry_ca_cert=ca_cert)
        wrong = [
            each
            for each in found
            if each.verdict != ("pulls" if each.pulled else "will_not_pull")
            and not (each.verdict == "unknown" and is_open(each))
        ]
        print(setting.name, Counter((each.verdict, each.pulled) for each in found))
        assert len(found) == len(pods.cases) + sum(1 for case in pods.cases if case.volume)
        if setting.nodes_login:  # otherwise, few of the pods pull
            assert {True, False} <= {
                each.pulled for each in found if each.image != each.case.image.format(**pods.names)
            }
        assert {True, False} <= {each.pulled for each in found}
        if setting.signatures:
            signed = Counter((each.verdict, each.pulled) for each in found if SIGNATURE in each.said)
            print(signed)
            assert {True, False} <= {pulled for _verdict, pulled in signed}
            assert {verdict for verdict, _pulled in signed} == {"unknown", "will_not_pull"}
        assert not wrong, f"{len(wrong)} of {len(found)}, such as {wrong[0]}"

    def test_verdicts_without_asking_are_wrong_only_about_a_login(
        self, pods: Pods, pulled_once: Callable[[Setting], Pulls], setting: Setting
    ) -> None:
        """Here, `pulls` means that the registry was not asked. All other verdicts are certain."""
        with setting.applied(pods.lab, pods.names):
            found = judged(pods, pulled_once(setting))
        wrong = [each for each in found if is_wrong_without_asking(each)]
        if setting.provider and COUNT >= LARGE:
            assert any("which the nodes use through CRI-O credential provider config" in each.said for each in found)
        print(setting.name, Counter((each.verdict, each.pulled) for each in found))
        assert not wrong, f"{len(wrong)} of {len(found)}, such as {wrong[0]}"

    def test_verdicts_with_the_pod_status_match_the_node_or_are_unknown(self, pods: Pods, setting: Setting) -> None:
        with setting.applied(pods.lab, pods.names):
            found = judged(pods, pulled(pods, "--status"))
        wrong = [
            each
            for each in found
            if (each.pulled != (each.verdict == "pulls") and each.verdict != "unknown" and each.is_shown)
            or (is_wrong_without_asking(each) and not each.is_shown)
        ]
        print(setting.name, Counter((each.verdict, each.pulled) for each in found))
        assert not wrong, f"{len(wrong)} of {len(found)}, such as {wrong[0]}"


#: The response of an object storage that refuses a request.
_NO_ACCESS = b'<?xml version="1.0" encoding="UTF-8"?><Error><Code>AccessDenied</Code></Error>'
#: Storages to which a registry redirects each request for a blob, with the cause of the failed pulls.
STORAGES = {
    "down": "connection_refused",
    "untrusted": "tls_untrusted",
    "refuses": "registry_error",
    "asks for a login": "content_refused",
}


@contextmanager
def redirected_blobs(lab: Lab, storage: str) -> Iterator[str]:
    """Have the private registry redirect until the end of the block. Yield the host of the storage."""
    head = (b"HTTP/1.1 403 Forbidden", b"Content-Type: application/xml", b"Content-Length: %d" % len(_NO_ACCESS))
    with served(answer(*head, body=_NO_ACCESS), None) as refusing:
        private, integrated = lab.registry("private"), lab.registry("integrated")
        address = {
            "down": f"https://{SOURCE}",
            "untrusted": f"https://{private['untrusted_host']}",
            "refuses": f"http://{refusing.host}",
            "asks for a login": f"https://{integrated['host']}/v2/project-b/app/blobs",
        }[storage]
        lab.registry_set("private", "--answer", f"blobs={address}/sha256:{64 * '0'}?X-Amz-Signature=0")
        try:
            yield address.partition("://")[2].partition("/")[0]
        finally:
            lab.registry_set("private", "--answer", "")


def is_shared(each: Judged) -> bool:
    """Whether the error does not name the image of a pod that has two."""
    return each.verdict == "unknown" and "it may be about another one" in each.said


@pytest.mark.parametrize(
    "storage",
    ["down", "asks for a login", *(pytest.param(each, marks=pytest.mark.slow) for each in ("untrusted", "refuses"))],
)
class TestRedirectedBlobs:
    """A registry gives the manifests, and the storage behind it gives nothing. The other registries have their own storage."""

    #: With mirrors, and a login of the nodes for them.
    SETTING = SETTINGS[1]

    def test_the_error_of_the_node_decides_whether_the_registries_are_asked_or_not(
        self, pods: Pods, pulled_once: Callable[[Setting], Pulls], storage: str
    ) -> None:
        lab, asking = pods.lab, {"ask_registries": True, "realm_hosts": pods.lab.registry_hosts}
        with self.SETTING.applied(lab, pods.names):
            manifests = judged(pods, pulled_once(self.SETTING))
            with redirected_blobs(lab, storage) as host:
                done = pulled(pods, "--whole", "--status")
                for options in ({}, {**asking, "registry_ca_cert": lab.data["ca_cert"]}):
                    found = judged(pods, done, **options)
                    shown = [(each, now) for each, now in zip(manifests, found, strict=True) if now.is_shown]
                    lost = [now for each, now in shown if each.pulled and not now.pulled]
                    print(storage, Counter((each.verdict, each.cause, each.pulled) for each in found))
                    assert lost
                    wrong = [
                        each
                        for each in lost
                        if each.has_fix or not (each.verdict == "will_not_pull" or is_shared(each))
                    ]
                    assert not wrong, f"{len(wrong)} of {len(lost)}, such as {wrong[0]}"
                    assert {each.cause for each in lost} == {STORAGES[storage]}
                    if storage in ("down", "untrusted"):
                        assert all(host in each.said for each in lost)


#: Maximum number of logins without a link that an explanation tests.
TESTED = 8

#: The rules of an audit that have the tasks of an explanation.
PULL_RULES = ("pod-cannot-pull", "workload-cannot-pull")


class Repairs:
    """Explains the failed pulls of the pods, or audits them, and carries out the offered tasks, until no other task is offered."""

    #: Rules whose finding stays although the task ended its cause: a pod without an owner keeps its list, and a date comes again.
    STAYS = ("verification-refuses-pod", "credential-expires", "credential-copies-differ")

    def __init__(self, pods: Pods) -> None:
        self.pods = pods
        access = {"realm_hosts": pods.lab.registry_hosts, "registry_ca_cert": pods.lab.data["ca_cert"]}
        self._access, self._asking = access, {"ask_registries": True, **access}
        #: Each task that was carried out, with the place and the cause of its failure.
        self.done: dict[tuple[Any, str], Mapping[str, Any]] = {}
        #: Tasks that were offered again although they had been carried out, and the pods that could start before and no longer can.
        self.useless: list[str] = []
        self.lost: list[str] = []
        #: New secrets for an image that does not exist, although the registry says that with a login of the namespace.
        self.vain: list[str] = []
        #: Tasks that removed a login that they do not name from a secret.
        self.dropped: list[str] = []

    def run(self, failures: Callable[[], Iterator[tuple[Any, Mapping[str, Any]]]]) -> None:
        """`failures` yields each failure with its place: the number of a pod, or a rule."""
        before = pulled(self.pods, "--status")
        while repaired := self._repair([*failures()]):
            for place in repaired:
                # A node tries again with the present content of secrets. Only a new pod gets another list of them.
                if isinstance(place, int) and any(of == place and "sa_link" in text for of, text in self.done):
                    self.pods.create_again(place)
            now = pulled(self.pods, "--status")
            for number, case in enumerate(self.pods.cases):
                place = self.pods.place(number)
                if before[place]["pulled"] and not now[place]["pulled"]:
                    tasks = [text for of, text in self.done if of == number]
                    self.lost.append(f"{case}: {[each['reason'] for each in now[place]['images']]} after {tasks}")
            before = now

    def failed_pulls(self) -> Iterator[tuple[int, Mapping[str, Any]]]:
        """Yield the answers with a task, by the number of the pod."""
        numbers = {self.pods.place(number): number for number in range(len(self.pods.cases))}
        for namespace in self._answer("pull_access_info")["namespaces"]:
            for row in namespace["access"]:
                if row["kind"] == "Pod" and row["fix"] and row["verdict"] == "will_not_pull":
                    yield numbers[namespace["name"], row["name"]], row

    def findings(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Yield the findings of an audit with a task for a known registry, by rule."""
        (cluster,) = self._answer("pull_access_audit")["audit"]["clusters"]
        for each in cluster["findings"]:
            if each["fix"] and "{{ registry }}" not in str(each["fix"]) and each["rule"] not in PULL_RULES:
                yield each["rule"], each

    def _answer(self, module: str) -> Any:
        result = self._run(module, namespaces=self.pods.namespaces, **self._asking)
        assert not result["failed"], result["msg"]
        return result

    def _repair(self, failures: Sequence[tuple[Any, Mapping[str, Any]]]) -> set[Any]:
        """Return the places of the tasks that were carried out."""
        offered = {(place, json.dumps(each["fix"], sort_keys=True)): each for place, each in failures}
        for (place, text), each in offered.items():
            if self._is_vain(place, each):
                self.vain.append(f"{each}, {place}")
            if (place, text) not in self.done:
                for task in each["fix"]:
                    held = self._held(task)
                    carry_out(self._run, self.pods.login_for(str(task)), [task], **self._access)
                    if gone := held - self._held(task):
                        self.dropped.append(f"{sorted(gone)} after {task}")
            elif place not in self.STAYS:
                self.useless.append(f"{each}, {place}")
        new = offered.keys() - self.done.keys()
        self.done.update({key: offered[key] for key in new})
        return {place for place, _text in new}

    def _is_vain(self, place: Any, failure: Mapping[str, Any]) -> bool:
        """Whether a new secret is offered for an image that does not exist, and the namespace has few logins, of which the registry accepts one."""
        if (
            not isinstance(place, int)
            or self.pods.cases[place].image != ABSENT
            or "'name': 'pull-" not in str(failure["fix"])
        ):
            return False
        near = self.pods.cases[place % NAMESPACES :: NAMESPACES]
        entries = [{*secret.entries} for case in near for secret in case.secrets if secret.kind in KINDS[:1]]
        return len(entries) <= TESTED and any(("{private}", "right") in each for each in entries)

    def _held(self, task: Mapping[str, Any]) -> set[tuple[str, str, str]]:
        """Namespace, secret and key of each login that the task must keep: those that the kubelet reads, for registries that it does not name."""
        options = task.get("openshift_ops.image_pull.pull_secret", {})
        if not options or options.get("state") == "absent":
            return set()
        named, name = {bare_key(row["registry"]) for row in options["registries"]}, options["name"]
        places = [place for place in options["namespaces"] if self.pods.lab.get(place, "secrets", name)]
        return {
            (place, name, key)
            for place in places
            for key, entry in self.pods.lab.entries(place, name).items()
            if bare_key(key) not in named and _is_read(entry)
        }

    def _run(self, module: str, **options: Any) -> dict[str, Any]:
        return run_module(module, kubeconfig=self.pods.lab.kubeconfig, **options)


def _is_read(entry: Any) -> bool:
    """Whether the kubelet decodes the entry."""
    try:
        return isinstance(entry, dict) and base64.b64decode(entry.get("auth", ""), validate=True) is not None
    except ValueError:
        return False


class TestRepairs:
    """The last tests, because they change the pods."""

    @pytest.mark.parametrize(
        ("setting", "what"),
        [
            (SETTINGS[-1], Repairs.failed_pulls),
            pytest.param(SETTINGS[2], Repairs.failed_pulls, marks=pytest.mark.slow),
            (SETTINGS[2], Repairs.findings),
        ],
        ids=["signatures", "mirrors", "audit"],
    )
    def test_an_offered_task_ends_its_failure_breaks_no_pod_and_loses_no_login(
        self, pods: Pods, setting: Setting, what: Any
    ) -> None:
        repairs = Repairs(pods)
        with setting.applied(pods.lab, pods.names):
            repairs.run(lambda: what(repairs))
        print(setting.name, Counter(row.get("rule", row.get("cause")) for row in repairs.done.values()))
        assert repairs.done or COUNT < LARGE
        assert not repairs.useless, f"{len(repairs.useless)} of {len(repairs.done)}, such as {repairs.useless[0]}"
        assert not repairs.vain, f"{len(repairs.vain)} of {len(repairs.done)}, such as {repairs.vain[0]}"
        assert not repairs.dropped, f"{len(repairs.dropped)} of {len(repairs.done)}, such as {repairs.dropped[0]}"
        # With the provider, nodes use all secrets of a namespace. A secret that becomes readable can have a wrong login for other pods.
        lost = [] if setting.provider else repairs.lost
        assert not lost, f"{len(lost)}, such as {lost[0]}"
