# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Our key matching and our verdicts against the kubelet's keyring and containers/image, by `lab oracle`.

`IMAGE_PULL_ORACLE_PAIRS` sets how many generated pairs of auth file and image are compared.
"""

from __future__ import annotations

import base64
import itertools
import json
import os
import subprocess
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import OptionError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.dockerconfig import auth_file
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.dockerconfig.key_matching import (
    containers_keys,
    indexed_as,
    kubelet_keys,
    repository_of,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.dockerconfig.key_warnings import key_warnings
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_secret import (
    options as pull_secret,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.matching_cases import QUAY, QUIRKS, REGISTRY, ROWS

PAIRS = int(os.environ.get("IMAGE_PULL_ORACLE_PAIRS", "20000"))
IMAGES_PER_FILE = 40
ENTRIES_PER_BATCH = 40

MANY = settings(
    max_examples=PAIRS // IMAGES_PER_FILE + 1,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
SOME = settings(MANY, max_examples=max(PAIRS // 100, 1))


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


class Oracle:
    """One `lab oracle` for the whole run."""

    def __init__(self) -> None:
        command = [os.environ["IMAGE_PULL_LAB"], "oracle"]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.asked = 0

    def ask(self, file: Any, images: Iterable[str]) -> list[dict[str, Any]]:
        lines = [json.dumps({"auth_file": file, "image": image}) for image in images]
        self.asked += len(lines)
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write("\n".join(lines) + "\n")
        self.process.stdin.flush()
        return [json.loads(self.process.stdout.readline()) for _line in lines]

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        assert self.process.wait(timeout=20) == 0


@pytest.fixture(scope="module")
def oracle() -> Iterator[Oracle]:
    found = Oracle()
    yield found
    found.close()


def file_of(keys: Iterable[str]) -> dict[str, Any]:
    """Each entry has a user of its own, by which the oracle's answer is told."""
    return {"auths": {key: {"auth": b64(f"user-{number}:password-{number}")} for number, key in enumerate(keys)}}


def compare(oracle: Oracle, keys: list[str], images: list[str]) -> None:
    for image, answer in zip(images, oracle.ask(file_of(keys), images), strict=True):
        repository = repository_of(image)
        case = f"keys {keys!r}, image {image!r}: {answer}"
        if repository is None:
            assert answer.get("kubelet_error"), case
            assert answer.get("containers_error"), case
            continue
        ours, theirs = kubelet_keys(keys, repository), [used["key"] for used in answer["kubelet"]]
        assert sorted(ours) == sorted(theirs), case
        assert [indexed_as(key) for key in ours] == [indexed_as(key) for key in theirs], case
        possible = containers_keys(keys, repository)
        assert answer["containers"]["found"] is bool(possible), case
        assert not possible or answer["containers"]["key"] in possible, case


class TestFacts:
    @pytest.mark.parametrize(("key", "image", "kubelet", "containers"), ROWS)
    def test_each_row_of_the_table(self, oracle: Oracle, key: str, image: str, kubelet: bool, containers: bool) -> None:
        repository = repository_of(image) or ""
        assert (bool(kubelet_keys([key], repository)), bool(containers_keys([key], repository))) == (
            kubelet,
            containers,
        )
        compare(oracle, [key], [image])

    def test_the_order_is_by_bytes_not_by_length(self, oracle: Oracle) -> None:
        keys = ["*.example.com/team", REGISTRY, f"{REGISTRY}/team"]
        assert kubelet_keys(keys, f"{REGISTRY}/team/app") == [f"{REGISTRY}/team", REGISTRY, "*.example.com/team"]
        compare(oracle, keys, [f"{REGISTRY}/team/app"])

    def test_docker_hubs_fallback_is_for_images_that_nothing_else_matches(self, oracle: Oracle) -> None:
        keys = ["docker.io/myorg", "https://index.docker.io/v1/"]
        assert kubelet_keys(keys, "docker.io/myorg/app") == ["docker.io/myorg"]
        assert kubelet_keys(keys, "docker.io/other/app") == ["https://index.docker.io/v1/"]
        compare(oracle, keys, ["myorg/app", "other/app"])


class TestMet:
    """What was met on the way, by name."""

    @pytest.mark.parametrize(
        ("keys", "image"), [pytest.param(keys, image, id=what) for what, keys, image, _kubelet, _containers in QUIRKS]
    )
    def test_quirk(self, oracle: Oracle, keys: list[str], image: str) -> None:
        compare(oracle, keys, [image])


HOSTS = st.sampled_from(
    ["quay.io", "docker.io", "index.docker.io", "registry-1.docker.io", "hub.docker.com", "localhost", "quay",
     "QUAY.IO", REGISTRY, "example.com", "a.b.example.com", "10.0.0.1", "reg-1.example.com"]
)  # fmt: skip
PORTS = st.sampled_from(["", "", "", ":5000", ":443", ":80"])
SEGMENTS = st.sampled_from(["org", "organization", "or", "app", "app2", "v1", "v2", "library", "nginx", "a_b", "x-y"])
PATHS = st.lists(SEGMENTS, max_size=3).map("/".join)
GLOBS = st.sampled_from(
    ["*", "*.io", "quay.*", "*.example.com", "*.*.example.com", "reg*.example.com", "*gistr*.example.com", "r[a-f]g.example.com",
     "q*y.io", "*.docker.io", "quay?io", "**.io", "[a-z]uay.io", "é.example.com", "q<y.io", "q^y.io", "%2a.io"]
)  # fmt: skip
ODD_PATHS = st.sampled_from(
    ["*", "org*", "ORG", "org//app", "%6frg", "app:v1", "%", "org?x", "org#x", "é", "v2/v1/org", "or[g]"]
)


def joined(scheme: str, host: str, port: str, path: str, end: str) -> str:
    return f"{scheme}{host}{port}" + (f"/{path}" if path else "") + end


KEYS = st.builds(
    joined,
    st.sampled_from(["", "", "", "https://", "http://", "HTTPS://", "https://http://"]),
    st.one_of(HOSTS, HOSTS, GLOBS),
    st.one_of(PORTS, PORTS, st.sampled_from([":*", ":", ":50x"])),
    st.one_of(PATHS, PATHS, ODD_PATHS, st.tuples(st.sampled_from(["v1", "v2"]), PATHS).map("/".join)),
    st.sampled_from(["", "", "", "/"]),
)
IMAGES = st.builds(
    joined,
    st.just(""),
    HOSTS,
    PORTS,
    PATHS,
    st.sampled_from(["", "", ":v1", "@sha256:" + "0" * 64, ":v1@sha256:" + "a" * 64, "/", ":"]),
)
SHORT_IMAGES = st.builds(lambda path, tag: path + tag, PATHS, st.sampled_from(["", ":latest"])).filter(bool)


class TestMatching:
    def test_agrees_on_every_generated_pair(self, oracle: Oracle) -> None:
        before = oracle.asked

        @MANY
        @given(
            st.lists(KEYS, min_size=1, max_size=6, unique=True),
            st.lists(st.one_of(IMAGES, IMAGES, SHORT_IMAGES), min_size=IMAGES_PER_FILE, max_size=IMAGES_PER_FILE),
        )
        def agree(keys: list[str], images: list[str]) -> None:
            compare(oracle, keys, images)

        agree()
        assert oracle.asked - before >= PAIRS

    @SOME
    @given(st.lists(KEYS, min_size=1, max_size=4, unique=True), st.lists(IMAGES, min_size=10, max_size=10))
    def test_a_key_without_warning_means_the_same_to_both(self, keys: list[str], images: list[str]) -> None:
        """But for the prefix, which the documentation tells."""
        for key, image in itertools.product(keys, images):
            repository = repository_of(image)
            if repository is None or key_warnings([key]):
                continue
            below = not kubelet_keys([key], repository) or f"{repository}/".startswith(f"{indexed_as(key)}/")
            hub = "docker.io" in key
            if below or hub:
                both = bool(kubelet_keys([key], repository)), bool(containers_keys([key], repository))
                # An image named by the Hub's API host is the Hub's to containers/image only; nobody writes that.
                by_api_host = repository.startswith("registry-1.docker.io/") and both == (False, True)
                assert both[0] == both[1] or repository.startswith("localhost/") or by_api_host, (key, image)


AUTHS = st.one_of(
    st.tuples(
        st.sampled_from(["", "u", "ü", "<token>"]),
        st.sampled_from([":", ""]),
        st.sampled_from(["", "p", "a:b", "\x00p"]),
    )
    .map("".join)
    .map(b64),
    st.sampled_from(["%%%", "", "dTpw\n", "dTpw ", "dTpwcA", "dTpwcA==", "_-8=", "====", "dQ"]),
)
ENTRIES = st.one_of(
    st.none(),
    st.just({}),
    st.sampled_from(["u:p", ["u"], 5]),
    st.fixed_dictionaries(
        {},
        optional={
            "auth": AUTHS,
            "AUTH": AUTHS,
            "username": st.sampled_from(["u", "", None, 7]),
            "password": st.sampled_from(["p", "", None]),
            "email": st.sampled_from(["e@example.com", ""]),
            "identitytoken": st.sampled_from(["", "token"]),
            "x": st.sampled_from([1, "y"]),
        },
    ),
)


class TestVerdict:
    """What is taken works for both as it is written; what is refused would not have worked as it was."""

    @SOME
    @given(ENTRIES)
    def test_usable_or_refused(self, oracle: Oracle, entry: Any) -> None:
        given_file = {"auths": {"quay.io": entry}}
        try:
            accepted = auth_file.parse_text(json.dumps(given_file), "the file")
        except OptionError as error:
            (answer,) = oracle.ask(given_file, [QUAY])
            assert self.is_unusable(answer, entry), f"{error}: {answer}"
            return
        written = base64.b64decode(pull_secret.Target(pull_secret.TYPES[0], "key").encode(accepted)).decode()
        (answer,) = oracle.ask(written, [QUAY])
        expected = accepted.entries["quay.io"].username
        assert not answer.get("kubelet_error"), answer
        assert [used["username"] for used in answer["kubelet"]] == [expected]
        assert (answer["containers"]["found"], answer["containers"]["username"]) == (True, expected)

    @staticmethod
    def is_unusable(answer: dict[str, Any], entry: Any) -> bool:
        """No reader can use it, or one stops; or it has no password, of which the oracle does not speak."""
        if answer.get("kubelet_error") or not answer["kubelet"] or not answer["kubelet"][0]["username"]:
            return True
        fields = {name.lower(): value for name, value in entry.items()}
        password = fields.get("password")
        if fields.get("auth"):
            raw = fields["auth"].replace("\n", "").rstrip("=")
            password = base64.b64decode(raw + "=" * (-len(raw) % 4)).decode().partition(":")[2]
        return not password
