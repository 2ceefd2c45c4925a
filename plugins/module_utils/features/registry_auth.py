# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Query registries in parallel: how they authenticate, and whether a login works."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Union

from ..clients.registry.proof import RegistryImage, RegistryLogin, RegistryProof, prove_login, prove_pull
from ..clients.registry.transport import (
    AuthInfo,
    RegistryOptions,
    ask_registry,
    check_authorities,
    check_options,
    option_host,
    registry_host,
)
from ..core.changes import Entry
from ..core.errors import ImagePullError, OptionError
from ..core.text import pluralize
from ..declarations.declare import EntryList, list_entries
from ..discovery.proofs import ask_all, explain_refusal, registry_options
from ..images.image_questions import RegistryAccess
from ..images.references import reference_of


@dataclass(frozen=True)
class _RegistryRequest:
    """The request to one registry. Without login and images, only how it authenticates."""

    options: RegistryOptions
    login: RegistryLogin | None
    images: Sequence[RegistryImage]
    realm_hosts: Sequence[str] = ()

    def answer(self) -> _RegistryAnswer:
        """Query the registry. :raises ImagePullError: when it cannot be reached, or its answer is not that of a registry."""
        info = ask_registry(self.options)
        realm_hosts = [host for host in (self.options.realm_host, *self.realm_hosts) if host]
        host = registry_host(self.options)
        login = [prove_login(self.options, host, self.login, realm_hosts, is_named=True)] if self.login else []
        images = [prove_pull(self.options, image, self.login, realm_hosts, is_named=True) for image in self.images]
        return _RegistryAnswer(info, self._explain_refusals(login), self._explain_refusals(images))

    def _explain_refusals(self, proofs: Sequence[RegistryProof]) -> Sequence[RegistryProof]:
        host, login = registry_host(self.options), self.login
        return [explain_refusal(proof, host, login) for proof in proofs] if login else proofs


@dataclass(frozen=True)
class _RegistryAnswer:
    """The answer of one registry. `login` has one proof or none."""

    info: AuthInfo
    login: Sequence[RegistryProof]
    images: Sequence[RegistryProof]


def check_request(params: Mapping[str, Any], *, reads_files: bool) -> None:
    """Check the options of one registry without a request. `reads_files`: check the file with its certificate authorities as well.

    :raises OptionError: if the registry cannot be asked with these options.
    """
    options = _parse_options(params).options
    # With `realm_host`, the registry is not contacted, and the file is not used.
    if reads_files and options.realm_host is None:
        check_authorities(options)


def ask_registries(form: EntryList, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the result for the single registry of the options, or for all registries of the list.

    :raises OptionError: with the invalid options of all entries at once. Nothing has been sent.
    :raises ImagePullError: when the single registry cannot be reached, or its answer is not that of a registry.
    """
    if params.get(form.option) is not None:
        return _ask_entries(_parse_entries(list_entries(form, params)))
    asked = _parse_options(params)
    return {"changed": False, **_result_row(asked, asked.answer())}


def _parse_entries(entries: Sequence[tuple[Entry, Mapping[str, Any]]]) -> list[tuple[Entry, _RegistryRequest]]:
    """Return the requests of all entries. :raises OptionError: with all invalid entries at once."""
    found, problems = [], []
    for entry, options in entries:
        try:
            found.append((entry, _parse_options(options)))
        except OptionError as error:
            problems.append(f"{entry}: {error}")
    if problems:
        raise OptionError("; ".join(problems))
    return found


def _parse_options(params: Mapping[str, Any]) -> _RegistryRequest:
    """Return the request. :raises OptionError: for an invalid host, an incomplete login, or a repository of another registry."""
    access = RegistryAccess.of(params)
    options = registry_options(access, params["registry"], params.get("realm_host"))
    check_options(options)
    user, password = params.get("username") or "", params.get("password") or ""
    if bool(user) != bool(password):
        given, other = ("username", "password") if user else ("password", "username")
        raise OptionError(f"option {given!r} is given without {other!r}: give both, or none to ask without a login")
    images = tuple(_parse_image(options, text) for text in params.get("repositories") or ())
    for realm_host in access.realm_hosts:
        option_host("realm_hosts", realm_host)
    return _RegistryRequest(options, RegistryLogin(user, password) if user else None, images, access.realm_hosts)


def _parse_image(options: RegistryOptions, text: str) -> RegistryImage:
    host = registry_host(options)
    path = text.removeprefix(f"{host}/")
    found = reference_of(f"{host}/{path}")
    if found is None or found.is_short:
        raise OptionError(
            f"option 'repositories': {text!r} is not a repository of {host}: give its name, such as team/app, optionally with a tag or digest"
        )
    return RegistryImage(host, found.path, found.digest or found.tag)


def _ask_entries(registries: Sequence[tuple[Entry, _RegistryRequest]]) -> dict[str, Any]:
    """Return the result for many registries: failed if one of them failed, with the answers of the others."""
    answers = ask_all((asked for _entry, asked in registries), _answer_or_error)
    failed = [
        (entry, str(answer)) for entry, asked in registries if isinstance(answer := answers[asked], ImagePullError)
    ]
    result = {
        "changed": False,
        "registries": [_result_row(asked, answers[asked]) for _entry, asked in registries],
        "failures": [{"entry": entry.position, "title": str(entry), "error": error} for entry, error in failed],
    }
    if not failed:
        return result
    reasons = "; ".join(dict.fromkeys(f"{entry}: {error}" for entry, error in failed))
    number = f"{len(failed):,} of {pluralize(len(registries), 'registry', 'registries')}"
    return {**result, "failed": True, "msg": f"{number} did not answer: {reasons}"}


def _answer_or_error(asked: _RegistryRequest) -> Union[_RegistryAnswer, ImagePullError]:
    try:
        return asked.answer()
    except ImagePullError as error:
        return error


def _result_row(asked: _RegistryRequest, answer: Union[_RegistryAnswer, ImagePullError]) -> dict[str, Any]:
    if isinstance(answer, ImagePullError):
        return {"registry": asked.options.registry}
    told = {"registry": registry_host(asked.options), **asdict(answer.info)}
    if not (answer.login or answer.images):
        return told
    works = all(proof.works for proof in (*answer.login, *answer.images))
    login = {"login": _proof(answer.login[0])} if answer.login else {}
    rows = [
        {"repository": str(image), **_proof(proof)} for image, proof in zip(asked.images, answer.images, strict=True)
    ]
    return {**told, "works": works, **login, "repositories": rows}


def _proof(proof: RegistryProof) -> dict[str, Any]:
    limit = {} if proof.rate_limit is None else {"rate_limit": asdict(proof.rate_limit)}
    return {"outcome": proof.outcome, "message": proof.said, **limit}
