# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Promises 3 and 5: an auth file that no node could use is refused with advice, and no message shows a credential."""

from __future__ import annotations

import base64
import contextlib
import copy
import json
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import OptionError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.dockerconfig import auth_file
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.dockerconfig import (
    credential_entry as auth_entry,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.dockerconfig.json_text import InvalidContent
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.secrets.content import TYPES, Target
from hypothesis import given
from hypothesis import strategies as st
from support.objects import b64

from unit.canaries import CANARIES, shown

FORM = "give a Docker config.json or a Podman auth.json, whose content begins with '{\"auths\"'"
MANIFEST = "it is the manifest of a secret: give its content, which 'oc extract secret/NAME --keys=.dockerconfigjson --to=-' prints"
SOURCE = "auth file /home/me/auth.json"
DOCKERCFG = TYPES[1]


def login(password: str = "canary", username: str = "robot") -> dict[str, str]:
    return {"auth": b64(f"{username}:{password}")}


def refusal(text: str) -> str:
    """The one-line message that refuses a text."""
    with pytest.raises(OptionError) as caught:
        auth_file.parse_text(text, SOURCE)
    message = str(caught.value)
    assert len(message.splitlines()) == 1
    return message


def stored(parsed: auth_file.AuthFile, kind: str = TYPES[0]) -> auth_file.AuthFile:
    """The auth file that is read back from the content of a secret."""
    text = base64.b64decode(Target(kind, "key").encode(parsed)).decode("ascii")
    return auth_file.parse_stored(text, legacy=kind == DOCKERCFG)


def auths_of(parsed: auth_file.AuthFile) -> dict[str, Any]:
    return json.loads(parsed.text(legacy=True))


def differences(before: auth_file.AuthFile, after: auth_file.AuthFile) -> dict[str, list[str]]:
    assert before.registries == after.registries
    return {
        key: names
        for key in after.registries
        if (names := auth_entry.changed_fields(before.entries[key], after.entries[key]))
    }


def an_entry(entry: Any, **top: Any) -> str:
    return json.dumps({"auths": {"quay.io": entry}, **top})


ENTRY = f"{SOURCE}: the entry for 'quay.io'"
NO_FILE = f"{SOURCE} is not an auth file: "
EMPTY = (
    f"{SOURCE} holds no credential: 'auths' is empty. Log in to the registry first, "
    "for example with 'podman login --authfile FILE REGISTRY'"
)


def elsewhere(registry: str, helper: str) -> str:
    return (
        f"{SOURCE} holds no credential for {registry}: the credential helper 'docker-credential-{helper}' keeps it, "
        "and nodes cannot ask the helper. Log in with 'podman login --authfile FILE REGISTRY', or give 'registries' instead"
    )


def two_entries(path: str, one: str, other: str) -> str:
    return (
        f"{SOURCE} has two entries for {path}: {one!r} and {other!r}. A node could use either of them. "
        "Keep one, or give one a longer path such as 'HOST/TEAM'"
    )


class TestParseText:
    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("[]", NO_FILE + "expected a JSON object with 'auths', found a list"),
            ('"auths"', NO_FILE + "expected a JSON object with 'auths', found a string"),
            ("null", NO_FILE + "expected a JSON object with 'auths', found null"),
            ("true", NO_FILE + "expected a JSON object with 'auths', found true or false"),
            ("1", NO_FILE + "expected a JSON object with 'auths', found a number"),
            ('{"auths": []}', NO_FILE + "'auths' is a list, not an object"),
            ("{}", EMPTY),
            ('{"auths": {}}', EMPTY),
            ('{"auths": null}', EMPTY),
            ('{"auths": null, "credsStore": 1}', NO_FILE + "'credsStore' is a number, not a string"),
            ('{"auths": {}, "Auths": {}}', NO_FILE + "it has 'auths' twice"),
        ],
    )
    def test_text_that_is_not_an_auth_file_is_refused(self, text: str, message: str) -> None:
        assert refusal(text) == message

    def test_an_entry_that_no_node_can_use_is_refused(self) -> None:
        """test_credential_entry.py has the messages."""
        assert refusal(an_entry({})) == f"{ENTRY} is empty: log in to it again"

    @pytest.mark.parametrize(
        ("config", "message"),
        [
            ({"auths": {"quay.io": {}}, "credsStore": "desktop"}, elsewhere("quay.io", "desktop")),
            ({"credsStore": "desktop"}, elsewhere("every registry", "desktop")),
            ({"CREDHELPERS": {"gcr.io": "gcloud"}}, elsewhere("gcr.io", "gcloud")),
        ],
    )
    def test_credentials_in_a_credential_helper_are_refused(self, config: Any, message: str) -> None:
        assert refusal(json.dumps(config)) == message

    def test_a_credential_helper_is_ignored_if_the_file_holds_the_credential(self) -> None:
        parsed = auth_file.parse_text(an_entry(login(), credsStore="desktop", credHelpers={"quay.io": "x"}), SOURCE)
        assert parsed.registries == ["quay.io"]

    @pytest.mark.parametrize(
        ("path", "one", "other"),
        [
            ("quay.io", "quay.io", "https://quay.io/"),
            ("quay.io", "quay.io", "quay.io/v2/"),
            ("quay.io/team", "quay.io/team", "quay.io/team/"),
            ("docker.io", "docker.io", "https://index.docker.io/v1/"),
            ("docker.io", "registry-1.docker.io", "index.docker.io"),
        ],
    )
    def test_two_entries_for_one_path_are_refused(self, path: str, one: str, other: str) -> None:
        assert refusal(json.dumps({"auths": {one: login(), other: login()}})) == two_entries(path, one, other)

    def test_a_repeated_key_is_refused(self) -> None:
        text = '{"auths": {"quay.io": {"auth": "YTpi"}, "quay.io": {"auth": "YTpj"}}}'
        assert (
            refusal(text)
            == f"{SOURCE} has the key 'quay.io' twice in 'auths'. Keep one, because clients read only the last"
        )

    def test_several_paths_of_one_registry_are_kept(self) -> None:
        auths = {"quay.io": login(), "quay.io/team": login(), "quay.io:443": login()}
        assert auth_file.parse_text(json.dumps({"auths": auths}), SOURCE).registries == sorted(auths)

    @pytest.mark.parametrize(
        ("text", "place"),
        [("x", "line 1, column 1"), ('{"auths": {,}}', "line 1, column 12"), ("{\n'a': 1}", "line 2, column 1")],
    )
    def test_the_place_of_a_json_error_is_reported(self, text: str, place: str) -> None:
        message = f"{SOURCE} is not valid JSON at {place}: {FORM}"
        assert refusal(text) == message

    @pytest.mark.parametrize(
        ("text", "why"),
        [
            (
                "[" * 100_000,
                f": it is nested more than 10000 levels deep: {FORM}",
            ),
            ('{"auths": {"quay.io": NaN}}', f" at line 1, column 23: {FORM}"),
            ("\ufeff{}", ": it begins with a byte order mark: save it as UTF-8 without that mark"),
            (" \n", f" at line 2, column 1: it is empty: {FORM}"),
            ("apiVersion: v1\nkind: Secret\n", f" at line 1, column 1: {MANIFEST}"),
            ("\udcff\udcfe{\0", " at line 1, column 1: it looks like UTF-16. Save it as UTF-8"),
        ],
    )
    def test_text_that_no_node_reads_as_json_is_refused(self, text: str, why: str) -> None:
        assert refusal(text) == f"{SOURCE} is not valid JSON{why}"

    def test_text_that_cannot_be_written_is_refused(self) -> None:
        assert refusal('{"auths": {"\ud800": {}}}') == f"{SOURCE} is not valid Unicode"

    @pytest.mark.parametrize("extra", ["[" * 9_000 + "]" * 9_000, "9" * 300, "1.50", r'"\ud800"', '"r\udce9n"'])
    def test_values_that_python_would_change_are_kept(self, extra: str) -> None:
        """The values in the entry are kept. The values around it are not checked."""
        text = f'{{"x": {extra}, "auths": {{"quay.io": {{"auth": "YTpi", "x": {extra}}}}}}}'
        parsed = auth_file.parse_text(text, SOURCE)
        assert parsed.entries["quay.io"].fields["x"] == extra
        assert parsed.text(legacy=False) == f'{{"auths": {{"quay.io": {{"auth": "YTpi", "x": {extra}}}}}}}'

    def test_a_latin_1_email_is_kept_byte_for_byte(self) -> None:
        text = b'{"auths": {"quay.io": {"auth": "YTpi", "email": "ren\xe9@example.com"}}}'
        parsed = auth_file.parse_text(text.decode("utf-8", "surrogateescape"), SOURCE)
        assert parsed.text(legacy=False).encode("utf-8", "surrogateescape") == text

    def test_the_base64_of_a_file_is_recognised(self) -> None:
        encoded = b64(an_entry(login()))
        assert refusal(encoded[:20] + "\n" + encoded[20:]).endswith(": it looks like base64. Decode it first")

    @pytest.mark.parametrize("members", [("auths", "auth", "email"), ("AUTHS", "Auth", "EMail")], ids=str)
    def test_member_names_are_read_in_any_case(self, members: tuple[str, str, str]) -> None:
        auths, auth, email = members
        parsed = auth_file.parse_text(json.dumps({auths: {"quay.io": {auth: b64("robot:x"), email: "a@b"}}}), SOURCE)
        assert auths_of(parsed) == {"quay.io": {"auth": b64("robot:x"), "email": "a@b"}}

    def test_registry_keys_keep_their_case(self) -> None:
        assert auth_file.parse_text('{"auths": {"QUAY.io": {"auth": "YTpi"}}}', SOURCE).registries == ["QUAY.io"]

    @pytest.mark.parametrize("entry", [login("x"), {"username": "robot", "password": "x"}])
    def test_a_legacy_dockercfg_is_read(self, entry: dict[str, str]) -> None:
        parsed = auth_file.parse_text(json.dumps({"quay.io": entry, "quay.io/team": entry}), SOURCE)
        assert parsed.registries == ["quay.io", "quay.io/team"]
        assert parsed.entries["quay.io"].password == "x"

    def test_auth_wins_over_username_and_password(self) -> None:
        entry = auth_file.parse_text(an_entry({**login("x:y"), "username": "a", "password": "b"}), SOURCE).entries[
            "quay.io"
        ]
        assert (entry.username, entry.password) == ("robot", "x:y")

    @pytest.mark.parametrize("canary", CANARIES)
    @pytest.mark.parametrize(
        "broken",
        [
            lambda canary: {"auths": {f"https://robot:{canary}@quay.io": login(canary)}},
            lambda canary: {"auths": {"quay.io": login(canary), "https://quay.io": login(canary)}},
            lambda canary: {"auths": {"quay.io": {"auth": b64(canary.replace(":", ""))}}},
            lambda canary: {"auths": {"quay.io": {"auth": b64(f"robot:{canary}") + "!"}}},
            lambda canary: {"auths": {"quay.io": {"auth": b64(f":{canary}")}}},
            lambda canary: {"auths": {"quay.io": {"password": canary}}},
            lambda canary: {"auths": {"quay.io": {"identitytoken": canary}}},
            lambda canary: {"auths": {"quay.io": canary}},
            lambda canary: {"auths": {"auth": b64(f"robot:{canary}")}},
            lambda canary: {"auths": b64(f"robot:{canary}")},
            lambda canary: {"username": "robot", "password": canary},
            lambda canary: {"credHelpers": {"quay.io": {"password": canary}}},
            lambda canary: {"credHelpers": {f"robot:{canary}@quay.io": "x"}},
            lambda canary: [canary],
            lambda canary: canary,
        ],
    )
    def test_no_refusal_shows_a_credential(self, broken: Any, canary: str) -> None:
        text = json.dumps(broken(canary))
        assert shown(refusal(text), canary) == []
        assert shown(refusal(text[:-1] + "x"), canary) == [], "also when the JSON is broken"
        assert shown(refusal(b64(text)), canary) == [], "also when it is encoded"

    def test_a_login_in_a_repeated_key_is_not_shown(self) -> None:
        text = '{"auths": {"robot:canary@quay.io": {}, "robot:canary@quay.io": {}}}'
        assert "canary" not in refusal(text)

    def test_a_user_name_with_a_colon_is_refused(self) -> None:
        """As `auth`, it would be another login."""
        said = refusal('{"auths": {"quay.io": {"username": "robot:part", "password": "secret"}}}')
        assert "has a ':' in its user name" in said and "part" not in said

    @given(st.text())
    def test_arbitrary_text_is_read_or_refused(self, text: str) -> None:
        read_or_refused(text)

    @given(st.deferred(lambda: JSON))
    def test_arbitrary_json_is_read_or_refused(self, data: Any) -> None:
        read_or_refused(json.dumps(data))

    @given(st.deferred(lambda: NEARLY), st.deferred(lambda: SECRETS))
    def test_an_auth_file_with_errors_is_read_or_refused_without_its_credential(self, config: Any, secret: str) -> None:
        message = read_or_refused(json.dumps(config).replace("CANARY", secret).replace("Q0FOQVJZ", b64(secret)))
        assert shown(message, secret) == []


def read_or_refused(text: str) -> str:
    """Return an empty string, or the message of the only exception that is allowed."""
    try:
        parsed = auth_file.parse_text(text, SOURCE)
    except OptionError as error:
        assert len(str(error).splitlines()) == 1
        return str(error)
    assert parsed.entries
    assert all(entry.username and entry.password for entry in parsed.entries.values())
    assert differences(stored(parsed), parsed) == {}
    return ""


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=8,
)
SECRETS = st.from_regex(r"canary[a-z0-9]{6,12}", fullmatch=True)
NAMES = st.sampled_from(["auth", "Auth", "username", "password", "email", "identitytoken", "registrytoken", "other"])
VALUES = st.sampled_from(["CANARY", "robot:CANARY", "Q0FOQVJZ", b64("robot:x"), "YTo=", "Og", "", None, 1, ["CANARY"]])
ENTRIES = st.dictionaries(NAMES, VALUES, max_size=3) | VALUES
KEYS = st.sampled_from(
    ["quay.io", "https://quay.io/", "quay.io/team", "docker.io", "", "a b", "robot:CANARY@quay.io", "é"]
)
HELPERS = st.sampled_from(["", "desktop", "a\nb", None, 1, {"password": "CANARY"}])
AUTHS = st.dictionaries(KEYS, ENTRIES, max_size=3)
NEARLY = AUTHS | st.fixed_dictionaries(
    {"auths": AUTHS | VALUES},
    optional={
        "credsStore": st.sampled_from(["", "desktop", None, 1]),
        "credHelpers": st.dictionaries(KEYS, HELPERS, max_size=2),
    },
)


class TestParse:
    def test_parse_reads_decoded_data_like_text(self) -> None:
        data = {"auths": {"quay.io": login()}}
        assert auth_file.parse(data, SOURCE) == auth_file.parse_text(json.dumps(data), SOURCE)

    def test_parse_does_not_change_its_input(self) -> None:
        data = {"auths": {"quay.io": {"username": "robot", "password": "x"}}}
        before = copy.deepcopy(data)
        auth_file.parse(data, SOURCE)
        assert data == before

    def test_parse_names_its_source(self) -> None:
        with pytest.raises(OptionError, match="^option 'auth_config' is not an auth file"):
            auth_file.parse([], "option 'auth_config'")


PASSWORDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)
USERNAMES = PASSWORDS.filter(lambda text: ":" not in text)
REGISTRIES = st.lists(
    st.fixed_dictionaries(
        {
            "registry": st.from_regex(r"[a-z]{1,6}\.io(/[a-z]{3,5})?", fullmatch=True),
            "username": USERNAMES,
            "password": PASSWORDS,
        },
        optional={"email": st.none() | st.emails()},
    ),
    min_size=1,
    max_size=4,
    unique_by=lambda item: item["registry"],
).filter(lambda items: not any(item["registry"] == "docker.io" for item in items))


class TestFromRegistries:
    def test_registries_are_written_in_the_format_of_oc_create_secret(self) -> None:
        item = {"registry": "quay.io", "username": "robot", "password": "x", "email": "a@b"}
        assert auths_of(auth_file.from_registries([item])) == {
            "quay.io": {"username": "robot", "password": "x", "auth": b64("robot:x"), "email": "a@b"}
        }

    def test_two_registries_for_one_path_are_refused(self) -> None:
        items = [{"registry": key, "username": "a", "password": "canary"} for key in ("quay.io", "https://quay.io")]
        with pytest.raises(OptionError, match="^option 'registries' has two entries for quay.io: ") as caught:
            auth_file.from_registries(items)
        assert "canary" not in str(caught.value)

    @given(REGISTRIES, st.sampled_from(TYPES))
    def test_written_registries_are_read_back_and_compare_as_unchanged(self, items: Any, kind: str) -> None:
        """The second run changes nothing."""
        wanted = auth_file.from_registries(items)
        back = stored(wanted, kind)
        assert differences(back, wanted) == {}
        assert {key: (entry.username, entry.password) for key, entry in back.entries.items()} == {
            item["registry"]: (item["username"], item["password"]) for item in items
        }


class TestReadStored:
    @pytest.mark.parametrize("text", ["null", "{}", '{"auths": null}', '{"x": [1]}'])
    def test_an_empty_stored_file_holds_no_entry(self, text: str) -> None:
        assert auth_file.parse_stored(text, legacy=False) == auth_file.NOTHING

    @pytest.mark.parametrize(
        "text", ["", "x", "[]", '"a"', "[" * 100_000, '{"auths": []}', '{"auths": {}, "Auths": {}}', "{}{}", "\ufeff{}"]
    )
    def test_an_invalid_stored_file_is_an_error(self, text: str) -> None:
        with pytest.raises(InvalidContent, match="^is "):
            auth_file.parse_stored(text, legacy=False)

    @pytest.mark.parametrize(("legacy", "text"), [(False, json.dumps({"quay.io": login()})), (True, an_entry(login()))])
    def test_a_stored_file_in_the_form_of_the_other_type_is_an_error(self, legacy: bool, text: str) -> None:
        with pytest.raises(InvalidContent, match="which no node reads from a secret of this type$"):
            auth_file.parse_stored(text, legacy=legacy)

    def test_a_byte_that_is_not_utf8_hides_nothing(self) -> None:
        text = '{"auths": {"quay.io": {"auth": "YTpi", "email": "ren\udce9"}, "r\udce9.io": {"auth": "YTpj"}}}'
        found = auth_file.parse_stored(text, legacy=False)
        assert {key: (entry.username, entry.password) for key, entry in found.entries.items()} == {
            "quay.io": ("a", "b"),
            "r\ufffd.io": ("a", "c"),
        }
        assert found.entries["quay.io"].meaning["email"] == "ren\ufffd"

    def test_the_last_of_two_equal_keys_counts(self) -> None:
        text = '{"auths": {"quay.io": {"auth": "YTpi"}, "quay.io": {"auth": "YTpj"}}}'
        assert auth_file.parse_stored(text, legacy=False).entries["quay.io"].password == "c"

    def test_a_login_in_a_key_is_left_out(self) -> None:
        """A diff shows the keys."""
        found = auth_file.parse_stored('{"auths": {"https://robot:canary@quay.io": {"auth": "YTpi"}}}', legacy=False)
        assert found.registries == ["***@quay.io"]

    @given(st.text() | JSON.map(json.dumps) | NEARLY.map(json.dumps), st.booleans())
    def test_any_stored_text_is_read_or_unreadable(self, text: str, legacy: bool) -> None:
        with contextlib.suppress(InvalidContent):
            auth_file.parse_stored(text, legacy=legacy)


class TestChangedFields:
    @given(REGISTRIES, st.randoms(use_true_random=False))
    def test_order_white_space_and_padding_are_not_changes(self, items: Any, random: Any) -> None:
        wanted = auth_file.from_registries(items)
        auths = [
            (key, dict(random.sample([*{**fields, "auth": fields["auth"].rstrip("=")}.items()], len(fields))))
            for key, fields in auths_of(wanted).items()
        ]
        random.shuffle(auths)
        assert (
            differences(auth_file.parse_stored(json.dumps({"auths": dict(auths)}, indent=3), legacy=False), wanted)
            == {}
        )

    @given(REGISTRIES, st.sampled_from(["username", "password", "email"]))
    def test_changed_fields_names_exactly_the_changed_field(self, items: Any, name: str) -> None:
        changed = [{**items[0], name: f"{items[0].get(name) or ''}-new"}, *items[1:]]
        before, after = auth_file.from_registries(items), auth_file.from_registries(changed)
        assert differences(stored(before), after) == {items[0]["registry"]: [name]}

    def test_plain_fields_next_to_auth_do_not_count(self) -> None:
        short, long = an_entry(login("x")), an_entry({**login("x"), "username": "robot", "password": "x", "email": ""})
        assert (
            differences(auth_file.parse_stored(short, legacy=False), auth_file.parse_stored(long, legacy=False)) == {}
        )


class TestRepr:
    def test_the_repr_shows_no_credential(self) -> None:
        parsed = auth_file.parse_text(an_entry(login("canary")), SOURCE)
        assert shown(repr(parsed) + repr(parsed.entries["quay.io"]), "canary") == []
