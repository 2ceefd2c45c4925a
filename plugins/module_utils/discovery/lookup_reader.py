# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the data that an explanation needs in one batch: objects, the cluster's configuration, kubelets' settings, and access reviews.

The settings of a MachineConfig include the credential providers of the kubelet.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from ..clients.kube.client import Cluster, list_api_groups
from ..clients.kube.errors import ClusterError, Forbidden, UnknownResource
from ..clients.kube.kubeconfig import parse_yaml
from ..core.changes import ALL, ListedBy
from ..core.errors import ImagePullError
from ..core.objects import NAMESPACE, SECRET, SERVICE_ACCOUNT, Json, Kind, ObjectRef, as_dict, as_str, trim_object
from ..core.times import with_time_of_content
from ..engine.fetching import Answer, look_up
from ..engine.run import Run
from ..engine.workers import Workers
from ..explain.lookup import Lookup, ReadRequired, UnreadableObject
from ..explain.secretless import ISSUER
from ..images.credential_providers import CRIO_AUDIENCE
from ..images.image_questions import IMAGE_QUESTION, SIGNATURE_QUESTION, TRUST_QUESTION, RegistryAccess
from ..images.image_streams import IMAGE_STREAM
from ..images.image_verification import (
    DROP_IN_DIRECTORY,
    DROP_IN_SUFFIX,
    INVALID_SETTINGS,
    KUBEADM_CONFIG_MAP,
    KUBEADM_SETTINGS,
    KUBELET_FILE,
    KUBELET_FILE_PATH,
    PROVIDER_PROBLEMS,
    PROVIDERS,
    merge_drop_ins,
    trim_settings,
)
from ..images.provider_config import config_problems, trim_providers
from ..images.pull_messages import POD_EVENTS
from ..platform.machine_config import MACHINE_CONFIG, text_of_file, texts_in_directory, texts_of_unit
from ..rbac.subjects import SUBJECT_ACCESS_REVIEW, question_of
from .proofs import NamespaceQuestions, prove_images

#: How objects of a whole cluster are read if many of a kind are wanted.
LISTED_BY: ListedBy = {SERVICE_ACCOUNT: ALL}
_Settled = TypeVar("_Settled")
_Item = TypeVar("_Item")
_Answer = TypeVar("_Answer")

#: The key of kubeadm's config map.
_KUBEADM_KEY = "kubelet"
#: The unit of the kubelet on OpenShift.
_UNIT = "kubelet.service"
#: The option with the path of the providers' file, and the option with a path that can be read here.
_PROVIDER_OPTION = "--image-credential-provider-config"
_PROVIDER_FILE = re.compile(rf"""{_PROVIDER_OPTION}(?:=|\s|\\\n)+["']?([^\s"'\\]+)""")


def read_kubelet_file(cluster: Cluster, ref: ObjectRef) -> Answer:
    """Return the settings in the file, None if the object does not exist, or the error."""
    of_kubeadm = ref == KUBEADM_SETTINGS
    source = KUBEADM_CONFIG_MAP if of_kubeadm else ObjectRef(MACHINE_CONFIG, "", ref.name)
    try:
        obj = cluster.get(source)
        if obj is None:
            return None
        return _settings_of_kubeadm(obj) if of_kubeadm else _settings_of_node(obj)
    except UnknownResource:
        return None
    except Forbidden:
        return UnreadableObject(f"the caller may not read {source}")
    except ValueError as error:
        return UnreadableObject(f"the kubelet's file in {source} cannot be read: {error}")
    except ImagePullError as error:
        return error


def _settings_of_kubeadm(obj: Json) -> dict[str, Any]:
    """:raises ValueError: when the object has no readable file."""
    text = as_str(as_dict(obj.get("data")).get(_KUBEADM_KEY))
    if not text:
        raise ValueError("it is missing")
    return trim_settings(parse_yaml(text))


def _settings_of_node(obj: Json) -> dict[str, Any]:
    """:raises ValueError: when the object has no readable file."""
    texts = texts_of_unit(obj, _UNIT)
    unit = "\n".join(texts)
    settings = merge_drop_ins(parse_yaml(text_of_file(obj, KUBELET_FILE_PATH)), _drop_ins(obj, unit))
    return {**settings, **_providers(obj, unit)} if texts else settings


def _providers(obj: Json, unit: str) -> dict[str, Any]:
    """The kubelet's credential providers. None if no object shows them, such as those in a directory or in a file of the node's image."""
    paths = _PROVIDER_FILE.findall(unit)
    if len(set(paths)) > 1 or unit.count(_PROVIDER_OPTION) > len(paths):
        return {PROVIDERS: None}
    try:
        configs = [parse_yaml(text_of_file(obj, path)) for path in paths[:1]]
        providers = [each for config in configs for each in trim_providers(config)]
    except ValueError:
        return {PROVIDERS: None}
    problems = [each for config in configs for each in config_problems(config)]
    return {PROVIDERS: providers, **({PROVIDER_PROBLEMS: problems} if problems else {})}


def _drop_ins(obj: Json, unit: str) -> Iterator[Json]:
    """The drop-in files that the kubelet reads, in its order. No kubelet starts with a file that cannot be parsed."""
    if f"--config-dir={DROP_IN_DIRECTORY}" not in unit:
        return
    try:
        for text in texts_in_directory(obj, DROP_IN_DIRECTORY, DROP_IN_SUFFIX):
            yield parse_yaml(text)
    except ValueError:
        yield INVALID_SETTINGS


_MAY_NOT = "the caller may not read it"
#: The object with the issuer of OpenShift's tokens. Without one, it is `CRIO_AUDIENCE` (openshift/api config/v1 types_authentication.go).
_AUTHENTICATION = ObjectRef(
    Kind("config.openshift.io/v1", "Authentication", "authentications", "authentication config", namespaced=False),
    "",
    "cluster",
)

#: The kinds of references that stand for questions to registries.
QUESTIONS = (IMAGE_QUESTION, SIGNATURE_QUESTION, TRUST_QUESTION)

#: A list keeps the time of the content's last change, which is compared with the node's last attempt.
_SECRET = replace(SECRET, trim=with_time_of_content)


def settle(
    run: Run, ask: Callable[[], _Settled], lookups: Sequence[Lookup], registries: RegistryAccess | None = None
) -> _Settled:
    """Return the answer of `ask`, which is asked until the evidence needs nothing more.

    :raises ClusterError: when the cluster fails.
    """
    while True:
        try:
            return ask()
        except ReadRequired:
            for lookup in lookups:
                lookup.add(read_lookups(run.cluster, run.workers, lookup, LISTED_BY, registries))


def settle_each(
    run: Run,
    items: Sequence[tuple[str, _Item]],
    answer: Callable[[_Item], _Answer],
    lookups: Sequence[Lookup],
    questions: NamespaceQuestions | None = None,
) -> list[_Answer]:
    """Call `answer` with each item, again for those that need more objects, until all of them are answered. Each item has a namespace.

    Users decide which images their pods name, so the questions to registries of one namespace do not delay those of the others. Without
    `questions`, registries are not asked.

    :raises ClusterError: when the cluster fails.
    """
    found: dict[int, _Answer] = {}
    waiting = dict(enumerate(items))
    while waiting:
        wanted = [_Wanted(lookup) for lookup in lookups]
        _answer_known(waiting, wanted, answer, found)
        for each in wanted:
            each.lookup.add(read_objects(run.cluster, run.workers, [*each.objects], LISTED_BY))
            if questions is not None:
                each.lookup.add(questions.answers(each.questions, each.lookup))
    return [found[at] for at in range(len(items))]


def _answer_known(
    waiting: dict[int, tuple[str, _Item]],
    wanted: Sequence[_Wanted],
    answer: Callable[[_Item], _Answer],
    found: dict[int, _Answer],
) -> None:
    """Move the items whose objects are known from `waiting` to `found`, and record the objects that the others want.

    Until one of them is answered, only the first is tried: most objects that it needs are those that all need. Questions to registries
    differ, so they end this.
    """
    for at, (namespace, item) in list(waiting.items()):
        try:
            found[at] = answer(item)
        except ReadRequired:
            for each in wanted:
                each.take(namespace)
            if not found and not any(each.questions for each in wanted):
                return
            continue
        del waiting[at]


class _Wanted:
    """The objects that some evidence wants, and its questions to registries by namespace."""

    def __init__(self, lookup: Lookup) -> None:
        self.lookup = lookup
        self.objects: dict[ObjectRef, None] = {}
        self.questions: dict[str, list[ObjectRef]] = {}

    def take(self, namespace: str) -> None:
        """Record the references that the evidence wants now, for an item of the namespace."""
        for ref in self.lookup.take_wanted():
            if ref.kind in QUESTIONS:
                self.questions.setdefault(namespace, []).append(ref)
            else:
                self.objects[ref] = None


def read_lookups(
    cluster: Cluster,
    workers: Workers,
    evidence: Lookup,
    listed_by: ListedBy,
    registries: RegistryAccess | None = None,
) -> Mapping[ObjectRef, Answer]:
    """Return the data that the evidence needs. Registries are asked only if `registries` is given.

    :raises ImagePullError: if the cluster fails.
    """
    wanted = evidence.take_wanted()
    images = [ref for ref in wanted if ref.kind in QUESTIONS]
    found = read_objects(cluster, workers, [ref for ref in wanted if ref.kind not in QUESTIONS], listed_by)
    if registries is not None:
        found.update(prove_images(images, evidence, registries))
    return found


def read_objects(
    cluster: Cluster, workers: Workers, wanted: Sequence[ObjectRef], listed_by: ListedBy
) -> dict[ObjectRef, Answer]:
    """Return these objects and access reviews, but no answers of registries.

    :raises ImagePullError: if the cluster fails.
    """
    ways: dict[Callable[[Cluster, ObjectRef], Answer], list[ObjectRef]] = {}
    objects = []
    for ref in wanted:
        way = _reader_for(ref)
        if way is None:
            objects.append(replace(ref, kind=_SECRET) if ref.kind == SECRET else ref)
        else:
            ways.setdefault(way, []).append(ref)
    found: dict[ObjectRef, Answer] = {}
    for read, refs in ways.items():
        found.update(zip(refs, _read_each(cluster, workers, read, refs), strict=True))
    answers = look_up(cluster, workers, objects, listed_by)
    for ref in objects:
        found[ref] = _empty_if_unknown(ref, answers[ref]) if ref in answers else UnreadableObject(_MAY_NOT)
    for answer in found.values():
        if isinstance(answer, ClusterError):
            raise answer
    return {
        **found,
        **_find_absent(cluster, [ref for ref, answer in found.items() if isinstance(answer, UnreadableObject)]),
    }


def _find_absent(cluster: Cluster, refused: Sequence[ObjectRef]) -> Mapping[ObjectRef, Answer]:
    """The unreadable references whose kind does not exist: a server also refuses unknown kinds.

    :raises ClusterError: if the cluster fails.
    """
    named = {ref: group for ref in refused if (group := _group_of(ref))}
    try:
        groups = list_api_groups(cluster) if named else frozenset()
    except ClusterError:
        raise
    except ImagePullError:
        return {}
    # A server without any group is not a Kubernetes API server.
    return {ref: _empty_answer(ref) for ref, group in named.items() if groups and group not in groups}


def _group_of(ref: ObjectRef) -> str:
    """The API group. Empty for the core API, which every server has."""
    return ref.kind.api_version.rpartition("/")[0]


def _reader_for(ref: ObjectRef) -> Callable[[Cluster, ObjectRef], Answer] | None:
    """The function that reads a reference that is not an object of a namespace."""
    if ref.kind == SUBJECT_ACCESS_REVIEW:
        return _read_review
    if ref.kind == POD_EVENTS:
        return _read_events
    if ref.kind == KUBELET_FILE:
        return read_kubelet_file
    if ref == ISSUER:
        return _read_issuer
    return None if ref.kind.namespaced else _read_cluster_object


def _read_each(
    cluster: Cluster, workers: Workers, read: Callable[[Cluster, ObjectRef], Answer], refs: Sequence[ObjectRef]
) -> list[Answer]:
    return workers.map(lambda ref: read(cluster, ref), refs)


def _read_review(cluster: Cluster, ref: ObjectRef) -> Answer:
    """The API server's answer about a right."""
    try:
        return cluster.review(ref.kind, *question_of(ref))
    except ImagePullError as error:
        return error


def _read_events(cluster: Cluster, ref: ObjectRef) -> Answer:
    selector = f"involvedObject.kind=Pod,involvedObject.name={ref.name}"
    try:
        return {"items": list(cluster.list(ref.kind, namespace=ref.namespace, field_selector=selector))}
    except ImagePullError as error:
        return error


def _read_issuer(cluster: Cluster, _ref: ObjectRef) -> Answer:
    """The issuer that the API server reports or, if the caller may not ask for it, that OpenShift configures."""
    try:
        return cluster.get_path("/.well-known/openid-configuration")
    except Forbidden:
        config = _read_cluster_object(cluster, _AUTHENTICATION)
    except ImagePullError as error:
        return error
    if not isinstance(config, Mapping):
        return config or UnreadableObject("the caller may not read /.well-known/openid-configuration")
    return {"issuer": as_str(as_dict(config.get("spec")).get("serviceAccountIssuer")) or CRIO_AUDIENCE}


def _read_cluster_object(cluster: Cluster, ref: ObjectRef) -> Answer:
    try:
        if ref.name:
            return cluster.get(ref)
        return {"items": list(cluster.list(ref.kind, keep=lambda obj: trim_object(ref.kind, obj)))}
    except UnknownResource:
        return None
    except Forbidden as refusal:
        if ref.kind == NAMESPACE:  # it only decides whether a grant is offered
            cluster.forgive(refusal)
        return UnreadableObject(_MAY_NOT)
    except ImagePullError as error:
        return error


def _empty_if_unknown(ref: ObjectRef, answer: Answer) -> Answer:
    """A cluster without the kind has no object of it."""
    return _empty_answer(ref) if isinstance(answer, UnknownResource) else answer


def _empty_answer(ref: ObjectRef) -> Answer:
    """The result for a missing object. Without image streams, the cluster's registry is not OpenShift's."""
    return {} if ref.kind == IMAGE_STREAM else None
