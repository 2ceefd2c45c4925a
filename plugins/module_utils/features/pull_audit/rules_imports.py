# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules about the imports of image streams. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from ...core.objects import ObjectRef, as_str, metadata
from ...core.text import summarize
from ...dockerconfig.key_matching import kubelet_keys
from ...dockerconfig.registry_keys import without_user
from ...explain import fixes
from ...images.image_streams import IMAGE_STREAM, failed_imports
from ...images.references import Reference, reference_of
from .findings import Finding
from .survey import AuditedSecret, ClusterSnapshot, NamespaceSnapshot

__all__ = ["find_failing_imports", "find_stale_secrets"]

#: openshift-apiserver pkg/image/apiserver/importer/importer.go.
_REFUSED = re.compile(r"incorrect username or password", re.IGNORECASE)
_NO_LOGIN = re.compile(r"did not have credentials|no basic auth credentials", re.IGNORECASE)


def find_failing_imports(place: NamespaceSnapshot, _survey: ClusterSnapshot) -> Iterator[Finding]:
    for ref, tag, image, why in _failures(place):
        if _REFUSED.search(why):
            continue
        reference = reference_of(image) if image else None
        lacks = reference is not None and _NO_LOGIN.search(why) and not _secrets_for_image(place, reference)
        fix = _create_secret_tasks(ref, reference) if lacks and reference else []
        yield Finding("stream-import-fails", ref, tag, f"tag {tag} of {ref} cannot be imported: {why}", fix)


def find_stale_secrets(place: NamespaceSnapshot, _survey: ClusterSnapshot) -> Iterator[Finding]:
    for ref, tag, image, why in _failures(place):
        if not _REFUSED.search(why):
            continue
        reference = reference_of(image) if image else None
        found = _secrets_for_image(place, reference) if reference else []
        named = summarize([f"secret {secret.name} with key {without_user(key)}" for secret, key in found], _SHOWN)
        uses = "the login of" if len(found) == 1 else "only the first of these logins:"
        which = f" (the import uses {uses} {named})" if found else ""
        fix = [task for secret, key in found for task in fixes.add_registry(place.namespace, secret.name, key)]
        fix += fixes.import_again(place.namespace, ref.name) if fix else []
        message = f"tag {tag} of {ref} cannot be imported: {why}{which}"
        yield Finding("stream-import-stale-secret", ref, tag, message, fix)


def _failures(place: NamespaceSnapshot) -> Iterator[tuple[ObjectRef, str, str, str]]:
    for stream in place.streams:
        ref = ObjectRef(IMAGE_STREAM, place.namespace, as_str(metadata(stream).get("name")))
        for tag, image, why in dict.fromkeys(failed_imports(stream)):
            yield ref, tag, image, why


def _secrets_for_image(place: NamespaceSnapshot, reference: Reference) -> Sequence[tuple[AuditedSecret, str]]:
    """Return the secrets of the namespace with a login for the image. An import uses them even if they are not linked."""
    return [
        (secret, key)
        for secret in place.secrets.values()
        if secret.is_read and not secret.is_generated
        for key in kubelet_keys([login.key for login in secret.logins], reference.repository)
    ]


def _create_secret_tasks(stream: ObjectRef, image: Reference) -> list[fixes.Fix]:
    """Return tasks that write a secret for the import, which needs no link, and import again."""
    name = fixes.secret_name_for("import", image.host)
    written = fixes.create_listed_secret(stream.namespace, name, image.host)
    return [*written, *fixes.import_again(stream.namespace, stream.name)]


_SHOWN = 5
