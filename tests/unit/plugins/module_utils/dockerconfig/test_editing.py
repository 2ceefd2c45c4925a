# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Merging and removing keep all that is not ours as the text that it is."""

from __future__ import annotations

import json

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.dockerconfig import editing as auth_text
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.dockerconfig.auth_file import from_registries
from hypothesis import given
from hypothesis import strategies as st

from unit.canaries import b64

OTHERS = r'"other.io": {"auth":"eDp5" , "n": 1.50, "n": 1e400, "s": "\u00e4\/"}'
QUAY = from_registries([{"registry": "quay.io", "username": "robot", "password": "new"}])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner),
)


def auths_of(text: str) -> dict[str, object]:
    return json.loads(text)["auths"]


class TestMerged:
    @pytest.mark.parametrize("text", ["{}", '{"auths": null}', '{"auths":{}}', ' {"AUTHS" : { } } '])
    def test_an_empty_file_gets_the_entries(self, text: str) -> None:
        after = json.loads(auth_text.merged(text, QUAY, legacy=False))
        assert [list(part) for part in after.values()] == [["quay.io"]]

    def test_others_stay_letter_by_letter(self) -> None:
        text = f'{{"x": 1.0, "auths": {{{OTHERS}, "quay.io": {{"auth": "x"}}}}, "y": [ 1,2 ]}}'
        after = auth_text.merged(text, QUAY, legacy=False)
        assert OTHERS in after
        assert after.startswith('{"x": 1.0, "auths": {"other.io"')
        assert after.endswith('"y": [ 1,2 ]}')

    def test_a_legacy_file_has_no_wrapper(self) -> None:
        assert list(json.loads(auth_text.merged(f"{{{OTHERS}}}", QUAY, legacy=True))) == ["other.io", "quay.io"]

    @given(st.dictionaries(st.text(), JSON, max_size=4), st.dictionaries(st.text(), JSON, max_size=4))
    def test_all_that_is_not_ours_means_what_it_meant(self, top: dict[str, object], auths: dict[str, object]) -> None:
        top = {key: value for key, value in top.items() if key.lower() != "auths"}
        before = {**top, "auths": auths}
        text = json.dumps(before, ensure_ascii=False)
        after = json.loads(auth_text.merged(text, QUAY, legacy=False))
        assert after.pop("auths") == {**auths, "quay.io": after_entry(auths.get("quay.io"))}
        assert after == top
        merged = auth_text.merged(text, QUAY, legacy=False)
        assert auth_text.merged(merged, QUAY, legacy=False) == merged
        assert json.loads(auth_text.without(merged, ["quay.io"], legacy=False)) == before

    @pytest.mark.parametrize("stored", ["https://quay.io", "quay.io/", "QUAY.IO"])
    def test_one_path_has_one_entry_afterwards(self, stored: str) -> None:
        text = json.dumps(
            {"auths": {stored: {"auth": "x", "email": "e"}, "a.io": {}, "quay.io": {"auth": "y", "email": "f"}}}
        )
        after = auths_of(auth_text.merged(text, QUAY, legacy=False))
        assert list(after) == ["a.io", "quay.io"]
        assert after["quay.io"]["email"] == "f"  # type: ignore[index]

    def test_fields_that_are_not_given_survive(self) -> None:
        entry = '{"Auth": "x", "email": "e", "identitytoken": "t", "password": "old", "z": 1.0}'
        after = auth_text.merged(f'{{"auths": {{"quay.io": {entry}}}}}', QUAY, legacy=False)
        assert '"z": 1.0' in after
        assert auths_of(after)["quay.io"] == {
            "Auth": b64("robot:new"), "email": "e", "identitytoken": "t", "password": "new", "z": 1.0, "username": "robot",
        }  # fmt: skip

    def test_the_same_credential_keeps_its_text(self) -> None:
        text = '{"auths": {"quay.io": { "password":"new", "username":"robot"}}}'
        assert '{ "password":"new", "username":"robot"}' in auth_text.merged(text, QUAY, legacy=False)

    @pytest.mark.parametrize("text", ["", "[]", "x", '{"auths": []}', '{"auths": {}, "AUTHS": {}}', '{"auths": 1}'])
    def test_nothing_is_merged_into_what_is_no_auth_file(self, text: str) -> None:
        with pytest.raises(auth_text.NotAnAuthFile):
            auth_text.merged(text, QUAY, legacy=False)


def after_entry(before: object) -> object:
    """What becomes of an entry of ours: generated ones never hold the credential."""
    entry = dict(QUAY.entries["quay.io"].fields)
    return {**before, **entry} if isinstance(before, dict) else entry


class TestWithoutAndConverted:
    def test_takes_out_each_spelling(self) -> None:
        text = f'{{"auths": {{"https://quay.io/": {{}}, {OTHERS}, "quay.io": {{}}, "quay.io/team": {{}}}}}}'
        after = auth_text.without(text, ["quay.io"], legacy=False)
        assert list(auths_of(after)) == ["other.io", "quay.io/team"]
        assert OTHERS in after

    def test_converts_there_and_back(self) -> None:
        legacy = f"{{{OTHERS}}}"
        wrapped = auth_text.converted(legacy, legacy=False)
        assert wrapped == f'{{"auths": {legacy}}}'
        assert auth_text.converted(wrapped, legacy=True) == legacy
