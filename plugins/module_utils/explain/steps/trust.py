# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the nodes trust the certificate of a registry that they will depend on. Pure.

The host of the task may trust other authorities than the nodes do. The registry is asked once more, with those that the cluster gives its
nodes. Only files of the nodes can have others, so a registry that nodes use today is not judged in this way: only one that loses an
authority, a mirror that nodes have not used, and one that remains if the nodes reach only some registries.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...core.objects import Json, as_dict, as_str
from ...images.image_questions import ImageQuestion, TrustQuestion
from ...images.nodes import PROXY, additional_ref, authorities_for, bundle_refs, key_of_host
from ...images.registry_sources import IMAGE_CONFIG, is_cluster_host, network_ref
from ..lookup import Lookup, registry_sources, require_all, try_lookup

__all__ = ["TRUST_UNKNOWN", "UNTRUSTED", "TrustDoubt", "describe_loss_of_trust", "doubt_trust"]

#: Outcomes of an attempt at a registry whose certificate the nodes do not trust, and of one for which that is not known.
UNTRUSTED, TRUST_UNKNOWN = "untrusted", "trust_unknown"


@dataclass(frozen=True)
class TrustDoubt:
    """`outcome` is one of the constants, `said` is a sentence."""

    outcome: str
    said: str


def doubt_trust(question: ImageQuestion, evidence: Lookup, *, is_source: bool = False) -> TrustDoubt | None:
    """Return why the nodes may not trust the registry of a question, or None if nothing speaks against it.

    :raises ReadRequired: when objects have to be read or the mirror has to be asked first.
    """
    host = question.repository.partition("/")[0]
    network = as_dict(evidence.look(network_ref(host)))
    is_new = not is_source and True in (network.get("limited"), network.get("unproven"))
    is_doubtful = is_new or bool(network.get("loss"))
    if not is_doubtful or question.is_insecure or is_cluster_host(host):
        return None
    known = _read_authorities(evidence)
    answer, silent = try_lookup(evidence, TrustQuestion(host, "\n".join(known.of(host))).ref)
    outcome = "" if answer is None else as_str(answer.get("outcome"))
    if outcome == "trusted":
        return None
    if outcome != UNTRUSTED:
        why = silent or as_str(as_dict(answer).get("message"))
        return TrustDoubt(
            TRUST_UNKNOWN, f"whether the nodes trust the certificate of registry {host} is not known: {why}"
        )
    if unread := known.unread or as_str(network.get("unread")):
        return TrustDoubt(
            TRUST_UNKNOWN, f"which authorities the nodes trust for registry {host} is not known: {unread}"
        )
    return TrustDoubt(UNTRUSTED, _describe_untrusted(host))


def describe_loss_of_trust(host: str, before: Lookup, after: Lookup) -> tuple[str, str]:
    """Return why the nodes may no longer trust a registry after changes, as a clause, and why that is not certain. Two empty texts if they trust
    all that they trust before.

    :raises ReadRequired: when objects have to be read first.
    """
    if registry_sources(before).is_insecure(host) and not registry_sources(after).is_insecure(host):
        return f"the nodes will verify the certificate of registry {host}", ""
    had, has = _read_authorities(before), _read_authorities(after)
    if had == has or not (had.unread or {*had.of(host)} - {*has.of(host)}):
        return "", ""
    return f"the nodes lose a certificate authority for registry {host}", had.unread or has.unread


@dataclass(frozen=True)
class _Authorities:
    """The ConfigMaps with authorities for all registries, and for single ones. `unread`: the reason why some of them are not known."""

    bundles: Sequence[Json | None]
    additional: Json | None
    unread: str

    def of(self, host: str) -> Sequence[str]:
        return authorities_for(host, self.bundles, self.additional)


def _read_authorities(evidence: Lookup) -> _Authorities:
    """:raises ReadRequired: when objects have to be read first."""
    require_all(evidence, [PROXY, IMAGE_CONFIG])
    proxy, no_proxy = try_lookup(evidence, PROXY)
    config, no_config = try_lookup(evidence, IMAGE_CONFIG)
    additional = additional_ref(config)
    bundles = bundle_refs(proxy)
    refs = [*bundles, additional] if additional else bundles
    require_all(evidence, refs)
    read = {ref: try_lookup(evidence, ref) for ref in refs}
    reasons = [no_proxy, no_config, *(why for _found, why in read.values())]
    own = read[additional][0] if additional else None
    return _Authorities([read[ref][0] for ref in bundles], own, next(filter(None, reasons), ""))


def _describe_untrusted(host: str) -> str:
    where = "the ConfigMap in additionalTrustedCA of images.config.openshift.io/cluster"
    return (
        f"the nodes do not trust the certificate of registry {host}. Add its authority under key {key_of_host(host)} to {where}. For a hosted "
        "cluster, use spec.configuration.image of the HostedCluster"
    )
