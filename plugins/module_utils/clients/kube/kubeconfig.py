# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads a kubeconfig as kubectl does: the cluster and the user of a context, the certificates. The only place that imports YAML.

The client library's own reader ignores much of it, differently from version to version: `as`, `tls-server-name`, `proxy-url`,
a user that does not exist, a missing server (kubernetes client 24.2 to 37, config/kube_config.py).
Format: kubernetes client-go tools/clientcmd/api/v1/types.go. Several files: tools/clientcmd/loader.go.
"""

from __future__ import annotations

import base64
import os
import ssl
import tempfile
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...core.errors import find_similar
from ...core.files import advise_reader, describe_place, describe_read_error
from ...core.objects import Json, as_dict
from ...core.redaction import is_path
from ..https import exchange
from ..https.connections import ClientContext
from .errors import ConnectError, one_line

try:
    import yaml

    IMPORT_ERROR = exchange.IMPORT_ERROR
    #: The safe loader. With libyaml it takes 4 to 7 percent of the time: 16 instead of 480 ms for a kubeconfig of 100 clusters.
    _LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
except ImportError:
    yaml = None
    IMPORT_ERROR = traceback.format_exc()


def load_yaml(text: str) -> Any:
    """Return the document in a text, as `yaml.safe_load` does.

    :raises yaml.YAMLError, ValueError, RecursionError: when the text is not YAML.
    """
    return yaml.load(text, Loader=_LOADER)


def load_yaml_documents(text: str) -> Iterator[Any]:
    """Return all documents in a text. The errors are those of `load_yaml`."""
    yield from yaml.load_all(text, Loader=_LOADER)


#: Maximum number of characters of a text. A kubelet's file has a few thousand.
_MOST_TEXT = 256 * 1024


def parse_yaml(text: str) -> Json:
    """Return the mapping in a text.

    :raises ValueError: when the text is too long, is not YAML, or is not a mapping. The message does not quote it.
    """
    if len(text) > _MOST_TEXT:
        raise ValueError("it is too long")
    try:
        content = load_yaml(text)
    except (yaml.YAMLError, ValueError, RecursionError):
        raise ValueError("it is not valid YAML") from None
    if not isinstance(content, dict):
        raise ValueError("it is not a mapping")
    return as_dict(content)


def parse_objects(text: str) -> list[Json]:
    """Return the objects in the documents of a file, which can be lists of objects. Empty documents are left out.

    :raises ValueError: when the text is not YAML, or a document is not an object. The message does not quote it.
    """
    try:
        documents = [each for each in load_yaml_documents(text) if each is not None]
    except (yaml.YAMLError, ValueError, RecursionError):
        raise ValueError("it is not valid YAML") from None
    found: list[Json] = []
    for document in documents:
        items = document.get("items") if isinstance(document, dict) and document.get("kind") == "List" else [document]
        if not isinstance(items, list) or not all(isinstance(each, dict) for each in items):
            raise ValueError("it has a document that is not an object")
        found += items
    return found


@dataclass(frozen=True, repr=False)
class Pem:
    """Certificates or a key, in a file (`path`) or directly (`data`). `origin` names them in messages."""

    origin: str
    path: str = ""
    data: bytes = b""

    def __str__(self) -> str:
        return f"{self.origin} {one_line(self.path)}" if self.path else self.origin

    def content(self) -> bytes:
        """Return the bytes.

        :raises ConnectError: if the file cannot be read.
        """
        if not self.path:
            return self.data
        try:
            return Path(self.path).read_bytes()
        except (OSError, ValueError) as error:
            reason = describe_read_error(self.path, error) + advise_reader(self.path, error)
            raise ConnectError(f"{self} cannot be read on the host that runs the task: {reason}") from None


def client_context(
    host: str, *, verify: bool, authority: Pem | None, certificate: Pem | None, key: Pem | None, directory: str
) -> ClientContext:
    """Return the TLS context for a host, with the authorities to trust, by default the system's, and the client's certificate.

    Python loads a client's certificate and key only from files. Data is written to `directory` for that moment.

    :raises ConnectError: if one of them cannot be read or used.
    """
    context = ClientContext(host, verify=verify)
    if authority is not None:
        _load_authority(context, authority)
    elif verify:
        context.load_default_certs()
    if certificate is not None:
        _load_certificate(context, certificate, key or certificate, directory)
    return context


def _load_authority(context: ssl.SSLContext, authority: Pem) -> None:
    content = authority.content()
    try:
        if authority.path:
            context.load_verify_locations(cafile=authority.path)
        else:
            # Comments in other alphabets are allowed in a file, but not here.
            context.load_verify_locations(cadata=content.decode("ascii", "ignore"))
    except (OSError, ValueError):
        raise ConnectError(
            f"{authority} contains no certificate in PEM format: give the file with that of the server's "
            "authority, which begins with -----BEGIN CERTIFICATE-----"
        ) from None


def _load_certificate(context: ssl.SSLContext, certificate: Pem, key: Pem, directory: str) -> None:
    for pem in (certificate, key):
        # OpenSSL does not report which file it cannot read, or why.
        pem.content()
    try:
        with _as_file(certificate, directory) as certificate_file, _as_file(key, directory) as key_file:
            # With any password, even an empty one, Python does not ask for one on the terminal if the key is encrypted.
            context.load_cert_chain(certificate_file, key_file, password="")
    except (OSError, ValueError):
        both = str(certificate) if certificate == key else f"{certificate} with {key}"
        raise ConnectError(
            f"{both} cannot be used: not in PEM format, or encrypted, or the key does not belong to the certificate"
        ) from None


@contextmanager
def _as_file(pem: Pem, directory: str) -> Iterator[str]:
    if pem.path:
        yield pem.path
        return
    with tempfile.NamedTemporaryFile(dir=directory) as file:
        file.write(pem.data)
        file.flush()
        yield file.name


_DEFAULT = "~/.kube/config"
_WAY_OUT = (
    "Set 'kubeconfig: /path/to/kubeconfig', with 'context: NAME' for another context than its current one, or set 'host' and 'api_key', or "
    "export K8S_AUTH_KUBECONFIG=/path/to/kubeconfig"
)


@dataclass(frozen=True, repr=False)
class Section:
    """One cluster or user. `title` names it in messages. Paths in it are relative to `directory`."""

    title: str
    values: Mapping[str, Any]
    directory: Path

    def text(self, name: str) -> str:
        """Return a string. Empty if there is none.

        :raises ConnectError: if it is of another type, as in the other methods.
        """
        value = self.values.get(name)
        if not isinstance(value, (str, type(None))):
            raise self.error(f"'{name}' is not a string: put it in quotes")
        return value or ""

    def texts(self, name: str) -> tuple[str, ...]:
        """Return a list of strings. Empty if there is none."""
        value = self.values.get(name)
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(part, str) for part in value):
            raise self.error(f"'{name}' is not a list of strings")
        return tuple(value)

    def flag(self, name: str) -> bool:
        """Return a boolean. False if there is none."""
        value = self.values.get(name)
        if not isinstance(value, (bool, type(None))):
            raise self.error(f"'{name}' is neither true nor false")
        return bool(value)

    def part(self, name: str) -> Section | None:
        """Return a mapping in the section, or None."""
        value = self.values.get(name)
        if value is None:
            return None
        if not isinstance(value, Mapping):
            raise self.error(f"'{name}' is not a mapping")
        return Section(self.title, value, self.directory)

    def file(self, name: str) -> str:
        """Return the path of a file. Empty if there is none."""
        path = self.text(name)
        return str(self.directory / path) if path else ""

    def pem(self, name: str) -> Pem | None:
        """Return a certificate or key, or None: from the key `NAME-data` or, without it, the file in the key `NAME`."""
        data, path = self.text(f"{name}-data"), self.file(name)
        if data:
            try:
                return Pem(
                    f"'{name}-data' of {self.title}", data=base64.b64decode("".join(data.split()), validate=True)
                )
            except ValueError:
                raise self.error(f"'{name}-data' is not base64") from None
        return Pem(f"'{name}' of {self.title}", path=path) if path else None

    def error(self, what: str) -> ConnectError:
        return ConnectError(f"{self.title} cannot be used: {what}")


@dataclass(frozen=True, repr=False)
class Kubeconfig:
    """The cluster and the user of one context. `user` is empty if the context names none."""

    cluster: Section
    user: Section


@dataclass(frozen=True, repr=False)
class _File:
    """One file. `path` is None for content that was given directly. `title` names the whole kubeconfig."""

    title: str
    path: Path | None
    content: Mapping[str, Any]

    def current(self) -> str:
        """Return the name of the current context. Empty if there is none."""
        return Section(self.title, self.content, Path()).text("current-context")

    def sections(self, kind: str) -> Iterator[tuple[str, Section]]:
        """Yield the names and sections of the clusters, users or contexts."""
        found = self.content.get(f"{kind}s")
        if not isinstance(found, (list, type(None))):
            raise _error(self.title, f"'{kind}s' is not a list")
        for entry in found or ():
            if not isinstance(entry, Mapping) or not isinstance(entry.get("name"), str):
                raise _error(self.title, f"an entry of '{kind}s' has no name")
            title = f"{kind} {one_line(entry['name'])!r} in {self.title}"
            outer = Section(title, entry, self.path.parent if self.path else Path())
            yield entry["name"], outer.part(kind) or Section(title, {}, outer.directory)


def load_kubeconfig(given: str | Mapping[str, Any] | None, context: str | None) -> Kubeconfig:
    """Return the cluster and the user of a context, by default of the current context.

    `given` is a path, several paths joined by `:`, or the content. Without it, the files in the variable KUBECONFIG are read,
    or the default file. Of several files, the first one with a value counts.

    :raises ConnectError: with one line that quotes only names from the content.
    """
    files = [_File(_title(given), None, given)] if isinstance(given, Mapping) else list(_files(given))
    title = files[0].title
    name = context or next((name for file in files if (name := file.current())), "")
    if not name:
        raise _error(title, "it has no current-context. Give 'context'")
    chosen = _find(files, "context", name)
    cluster, user = chosen.text("cluster"), chosen.text("user")
    if not cluster:
        raise chosen.error("it names no cluster")
    found = _find(files, "user", user) if user else Section(chosen.title, {}, Path())
    return Kubeconfig(_find(files, "cluster", cluster), found)


def _find(files: Sequence[_File], kind: str, wanted: str) -> Section:
    names = []
    for file in files:
        for name, section in file.sections(kind):
            if name == wanted:
                return section
            names.append(name)
    what = f"it has no {kind} {one_line(wanted)!r}" + (f" (only {one_line(', '.join(names))})" if names else "")
    if kind != "context" or not names:
        raise _error(files[0].title, what)
    meant = one_line(find_similar(wanted, names) or names[0])
    raise _error(files[0].title, what, f"Set 'context: {meant}', or another 'kubeconfig'")


def _title(given: str | Mapping[str, Any] | None) -> str:
    """The name in messages. Content that is given as text, and not as a mapping, is not repeated."""
    if given in (None, ""):
        return f"the kubeconfig {os.environ.get('KUBECONFIG') or _DEFAULT}"
    return f"kubeconfig {given}" if isinstance(given, str) and is_path(given) else "the kubeconfig given as data"


def _files(given: str | None) -> Iterator[_File]:
    title = _title(given)
    if given is not None and not is_path(given):
        raise _error(
            title, "it is neither a path nor a dictionary: give a path, or the content through the filter from_yaml"
        )
    joined = given or os.environ.get("KUBECONFIG") or _DEFAULT
    paths = [Path(path).expanduser() for path in joined.split(os.pathsep) if path]
    if not any(path.exists() for path in paths):
        raise _error(title, f"there is no such file{_place_of(paths)}")
    for path in paths:
        if path.exists():
            yield _File(title, path, _content(title, path))


def _place_of(paths: Sequence[Path]) -> str:
    """The directory in which a relative path was searched: that of the playbook, which may belong to a collection."""
    return next(filter(None, map(describe_place, paths)), "")


def _content(title: str, path: Path) -> Mapping[str, Any]:
    """The content of a file. No error quotes it."""
    try:
        content = load_yaml(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise _error(title, f"{path} cannot be read: {describe_read_error(path, error)}") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        raise _error(title, f"{path} is not valid YAML" + (f" at line {mark.line + 1}" if mark else "")) from None
    if not content:
        raise _error(title, f"{path} is empty")
    if not isinstance(content, Mapping):
        raise _error(title, f"{path} is not a kubeconfig")
    return content


def _error(title: str, what: str, way_out: str = _WAY_OUT) -> ConnectError:
    return ConnectError(f"{title} cannot be used: {what}. {way_out}")
