# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why an image stream has no image: the import failed, and which secret would fix it. Pure.

An import uses the first matching entry of all pull secrets in the stream's project, linked or not
(openshift-apiserver pkg/image/apiserver/importer).
"""

from __future__ import annotations

from collections.abc import Sequence

from ...core.objects import SECRET, Json, ObjectRef, as_str, metadata
from ...dockerconfig.registry_keys import without_user
from ...images.image_streams import StreamTag
from ...images.references import Reference
from .. import fixes
from ..credentials import logins_of, secret_status
from ..fixes import Fix
from ..lookup import Lookup, items_of, try_lookup

__all__ = ["why_not_imported"]


def why_not_imported(tag: StreamTag, evidence: Lookup) -> tuple[str, Sequence[Fix]]:
    """Return the reason why a tag has no image, and the fix that gives the import a login.

    :raises ReadRequired: when the secrets of the project have to be read first.
    """
    if not tag.problem:
        return f"{tag} has no image: build or import it, or correct the tag", []
    begin, project = f"{tag} was never imported: {tag.problem}", tag.stream.namespace
    again = _import_advice(tag)
    if tag.source is None or not tag.meaning:
        return f"{begin}. Fix that in project {project}. {again}", []
    listed, unread = try_lookup(evidence, ObjectRef(SECRET, project, ""))
    which, fix = _explain_secrets(project, tag.source, listed, unread)
    repeated = [] if tag.is_scheduled else fixes.import_again(project, tag.stream.name)
    said = f"{begin}. The import uses all pull secrets of project {project}, linked or not: {which}. {again}"
    return said, [*fix, *repeated]


def _explain_secrets(project: str, source: Reference, listed: Json | None, unread: str) -> tuple[str, Sequence[Fix]]:
    if unread:
        because = f"whether one of them is for {source.repository} is not known: {unread}"
        return because, fixes.import_secret(project, source.host)
    secrets = [secret_status(as_str(metadata(each).get("name")), each) for each in items_of(listed)]
    found = logins_of([secret for secret in secrets if secret.state == "usable"], source.repository)
    if not found:
        return f"none of them is for {source.repository}", fixes.import_secret(project, source.host)
    first = found[0]
    fix = fixes.add_registry(project, first.secret, first.key)
    return f"secret {first.secret} has the key {without_user(first.key)}, and its login does not give the image", fix


def _import_advice(tag: StreamTag) -> str:
    if tag.is_scheduled:
        return "The cluster repeats the import every 15 minutes"
    return "Then import it again with image_stream_import, because the cluster does not repeat the import"
