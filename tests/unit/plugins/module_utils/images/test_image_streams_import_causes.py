# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cause of a failed import is found in its message, including the wording of registries and networks."""

from __future__ import annotations

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.image_streams import (
    CAUSES,
    MENDED_BY_A_LOGIN,
    cause_of,
    fix_for,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.pull_rules import RULES, UNKNOWN

IMAGE = "registry.example.com:5000/team/denied:v1"
INTERNAL = f"Internal error occurred: {IMAGE}:"


@pytest.mark.parametrize(
    ("message", "cause"),
    [
        (f'you may not have access to the container image "{IMAGE}"', "unauthorized"),
        (f'you may not have access to the container image "{IMAGE}" and did not have credentials to the repository',
         "no_credentials"),
        (f'incorrect username or password for image "{IMAGE}"', "bad_credentials"),
        (f'dockerimage.image.openshift.io "{IMAGE}" not found', "not_found"),
        ("forbidden: registry registry.example.com:5000 blocked", "blocked_by_config"),
        ("the repository team/denied is HTTP only and requires the insecure flag to import", "tls_http"),
        (' "" is invalid: from.name: Invalid value: "A": invalid name: bad', "invalid_name"),
        (f"{INTERNAL} denied: requested access to the resource is denied", "denied"),
        (f"{INTERNAL} error parsing HTTP 403 response body: invalid character", "denied"),
        (f"{INTERNAL} error parsing HTTP 401 response body: invalid character", "unauthorized"),
        (f"{INTERNAL} unauthorized: Please login to the Red Hat Registry using your Customer Portal credentials.",
         "unauthorized"),
        (f'{INTERNAL} Get "https://denied/v2/": x509: certificate signed by unknown authority', "tls_untrusted"),
        (f'{INTERNAL} Get "https://denied/v2/": unexpected EOF', "registry_error"),
        (f"{INTERNAL} toomanyrequests: You have reached your pull rate limit", "rate_limited"),
        (f"{INTERNAL} received unexpected HTTP status: 503 Service Unavailable", "registry_error"),
        (f'{INTERNAL} Get "https://x/": dial tcp: lookup x on 192.0.2.53:53: no such host', "dns"),
        (f"{INTERNAL} dial tcp 192.0.2.9:443: connect: connection refused", "connection_refused"),
        (f"{INTERNAL} error parsing HTTP 403 response body: invalid character '<' looking for beginning of value: \"<html>\"",
         "proxy"),
        (f'{INTERNAL} Get "https://denied/v2/": Proxy Authentication Required', "proxy"),
        (f'{INTERNAL} Get "https://denied/v2/": Forbidden', "proxy"),
        (f"{INTERNAL} unknown: payment required", "billing"),
        (f"{INTERNAL} Digest did not match, expected sha256:1, got sha256:2", "damaged_content"),
        (f"{INTERNAL} something new", "unknown"),
        ("no space left on device", "unknown"),
        ("", "unknown"),
    ],
)  # fmt: skip
def test_the_cause_is_found_in_the_message(message: str, cause: str) -> None:
    assert cause_of(message, "InternalError", IMAGE) == cause


def test_a_message_of_a_registry_or_of_the_network_has_the_cause_that_a_pull_has() -> None:
    """All programs write these messages, except those about the storage of a node."""
    rules = [rule for rule in RULES if len(rule.runtimes) == 3 and rule.id not in ("disk", "node_permission")]
    assert {rule.id: cause_of(f"{INTERNAL} {rule.sample}", image=IMAGE) for rule in rules} == {
        rule.id: rule.id for rule in rules
    }


@pytest.mark.parametrize(
    ("reason", "cause"),
    [("Unauthorized", "unauthorized"), ("NotFound", "not_found"), ("Invalid", "invalid_name"), ("Other", "unknown")],
)
def test_the_reason_decides_if_the_message_is_unknown(reason: str, cause: str) -> None:
    assert cause_of("something new", reason) == cause
    assert cause_of("toomanyrequests", reason) == "rate_limited", "words say more than a reason"


def test_all_causes_are_ids_of_the_rules() -> None:
    assert {*CAUSES} <= {rule.id for rule in (*RULES, UNKNOWN)}
    assert {*MENDED_BY_A_LOGIN} < {*CAUSES}
    assert [*CAUSES] == sorted(CAUSES)


def test_a_cause_has_a_fix_and_an_unknown_one_the_general_fix() -> None:
    assert fix_for("rate_limited") == "pull with a credential, which has a higher limit, pull through a mirror, or wait"
    assert fix_for("no-such") == fix_for("unknown")
