# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verdict on an image that needs a signature agrees with the lab's node, which verifies signatures with containers/image."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from support.lab import Lab
from support.modules import run_module
from support.objects import auth_file, pull_secret
from support.openshift import described
from support.registry_settings import PUBLIC_KEY, registry_settings

HAS, NONE = "has a signature of", "has no signature of"
KEY_UNKNOWN = "whether a key of the policy made it cannot be seen from here"
BOTH = ("--architecture=amd64", "--architecture=arm64")


@dataclass(frozen=True)
class Case:
    """An image below `signed/` of the private registry.

    `flags` are those of `lab sign`, `at_mirror` the flags for the delegated registry, None without a mirror. `pulls`: whether the node
    pulls it. `verdict` and `text` are expected of the collection.
    """

    name: str
    flags: Sequence[str]
    pulls: bool
    verdict: str
    text: str
    at_mirror: Sequence[str] | None = None
    by_digest: str = ""
    folder: str = "signed"


CASES = (
    Case("one", ["--part=image"], True, "unknown", HAS),
    Case("one-by-digest", ["--part=image"], True, "unknown", HAS, by_digest="image"),
    Case("none", [], False, "will_not_pull", NONE),
    Case("other-key", ["--part=image", "--other-key"], False, "unknown", HAS),
    Case("other-image", ["--part=image", "--identity=q.io/other:v1"], False, "unknown", HAS),
    Case("bundle", ["--bundle=image"], False, "will_not_pull", "as a referrer, which nodes do not read"),
    Case("index-only", [*BOTH, "--part=index"], False, "will_not_pull", "Only the index is signed"),
    Case("index-bundle", [*BOTH, "--bundle=index"], False, "will_not_pull", "as a referrer, which nodes do not read"),
    Case("platform", [*BOTH, "--part=amd64"], True, "unknown", f"{HAS} {{image}} for amd64"),
    Case("other-platform", [*BOTH, "--part=arm64"], False, "will_not_pull", f"{NONE} {{image}} for amd64"),
    Case("recursive", [*BOTH, "--part=index", "--part=amd64", "--part=arm64"], True, "unknown", HAS),
    Case("index-by-digest", [*BOTH, "--part=index"], False, "will_not_pull", "Only the index is signed",
         by_digest="index"),
    Case("platform-by-digest", [*BOTH, "--part=amd64"], True, "unknown", HAS, by_digest="amd64"),
    Case("not-for-amd64", ["--architecture=arm64", "--part=arm64"], False, "will_not_pull", "has no image for amd64"),
    Case("no-policy", [], True, "pulls", "gives", folder="free"),
    Case("mirror-without", ["--part=image"], False, "will_not_pull", "oc-mirror without --remove-signatures", ()),
    Case("mirror-with", [], True, "unknown", HAS, ["--part=image", "--identity={image}"]),
    Case("mirror-of-another", [], False, "unknown", HAS, ["--part=image"]),
    Case("two-policies", ["--part=image"], False, "unknown", "cluster image policy test-2 each require",
         folder="twice"),
    Case("namespace", [], False, "will_not_pull", "image policy signatures/test-3 requires", folder="own"),
    Case("namespace-signed", ["--part=image"], True, "unknown", HAS, folder="own"),
    Case("hidden", ["--part=image"], True, "unknown", HAS, folder="signed/hidden"),
)  # fmt: skip
NAMESPACE = "signatures"


@pytest.fixture(scope="module")
def lab(lab_factory: Callable[..., Lab]) -> Lab:
    """A separate lab, because the tests change the configuration of its nodes."""
    found: Lab = lab_factory()
    info = {"architecture": "amd64", "kubeletVersion": "v1.34.2", "containerRuntimeVersion": "cri-o://1.34.1"}
    found.api("POST", "/api/v1/nodes", {"metadata": {"name": "worker-1"}, "status": {"nodeInfo": info}})
    return found


def login(lab: Lab, name: str) -> tuple[str, str]:
    account = lab.registry(name)["accounts"][1]
    return account["username"], account["password"]


@pytest.fixture(scope="module")
def images(lab: Lab) -> Mapping[str, str]:
    """The image of each case, pushed and signed."""
    host, found = lab.registry("private")["host"], {}
    for case in CASES:
        path = f"{case.folder}/{case.name}"
        image = f"{host}/{path}:v1"
        digests = lab.sign(f"{path}:v1", *case.flags)
        if case.at_mirror is not None:
            flags = [each.format(image=image) for each in case.at_mirror]
            lab.sign(f"copies/{case.name}:v1", *flags, registry="delegated")
        found[case.name] = f"{host}/{path}@{digests[case.by_digest]}" if case.by_digest else image
    return found


@pytest.fixture(scope="module")
def pods(lab: Lab, images: Mapping[str, str]) -> None:
    lab.namespace(NAMESPACE)
    content = auth_file({lab.registry("private")["host"]: login(lab, "private")})
    lab.create(NAMESPACE, "secrets", pull_secret("pull", content))
    for name, image in images.items():
        spec = {"containers": [{"name": "app", "image": image}], "imagePullSecrets": [{"name": "pull"}]}
        lab.create(NAMESPACE, "pods", {"metadata": {"name": name}, "spec": spec})


@pytest.fixture(scope="module")
def settings(lab: Lab, pods: None) -> Iterator[None]:
    private, delegated, key = (
        lab.registry("private")["host"],
        lab.registry("delegated")["host"],
        lab.data["signing_key"],
    )
    policies = [
        (f"{private}/signed", "", key),
        (f"{private}/twice", "", key),
        (f"{private}/twice", "", PUBLIC_KEY),
        (f"{private}/own", NAMESPACE, key),
        (f"{private}/signed/hidden", NAMESPACE, PUBLIC_KEY),
    ]
    mirrors = [
        {"source": f"{private}/{case.folder}/{case.name}", "mirrors": [f"{delegated}/copies/{case.name}"]}
        for case in CASES
        if case.at_mirror is not None
    ]
    with registry_settings(lab, policies=policies, tag=mirrors, node={delegated: login(lab, "delegated")}):
        yield


@pytest.fixture(scope="module")
def pulled(lab: Lab, settings: None) -> Mapping[str, Mapping[str, Any]]:
    done = lab.pull_all([(NAMESPACE, case.name) for case in CASES])
    return {case.name: each["images"][0] for case, each in zip(CASES, done, strict=True)}


@pytest.fixture(scope="module")
def asked(lab: Lab, settings: None) -> Mapping[str, Mapping[str, Any]]:
    return verdicts(lab, **lab.asking)


def verdicts(lab: Lab, **options: Any) -> Mapping[str, Mapping[str, Any]]:
    result = run_module("pull_access_info", kubeconfig=lab.kubeconfig, namespaces=[NAMESPACE], **options)
    assert not result["failed"], result["msg"]
    return {row["name"]: row for row in result["namespaces"][0]["access"]}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
class TestSignatures:
    def test_the_node_pulls_only_signed_images(self, case: Case, pulled: Mapping[str, Any]) -> None:
        found = pulled[case.name]
        assert found["pulled"] == case.pulls, found["reason"]
        if not case.pulls and case.name != "not-for-amd64":
            assert found["waiting"]["reason"] == "SignatureValidationFailed"

    def test_the_verdict_agrees_with_the_node(
        self, case: Case, images: Mapping[str, str], asked: Mapping[str, Any], pulled: Mapping[str, Any]
    ) -> None:
        found = asked[case.name]
        assert found["verdict"] == case.verdict, found["reason"]
        assert case.text.format(image=images[case.name]) in found["reason"]
        assert found["verdict"] in ("unknown", "pulls" if pulled[case.name]["pulled"] else "will_not_pull")
        assert (KEY_UNKNOWN in found["reason"]) == (case.verdict == "unknown")


def test_the_audit_finds_the_images_without_a_signature_at_the_registry_or_the_mirror(
    lab: Lab, settings: None, pulled: Mapping[str, Any]
) -> None:
    audit = {"kubeconfig": lab.kubeconfig, "namespaces": [NAMESPACE], "rules": ["image-unsigned"]}
    result = run_module("pull_access_audit", **audit, **lab.asking)
    assert not result["failed"], result["msg"]
    (cluster,) = result["audit"]["clusters"]
    found = {each["name"]: each["message"] for each in cluster["findings"]}
    expected = {case.name: case for case in CASES if case.verdict == "will_not_pull"}
    assert set(found) == set(expected)
    assert not [name for name in found if pulled[name]["pulled"]]
    assert [name for name, case in expected.items() if "oc-mirror" in case.text] == ["mirror-without"]
    assert "oc-mirror without --remove-signatures" in found["mirror-without"]
    assert not [sentence for sentence in cluster["unreadable"] if sentence.startswith("whether ")]
    (silent,) = run_module("pull_access_audit", **audit)["audit"]["clusters"]
    assert silent["findings"] == []


def test_nothing_is_claimed_about_signatures_without_asking(lab: Lab, settings: None) -> None:
    found = verdicts(lab)
    assert {row["verdict"] for name, row in found.items() if name != "no-policy"} == {"unknown"}
    assert all("cannot be seen from here" in row["reason"] for name, row in found.items() if name != "no-policy")


def test_a_signature_that_is_newer_than_the_error_of_the_node_leaves_the_verdict_open(lab: Lab, settings: None) -> None:
    host = lab.registry("private")["host"]
    lab.sign("signed/late:v1")
    spec = {"containers": [{"name": "app", "image": f"{host}/signed/late:v1"}], "imagePullSecrets": [{"name": "pull"}]}
    lab.create(NAMESPACE, "pods", {"metadata": {"name": "late"}, "spec": spec})
    assert not lab.pull(NAMESPACE, "late", "--status")["pulled"]
    before = verdicts(lab, **lab.asking)["late"]
    assert (before["verdict"], before["cause"]) == ("will_not_pull", "signature")
    lab.sign("signed/late:v1", "--part=image")
    after = verdicts(lab, **lab.asking)["late"]
    assert (after["verdict"], "may be newer than the node's last attempt" in after["reason"]) == ("unknown", True)
    assert lab.pull(NAMESPACE, "late")["pulled"]


RELEASE = "quay.io/openshift-release-dev/ocp-v4.0-art-dev"


@pytest.mark.slow
def test_the_forecast_names_the_mirror_whose_images_stop_without_signatures(lab_factory: Callable[..., Lab]) -> None:
    """The policy of 4.22 with the key of the lab. The mirror serves the image, and then also its signature, as oc-mirror copies it."""
    lab = lab_factory()

    def forecast(**options: Any) -> list[dict[str, Any]]:
        result = run_module("pull_access_audit", target_version="4.22", **audit, **options)
        assert not result["failed"], result["msg"]
        found: list[dict[str, Any]] = result["audit"]["clusters"][0]["findings"]
        return found

    mirror = lab.registry("delegated")["host"]
    digest = lab.sign("release/component:v1", registry="delegated")["image"]
    namespace, key = lab.namespace("release"), lab.data["signing_key"]
    spec = {"containers": [{"name": "app", "image": f"{RELEASE}@{digest}"}]}
    lab.create(namespace, "pods", {"metadata": {"name": "app"}, "spec": spec})
    mirrored = [{"source": RELEASE, "mirrors": [f"{mirror}/release/component"]}]
    node = {mirror: login(lab, "delegated")}
    audit = {"kubeconfig": lab.kubeconfig, "namespaces": [namespace], "rules": ["forecast-release-signature"]}
    with registry_settings(lab, digest=mirrored, node=node), described(lab, version="4.21.1"):
        (found,) = forecast()
        assert (found["kind"], found["name"]) == ("ImageDigestMirrorSet", "test-0")
        (found,) = forecast(**lab.asking)
        assert found["severity"] == "warning"
        assert "Nodes would refuse 1 image in use now: registry" in found["message"]
        assert lab.pull(namespace, "app")["pulled"]
    with registry_settings(lab, digest=mirrored, node=node, policies=[(RELEASE, "", key)]):
        assert not lab.pull(namespace, "app")["pulled"]
        lab.sign("release/component:v1", "--part=image", f"--identity={RELEASE}:v1", registry="delegated")
        assert lab.pull(namespace, "app")["pulled"]
        with described(lab, version="4.21.1"):
            assert forecast() == []
    with registry_settings(lab, digest=mirrored, node=node), described(lab, version="4.21.1"):
        (found,) = forecast(**lab.asking)
        assert (found["severity"], "1 image in use has it" in found["message"]) == ("info", True)
