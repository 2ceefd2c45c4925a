# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Text of a cluster, and phrases of several items."""

from __future__ import annotations

import base64
import string
import sys

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.text import (
    MOST,
    escape_invisible,
    is_plain,
    join_alike,
    join_and,
    make_printable,
    make_visible,
    pluralize,
    redact_line,
    redact_text,
    summarize,
    truncate,
)
from hypothesis import given
from hypothesis import strategies as st

# --- Text of a cluster is plain by a list of allowed characters, is visible, and has no credential. The rest of it stays readable

_FIRST = {*string.ascii_letters, *string.digits}

_FURTHER = {*_FIRST, *"._/:@+-"}


def test_plain_text_begins_with_these_characters_only() -> None:
    assert {character for character in map(chr, range(sys.maxunicode + 1)) if is_plain(character)} == _FIRST


def test_plain_text_has_these_characters_only() -> None:
    found = {character for character in map(chr, range(sys.maxunicode + 1)) if is_plain(f"a{character}")}
    assert found == _FURTHER


@pytest.mark.parametrize(
    "text", ["quay.io/team/app:v1", "robot@example.com", "a" * 100_000, "0", "1e3", "+".join("ab")]
)
def test_plain_text_is_recognised(text: str) -> None:
    assert is_plain(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a\n",
        "\na",
        "a b",
        "{{ a }}",
        "#jinja2:variable_start_string:'[%'\n",
        "!unsafe",
        "&a",
        "*a",
        "~",
        "-a",
        "ä",
        "a\ufeff",
    ],
)
def test_text_that_is_not_plain_is_recognised(text: str) -> None:
    assert not is_plain(text)


def test_control_characters_become_spaces_in_one_line() -> None:
    assert make_printable("a\x1f\x1b[31m\ny\u202e") == "a  [31m y "
    assert make_printable("as it is, é") == "as it is, é"


def test_plain_text_stays_unchanged() -> None:
    assert escape_invisible("a é \u05d0\n\tb") == "a é \u05d0\n\tb"


def test_control_and_invisible_characters_become_numbers() -> None:
    steering = "a\x1b[2J\x9b\r\u202e\u2066\u200b\u2028\ud800\x00\ue000\U000e0041"
    numbers = "1B> 9B> D> 202E> 2066> 200B> 2028> D800> 0> E000> E0041>"
    written = [f"⟨U+{number.rstrip('>').zfill(4)}⟩" for number in numbers.split()]
    assert escape_invisible(steering) == f"a{written[0]}[2J{''.join(written[1:])}"


@given(st.text())
def test_any_text_becomes_printable_except_for_line_ends_and_tabs(text: str) -> None:
    found = escape_invisible(text)
    assert found.replace("\n", "").replace("\t", "").isprintable()
    assert escape_invisible(found) == found
    found.encode("utf-8")


def test_a_visible_value_is_returned_unchanged() -> None:
    value = {"changes": [{"name": "a"}], "count": 3, "msg": "x" * MOST}
    assert make_visible(value) is value


def test_texts_and_keys_within_a_value_are_made_visible() -> None:
    value = {"changes": [{"name": "a\x1b"}], "q.io/\u202e": ["b"], "count": 3}
    assert make_visible(value) == {"changes": [{"name": "a⟨U+001B⟩"}], "q.io/⟨U+202E⟩": ["b"], "count": 3}


def test_a_long_text_is_cut_and_counted() -> None:
    assert make_visible(["x" * (MOST + 1)]) == [f"{'x' * MOST} ... (1 more characters)"]
    (found,) = make_visible(["\x1b" * 1_000_000])
    assert found.endswith("⟨U+001B⟩ ... (934,464 more characters)")


CANARY = "c4n4ry-Secret"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f'invalid decoded auth: "user:{CANARY}"', "invalid decoded auth: ********"),
        (f'x invalid decoded auth: "a\\"{CANARY}', "x invalid decoded auth: ********"),
        (
            f'(last URL "https://a.example.com/t", body start "{CANARY}")',
            '(last URL "https://a.example.com/t", body start "********")',
        ),
        (f'body start "a\\"{CANARY}', 'body start "********'),
        (f"Get https://user:{CANARY}@a.example.com/v2/: EOF", "Get https://********@a.example.com/v2/: EOF"),
        (f"https://{CANARY}@a.example.com:5000/v2", "https://********@a.example.com:5000/v2"),
        (f'Get "https://a.example.com/t?account={CANARY}&x=1": EOF', 'Get "https://a.example.com/t?********": EOF'),
        (f"https://a.example.com/t#{CANARY} failed", "https://a.example.com/t?******** failed"),
        (f"Authorization: Bearer {CANARY}", "Authorization: Bearer ********"),
        ("sent Basic dXNlcjpzZWNyZXQ= and", "sent Basic ******** and"),
        ("token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.sig-nature_x was refused", "token ******** was refused"),
        (f'{{"token":"{CANARY}","expires":1}}', '{"token":********,"expires":1}'),
        (f"{{'access_token': '{CANARY}'}}", "{'access_token': ********}"),
        (f'{{"password": "a\\"{CANARY}", "x": 1}}', '{"password": ********, "x": 1}'),
        (f'"auth":"{CANARY}', '"auth":********'),
        (f"login failed: password={CANARY}, user=me", "login failed: password=********, user=me"),
        (f'client_secret="{CANARY} {CANARY}" x', "client_secret=******** x"),
        (
            'parse "https://user:pa/ss@quay.io": invalid port ":pa" after host',
            'parse "https://********@quay.io": invalid port "********" after host',
        ),
        (f'{{\\"password\\":\\"{CANARY} x\\"}}', '{\\"password\\":********}'),
    ],
)
def test_redacted_hides_credentials(text: str, shown: str) -> None:
    assert redact_text(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "unable to retrieve auth token: invalid username/password: unauthorized: authentication required",
        "authorization failed: no basic auth credentials",
        'Get "https://a.example.com:5000/v2/": dial tcp [::1]:5000: connect: connection refused',
        "unexpected status from GET request to https://a.example.com/oauth2/token: 401 Unauthorized",
        "reading manifest sha256:0123 in a.example.com/team/app@sha256:0123: manifest unknown",
        "basic authentication is required",
        "Unable to retrieve some image pull secrets (a, b); attempting to pull the image may not succeed.",
        f"quay.io/team/app@sha256:{'0' * 64}",
        f"docker://quay.io/team/app@sha256:{'0' * 64}: manifest unknown",
        f"docker://a.example.com:5000/team/app@sha256:{'0' * 64}: manifest unknown",
        f"docker://registry:5000/team/app@sha256:{'0' * 64}: manifest unknown",
        f"docker://app@sha256:{'0' * 64}: manifest unknown",
        "http://host/path@x",
        "http://a.example.com:8080/path@x.y: EOF",
        "http://localhost:8080/path@x.y: EOF",
        "http://[::1]:8080/path@x.y: EOF",
        "https://a.example.com/@team/app and user@example.com",
        "authorization: basic authentication required",
        "www-authenticate: Basic realm=x",
        "the basic auth credentials are wrong",
        "docker run -u 1000:1000 -u root",
    ],
)
def test_redacted_keeps_the_reason_of_an_error(text: str) -> None:
    assert redact_text(text) == text


#: Parts of generated credentials. No other part of a text contains them.
_PARTS = ("c4n", "n4r", "y5x", "qzq")

_PADDING = st.text(" \t", min_size=1, max_size=3)

_CASES = st.sampled_from([str.lower, str.upper, str.title, str])


@st.composite
def _headers(draw: st.DrawFn) -> str:
    """A header with a login, as clients and their errors write it."""
    password = "".join(draw(st.lists(st.sampled_from((*_PARTS, ":", "?", "/", "é")), min_size=1)))
    user = draw(st.text(string.ascii_letters, min_size=1, max_size=5))
    encode = draw(st.sampled_from([base64.b64encode, base64.urlsafe_b64encode]))
    basic = encode(f"{user}:{password}".encode()).decode()
    basic = draw(st.sampled_from([basic, basic.rstrip("=")]))
    bearer = draw(st.text(string.ascii_letters, min_size=4)) + draw(st.sampled_from(_PARTS))
    scheme, login = draw(st.sampled_from([("Basic", basic), ("Bearer", bearer)]))
    if scheme == "Basic":
        _LOGINS.add(login)
    name = draw(_CASES)(draw(st.sampled_from(["Authorization", "Proxy-Authorization"])))
    value = f"{draw(_CASES)(scheme)}{draw(_PADDING)}{login}"
    shape = draw(
        st.sampled_from(
            [
                "{}: {}",
                "{}:{}",
                "{}:  '{}'",
                '"{}": "{}"',
                "'{}':'{}'",
                '{{"headers":{{"{}":["{}"]}}}}',
                '\\"{}\\":\\"{}\\"',
                "map[{}:[{}] Accept:[x]]",
                "curl -H '{}: {}' https://a.example.com/v2/",
                'curl --header "{}: {}"',
                "{}={}",
                '{} => "{}"',
            ]
        )
    )
    return shape.format(name, value)


_LOGINS: set[str] = set()


@given(_headers())
def test_no_login_of_a_header_survives(text: str) -> None:
    found = redact_text(f"before {text} after")
    assert found.startswith("before ")
    assert found.endswith(" after")
    assert not any(part in found for part in (*_PARTS, *_LOGINS))


@given(st.text(string.ascii_letters + string.digits + ".", min_size=1, max_size=9), st.lists(st.sampled_from(_PARTS)))
def test_a_basic_login_without_its_header_does_not_survive(user: str, parts: list[str]) -> None:
    """A word after `basic` that is the encoded form of a login is not a word of a sentence."""
    login = base64.b64encode(f"{user}:{''.join(parts)}".encode()).decode()
    assert redact_text(f"sent basic {login}") == "sent basic ********"


@given(
    st.text(string.ascii_letters, min_size=1, max_size=6),
    st.lists(st.sampled_from((*_PARTS, *"/?#@:", "%2F", "%40", "://", "1234")), min_size=1),
    st.sampled_from(["quay.io", "a.example.com:5000", "[::1]:5000", "localhost"]),
    st.sampled_from(["", "/v2/", "/team/app:v1", f"/team/app@sha256:{'0' * 64}"]),
    st.sampled_from(["docker{}", '"http{}"', "'oci+x{}'", "Get https{}: EOF", "http://b.example.com,https{}"]),
)
def test_no_login_of_an_address_survives(user: str, password: list[str], host: str, path: str, frame: str) -> None:
    found = redact_text(frame.format(f"://{user}:{''.join(password)}@{host}{path}"))
    assert found == frame.format(f"://********@{host}{path}")


_WORDS = st.lists(st.sampled_from(_PARTS), min_size=1).map("-".join)


@given(
    st.sampled_from(["-u", "--user", "--user=", "-U", "--proxy-user"]),
    st.sampled_from(["{}:{}", "'{}:{}'", '"{}:{}"']),
    _WORDS,
    _WORDS,
)
def test_no_login_of_a_command_survives(option: str, shape: str, user: str, password: str) -> None:
    space = "" if option.endswith("=") else " "
    found = redact_text(f"curl -s {option}{space}{shape.format(user, password)} https://a.example.com")
    assert found == f"curl -s {option}{space}******** https://a.example.com"


@given(st.text())
def test_redacting_a_text_twice_equals_redacting_it_once(text: str) -> None:
    assert redact_text(redact_text(text)) == redact_text(text)


@pytest.mark.parametrize(
    "filler",
    [
        *("a-", "a.", "a://", "a://@", "a://b:c/@", "a://b:c@sha256:", "@", "://", "eyjaaaaa-", "bearer ", '"token":"'),
        *("token '  :  ", "password=", "authorization", "authorization:", "authorization: basic ", "basic ", 'basic"'),
        *("-u ", "-u a:", "invalid port ", "\\", '"token\\', "'"),
    ],
)
def test_redacted_handles_a_text_as_long_as_an_object(filler: str) -> None:
    """Otherwise a user who can annotate a service account or write an event could keep the task busy for hours."""
    assert CANARY not in redact_text(f"{filler * 60_000} password={CANARY}")


def test_a_text_in_one_line_holds_no_credential() -> None:
    assert redact_line(f" a\n b\tpassword={CANARY}\r\n") == "a b password=********"


@pytest.mark.parametrize("most", range(1, 60))
def test_a_cut_text_holds_no_part_of_a_credential(most: int) -> None:
    """The password in an address is recognized only if the address is complete."""
    found = redact_line(f"Get https://user:{CANARY}@a.example.com/v2/ {CANARY}: EOF", most)
    assert CANARY[:2] not in found.replace(CANARY, "")
    assert len(found) <= most + len(" ...")


@pytest.mark.parametrize(("most", "said"), [(5, "a bcd"), (4, "a ..."), (1, "..."), (0, "...")])
def test_a_long_text_is_cut_between_words(most: int, said: str) -> None:
    assert truncate("a bcd", most) == said


# --- Several items are joined into one phrase


@pytest.mark.parametrize(("parts", "said"), [("", ""), ("a", "a"), ("ab", "a and b"), ("abc", "a, b and c")])
def test_join_and_lists_all_parts(parts: str, said: str) -> None:
    assert join_and([*parts]) == said


def test_join_alike_has_sentences_that_differ_only_in_a_name_once() -> None:
    """A key is a host, perhaps with a path."""
    said = [
        (name, f"key {name}: {name.partition('/')[0]} refuses the login") for name in ("a.io/b", "c.io/d", "c.io/d")
    ]
    found = join_alike(
        [*said, ("a.io", "key a.io: a.io does not answer"), ("e.io/f", "key e.io/f: sso.io refuses the login")]
    )
    assert found == [
        "key a.io/b: a.io refuses the login (the same for c.io/d)",
        "key a.io: a.io does not answer",
        "key e.io/f: sso.io refuses the login",
    ]


@pytest.mark.parametrize(("number", "said"), [(0, "0 pods"), (1, "1 pod"), (2, "2 pods"), (2000, "2,000 pods")])
def test_pluralize_shows_a_count_with_its_noun(number: int, said: str) -> None:
    assert pluralize(number, "pod") == said


def test_pluralize_accepts_an_irregular_plural() -> None:
    assert [pluralize(number, "entry", "entries") for number in (1, 2)] == ["1 entry", "2 entries"]


class TestFirst:
    @pytest.mark.parametrize(
        ("parts", "said"),
        [("", ""), ("a", "a"), ("ab", "a, b"), ("abc", "a, b and 1 more"), ("abcd", "a, b and 2 more")],
    )
    def test_summarize_names_the_first_parts_and_counts_the_rest(self, parts: str, said: str) -> None:
        assert summarize([*parts], 2) == said

    def test_summarize_accepts_another_separator(self) -> None:
        assert summarize(["a", "b", "c"], 2, "; ") == "a; b; and 1 more"

    def test_summarize_names_the_place_of_the_rest(self) -> None:
        assert summarize(["a", "b"], 2, listed="failures") == "a, b"
        assert summarize(["a", "b", "c"], 1, "; ", listed="failures") == "a; and 2 more, listed under 'failures'"
