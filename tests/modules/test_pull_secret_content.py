# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""pull_secret never treats unusual content of a secret as empty, and a teardown deletes only content of this collection."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from support.objects import pull_secret

QUAY = {"registry": "quay.io", "username": "reader", "password": "Secret-new"}
LABEL = {"app.kubernetes.io/managed-by": "openshift_ops.image_pull"}
#: An e-mail address with one byte that is not UTF-8, and a number whose format is easily lost.
LATIN_1 = b'{"auths": { "cloud.openshift.com": {"auth": "YTpi", "email": "ren\xe9@example.com"},\n "quay.io": {"auth":"cmVhZGVyOm9sZA=="} }, "n": 1.50}'
DOUBLED = b'{"auths": {"quay.io": {"auth": "cmVhZGVyOm9sZA=="}}, "Auths": {"other.io": {"auth": "YTpi"}}}'


def secret(content: bytes, name: str = "pull", **more: Any) -> dict[str, Any]:
    return pull_secret(name, content, metadata=more)


def content_of(found: dict[str, Any]) -> bytes:
    return base64.b64decode(found["data"][".dockerconfigjson"])


class TestBytes:
    """Go, the API server and the kubelet accept a byte that is not UTF-8."""

    def test_merge_and_remove_keep_all_other_bytes(self, lab, run, namespace):
        lab.create(namespace, "secrets", secret(LATIN_1))
        options = {"name": "pull", "namespaces": [namespace]}
        merged = run("pull_secret", mode="merge", registries=[{**QUAY, "registry": "new.io"}], **options)
        assert merged["namespaces"][0]["changes"][0]["registries"]["added"] == ["new.io"]
        removed = run("pull_secret", mode="remove", registries=[{"registry": "new.io"}], **options)
        assert removed["namespaces"][0]["changes"][0]["registries"]["removed"] == ["new.io"]
        assert content_of(lab.get(namespace, "secrets", "pull")) == LATIN_1
        assert run("pull_secret", mode="merge", registries=[QUAY], **options)["changed"]
        stored = content_of(lab.get(namespace, "secrets", "pull"))
        assert (
            b'{ "cloud.openshift.com": {"auth": "YTpi", "email": "ren\xe9@example.com"},\n "quay.io": {"auth":"'
            in stored
        )
        assert stored.endswith(b' }, "n": 1.50}')
        assert not run("pull_secret", mode="merge", registries=[QUAY], **options)["changed"]

    def test_a_file_that_is_not_utf8_is_written_unchanged(self, lab, run, namespace, tmp_path):
        (tmp_path / "auth.json").write_bytes(LATIN_1)
        options = {"name": "pull", "namespaces": [namespace], "auth_file": str(tmp_path / "auth.json")}
        assert run("pull_secret", **options)["changed"]
        assert b"ren\xe9@example.com" in content_of(lab.get(namespace, "secrets", "pull"))
        assert not run("pull_secret", **options)["changed"]


class TestUnreadable:
    CONTENTS = {
        "auths twice": (DOUBLED, "is not an auth file: it has 'auths' twice"),
        "auths is a list": (b'{"auths": [1]}', "is not an auth file: 'auths' is a list, not an object"),
        "the other form": (b'{"quay.io": {"auth": "YTpi"}}', "is a .dockercfg, without 'auths'"),
    }

    @pytest.mark.parametrize("content", CONTENTS)
    @pytest.mark.parametrize("given", [{"registries": [QUAY]}, {"state": "absent"}], ids=["replace", "absent"])
    def test_an_unreadable_secret_is_replaced_or_deleted_and_the_loss_is_reported(
        self, lab, run, namespace, content, given
    ):
        text, why = self.CONTENTS[content]
        lab.create(namespace, "secrets", secret(text))
        options = {"name": "pull", "namespaces": [namespace], **given}
        checked, real = run("pull_secret", check=True, **options), run("pull_secret", **options)
        assert (checked["namespaces"], checked["diff"]) == (real["namespaces"], real["diff"])
        (change,) = real["namespaces"][0]["changes"]
        assert why in change["previous_content"]
        assert real["diff"][0]["before"]["registries"].startswith(f"not known: the content {why}")
        assert any(f"the old content of secret {namespace}/pull {why}" in str(warning) for warning in real["warnings"])
        assert not run("pull_secret", **options)["changed"]


class TestStopsEveryPull:
    """require=usable refuses exactly the secrets that the kubelet's own code refuses."""

    @pytest.mark.parametrize(
        ("top", "why"),
        [
            ({"HttpHeaders": {"a": 1}}, "'HttpHeaders' has a value that is a number, not a string"),
            (
                {"auths": {"other.io": {"auth": "YTpiYg="}}},
                "the entry for 'other.io' has an 'auth' that is not standard base64",
            ),
            (
                {"auths": {"other.io": {"auth": "YTpi", "email": 5}}},
                "the entry for 'other.io' has a 'email' that is a number",
            ),
            ({"auths": {"other.io": {"auth": "YTpi", "identitytoken": 5}}}, ""),
            ({"HttpHeaders": {"a": "b", "c": None}}, ""),
        ],
    )
    def test_a_secret_is_linked_only_if_it_does_not_stop_every_pull(self, lab, run, namespace, top, why):
        registry = lab.registry("private")
        account = registry["accounts"][1]
        login = base64.b64encode(f"{account['username']}:{account['password']}".encode()).decode()
        auths = {registry["host"]: {"auth": login}, **top.get("auths", {})}
        lab.create(namespace, "secrets", secret(json.dumps({**top, "auths": auths}).encode()))
        linked = run("sa_link", namespaces=[namespace], secrets=["pull"], require="usable")
        assert linked["failed"] is bool(why)
        assert why in linked.get("msg", "")
        assert not why or "stops every pull" in linked["msg"]
        run("sa_link", namespaces=[namespace], secrets=["pull"], require="none")
        lab.pod(namespace, "app", registry["image"])
        assert lab.pull(namespace, "app")["pulled"] is not bool(why)


class TestTeardown:
    """only_managed and delete_empty never delete content that another client created."""

    ENTRY = b'{"auths": {"quay.io": {"auth": "cmVhZGVyOm9sZA=="}}}'
    MORE = b'{"auths": {"quay.io": {"auth": "cmVhZGVyOm9sZA=="}, "a.io": {}}}'
    STATES = {
        "missing": None,
        "ours": secret(ENTRY, labels=LABEL),
        "ours, empty": secret(b'{"auths": {}}', labels=LABEL),
        "ours, more": secret(MORE, labels=LABEL),
        "theirs": secret(ENTRY),
        "theirs, empty": secret(b'{"auths": {}}', labels={"app.kubernetes.io/managed-by": "helm"}),
        "theirs, no pull secret": {"metadata": {"name": "pull"}, "type": "Opaque", "data": {"password": "eA=="}},
    }
    DECLARED = {
        "only_managed": {"state": "absent", "only_managed": True},
        "delete_empty": {"mode": "remove", "delete_empty": True, "registries": [{"registry": "quay.io"}]},
    }
    TABLE = {
        "only_managed": [[], ["delete"], ["delete"], ["delete"], [], [], []],
        "delete_empty": [[], ["delete"], ["delete"], ["patch"], ["patch"], [], "failed"],
    }

    @pytest.mark.parametrize("state", STATES)
    @pytest.mark.parametrize("declared", DECLARED)
    def test_check_mode_predicts_the_real_run_and_a_second_run_is_unchanged(self, lab, run, namespace, declared, state):
        expected = self.TABLE[declared][list(self.STATES).index(state)]
        if self.STATES[state]:
            lab.create(namespace, "secrets", self.STATES[state])
        before = lab.get(namespace, "secrets", "pull")
        options = {"name": "pull", "namespaces": [namespace], **self.DECLARED[declared]}
        audit = lab.audit()
        checked = run("pull_secret", check=True, **options)
        assert audit.writes() == []
        real = run("pull_secret", **options)
        for part in ("failed", "changed", "diff", "namespaces", "failures", "summary"):
            assert checked[part] == real[part], part
        assert [write[0] for write in audit.writes()] == ([] if expected == "failed" else expected)
        assert real["failed"] is (expected == "failed")
        after = lab.get(namespace, "secrets", "pull")
        assert (after is None) is (before is None or expected == ["delete"])
        kept = any("does not carry the label" in str(warning) for warning in real.get("warnings", []))
        assert kept is (declared == "only_managed" and state.startswith("theirs"))
        assert run("pull_secret", **options)["changed"] is False

    def test_a_secret_created_by_merge_is_deleted_after_its_last_removal(self, lab, run, namespaces):
        mine, theirs = namespaces(2)
        lab.create(theirs, "secrets", secret(b'{"auths": {"a.io": {}}}'))
        options = {"name": "pull", "namespaces": [mine, theirs], "registries": [QUAY]}
        assert run("pull_secret", mode="merge", **options)["summary"]["changed"] == 2
        assert run("pull_secret", mode="remove", delete_empty=True, **options)["summary"]["changed"] == 2
        assert lab.get(mine, "secrets", "pull") is None
        assert content_of(lab.get(theirs, "secrets", "pull")) == b'{"auths": {"a.io": {}}}'
