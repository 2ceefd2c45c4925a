# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A registry is asked for the signature of the manifest that a node would choose. Its text chooses no path. TLS on 127.0.0.1."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.registry.image_details import (
    prove_signatures,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.registry.proof import RegistryProof
from support.registry_content import Content, serve_content

IMAGE, INDEX = (f"application/vnd.oci.image.{name}.v1+json; charset=utf-8" for name in ("manifest", "index"))
AMD, ARM, OTHER = (f"sha256:{digit * 64}" for digit in "abc")


def tag(digest: str) -> str:
    return f"manifests/{digest.replace(':', '-')}"


def platform(architecture: Any, digest: Any, system: str = "linux") -> dict[str, Any]:
    return {"digest": digest, "platform": {"architecture": architecture, "os": system}}


def index(*manifests: Any) -> bytes:
    return json.dumps({"schemaVersion": 2, "manifests": [*manifests]}).encode()


def digest_of(body: bytes) -> str:
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


ATTESTATION = platform("unknown", OTHER, "unknown")
TWO = index(platform("amd64", AMD), platform("arm64", ARM), ATTESTATION, platform("amd64", OTHER, "windows"))
SINGLE = {"manifests/v1": (200, IMAGE, b"")}
SIGNED = (200, IMAGE, b"")
#: The manifests of indexes.
CHILDREN = {f"manifests/{each}": (200, IMAGE, b"") for each in (AMD, ARM, OTHER)}


@pytest.fixture
def ask(certificate: str, no_outside_settings: None) -> Any:
    def start(
        content: Content, *architectures: str, digest: str = AMD, login: bool = False, reference: str = "v1"
    ) -> tuple[RegistryProof, list[str]]:
        header = f"Docker-Content-Digest: {digest}"
        with serve_content(certificate, content, header, needs_login=login) as registry:
            image = registry.image(reference)
            proof = prove_signatures(
                registry.options, image, registry.login, architectures=architectures, is_named=True
            )
        assert all(each.said.isprintable() for each in proof.platforms)
        return proof, registry.requests

    return start


def outcomes(proof: RegistryProof) -> list[tuple[str, str]]:
    return [(each.architecture, each.outcome) for each in proof.platforms]


class TestSingleImage:
    def test_the_signature_of_the_manifest_is_requested(self, ask: Any) -> None:
        proof, lines = ask({**SINGLE, f"{tag(AMD)}.sig": SIGNED}, "amd64")
        assert (proof.outcome, outcomes(proof)) == ("pulls", [("", "signed")])
        assert lines == ["HEAD manifests/v1", f"HEAD {tag(AMD)}.sig"]

    def test_the_login_of_the_manifest_is_sent_with_each_request(self, ask: Any) -> None:
        proof, lines = ask({**SINGLE, f"{tag(AMD)}.sig": SIGNED}, login=True)
        assert outcomes(proof) == [("", "signed")]
        assert lines == ["HEAD manifests/v1", "HEAD manifests/v1", f"HEAD {tag(AMD)}.sig"]

    def test_a_digest_in_the_reference_needs_no_digest_of_the_registry(self, ask: Any) -> None:
        content = {f"manifests/{ARM}": (200, IMAGE, b""), f"{tag(ARM)}.sig": SIGNED}
        proof, _lines = ask(content, reference=ARM, digest="")
        assert outcomes(proof) == [("", "signed")]

    def test_an_image_without_a_signature_is_unsigned(self, ask: Any) -> None:
        proof, lines = ask(SINGLE)
        assert outcomes(proof) == [("", "unsigned")]
        assert "has no signature of" in proof.platforms[0].said
        assert lines[1:] == [f"HEAD {tag(AMD)}.sig", f"GET referrers/{AMD}", f"GET {tag(AMD)}"]

    @pytest.mark.parametrize("status", [401, 403])
    def test_a_refused_signature_stops_the_pull(self, ask: Any, status: int) -> None:
        proof, _lines = ask({**SINGLE, f"{tag(AMD)}.sig": (status, IMAGE, b"")})
        assert outcomes(proof) == [("", "refused")]
        assert f"answers {status}" in proof.platforms[0].said

    @pytest.mark.parametrize("status", [429, 500, 302])
    def test_any_other_answer_leaves_it_unknown(self, ask: Any, status: int) -> None:
        proof, _lines = ask({**SINGLE, f"{tag(AMD)}.sig": (status, IMAGE, b"")})
        assert outcomes(proof) == [("", "unknown")]

    def test_a_registry_without_head_is_asked_by_get(self, ask: Any) -> None:
        proof, lines = ask({**SINGLE, f"{tag(AMD)}.sig": (405, IMAGE, b"")})
        assert lines[1:3] == [f"HEAD {tag(AMD)}.sig", f"GET {tag(AMD)}.sig"]
        assert outcomes(proof) == [("", "unknown")]

    def test_an_image_that_does_not_pull_has_no_signatures(self, ask: Any) -> None:
        proof, lines = ask({})
        assert (proof.outcome, proof.platforms, lines) == ("not_found", (), ["HEAD manifests/v1"])


class TestIndex:
    def content(self, *signed: str, body: bytes = TWO) -> Content:
        return {"manifests/v1": (200, INDEX, body), **CHILDREN, **{f"{tag(each)}.sig": SIGNED for each in signed}}

    def test_the_manifests_of_the_nodes_are_asked_for(self, ask: Any) -> None:
        proof, lines = ask(self.content(AMD), "amd64", "arm64")
        assert outcomes(proof) == [("amd64", "signed"), ("arm64", "unsigned")]
        assert lines[:4] == ["HEAD manifests/v1", "GET manifests/v1", f"HEAD manifests/{AMD}", f"HEAD {tag(AMD)}.sig"]

    def test_a_signature_of_a_manifest_that_the_registry_has_lost_does_not_help(self, ask: Any) -> None:
        content = {name: answer for name, answer in self.content(AMD, ARM).items() if name != f"manifests/{AMD}"}
        proof, _lines = ask(content, "amd64", "arm64")
        assert outcomes(proof) == [("amd64", "no_platform"), ("arm64", "signed")]
        assert proof.platforms[0].said.endswith(", although its index names one")

    def test_without_nodes_all_platforms_are_asked_for(self, ask: Any) -> None:
        proof, _lines = ask(self.content(AMD, ARM))
        assert outcomes(proof) == [("amd64", "signed"), ("arm64", "signed")]

    def test_a_signature_of_the_index_is_named_and_not_enough(self, ask: Any) -> None:
        proof, _lines = ask(self.content(digest_of(TWO)), "amd64")
        assert outcomes(proof) == [("amd64", "unsigned")]
        assert "Only the index is signed" in proof.platforms[0].said

    def test_a_platform_that_the_image_does_not_have_is_reported(self, ask: Any) -> None:
        proof, _lines = ask(self.content(AMD), "s390x")
        assert outcomes(proof) == [("s390x", "no_platform")]

    def test_several_variants_with_different_results_are_unknown(self, ask: Any) -> None:
        body = index(platform("arm", AMD), platform("arm", ARM))
        assert outcomes(ask(self.content(AMD, body=body), "arm")[0]) == [("arm", "unknown")]
        assert outcomes(ask(self.content(AMD, ARM, body=body), "arm")[0]) == [("arm", "signed")]

    def test_a_manifest_of_an_unknown_type_is_read(self, ask: Any) -> None:
        body = json.dumps({"schemaVersion": 2, "config": {}}).encode()
        proof, _lines = ask(
            {"manifests/v1": (200, "text/plain", body), f"{tag(digest_of(body))}.sig": SIGNED}, digest=""
        )
        assert outcomes(proof) == [("", "signed")]


class TestReferrers:
    @pytest.mark.parametrize(
        "kind", ["application/vnd.dev.sigstore.bundle.v0.3+json", "application/vnd.cncf.notary.signature"]
    )
    @pytest.mark.parametrize("place", [f"referrers/{AMD}", tag(AMD)])
    def test_a_signature_in_another_form_is_named_and_not_enough(self, ask: Any, kind: str, place: str) -> None:
        proof, _lines = ask({**SINGLE, place: (200, INDEX, index({"artifactType": kind}))})
        assert outcomes(proof) == [("", "unsigned")]
        assert "as a referrer, which nodes do not read" in proof.platforms[0].said

    @pytest.mark.parametrize(
        "body", [index({"artifactType": "application/spdx+json"}), b"[", b"[" * 50_000, b"[]", index(5, None)]
    )
    def test_other_referrers_are_not_signatures(self, ask: Any, body: bytes) -> None:
        proof, _lines = ask({**SINGLE, f"referrers/{AMD}": (200, INDEX, body)})
        assert outcomes(proof) == [("", "unsigned")]
        assert "referrer" not in proof.platforms[0].said


class TestHostileRegistry:
    @pytest.mark.parametrize(
        "digest",
        [
            "../../../token",
            f"sha256:{'a' * 63}",
            f"sha256:{'A' * 64}",
            f"{AMD}\n",
            f"sha512:{'a' * 128}",
            "sha256:?x=y",
            "",
            5,
            None,
            [AMD],
        ],
    )
    def test_an_invalid_digest_becomes_no_path(self, ask: Any, digest: Any) -> None:
        body = index(platform("amd64", digest))
        proof, lines = ask({"manifests/v1": (200, INDEX, body)}, "amd64")
        assert outcomes(proof) == [("amd64", "unknown")]
        assert lines == ["HEAD manifests/v1", "GET manifests/v1"]

    @pytest.mark.parametrize(
        "body", [b"", b"{", b"[" * 60_000, b'{"manifests": {"a": 1}}', b'{"manifests": 5}', b"\xff"]
    )
    def test_a_body_that_is_not_a_manifest_leaves_it_unknown(self, ask: Any, body: bytes) -> None:
        proof, _lines = ask({"manifests/v1": (200, INDEX, body)})
        assert outcomes(proof) == [("", "unknown")]

    def test_an_oversized_index_is_no_answer(self, ask: Any) -> None:
        proof, _lines = ask({"manifests/v1": (200, INDEX, b" " * 70_000)})
        assert (proof.outcome, proof.platforms) == ("unanswered", ())

    def test_an_index_that_disappears_is_no_answer(self, ask: Any) -> None:
        proof, _lines = ask({"manifests/v1": (200, "", b"")}, digest="")
        assert outcomes(proof) == [("", "unknown")]

    def test_the_number_of_requests_is_limited(self, ask: Any) -> None:
        many = index(*(platform(f"a{number}", AMD) for number in range(200)))
        proof, lines = ask({"manifests/v1": (200, INDEX, many), **CHILDREN, f"{tag(AMD)}.sig": SIGNED})
        assert [outcome for _name, outcome in outcomes(proof)] == ["signed"] * 16 + ["unknown"]
        assert len(lines) == 2 + 2 * 16
        same = index(*(platform("amd64", AMD) for _number in range(200)))
        proof, lines = ask({"manifests/v1": (200, INDEX, same)}, "amd64")
        assert (outcomes(proof), len(lines)) == ([("amd64", "unknown")], 2)

    @pytest.mark.parametrize("architecture", ["a/b", "x" * 21, "AMD64", "", 5, None])
    def test_an_odd_architecture_is_left_out(self, ask: Any, architecture: Any) -> None:
        body = index(platform(architecture, ARM), platform("amd64", AMD))
        proof, _lines = ask({"manifests/v1": (200, INDEX, body), **CHILDREN, f"{tag(AMD)}.sig": SIGNED})
        assert outcomes(proof) == [("amd64", "signed")]
