# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A kubeconfig: the cluster and the user that a context names, read as kubectl reads it.

The client library's own reader ignores much of it, differently from version to version: `as`, `tls-server-name`, `proxy-url`,
a user that does not exist, a missing server (kubernetes client 24.2 to 37, config/kube_config.py).
Format: kubernetes client-go tools/clientcmd/api/v1/types.go; several files: tools/clientcmd/loader.go.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...core.file_errors import describe_place, describe_read_error
from ...core.redaction import is_path
from .errors import ConnectError, one_line
from .libraries import yaml
from .tls import Pem

__all__ = ["Kubeconfig", "Section", "load"]

_DEFAULT = "~/.kube/config"
_WAY_OUT = (
    "give 'kubeconfig', or 'host' with 'api_key' (image_pull_kubeconfig, image_pull_host and image_pull_api_key of the playbooks), "
    "or set K8S_AUTH_KUBECONFIG"
)


@dataclass(frozen=True, repr=False)
class Section:
    """One cluster or user. `title` names it in messages; its files are relative to `directory`."""

    title: str
    values: Mapping[str, Any]
    directory: Path

    def text(self, name: str) -> str:
        """A value, empty when there is none.

        :raises ConnectError: when it is of another type; so do the other methods.
        """
        value = self.values.get(name)
        if not isinstance(value, (str, type(None))):
            raise self.error(f"'{name}' is not a text: put it in quotes")
        return value or ""

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of texts, empty when there is none."""
        value = self.values.get(name)
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(part, str) for part in value):
            raise self.error(f"'{name}' is not a list of texts")
        return tuple(value)

    def flag(self, name: str) -> bool:
        """True or false, false when there is none."""
        value = self.values.get(name)
        if not isinstance(value, (bool, type(None))):
            raise self.error(f"'{name}' is neither true nor false")
        return bool(value)

    def part(self, name: str) -> Section | None:
        """A mapping in it, None when there is none."""
        value = self.values.get(name)
        if value is None:
            return None
        if not isinstance(value, Mapping):
            raise self.error(f"'{name}' is not a mapping")
        return Section(self.title, value, self.directory)

    def file(self, name: str) -> str:
        """The path of a file, empty when there is none."""
        path = self.text(name)
        return str(self.directory / path) if path else ""

    def pem(self, name: str) -> Pem | None:
        """A certificate or key: the member `NAME-data` or, without it, the file in the member `NAME`."""
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
    """What one context names. `user` has no values when the context names none. `save` writes the user's file again."""

    cluster: Section
    user: Section
    save: Callable[[], None]


@dataclass(frozen=True, repr=False)
class _File:
    """`path` is None for content that was given as such; `title` names the whole kubeconfig."""

    title: str
    path: Path | None
    content: Mapping[str, Any]

    def current(self) -> str:
        """The name of its current context, empty when there is none."""
        return Section(self.title, self.content, Path()).text("current-context")

    def sections(self, kind: str) -> Iterator[tuple[str, Section]]:
        """Its clusters, users or contexts by name."""
        found = self.content.get(f"{kind}s")
        if not isinstance(found, (list, type(None))):
            raise _error(self.title, f"'{kind}s' is not a list")
        for entry in found or ():
            if not isinstance(entry, Mapping) or not isinstance(entry.get("name"), str):
                raise _error(self.title, f"an entry of '{kind}s' has no name")
            title = f"{kind} {one_line(entry['name'])!r} in {self.title}"
            outer = Section(title, entry, self.path.parent if self.path else Path())
            yield entry["name"], outer.part(kind) or Section(title, {}, outer.directory)

    def save(self) -> None:
        if self.path is not None:
            self.path.write_text(yaml.safe_dump(self.content, default_flow_style=False), encoding="utf-8")


def load(given: str | Mapping[str, Any] | None, context: str | None) -> Kubeconfig:
    """What a context of a kubeconfig names, without one its current context.

    `given` is a path, several joined by `:`, or the content; without it the files that the variable KUBECONFIG names are read,
    or the default one. Of several files the first one that says something counts.

    :raises ConnectError: in one line that quotes nothing of the content but names.
    """
    files = [_File(_title(given), None, given)] if isinstance(given, Mapping) else list(_files(given))
    title = files[0].title
    name = context or next((name for file in files if (name := file.current())), "")
    if not name:
        raise _error(title, "it has no current-context; give 'context'")
    _file, chosen = _find(files, "context", name)
    cluster, user = chosen.text("cluster"), chosen.text("user")
    if not cluster:
        raise chosen.error("it names no cluster")
    if not user:
        return Kubeconfig(_find(files, "cluster", cluster)[1], Section(chosen.title, {}, Path()), lambda: None)
    file, found = _find(files, "user", user)
    return Kubeconfig(_find(files, "cluster", cluster)[1], found, file.save)


def _find(files: Sequence[_File], kind: str, wanted: str) -> tuple[_File, Section]:
    names = []
    for file in files:
        for name, section in file.sections(kind):
            if name == wanted:
                return file, section
            names.append(name)
    known = f"; it has {one_line(', '.join(names))}" if names else ""
    raise _error(files[0].title, f"it has no {kind} {one_line(wanted)!r}{known}")


def _title(given: str | Mapping[str, Any] | None) -> str:
    """How it is called in messages. Content given as text, instead of as a mapping, is not repeated."""
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
    """Where a relative path was looked for: beside the playbook, which may be one of a collection."""
    return next(filter(None, map(describe_place, paths)), "")


def _content(title: str, path: Path) -> Mapping[str, Any]:
    """A file's content; no error quotes it."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
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


def _error(title: str, what: str) -> ConnectError:
    return ConnectError(f"{title} cannot be used: {what}; {_WAY_OUT}")
