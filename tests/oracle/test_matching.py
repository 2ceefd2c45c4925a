# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Our key matching and our verdicts on secrets agree with the kubelet's keyring and containers/image, as run by `lab oracle`.

`IMAGE_PULL_ORACLE_PAIRS` sets the number of generated pairs of auth file and image.
"""

from __future__ import annotations

import base64
import itertools
import json
import os
from collections.abc import Iterable
from typing import Any
from urllib.parse import unquote

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import OptionError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import as_dict
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.dockerconfig import auth_file
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.dockerconfig.credential_entry import (
    kubelet_reading,
    provider_logins,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.dockerconfig.registry_keys import (
    containers_keys,
    host_of,
    key_warnings,
    keyring_key,
    kubelet_keys,
    registry_of,
    repository_of,
    same_path,
    without_user,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_secret import plan as pull_secret
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.matching_cases import QUAY, QUIRKS, REGISTRY, ROWS
from support.oracle import Oracle

PAIRS = int(os.environ.get("IMAGE_PULL_ORACLE_PAIRS", "20000"))
IMAGES_PER_FILE = 40
CONTENTS = max(PAIRS // 20, 1)

MANY = settings(
    max_examples=PAIRS // IMAGES_PER_FILE + 1,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
SOME = settings(MANY, max_examples=max(PAIRS // 100, 1))


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def file_of(keys: Iterable[str]) -> dict[str, Any]:
    """Return an auth file in which each entry has its own user, so that the oracle's answer identifies the entry."""
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
        assert [keyring_key(key) for key in ours] == [keyring_key(key) for key in theirs], case
        possible = containers_keys(keys, repository)
        assert answer["containers"]["found"] is bool(possible), case
        assert not possible or answer["containers"]["key"] in possible, case


class TestFacts:
    @pytest.mark.parametrize(("key", "image", "kubelet", "containers"), ROWS)
    def test_each_row_of_the_table_agrees_with_the_oracle(
        self, oracle: Oracle, key: str, image: str, kubelet: bool, containers: bool
    ) -> None:
        repository = repository_of(image) or ""
        assert (bool(kubelet_keys([key], repository)), bool(containers_keys([key], repository))) == (
            kubelet,
            containers,
        )
        compare(oracle, [key], [image])

    def test_keys_are_ordered_by_bytes_not_by_length(self, oracle: Oracle) -> None:
        keys = ["*.example.com/team", REGISTRY, f"{REGISTRY}/team"]
        assert kubelet_keys(keys, f"{REGISTRY}/team/app") == [f"{REGISTRY}/team", REGISTRY, "*.example.com/team"]
        compare(oracle, keys, [f"{REGISTRY}/team/app"])

    def test_docker_hubs_fallback_is_for_images_that_nothing_else_matches(self, oracle: Oracle) -> None:
        keys = ["docker.io/myorg", "https://index.docker.io/v1/"]
        assert kubelet_keys(keys, "docker.io/myorg/app") == ["docker.io/myorg"]
        assert kubelet_keys(keys, "docker.io/other/app") == ["https://index.docker.io/v1/"]
        compare(oracle, keys, ["myorg/app", "other/app"])


class TestMet:
    """Known quirks of keys, each with a name."""

    @pytest.mark.parametrize(
        ("keys", "image"), [pytest.param(keys, image, id=what) for what, keys, image, _kubelet, _containers in QUIRKS]
    )
    def test_each_known_quirk_agrees_with_the_oracle(self, oracle: Oracle, keys: list[str], image: str) -> None:
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
#: Digests by which an image can be pulled, and others, such as one that was not copied whole (opencontainers/go-digest).
DIGESTS = (
    "@sha512:" + "0" * 128, "@sha384:" + "0" * 96, "@sha256:" + "0" * 63, "@sha256:" + "0" * 65, "@sha256:" + "A" * 64, "@SHA256:" + "0" * 64,
    ":v1@sha256:" + "0" * 32, "@sha512:" + "0" * 64, "@md5:" + "0" * 32, "@sha1:" + "0" * 40, "@sha256+b64:" + "0" * 64,
)  # fmt: skip
IMAGES = st.builds(
    joined,
    st.just(""),
    HOSTS,
    PORTS,
    PATHS,
    st.sampled_from(["", "", ":v1", "@sha256:" + "0" * 64, ":v1@sha256:" + "a" * 64, "/", ":", *DIGESTS]),
)
SHORT_IMAGES = st.builds(lambda path, tag: path + tag, PATHS, st.sampled_from(["", ":latest"])).filter(bool)


class TestMatching:
    def test_key_matching_agrees_with_the_oracle_on_generated_pairs(self, oracle: Oracle) -> None:
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
    def test_a_key_without_a_warning_matches_the_same_images_for_both_clients(
        self, keys: list[str], images: list[str]
    ) -> None:
        """The only exception is the prefix, which the documentation explains."""
        for key, image in itertools.product(keys, images):
            repository = repository_of(image)
            if repository is None or key_warnings([key]):
                continue
            below = not kubelet_keys([key], repository) or f"{repository}/".startswith(f"{keyring_key(key)}/")
            hub = "docker.io" in key
            if below or hub:
                both = bool(kubelet_keys([key], repository)), bool(containers_keys([key], repository))
                # Only containers/image treats an image with the Hub's API host as the Hub's. Such image names are not used in practice.
                by_api_host = repository.startswith("registry-1.docker.io/") and both == (False, True)
                assert both[0] == both[1] or repository.startswith("localhost/") or by_api_host, (key, image)


VAULT, EVIL = "vault.example.com", "evil.example.com:5000"
PIECES = [
    VAULT, VAULT, EVIL, EVIL, "127.0.0.1:5000", "[::1]:5000", "[::1]", "[fe80::1%25eth0]", "localhost", "user", "pass:word", "Quay.IO", "*.example.com",
    "@", "@", "@", "#", "#", "?", "?", "/", "/", "//", "\\", ":", ":5000", ":443", "%", "%40", "%23", "%2f", "%25", "%c3%a9", "\u00e9", "\u212a", " ", "\t",
    "\x00", "\n", "https://", "https://", "http://", "HTTPS://", "v2/", "v1", "team", "[", "]", "<", '"', "..", "&", "{}", "\u202e",
]  # fmt: skip
ODD_KEYS = st.lists(st.sampled_from(PIECES), min_size=1, max_size=7).map("".join)
KEYS_PER_QUESTION = 50


def canonical(host: str) -> str:
    """Return a host of the kubelet in our normalized form, in which equal DNS names and all names of Docker Hub are the same."""
    return same_path(host)


def shown_host(key: str) -> str:
    """Return the host that a reader sees in the displayed key, or an empty string if no registry is displayed."""
    text = without_user(key)
    if text == "***" or (text == key and not registry_of(key)):
        return ""
    host = (
        text.removeprefix("http://")
        .removeprefix("https://")
        .removeprefix("***@")
        .removesuffix("?***")
        .partition("/")[0]
    )
    return unquote(host)


class TestShownRegistry:
    """The displayed registry of a key is the registry that the clients of a node use it for, whatever characters its author added."""

    def judge(self, oracle: Oracle, key: str, kubelet: dict[str, str] | None) -> None:
        case = f"{key!r} is shown as {without_user(key)!r}; the kubelet reads {kubelet}"
        # The kubelet treats a scheme that it does not remove as a host, which no image can have.
        if kubelet is None or kubelet["host"].lower() in ("", "http:", "https:") or kubelet["host"].startswith(":"):
            if host_of(key):
                (answer,) = oracle.ask(file_of([key]), [f"{shown_host(key)}/team/app"])
                assert answer["containers"]["found"], case
            return
        hidden_port = kubelet["host"].partition(":")[0] + ":***"
        assert shown_host(key) in ("", kubelet["host"], hidden_port), case
        if not registry_of(key):
            assert "@" in key, case
            return
        assert unquote(host_of(key)) == unquote(canonical(kubelet["host"])), case
        path = kubelet["path"].strip("/")
        if not set("%") & set(key) and path not in ("v1", "v2"):
            assert same_path(key).partition("/")[2].strip("/") == path, case

    def test_the_shown_registry_is_the_one_that_the_kubelet_uses(self, oracle: Oracle) -> None:
        read = 0

        @settings(MANY, max_examples=PAIRS // KEYS_PER_QUESTION)
        @given(st.lists(st.one_of(ODD_KEYS, ODD_KEYS, KEYS), min_size=KEYS_PER_QUESTION, max_size=KEYS_PER_QUESTION))
        def agree(keys: list[str]) -> None:
            nonlocal read
            answers = oracle.keys(keys)
            read += sum(answer is not None for answer in answers)
            for key, kubelet in zip(keys, answers, strict=True):
                self.judge(oracle, key, kubelet)

        agree()
        assert read > PAIRS // 10

    def test_a_key_is_never_shown_for_another_host_than_a_client_uses_it_for(self, oracle: Oracle) -> None:
        """A key that a client uses for a host is displayed for that host. If it may hold a login, it may be displayed without a host."""
        used, hosts = 0, [VAULT, EVIL, "127.0.0.1:5000", "quay.io", "docker.io"]

        @settings(MANY, max_examples=PAIRS // len(hosts))
        @given(ODD_KEYS)
        def agree(key: str) -> None:
            nonlocal used
            for host, answer in zip(
                hosts, oracle.ask(file_of([key]), [f"{host}/team/app" for host in hosts]), strict=True
            ):
                if answer["kubelet"] or answer["containers"]["found"]:
                    used += 1
                    found = host_of(key)
                    assert (
                        found == host
                        or "*" in found
                        or (not found and shown_host(key) in ("", f"{host.partition(':')[0]}:***", host))
                    ), (key, host, answer)

        agree()
        assert used > PAIRS // 1000

    @pytest.mark.parametrize(
        "key",
        [
            f"{EVIL}#@{VAULT}",
            f"{EVIL}?@{VAULT}",
            f"{VAULT}@{EVIL}",
            f"https://{VAULT}:443@{EVIL}/#",
            f"{VAULT}@{EVIL}?@{VAULT}",
            f"http://https://{EVIL}",
        ],
    )
    def test_a_key_with_two_hosts_is_shown_for_the_host_that_the_kubelet_uses(self, oracle: Oracle, key: str) -> None:
        assert host_of(key) == shown_host(key) == EVIL
        (kubelet,) = oracle.keys([key])
        self.judge(oracle, key, kubelet)


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
    """An accepted entry works unchanged for both clients, and a refused entry would not have worked."""

    @SOME
    @given(ENTRIES)
    def test_an_accepted_entry_works_and_a_refused_entry_was_unusable(self, oracle: Oracle, entry: Any) -> None:
        given_file = {"auths": {"quay.io": entry}}
        try:
            accepted = auth_file.parse_text(json.dumps(given_file), "the file")
        except OptionError as error:
            (answer,) = oracle.ask(given_file, [QUAY])
            assert self.is_unusable(answer, entry), f"{error}: {answer}"
            return
        written = base64.b64decode(pull_secret.Target(pull_secret.DOCKERCONFIGJSON, "key").encode(accepted)).decode()
        (answer,) = oracle.ask(written, [QUAY])
        expected = accepted.entries["quay.io"].username
        assert not answer.get("kubelet_error"), answer
        assert [used["username"] for used in answer["kubelet"]] == [expected]
        assert (answer["containers"]["found"], answer["containers"]["username"]) == (True, expected)

    @staticmethod
    def is_unusable(answer: dict[str, Any], entry: Any) -> bool:
        """Return whether no client can use the entry, a client stops at it, or it has no password (which the oracle does not check)."""
        if answer.get("kubelet_error") or not answer["kubelet"] or not answer["kubelet"][0]["username"]:
            return True
        fields = {name.lower(): value for name, value in entry.items()}
        password = fields.get("password")
        if fields.get("auth"):
            raw = fields["auth"].replace("\n", "").rstrip("=")
            password = base64.b64decode(raw + "=" * (-len(raw) % 4)).decode().partition(":")[2]
        return not password


def quoted(text: str) -> str:
    """Return a JSON string in which bytes that are not UTF-8 stay bytes."""
    return json.dumps(text, ensure_ascii=False)


#: JSON values for a field: valid strings, invalid strings, and every other type.
BASE64 = st.one_of(
    st.text("dTpwcA=", max_size=9),
    st.sampled_from(
        ["dTpw", "dTpwcA", "dTpwcA==", "dTpwcA=", "dTpw=", "dT=pw", "dTpwcB", "dTpw\n", "\r\ndTpwcA=\n=\n", "dTpw ", " dTpwcA== ", "_-8=", "Og", "dQ",
         "dTrp", "dTpw\u00a0", "\n", "====", "d", "dTpwcA==dTpw", "\udce9", "dTpw\udce9", "dTpw\x00"]
    ),
)  # fmt: skip
STRINGS = st.one_of(
    BASE64.map(quoted),
    st.sampled_from(['""', '"u"', r'"\ud800"', r'"\u0064Tpw"', '"u\udce9"', r'"dTpw\n"', r'"\x"', '"a']),
)
NUMBERS = st.sampled_from(["0", "-0", "1.50", "1e400", "9" * 400, "01", "1.", "-", "+1", "0x1", "NaN", "Infinity"])
LITERALS = st.sampled_from(["null", "null", "true", "false", "nul", "True", ""])
NESTED = st.sampled_from(
    ["{}", "[]", "{ }", '{"a": [1, {"b": "c"}]}', "[[[[]]]]", '{"a":1,}', "[1,]", '{"a":null}', '{"a":"b","a":{}}']
)
VALUES = st.one_of(STRINGS, STRINGS, STRINGS, LITERALS, NUMBERS, NESTED)
FIELD_NAMES = st.sampled_from(
    ["auth", "auth", "auth", "AUTH", "username", "Username", "password", "pa\u017fsword", "email", "EMAIL", "identitytoken", "x", "auth ", "a\udce9"]
)  # fmt: skip
SPACE = st.sampled_from(["", "", "", " ", "\t", "\r"])


def objects(names: st.SearchStrategy[str], values: st.SearchStrategy[str], most: int) -> st.SearchStrategy[str]:
    """JSON objects with white space and duplicate names."""
    member = st.builds(lambda name, space, value: f"{space}{quoted(name)}{space}:{value}{space}", names, SPACE, values)
    return st.lists(member, max_size=most).map(lambda members: "{" + ",".join(members) + "}")


HOSTILE_ENTRIES = st.one_of(
    objects(FIELD_NAMES, VALUES, 4), objects(FIELD_NAMES, STRINGS, 3), objects(FIELD_NAMES, STRINGS, 2), VALUES
)
HOSTILE_KEYS = st.sampled_from(
    ["quay.io", "quay.io", "a.io", "b.io", "quay.io/org", "[::1", "r\udce9.io", "", "\u017f"]
)
GOOD_ENTRIES = st.sampled_from(
    ['{"auth":"dTpw"}', '{"auth":"dTpwcA"}', '{"username":"u","password":"p"}', "{}", "null"]
)
HOSTILE_AUTHS = st.one_of(objects(HOSTILE_KEYS, HOSTILE_ENTRIES, 2), objects(HOSTILE_KEYS, GOOD_ENTRIES, 3), VALUES)
HEADERS = st.one_of(
    objects(st.sampled_from(["a", "b"]), st.sampled_from(['"c"', '"d"', "null", "1", "[]"]), 2),
    st.sampled_from(["null", "{}", "[]", '"x"']),
)
TOP_NAMES = st.sampled_from(["auths", "auths", "auths", "Auths", "auth\u017f", "\u0041uths"])
MEMBERS = st.one_of(
    st.tuples(TOP_NAMES, HOSTILE_AUTHS),
    st.tuples(TOP_NAMES, objects(HOSTILE_KEYS, GOOD_ENTRIES, 3)),
    st.tuples(st.sampled_from(["HttpHeaders", "httpheaders", "HTTPHEADERS", "HttpHeader\u017f"]), HEADERS),
    st.tuples(st.sampled_from(["credsStore", "x", "auths.", "quay.io"]), st.one_of(VALUES, HEADERS)),
)
HOSTILE = st.one_of(
    st.lists(MEMBERS, max_size=3).map(lambda parts: "{" + ",".join(f"{quoted(n)}:{v}" for n, v in parts) + "}"),
    st.builds(lambda before, auths, after: f'{before}{{"auths":{auths}}}{after}', SPACE, HOSTILE_AUTHS, SPACE),
    st.builds(
        lambda text, junk: text + junk,
        objects(TOP_NAMES, HOSTILE_AUTHS, 1),
        st.sampled_from(["", "x", "{}", "\x00", ",", "]"]),
    ),
    VALUES,
)


class TestReading:
    """Our reading of a secret agrees with the kubelet's own code. `require: usable` and every comparison depend on it."""

    def compare(self, oracle: Oracle, text: str) -> None:
        ours, answer = kubelet_reading(text, legacy=False), oracle.ask_about(text, QUAY)
        case = f"{text!r}: {ours.problems}, {answer}"
        assert bool(ours.problems) is ("kubelet_error" in answer), case
        if not ours.problems:
            expected = [ours.logins[key][0] for key in kubelet_keys(ours.logins, QUAY)]
            # Bytes of a user that are not UTF-8 are returned as U+FFFD.
            expected = [user.encode("utf-8", "surrogateescape").decode("utf-8", "replace") for user in expected]
            assert [used["username"] for used in answer["kubelet"]] == expected, case

    @staticmethod
    def can_be_asked(text: str) -> bool:
        """Return whether the oracle can get the text: bytes that are not UTF-8 can only be passed in a file that Go accepts as JSON."""
        has_bytes = any("\udc80" <= character <= "\udcff" for character in text)
        return not has_bytes or (not kubelet_reading(text, legacy=False).problems and "\n" not in text)

    def test_the_reading_of_hostile_content_agrees_with_the_oracle(self, oracle: Oracle) -> None:
        usable = 0

        @settings(MANY, max_examples=CONTENTS)
        @given(HOSTILE.filter(self.can_be_asked))
        def agree(text: str) -> None:
            nonlocal usable
            usable += not kubelet_reading(text, legacy=False).problems
            self.compare(oracle, text)

        agree()
        assert usable > CONTENTS // 10

    @pytest.mark.parametrize(
        "entry",
        [
            '{"auth":"dTpw"}', '{"auth":"dTpwcA=="}', '{"auth":"dTpwcA"}', '{"auth":"dTpw\\n"}', '{"auth":"dTo="}', '{"auth":"OnA="}',
            '{"username":"u","password":"p"}', '{"username":"x","password":"y","auth":"dTpw"}', '{"AUTH":"dTpw"}', '{"auth":"dQ=="}',
            '{"auth":"","username":"u","password":"p"}', "{}", "null", '{"identitytoken":"t"}', '{"auth":"?"}',
        ],
    )  # fmt: skip
    def test_the_login_that_crio_sends_agrees_with_the_oracle(self, oracle: Oracle, entry: str) -> None:
        """For a mirror, CRI-O reads the nodes' own file itself, and not as the kubelet does."""
        text = f'{{"auths":{{"quay.io":{entry}}}}}'
        answer, ours = oracle.ask_about(text, QUAY), provider_logins(text).get("quay.io", ("", ""))
        assert as_dict(answer.get("containers")).get("username", "") == ours[0]

    @pytest.mark.parametrize("levels", [9_000, 9_998, 9_999, 10_000, 10_001, 20_000])
    @pytest.mark.parametrize(
        "template", ['{"x": %s, "auths": {}}', '{"auths": {"quay.io": {"auth": "dTpw", "x": %s}}}', "%s"]
    )
    def test_the_reading_of_deep_nesting_agrees_with_the_oracle(
        self, oracle: Oracle, template: str, levels: int
    ) -> None:
        self.compare(oracle, template % ("[" * levels + "]" * levels))

    @pytest.mark.parametrize(
        "text",
        [
            "", " ", "null", "{}", "\ufeff{}", "{}\x00", '{"auths":{"quay.io":{"auth":"dTpw"}},"Auths":{"quay.io/org":{"auth":"eDp5"}}}',
            '{"auths":{"quay.io":{"auth":"dTpw"}},"Auths":null}', '{"auths":{"quay.io":{"auth":"%"},"quay.io":{"auth":"dTpw"}}}',
            '{"auths":{"quay.io":{"auth":"dTpw","email":5}}}', '{"auths":{"quay.io":{"auth":"dTpw","identitytoken":5}}}',
            '{"auths":{"quay.io":{"auth":"dTpw"}},"HttpHeaders":[]}', '{"auths":{"quay.io":{"auth":"dTpwcA="}}}',
            '{"auths":{"quay.io":{"auth":"dTpw","email":"r\udce9"}}}', '{"auths":{"q\udce9":{"username":"u\udce9","password":"p"}}}',
        ],
    )  # fmt: skip
    def test_the_reading_of_known_odd_texts_agrees_with_the_oracle(self, oracle: Oracle, text: str) -> None:
        self.compare(oracle, text)
