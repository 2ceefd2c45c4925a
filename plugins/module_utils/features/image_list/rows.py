# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The images that the objects of a namespace name, each with the workload at the top, the field of the text and its owner. Pure.

The options of `pull_access_images` choose the images.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any

from ...core.errors import OptionError
from ...core.objects import POD, SECRET, Json, Kind, ObjectRef, as_dict, as_list, as_str, metadata
from ...dockerconfig.registry_keys import without_user
from ...explain.credentials import Credentials, credentials_of
from ...explain.lookup import Lookup, require_all
from ...explain.snapshot import BUILD_CONFIG, NOTE, ClusterSnapshot, NamespaceSnapshot
from ...explain.steps.providers import may_provide
from ...explain.steps.pull_secrets import explain_secret_list
from ...explain.steps.sources import resolve_short_name
from ...explain.subjects import STATUSES, ContainerPull, pulls_of_pod, pulls_of_workload
from ...explain.verdict import UNKNOWN
from ...explain.workload_pods import can_pull, explain_each, is_same_image
from ...images.credential_providers import cloud_of
from ...images.image_questions import RegistryAccess, access_of
from ...images.image_streams import IMAGE_STREAM, origin_of
from ...images.platform_images import OPERATOR
from ...images.references import Reference, RegistryPath, move_image, reference_of
from ...images.registry_sources import is_cluster_host
from ...platform.protected import NODE_SECRET
from .owners import TextNote, TextOwner, named_images_of

#: The options that name files.
OUTPUTS = ("dest", "csv", "kustomize")

#: The paths of a move: from and to.
Move = tuple[RegistryPath, RegistryPath]


@dataclass(frozen=True)
class ImageListQuestion:
    """`of` are the paths of the wanted images, empty for all images. `registries` is how registries are asked, None if they are not."""

    of: Sequence[RegistryPath] = ()
    moves: Sequence[Move] = ()
    registries: RegistryAccess | None = None
    outputs: Mapping[str, str] = field(default_factory=dict)

    def wants(self, repositories: Sequence[str]) -> bool:
        """Whether one of the repositories is wanted."""
        return not self.of or any(path.covers(each) for path in self.of for each in repositories)

    def copy_of(self, reference: Reference) -> Reference | None:
        """Return the image after the moves, or None if no move has it."""
        return move_image(reference, self.moves)


def from_options(options: Mapping[str, Any]) -> ImageListQuestion:
    """Return the question that the options ask.

    :raises OptionError: for an invalid path, and for an option that has no effect without another one.
    """
    of = [RegistryPath.parse("option 'of'", each) for each in dict.fromkeys(options["of"] or ())]
    moves, registries = [*_moves(options["to"], of)], access_of(options)
    outputs = {name: options[name] for name in OUTPUTS if options[name] is not None}
    for option, is_given in (
        ("'ask_registries: true'", registries is not None),
        ("'kustomize'", "kustomize" in outputs),
    ):
        if is_given and not moves:
            raise OptionError(
                f"option {option} needs 'to', the place of the copies, such as 'to: quay.io/acme/bitnami'"
            )
    hosts = {target.host for _source, target in moves}
    if registries is not None and len(hosts) == 1:
        registries = replace(registries, named=hosts.pop())
    return ImageListQuestion(tuple(of or [source for source, _target in moves]), tuple(moves), registries, outputs)


def _moves(given: Any, of: Sequence[RegistryPath]) -> Iterator[Move]:
    if given is None:
        return
    if isinstance(given, str) and len(of) == 1:
        yield of[0], RegistryPath.parse("option 'to'", given)
    elif isinstance(given, Mapping) and given and all(isinstance(part, str) for each in given.items() for part in each):
        for source, target in given.items():
            yield RegistryPath.parse("option 'to'", source), RegistryPath.parse("option 'to'", target)
    else:
        raise OptionError(
            "option 'to': give one path, such as quay.io/acme/bitnami, if 'of' has one path, or a mapping of paths, such as "
            "{docker.io/bitnami: quay.io/acme/bitnami}"
        )


#: Where the text is: in the present template or another object, in the template of earlier pods, or only in pods.
TEMPLATE, EARLIER, PODS = "template", "earlier_template", "pods"
_OF_PODS = TextOwner("pods")
#: Why a login of the nodes is not known.
PROVIDED = "a credential provider of the nodes may give a login"


@dataclass(frozen=True)
class ServingLogin:
    """The login that a node tries first for an image. `unknown` is the reason if it is not known. All are empty if there is none."""

    secret: str = ""
    key: str = ""
    unknown: str = ""


@dataclass(frozen=True)
class CopyAnswer:
    """`answer` is one of `COPY_ANSWERS` (`copies.py`), empty if no registry was asked, and `reason` a sentence. The digests are those of the two
    ends, empty if they are not known."""

    answer: str = ""
    reason: str = ""
    source_digest: str = ""
    copy_digest: str = ""


@dataclass(frozen=True)
class ImageUse:
    """One image of one workload. `subject` is its pull. `ref` is the workload at the top, `path` the field of the text, and `stream` the
    image stream of the image.

    `source` is the image that its tag imported. `digests` are those that run, `nodes` those on which a container with the image has started.
    `move` are the image and its copy after a move, and `copy` is the answer about the copy, if registries were asked. `doubt`: why it is not
    known whether the image is wanted, empty if it is.
    """

    subject: ContainerPull
    ref: ObjectRef
    path: str
    origin: str
    owner: TextOwner
    pods: int = 0
    digests: tuple[str, ...] = ()
    nodes: frozenset[str] = frozenset()
    stream: str = ""
    source: str = ""
    login: ServingLogin = ServingLogin()
    move: tuple[Reference, Reference] | None = None
    copy: CopyAnswer = CopyAnswer()
    doubt: str = ""

    @property
    def reference(self) -> Reference | None:
        """The parsed name. None for an invalid one."""
        return reference_of(self.subject.image)


#: The logins of a namespace, by the kind, account and list of what pulls, and the repository.
_Logins = dict[tuple[Kind, str, tuple[str, ...], str], ServingLogin]


def uses_of(place: NamespaceSnapshot, survey: ClusterSnapshot, asked: ImageListQuestion) -> list[ImageUse]:
    """Return the wanted images that the objects of the namespace name, and those of which that is not known.

    :raises ReadRequired: when more objects must be read first. All of them are then requested.
    """
    every = (_add_stream(use, survey.places) for use in _uses_in(place))
    logins: _Logins = {}
    found = explain_each(every, lambda use: _add_facts(use, survey.evidence, asked, logins))
    return [use for use in found if use is not None]


def _add_facts(use: ImageUse, evidence: Lookup, asked: ImageListQuestion, logins: _Logins) -> ImageUse | None:
    """The use with its login and its move, or None if it is not wanted. A trigger can set an image that is still blank."""
    names, doubt = _names_of(use, evidence)
    if not use.subject.image.strip() or not asked.wants([each.repository for each in names]):
        return replace(use, doubt=doubt) if doubt else None
    moves = ((name, copy) for name in names if (copy := asked.copy_of(name)))
    return replace(use, login=_login_of(use.subject, evidence, logins), move=next(moves, None))


# --- objects


def _uses_in(place: NamespaceSnapshot) -> Iterator[ImageUse]:
    covered: set[int] = set()
    for kind, workload in place.owners.creators:
        pods, earlier = place.owners.pods_of(kind, workload), place.owners.earlier_pods_of(kind, workload)
        covered.update(map(id, (*pods, *earlier)))
        yield from _uses_of_workload(place, kind, workload, pods)
        top = place.owners.top_of(kind, workload)
        for each in _running_in(place, earlier):
            yield replace(each, ref=place.ref_of(*top), origin=EARLIER, owner=top[1][NOTE].owner)
    for pod in (pod for pod in place.pods if can_pull(pod) and id(pod) not in covered):
        for each in _running_in(place, [pod]):
            yield replace(each, origin=TEMPLATE, owner=_owner_in(pod[NOTE], each.path))
    yield from chain.from_iterable(_uses_of_stream(place, stream) for stream in place.streams)
    for kind, obj in (*((BUILD_CONFIG, each) for each in place.builds), *place.operators):
        ref, note, account = place.ref_of(kind, obj), obj[NOTE], "builder" if kind == BUILD_CONFIG else ""
        for named in note.images:
            subject = ContainerPull(ref, account, named.secrets, named.location, named.image, is_pod=not account)
            yield ImageUse(subject, ref, named.field, TEMPLATE, _owner_in(note, named.field))


def _uses_of_workload(place: NamespaceSnapshot, kind: Kind, workload: Json, pods: Sequence[Json]) -> Iterator[ImageUse]:
    top = place.owners.top_of(kind, workload)
    ref, origin, paths = place.ref_of(*top), TEMPLATE if top[1] is workload else EARLIER, _paths_in(kind, workload)
    # By location, because users choose the number of containers of a template, and of its pods.
    running: dict[str, list[ImageUse]] = defaultdict(list)
    for each in _running_in(place, pods):
        running[each.subject.location].append(replace(each, ref=ref))
    for subject in pulls_of_workload(kind, workload, place.namespace):
        others, own = running.pop(subject.location, ()), list[ImageUse]()
        for each in others:
            (own if is_same_image(subject.image, each.subject.image) else running[subject.location]).append(each)
        path = paths[subject.location]
        yield _join(ImageUse(subject, ref, path, origin, _owner_in(top[1][NOTE], path)), own)
    yield from chain.from_iterable(running.values())


def _paths_in(kind: Kind, obj: Json) -> Mapping[str, str]:
    return {each.location: each.field for each in named_images_of(kind, obj)}


def _join(use: ImageUse, others: Iterable[ImageUse]) -> ImageUse:
    """The use with the pods of others."""
    every = (use, *others)
    digests = dict.fromkeys(digest for each in every for digest in each.digests)
    nodes = frozenset().union(*(each.nodes for each in every))
    return replace(use, pods=sum(each.pods for each in every), digests=tuple(digests), nodes=nodes)


def _running_in(place: NamespaceSnapshot, pods: Iterable[Json]) -> Iterable[ImageUse]:
    """The images of the pods, each once for each place in a pod, as if the pods had them without a template."""
    found: dict[tuple[str, str], ImageUse] = {}
    for pod in pods:
        paths, digests = _paths_in(POD, pod), _digests_in(pod)
        for subject in pulls_of_pod(pod, place.namespace):
            key, path = (subject.location, subject.image), paths[subject.location]
            nodes = frozenset({subject.node} - {""} if subject.is_pulled else ())
            one = ImageUse(subject, subject.ref, path, PODS, _OF_PODS, 1, digests.get(subject.location, ()), nodes)
            found[key] = _join(found[key], [one]) if key in found else one
    return found.values()


def _digests_in(pod: Json) -> Mapping[str, tuple[str, ...]]:
    """The digest of the manifest for each container that has one. Without a repository, it is the ID of the image on the node."""
    status = as_dict(pod.get("status"))
    states = [as_dict(each) for part in STATUSES for each in as_list(status.get(part))]
    found = {as_str(each.get("name")): as_str(each.get("imageID")).partition("@")[2] for each in states}
    return {name: (digest,) for name, digest in found.items() if digest}


def _uses_of_stream(place: NamespaceSnapshot, stream: Json) -> Iterator[ImageUse]:
    """An import uses all pull secrets of the namespace, even if nothing lists them."""
    ref, note = place.ref_of(IMAGE_STREAM, stream), stream[NOTE]
    secrets = tuple(each.name for each in place.secrets.values() if each.is_read and not each.is_generated)
    latest = {}
    for tag in map(as_dict, as_list(as_dict(stream.get("status")).get("tags"))):
        digests = [as_str(as_dict(item).get("image")) for item in as_list(tag.get("items"))[:1]]
        latest[f"tag {as_str(tag.get('tag'))}"] = tuple(filter(None, digests))
    for each in named_images_of(IMAGE_STREAM, stream):
        subject = ContainerPull(ref, "", secrets, each.location, each.image, is_pod=True)
        owner = _owner_in(note, each.field)
        yield ImageUse(subject, ref, each.field, TEMPLATE, owner, digests=latest.get(each.location, ()))


def _owner_in(note: TextNote, name: str) -> TextOwner:
    """The owner of one field."""
    manager = note.managers.get(name, "")
    if note.owner.kind == "unknown" and manager:
        return replace(note.owner, kind="manager", name=manager, manager=manager)
    return replace(note.owner, manager=manager)


# --- facts


def _add_stream(use: ImageUse, places: Mapping[str, NamespaceSnapshot]) -> ImageUse:
    """The use with the image stream of its image, and with the image at another registry that its tag imported."""
    given, reference = use.subject.source, use.reference
    if given is not None:
        place, name = given.stream.namespace, given.stream.name
        reference = Reference(f"/{place}/{name}", given.tag, "", is_short=False)
    elif reference is not None and is_cluster_host(reference.host):
        place, _slash, name = reference.path.partition("/")
    else:
        return use
    streams = places[place].streams if place in places else ()
    stream: Json = next((each for each in streams if metadata(each).get("name") == name), {})
    return replace(use, stream=f"{place}/{name}", source=origin_of(stream, reference))


def _names_of(use: ImageUse, evidence: Lookup) -> tuple[list[Reference], str]:
    """The complete names of the image, and that of the image that its tag imports, and why there may be others.

    A name without a registry can be in several.
    """
    reference, source = use.reference, reference_of(use.source)
    found = None if reference is None else resolve_short_name(use.subject, reference, evidence)
    names = dict.fromkeys((reference, *(found.references if found else ()), source))
    doubt = next((each.reason for each in (found.seen if found else ()) if each.verdict == UNKNOWN), "")
    return [each for each in names if each is not None], doubt


def _login_of(subject: ContainerPull, evidence: Lookup, known: _Logins) -> ServingLogin:
    """The login. The pods of a namespace often have the same list and repository, so `known` keeps the answers of one namespace."""
    reference = reference_of(subject.image)
    if reference is None:
        return ServingLogin(unknown=f"{subject.image!r} is not a valid image name")
    key = (subject.ref.kind, subject.account, subject.own, reference.repository)
    if key not in known:
        known[key] = _find_login(subject, reference, evidence)
    return known[key]


def _find_login(subject: ContainerPull, reference: Reference, evidence: Lookup) -> ServingLogin:
    own, why = read_credentials(subject, reference, evidence)
    nodes = credentials_of(NODE_SECRET.namespace, [NODE_SECRET.name], reference.repository, evidence)
    for namespace, found in ((subject.namespace, own), (NODE_SECRET.namespace, nodes)):
        if why := why or _why_unknown(found):
            return ServingLogin(unknown=why)
        for login in found.usable_logins:
            return ServingLogin(f"{namespace}/{login.secret}", without_user(login.key))
    return ServingLogin(unknown=explain_other_login(subject, reference, evidence, only_clouds=True))


def explain_other_login(
    subject: ContainerPull, reference: Reference, evidence: Lookup, *, only_clouds: bool = False
) -> str:
    """Return why a login that no secret shows may serve the image. Empty if nothing speaks for one.

    `only_clouds`: only the registry of a cloud may have one. Others need the files of the kubelets.

    :raises ReadRequired: when objects have to be read first.
    """
    if subject.ref.kind == OPERATOR:
        return "the operator chooses the account that pulls its related images"
    may_be = cloud_of(reference.repository) or not only_clouds
    return PROVIDED if may_be and may_provide(subject, reference, evidence) else ""


def read_credentials(subject: ContainerPull, reference: Reference, evidence: Lookup) -> tuple[Credentials, str]:
    """Return the credentials of the pod, and why they are not known, or not used. The pull secret of the nodes is known then.

    :raises ReadRequired: when secrets have to be read first.
    """
    names, seen = explain_secret_list(subject, evidence)
    require_all(evidence, [*(ObjectRef(SECRET, subject.namespace, name) for name in names), NODE_SECRET])
    found = credentials_of(subject.namespace, names, reference.repository, evidence)
    return found, seen.reason if seen.verdict else _why_unknown(found)


def _why_unknown(found: Credentials) -> str:
    """An unparsable secret stops each pull."""
    bad = [*found.in_state("unparsable"), *found.in_state("unread")]
    return f"secret {bad[0].name}: {bad[0].detail}" if bad else ""
