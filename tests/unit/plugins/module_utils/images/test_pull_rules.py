# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each rule matches its own sample, and no earlier rule does."""

from __future__ import annotations

import re
from pathlib import Path

from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.pull_messages import parse_message
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.pull_rules import RULES, UNKNOWN, rule_for

PAGE = (Path(__file__).parents[5] / "docs/docsite/rst/troubleshooting.rst").read_text(encoding="utf-8")
#: The sections of the lowest level, by title.
_PARTS = re.split(r"^(\w[^\n]*)\n\^+\n\n", PAGE, flags=re.MULTILINE)[1:]
SECTIONS = dict(zip(_PARTS[::2], _PARTS[1::2], strict=True))

#: Other wordings of the same cause, from other versions and registries.
ALSO = {
    "short_name_ambiguous": [
        'short-name "app:1" did not resolve to an alias and no unqualified-search registries are defined in "/etc/x"'
    ],
    "secret_unparsable": ["unexpected end of JSON input", "invalid character 'x' looking for beginning of value",
                          "json: cannot unmarshal number into Go struct field .auths of type string",
                          "unable to parse auth field, must be formatted as base64(username:password)"],
    "signature": ["None of the signatures were accepted, reasons: x", 'Signature for identity "x" is not accepted'],
    "signature_at_start": ['checking signature of "registry.example.com/denied": x',
                           'ImageVolumeMountFailed: checking signature of "registry.example.com/app:1": x: A signature was required, but no signature exists'],
    "volume_mount": ["ImageVolumeMountFailed: mount storage: permission denied"],
    "rate_limited": ["too many requests to registry", "429 Too Many Requests - Server message: x"],
    "tls_http": ["tls: first record does not look like a TLS handshake"],
    "tls_name": ["x509: cannot validate certificate for 192.0.2.1 because it doesn't contain any IP SANs"],
    "dns": ["dial tcp: lookup a.example.com: Temporary failure in name resolution"],
    "connection_refused": ["connect: no route to host", "connect: network is unreachable"],
    "timeout": ["context deadline exceeded", "net/http: TLS handshake timeout",
                "net/http: request canceled while waiting for x"],
    "platform": ["choosing image instance: no image found", "no match for platform in manifest: not found"],
    "bad_credentials": ['incorrect username or password for image "x"',
                        "failed to fetch oauth token: x: 401 Unauthorized"],
    "no_credentials": ["failed to authorize: failed to fetch anonymous token: unexpected status: 401 Unauthorized"],
    "denied": ["denied", "StatusCode: 403, x", "403 Forbidden",
               "unauthorized: access to the requested resource is not authorized", "unauthorized: permission denied",
               "Permission denied for the project"],
    "unauthorized": ["unauthorized: authentication required", "HEAD: 401 Unauthorized"],
    "node_permission": ["fork/exec /usr/bin/unpigz: permission denied", "lchown /x: operation not permitted: unknown"],
    "disk": ["write x: input/output error"],
    "registry_error": ["StatusCode: 502, x", "unexpected EOF", "read: connection reset by peer",
                       "unexpected status: 500 Internal Server Error"],
    "not_found": ["name unknown", "a.example.com/b:1: not found", "404 page"],
}  # fmt: skip


# No test is named after a rule: a test whose name changes with its subject cannot fail for it.


def test_a_rule_finds_its_sample_and_other_wordings() -> None:
    for rule in RULES:
        for text in (rule.sample, *ALSO.get(rule.id, ())):
            assert [attempt.rule.id for attempt in parse_message("", text).attempts] == [rule.id], text
    assert set(ALSO) <= {rule.id for rule in RULES}


def test_a_rule_is_complete() -> None:
    for rule in RULES:
        assert re.fullmatch(r"[a-z_]+", rule.id)
        assert rule.runtimes
        assert set(rule.runtimes) <= {"kubelet", "cri-o", "containerd", "cri-dockerd"}
        for sentence in (rule.meaning, rule.fix):
            assert sentence[0].isupper()
            assert sentence[-1] not in ". "


def test_a_rule_matches_in_little_time() -> None:
    # Texts that almost match, many times: the time of an expression must not grow with the square of their length.
    for rule in RULES:
        assert rule_for((rule.sample[:-1] + " ") * 2000) is not None


def test_the_guide_has_a_section_for_each_rule_with_its_own_words() -> None:
    for rule in (*RULES, UNKNOWN):
        since = f" ({rule.since})" if rule.since else ""
        sample = f"``{rule.sample}`` " if rule.sample else ""
        # A meaning that the sample shows is left out.
        words = [f"{sample}{meaning}**Do:** {rule.fix}." for meaning in (f"{rule.meaning}{since}. ", "")]
        assert " ".join(SECTIONS[rule.id].split()).startswith(tuple(words)), rule.id


def test_the_guides_sections_are_in_the_order_in_which_the_rules_are_tried() -> None:
    ids = [title for title, text in SECTIONS.items() if "**Do:**" in text]
    assert ids == [rule.id for rule in (*RULES, UNKNOWN)]


def test_rule_ids_are_unique() -> None:
    assert len({rule.id for rule in (*RULES, UNKNOWN)}) == len(RULES) + 1


def test_a_text_that_matches_no_rule_is_unknown() -> None:
    assert rule_for("all is well") is UNKNOWN


def test_a_very_long_text_is_matched_against_the_rules() -> None:
    assert rule_for("failed to fetch oauth token: " * 100_000) is UNKNOWN
