# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A failed import is explained, and the secret of the stream's project that fixes it is named."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import SECRET, ObjectRef
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain import fixes
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.lookup import Lookup, ReadRequired
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.steps.streams import why_not_imported
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.image_streams import IMAGE_STREAM, tag_of
from support.pull_evidence import AUTH, REFUSED, failed, secret, stream

REF = ObjectRef(IMAGE_STREAM, "b", "app")
SECRETS = ObjectRef(SECRET, "b", "")
BEGIN = "tag v1 of image stream b/app was never imported: incorrect username or password. The import uses all pull secrets of project b, linked or not: "
AGAIN = "Then import it again with image_stream_import, because the cluster does not repeat the import"


def why(message: str, *secrets: dict[str, Any], answer: Any = None, **tag: Any) -> tuple[str, Sequence[Any]]:
    known = {SECRETS: {"items": [*secrets]} if answer is None else answer}
    return why_not_imported(tag_of(REF, stream(failed(message), has_image=False, **tag), "v1"), Lookup(known))


def named(name: str, *keys: str, kind: str = "kubernetes.io/dockerconfigjson") -> dict[str, Any]:
    return secret(dict.fromkeys(keys, AUTH), kind, name=name)


def test_a_project_without_a_secret_for_the_image_gets_a_fix() -> None:
    reason, fix = why("incorrect username or password", named("a", "q.io"), named("b", "quay.io", kind="Opaque"))
    assert reason == f"{BEGIN}none of them is for quay.io/team/app. {AGAIN}"
    assert fix == [*fixes.import_secret("b", "quay.io"), *fixes.import_again("b", "app")]


def test_a_secret_with_a_refused_login_is_fixed_in_its_place() -> None:
    reason, fix = why("incorrect username or password", named("a", "q.io"), named("stale", "quay.io"))
    assert reason == f"{BEGIN}secret stale has the key quay.io, and its login does not give the image. {AGAIN}"
    assert fix == [*fixes.add_registry("b", "stale", "quay.io"), *fixes.import_again("b", "app")]


def test_unreadable_secrets_are_reported_and_still_have_a_fix() -> None:
    reason, fix = why("incorrect username or password", answer=REFUSED)
    assert "whether one of them is for quay.io/team/app is not known: the caller may not read it" in reason
    assert fix == [*fixes.import_secret("b", "quay.io"), *fixes.import_again("b", "app")]


def test_a_scheduled_tag_is_imported_again_automatically() -> None:
    reason, fix = why("incorrect username or password", scheduled=True)
    assert reason.endswith("The cluster repeats the import every 15 minutes")
    assert fix == fixes.import_secret("b", "quay.io")


def test_an_import_error_that_no_login_fixes_needs_no_secrets() -> None:
    tag = tag_of(REF, stream(failed("registry quay.io blocked"), has_image=False), "v1")
    reason = (
        f"tag v1 of image stream b/app was never imported: registry quay.io blocked. Fix that in project b. {AGAIN}"
    )
    assert why_not_imported(tag, Lookup()) == (reason, [])


def test_a_tag_without_an_import_is_reported() -> None:
    reason = "tag v2 of image stream b/app has no image: build or import it, or correct the tag"
    assert why_not_imported(tag_of(REF, stream(), "v2"), Lookup()) == (reason, [])


def test_the_secrets_of_the_project_are_read_first() -> None:
    evidence = Lookup()
    with pytest.raises(ReadRequired):
        why_not_imported(tag_of(REF, stream(failed("x not found"), has_image=False), "v1"), evidence)
    assert evidence.take_wanted() == [SECRETS]
