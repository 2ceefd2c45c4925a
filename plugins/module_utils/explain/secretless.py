# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is missing before an account gets an image without a stored secret, by a credential provider of the nodes. Pure.

The kubelet gives the provider a token of the account (KEP-4412), and the provider exchanges it for a login, or hands it to the registry. A pod
never shows which part fails: it shows the registry's answer to a pull without a login. Sources: images/credential_providers.py.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from ..core.names import is_name, is_namespace
from ..core.objects import Json, Kind, ObjectRef, as_dict, as_list, as_str
from ..core.redaction import rewrite_texts
from ..core.text import is_plain, join_and, redact_line, redact_text, summarize
from ..core.writers import as_yaml
from ..images.credential_providers import TOKEN_PROVIDERS, KubeletProvider, cloud_of
from ..images.nodes import format_version, parse_version
from ..images.provider_config import config_problems, merge_providers, new_provider, trim_providers, why_never
from ..images.references import Reference, reference_of
from ..platform.cluster import CLUSTER_VERSION, INFRASTRUCTURE
from ..rbac.subjects import RBAC, token_review
from .credentials import credentials_of
from .lookup import Lookup, nodes_for, require_all, try_lookup
from .node_settings import ProviderFile, provider_files
from .secret_readers import find_readers
from .steps.mirrors import mirrors_of
from .steps.pull_secrets import explain_secret_list
from .steps.streams import is_integrated, resolve_image
from .subjects import ContainerPull

#: The issuer of the tokens, as an object with the key `issuer`. `discovery/lookup_reader.py` reads it.
ISSUER = ObjectRef(Kind("v1", "Issuer", "issuers of tokens", "issuer of tokens", namespaced=False), "", "issuer")
#: The first kubelet whose gate for tokens is on by default, and the OpenShift release whose provider for ECR fails without a role.
_GIVES_TOKENS, _FAILS_WITHOUT_ROLE = (1, 34), (4, 21)
#: The ends of names that only a cluster, or its network, resolves.
_INSIDE = (".svc", ".local", ".internal", ".localhost")
#: The pools whose nodes run no pods of users, if another pool has the provider.
_WITHOUT_USERS = ("master", "arbiter")
#: Maximum number of objects that a message names.
_SHOWN = 3


@dataclass(frozen=True)
class _Check:
    """`ok` is None if it is not known. `fix` is the command, or the object as YAML. Empty if there is none, or if a name in it is unusual."""

    name: str
    message: str
    ok: bool | None = True
    fix: str = ""


@dataclass(frozen=True)
class SecretlessPlan:
    checks: Sequence[_Check]

    @property
    def verdict(self) -> str:
        found = {check.ok for check in self.checks}
        return "not_ready" if False in found else "unknown" if None in found else "ready"

    def report(self) -> dict[str, Any]:
        """Return the plan for a result."""
        rows = [{"check": each.name, "message": each.message, "ok": each.ok, "fix": each.fix} for each in self.checks]
        return {"verdict": self.verdict, "checks": rows}


def plan_secretless(
    subject: ContainerPull, evidence: Lookup, config: Json | None = None, *, is_of_all: bool = False
) -> SecretlessPlan:
    """Return the plan for one container. `config` is the configuration of the nodes' providers, None to take that of the machine configs.

    `is_of_all`: all containers of the namespace have a plan.

    :raises ReadRequired: when more objects have to be read first.
    """
    reference = reference_of(resolve_image(subject, evidence).image)
    if reference is None:
        return SecretlessPlan([_Check("image", "it is not known which image the container gets", None)])
    require_all(evidence, [ISSUER, INFRASTRUCTURE, CLUSTER_VERSION, subject.account_ref])
    names, listed = explain_secret_list(subject, evidence)
    credentials = credentials_of(subject.namespace, names, reference.repository, evidence)
    generated = {each.name for each in credentials.secrets if each.is_generated}
    about = _Checks(subject, reference, evidence, is_integrated(reference, credentials, evidence))
    found, checks = about.find_providers(config)
    for provider in found:
        checks += about.check_provider(provider)
    checks += about.check_mirrors()
    if unread := listed.reason or join_and([each.name for each in credentials.in_state("unread")]):
        checks.append(_Check("readers", f"the secrets that would go are not known: {unread}", None))
    held = {login.secret for login in credentials.logins} - generated
    return SecretlessPlan([*checks, *(about.check_readers(held, is_of_all=is_of_all) if held else ())])


@dataclass(frozen=True)
class _Checks:
    subject: ContainerPull
    reference: Reference
    evidence: Lookup
    is_integrated: bool

    def find_providers(self, config: Json | None) -> tuple[Sequence[KubeletProvider], list[_Check]]:
        """Return the providers for the image, each once, and the checks of the configurations."""
        if config is None:
            files, unread = provider_files(self.evidence)
        else:
            given = trim_providers({"providers": [*map(as_dict, as_list(config.get("providers")))]})
            files, unread = [ProviderFile("", given, config_problems(config))], ""
        if not files:
            text = f"no object shows the credential providers of the nodes: {unread or 'there are no machine config pools'}"
            return [], [_Check("provider", f"{text}. Give their file in 'credential_provider_config'", None)]
        found = [
            *dict.fromkeys(provider for each in files for provider in _providers_in(each) if self._entry(provider))
        ]
        needing = [each for each in files if not (found and each.pool in _WITHOUT_USERS)]
        checks = [check for each in files for check in self._check_file(each, is_needed=each in needing)]
        is_one_of_several = config is not None and found and not files[0].problems
        return found, [*checks, *(self._check_others(files[0].providers or ()) if is_one_of_several else ())]

    def _check_others(self, given: Sequence[Json]) -> Iterator[_Check]:
        """A kubelet has one file, and the last machine config that writes it counts: whether the given one drops providers of the pools."""
        files, unread = provider_files(self.evidence)
        pools = {each.pool: each.providers for each in files}  # with the next configuration of each
        kept = {as_str(each.get("name")) for each in given}
        lost: dict[str, tuple[list[str], list[str]]] = {}
        for pool, providers in pools.items():
            names = [as_str(each.get("name")) for each in providers or ()]
            if dropped := [redact_line(each) for each in names if each not in kept]:
                lost.setdefault(_write(providers or (), given), (dropped, []))[1].append(pool)
        for text, (dropped, of) in lost.items():
            message = f"the given configuration drops {summarize(dropped, _SHOWN)} of pool {join_and(of)}: a kubelet has one file for all"
            yield _Check("file", message, ok=False, fix=text)
        hidden = [pool for pool, providers in pools.items() if providers is None]
        if unread or hidden:
            reason = unread or f"no object shows those of pool {join_and(hidden)}"
            yield _Check("file", f"the other providers of the nodes are not known: {reason}", None)

    def _entry(self, provider: KubeletProvider) -> str:
        return provider.match(self.reference.repository)

    def _check_file(self, file: ProviderFile, *, is_needed: bool) -> Iterator[_Check]:
        where, repository = f"pool {file.pool}" if file.pool else "the given configuration", self.reference.repository
        if file.problems:
            text = (
                f"no kubelet starts with the credential providers of {where}: {summarize(file.problems, _SHOWN, '; ')}"
            )
            yield _Check("configuration", text, ok=False)
        for provider in _providers_in(file):
            named = f"{redact_line(provider.name)} of {where}"
            if entry := self._entry(provider):
                yield _Check("provider", f"{named} is for {redact_line(entry)}")
            for each, why in ((each, why_never(each, repository)) for each in provider.images):
                if why:
                    text = f"{redact_line(each)} of {named} never matches the image: {redact_line(why)}"
                    yield _Check("entry", text, ok=False)
        if file.providers is None:
            yield _Check("provider", f"no object shows the credential providers of {where}", None)
        elif is_needed and not any(map(self._entry, _providers_in(file))):
            text = f"{where} has no credential provider for {repository}: add one with matchImages: [{self.reference.host}]"
            yield _Check("provider", text, False, _write(file.providers, [new_provider(self.reference.host)]))

    def check_provider(self, provider: KubeletProvider) -> Iterator[_Check]:
        name, host = redact_line(provider.name), self.reference.host
        if not provider.audience:
            yield _Check("account", f"{name} gets no tokens of accounts: its login is the node's, for every pod there")
            return
        cloud = TOKEN_PROVIDERS.get(cloud_of(self.reference.repository))
        cloud = cloud if cloud and provider.name in (cloud.plugin, cloud.without_tokens) else None
        missing, wanted = self._check_annotations(provider), cloud.audience if cloud else ""
        if missing is not None:
            yield missing
        account = try_lookup(self.evidence, self.subject.account_ref)[0]
        unset = cloud.unset_annotations(account) if cloud and cloud.variable not in provider.variables else ()
        if cloud and unset and not missing:
            # Only the provider for ECR works without, with the role of the node.
            fails = not cloud.plugin.startswith("ecr") or self._release == _FAILS_WITHOUT_ROLE
            text = f"{self.subject.account_ref} lacks {join_and(list(unset))}, so {cloud.without_annotations}"
            yield _Check("annotations", text, False if fails else None, self._annotate(unset))
        if cloud and cloud.without_tokens and try_lookup(self.evidence, INFRASTRUCTURE)[0]:
            yield _Check("versions", f"{name} of OpenShift takes no tokens of accounts: they need GKE", ok=False)
        if self.is_integrated:
            wanted = self._issuer[0]
            if provider.cache_type == "ServiceAccount":
                text = f"{name} can only return the token itself, which the kubelet refuses with cacheType ServiceAccount: write Token"
                yield _Check("configuration", text, ok=False)
        if wanted and wanted != provider.audience:
            text = f"{name} gets tokens for {redact_line(provider.audience)}, but {host} takes only those for {redact_line(wanted)}"
            yield _Check("audience", text, ok=False)
        yield from self._check_nodes()
        yield self._check_right(provider.audience)
        yield self._check_issuer(provider.audience, is_cloud=bool(cloud))

    def _check_annotations(self, provider: KubeletProvider) -> _Check | None:
        ref = self.subject.account_ref
        account, unread = try_lookup(self.evidence, ref)
        if unread:
            return _Check("annotations", f"the annotations of {ref} are not known: {unread}", None)
        if not (missing := provider.missing_annotations(account)):
            return None
        text = f"{ref} lacks {redact_line(join_and(missing))}, so no kubelet runs {redact_line(provider.name)} for it"
        return _Check("annotations", text, ok=False, fix=self._annotate(missing))

    def _annotate(self, keys: Sequence[str]) -> str:
        given = " ".join(f"{key}=VALUE" for key in keys)
        command = f"kubectl annotate serviceaccount {self.subject.account} -n {self.subject.namespace} {given}"
        return command if self._is_safe(*keys) else ""

    def _is_safe(self, *texts: str) -> bool:
        return is_name(self.subject.account) and is_namespace(self.subject.namespace) and all(map(is_plain, texts))

    @property
    def _release(self) -> tuple[int, int] | None:
        version = try_lookup(self.evidence, CLUSTER_VERSION)[0]
        return parse_version(as_str(as_dict(as_dict(as_dict(version).get("status")).get("desired")).get("version")))

    @property
    def _issuer(self) -> tuple[str, str]:
        """The issuer of the tokens, empty if it is not known, and why."""
        answer, unread = try_lookup(self.evidence, ISSUER)
        return as_str(as_dict(answer).get("issuer")), unread or "the API server does not report it"

    def _check_nodes(self) -> Iterator[_Check]:
        nodes, unread = nodes_for(self.subject, self.evidence)
        old = sorted({each.kubelet for each in nodes if each.kubelet and each.kubelet < _GIVES_TOKENS})
        if old:
            text = f"kubelet {join_and([*map(format_version, old)])} gives no tokens to providers: 1.34 is the first"
            yield _Check("versions", text, ok=False)
        elif unread or not nodes or not all(each.kubelet for each in nodes):
            text = (
                f"whether all kubelets give tokens is not known: {unread or 'some nodes do not report their version'}"
            )
            yield _Check("versions", text, None)

    def _check_right(self, audience: str) -> _Check:
        account = self.subject.account_ref
        right = f"request tokens of {account} for {redact_line(audience)}"
        if audience in (self.subject.audiences or ()):
            return _Check("right", f"the nodes may {right}, because a volume of the pod has such a token")
        answer, unread = try_lookup(self.evidence, token_review(account.namespace, account.name, audience))
        allowed = as_dict(answer).get("allowed")
        if allowed is True:
            return _Check("right", f"the nodes may {right}")
        if allowed is False:
            return _Check("right", f"the nodes may not {right}", ok=False, fix=self._grant(audience))
        return _Check("right", f"whether the nodes may {right} is not known: {unread or 'the answer is empty'}", None)

    def _grant(self, audience: str) -> str:
        """The role for this account alone, and its binding in the namespace. Its users could change a role of the namespace itself."""
        account, version = self.subject.account, {"apiVersion": f"{RBAC}/v1"}
        # Different for each account and audience, so that a user who names accounts cannot replace the role of another. It has no slash.
        name, verb = (
            f"image-pull-tokens:{account}:{audience.replace('/', '~')}",
            "request-serviceaccounts-token-audience",
        )
        rule = {"apiGroups": [""], "resources": [audience], "resourceNames": [account], "verbs": [verb]}
        role = {**version, "kind": "ClusterRole", "metadata": {"name": name}, "rules": [rule]}
        head = {**version, "kind": "RoleBinding", "metadata": {"name": name, "namespace": self.subject.namespace}}
        nodes = {"kind": "Group", "apiGroup": RBAC, "name": "system:nodes"}
        binding = {**head, "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": name}, "subjects": [nodes]}
        text = "---\n".join(as_yaml(each, for_ansible=False) for each in (role, binding))
        return text if self._is_safe(audience) else ""

    def _check_issuer(self, audience: str, *, is_cloud: bool) -> _Check:
        issuer, unread = self._issuer
        if not issuer:
            return _Check("issuer", f"the issuer of the tokens is not known: {unread}", None)
        if self.is_integrated:
            return _Check("issuer", "the integrated registry asks the API server about each token")
        text, account = f"the issuer of the tokens is {redact_line(issuer)}", self.subject.account_ref
        accepts = (
            f"accept it, with system:serviceaccount:{account.namespace}:{account.name} and {redact_line(audience)}"
        )
        if not _is_inside(issuer):
            return _Check("issuer", f"{text}: the other side must {accepts}")
        text = f"{text}, whose keys nothing outside the cluster can read"
        return _Check("issuer", *((text, False) if is_cloud else (f"{text}. A registry inside must {accepts}", None)))

    def check_mirrors(self) -> Iterator[_Check]:
        found, host = mirrors_of(self.reference, self.evidence), f"{self.reference.host}/"
        if found is not None and found.never_source and not any(each.startswith(host) for each in found.mirrors):
            text = f"the nodes ask only mirrors, and the login of a provider is sent only to {self.reference.host}"
            yield _Check("mirrors", text, ok=False)

    def check_readers(self, secrets: set[str], *, is_of_all: bool) -> Iterator[_Check]:
        """The secrets with a login for the image would go. Their other readers still need them."""
        named, subject, host = f"secret {summarize(sorted(secrets), _SHOWN)}", self.subject, self.reference.host
        found, unread = find_readers(subject, secrets, host, self.evidence, is_of_all=is_of_all)
        for ref, clause in found.items():
            yield _Check("readers", f"{named} has another reader: {ref} {clause}", ok=False)
        if unread:
            yield _Check("readers", f"other readers of {named} are not known: {summarize(unread, _SHOWN, '; ')}", None)


def _providers_in(file: ProviderFile) -> Sequence[KubeletProvider]:
    """The providers without that of CRI-O, which is for mirrors only."""
    every = (KubeletProvider.of(as_dict(each)) for each in file.providers or ())
    return [each for each in every if not each.is_crio]


def _write(present: Sequence[Json], added: Sequence[Json]) -> str:
    """One file for a kubelet, for a person to review."""
    return as_yaml(rewrite_texts(merge_providers(present, added), redact_text), for_ansible=False)


def _is_inside(issuer: str) -> bool:
    """Whether only the cluster, or its network, can read the keys of an issuer."""
    try:
        host = urlsplit(issuer).hostname or ""
        if host.replace(".", "").isdigit():
            return not ipaddress.ip_address(host).is_global
        return "." not in host or host.endswith(_INSIDE)
    except ValueError:
        return True
