# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file that configures the credential providers of a kubelet: why a kubelet does not start with it, entries that never match, and one
file for all providers. Pure.

Kubernetes 1.36 pkg/credentialprovider/plugin/config.go (decode and validateCredentialProviderConfig) and pkg/credentialprovider/keyring.go
(URLsMatch). tests/oracle/test_provider_config.py compares the refusals with the kubelet's own code.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..core.objects import Json, as_dict, as_list, as_str, as_strs, pick
from ..core.text import redact_line
from ..dockerconfig.registry_keys import is_glob_match, is_url_match, parse_url

_GROUP, _KIND = "kubelet.config.k8s.io", "CredentialProviderConfig"
_VERSIONS = ("v1alpha1", "v1beta1", "v1")
_PLUGIN_GROUP = "credentialprovider.kubelet.k8s.io"
_CACHE_TYPES = ("ServiceAccount", "Token")
_TOKENS, _REQUIRED, _OPTIONAL = (
    "tokenAttributes",
    "requiredServiceAccountAnnotationKeys",
    "optionalServiceAccountAnnotationKeys",
)
#: The fields of each part with their types: the kubelet refuses all others. None, a member that is missing, has every type.
_FILE: Mapping[str, type] = {"apiVersion": str, "kind": str, "providers": list}
_PROVIDER: Mapping[str, type] = {
    **dict.fromkeys(("name", "defaultCacheDuration", "apiVersion"), str),
    **dict.fromkeys(("matchImages", "args", "env"), list),
    _TOKENS: dict,
}
_TOKEN_FIELDS: Mapping[str, type] = {
    **dict.fromkeys(("serviceAccountTokenAudience", "cacheType"), str),
    **{"requireServiceAccount": bool, _REQUIRED: list, _OPTIONAL: list},
}
#: The arguments of OpenShift's own providers. All others are hidden (machine-config-operator templates/common).
_SHOWN_ARGUMENTS, _HIDDEN = ("get-credentials", "--v=3", "/etc/kubernetes/cloud.conf"), "VALUE"
#: The lists that have other members than texts.
_OBJECTS = ("providers", "env")
#: Go's durations, without a sign.
_DURATION = re.compile(r"0|(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:ns|us|µs|μs|ms|s|m|h))+", re.ASCII)
#: The keys of annotations, in lower case (apimachinery IsQualifiedName).
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_ANNOTATION = re.compile(
    rf"(?:(?=.{{1,253}}/){_LABEL}(?:\.{_LABEL})*/)?[a-z0-9](?:[a-z0-9._-]{{0,61}}[a-z0-9])?", re.ASCII
)


def config_problems(config: Json) -> Sequence[str]:
    """Return why a kubelet with the gate for tokens does not start with this configuration, as clauses. Empty if it does."""
    version = as_str(config.get("apiVersion"))
    if config.get("kind") != _KIND or version not in [f"{_GROUP}/{each}" for each in _VERSIONS]:
        return [f"it is not a {_KIND} of {_GROUP}/v1"]
    if wrong := [*_misfits("it", config, _FILE)]:
        return wrong
    providers = [*as_list(config.get("providers"))]
    if not all(isinstance(each, Mapping) for each in providers):
        return ["a provider is not a mapping"]
    names = [as_str(each.get("name")) for each in providers]
    twice = [f"two providers have the name {_text(name)}" for name in dict.fromkeys(names) if names.count(name) > 1]
    own = [problem for each in providers for problem in _provider_problems(each, is_v1=version.endswith("/v1"))]
    return [*([] if providers else ["it has no provider"]), *twice, *own]


def trim_providers(configuration: Json) -> list[Json]:
    """Return the providers of a CredentialProviderConfig. Arguments and variables can be confidential, so `VALUE` replaces them.

    :raises ValueError: when it has no list of providers.
    """
    providers = configuration.get("providers")
    if not (isinstance(providers, list) and all(isinstance(each, Mapping) for each in providers)):
        raise ValueError("it has no list of providers")
    return [*map(_trim_provider, providers)]


def _trim_provider(provider: Json) -> Json:
    kept, tokens = pick(provider, *_PROVIDER), provider.get(_TOKENS)
    hidden = {
        "args": [each if each in _SHOWN_ARGUMENTS else _HIDDEN for each in as_list(kept.get("args"))],
        "env": [{"name": as_str(as_dict(each).get("name")), "value": _HIDDEN} for each in as_list(kept.get("env"))],
        _TOKENS: pick(as_dict(tokens), *_TOKEN_FIELDS),
    }
    return {**kept, **{name: value for name, value in hidden.items() if kept.get(name)}}


def new_provider(host: str) -> Json:
    """Return a provider for the images of a host, with words to replace."""
    tokens = {"serviceAccountTokenAudience": "AUDIENCE", "cacheType": "Token", "requireServiceAccount": True}
    kept = {
        "name": "PROVIDER",
        "apiVersion": f"{_PLUGIN_GROUP}/v1",
        "matchImages": [host],
        "defaultCacheDuration": "10m",
    }
    return {**kept, _TOKENS: tokens}


def merge_providers(present: Sequence[Json], added: Sequence[Json]) -> Json:
    """Return the file of a kubelet that has these providers, with more of them. One of the same name is replaced."""
    providers = {as_str(each.get("name")): each for each in (*present, *added)}
    return {"apiVersion": f"{_GROUP}/v1", "kind": _KIND, "providers": [*providers.values()]}


def _provider_problems(provider: Json, *, is_v1: bool) -> Iterator[str]:
    name, tokens = as_str(provider.get("name")), provider.get(_TOKENS)
    who = f"provider {_text(name)}"
    fields = _PROVIDER if is_v1 else {field: kind for field, kind in _PROVIDER.items() if field != _TOKENS}
    if wrong := [*_misfits(who, provider, fields), *_misfits(f"{_TOKENS} of {who}", as_dict(tokens), _TOKEN_FIELDS)]:
        yield from wrong
        return
    if name in ("", ".", "..") or "/" in name or " " in name:
        yield f"the name {_text(name)!r} cannot be that of a program"
    api = as_str(provider.get("apiVersion"))
    if api not in [f"{_PLUGIN_GROUP}/{each}" for each in _VERSIONS]:
        yield f"apiVersion of {who} is not {_PLUGIN_GROUP}/v1"
    if not provider.get("matchImages"):
        yield f"matchImages of {who} is empty"
    invalid = [each for each in as_strs(provider.get("matchImages")) if parse_url(each) is None]
    yield from (f"matchImages of {who} has the invalid entry {_text(each)}" for each in invalid)
    if not _DURATION.fullmatch(as_str(provider.get("defaultCacheDuration")).removeprefix("+")):
        yield f"defaultCacheDuration of {who} is not a duration, such as 10m"
    if tokens is not None:
        yield from _token_problems(who, as_dict(tokens), is_plugin_v1=api == f"{_PLUGIN_GROUP}/v1")


def _token_problems(who: str, tokens: Json, *, is_plugin_v1: bool) -> Iterator[str]:
    where, needs_account = f"{_TOKENS} of {who}", tokens.get("requireServiceAccount")
    if not is_plugin_v1:
        yield f"{where} needs apiVersion {_PLUGIN_GROUP}/v1"
    if not tokens.get("serviceAccountTokenAudience"):
        yield f"{where} has no serviceAccountTokenAudience"
    if needs_account is None:
        yield f"{where} has no requireServiceAccount"
    if tokens.get("cacheType") not in _CACHE_TYPES:
        yield f"cacheType of {where} is not {' or '.join(_CACHE_TYPES)}"
    required, optional = ([*map(as_str, as_list(tokens.get(name)))] for name in (_REQUIRED, _OPTIONAL))
    if required and needs_account is False:
        yield f"{where} has {_REQUIRED}, but requireServiceAccount is false"
    for keys in (required, optional):
        yield from (f"{where} names {_text(key)} twice" for key in dict.fromkeys(keys) if keys.count(key) > 1)
        yield from (
            f"{where} has the invalid annotation {_text(key)}" for key in keys if not _ANNOTATION.fullmatch(key.lower())
        )
    yield from (f"{where} has {_text(key)} as required and as optional" for key in required if key in optional)


def _misfits(where: str, part: Json, fields: Mapping[str, type]) -> Iterator[str]:
    """The members that the kubelet's strict decoder refuses."""
    for name, value in part.items():
        kind = fields.get(as_str(name))
        if kind is None:
            yield f"{where} has the unknown field {_text(name)}"
        elif not (value is None or isinstance(value, kind)) or (name not in _OBJECTS and not _is_texts(value)):
            yield f"{name} of {where} has the wrong type"


def _is_texts(value: Any) -> bool:
    return all(isinstance(each, str) for each in as_list(value))


def _text(value: Any) -> str:
    return redact_line(str(value), 80)


def why_never(entry: str, repository: str) -> str:
    """Return why an entry of `matchImages` that seems to be for the repository does not match it, as a clause with the fix. Empty otherwise."""
    rest = entry.partition("://")[2] or entry
    (host, _slash, path), (own, _own_slash, own_path) = rest.partition("/"), repository.partition("/")
    (name, _colon, port), (own_name, _own_colon, own_port) = host.partition(":"), own.partition(":")
    # A star here stands for any number of labels, as the author of the entry may have meant.
    if is_url_match(entry, repository) or not is_glob_match(name.lower(), own_name):
        return ""
    begin = re.split(r"[*@]|:[^/]*\Z", path)[0]
    if not own_path.startswith(begin.rstrip("/")):
        return ""
    if rest != entry:
        return f"it begins with a scheme: write {rest}"
    if begin != path:
        return f"a path is compared literally, without stars, tags and digests: write {host}{'/' if begin else ''}{begin}".rstrip(
            "/"
        )
    if port != own_port:
        return f"the ports differ, and a star is not a port: write {name}{f':{own_port}' if own_port else ''}"
    return f"each star stands for one label of the host, and case counts: write {own}"
