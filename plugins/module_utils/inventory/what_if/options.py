# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read the options of `pull_access_what_if`: the kinds of changes, their options, and the facts about them that no object shows. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from ...core.documents import DECLARED, NOT_ASKED, NOT_KNOWN, WOULD_BREAK
from ...core.errors import OptionError, call_all
from ...core.names import check_path_segment
from ...core.namespaces import is_platform_namespace
from ...core.objects import Json, Kind, ObjectRef, as_dict, as_str, metadata
from ...core.text import join_and
from ...dockerconfig.registry_keys import DOCKER_HUB, host_of
from ...explain.fixes import access_options_of
from ...images import image_questions
from ...images.credential_providers import CRIO_PROVIDER
from ...images.image_questions import RegistryAccess
from ...images.image_verification import KUBELET_CONFIG
from ...images.node_registries import CLUSTER_POLICIES, IMAGE_POLICY
from ...images.nodes import CONFIG_MAP, parse_version
from ...images.references import RegistryPath
from ...images.registry_sources import IMAGE_CONFIG, MIRROR_KINDS
from ...platform.protected import NODE_SECRET
from ...rbac.subjects import PROJECT_GROUPS, Subject
from .declared import AGAINST, INVENTORY, InventoryLists, Lists, parse_inventory
from .outputs import OUTPUTS, render_outputs

_ACCOUNTS = {"namespace": {"type": "str", "required": True}, "name": {"type": "str", "required": True}}
_NAMES: dict[str, Any] = {"type": "list", "elements": "str"}
#: The options of one change. Exactly one of them is given.
CHANGE_ARGUMENTS: dict[str, Any] = {
    "unreachable_registries": _NAMES,
    "only_registries": _NAMES,
    "moved": {"type": "dict"},
    "remove_secrets": {
        "type": "dict",
        "no_log": False,
        "options": {"name": {"type": "str", "required": True}, "namespaces": _NAMES},
    },
    "remove_links": {
        "type": "dict",
        "options": {
            "secrets": {**_NAMES, "required": True, "no_log": False},
            "service_accounts": _NAMES,
            "namespaces": _NAMES,
        },
    },
    "remove_grants": {
        "type": "dict",
        "options": {
            "namespaces": _NAMES,
            "service_accounts": {"type": "list", "elements": "dict", "options": _ACCOUNTS},
            "projects": _NAMES,
            "groups": _NAMES,
        },
    },
    "remove_credential": {
        "type": "dict",
        "no_log": False,
        "options": {
            "registry": {"type": "str", "required": True},
            "username": {"type": "str", "required": True},
            "password": {"type": "str", "no_log": True},
        },
    },
    "add_objects": {
        "type": "dict",
        "mutually_exclusive": [("src", "definition")],
        "required_one_of": [("src", "definition")],
        "options": {"src": {"type": "path"}, "definition": {"type": "list", "elements": "dict"}},
    },
    "delete_objects": {
        "type": "dict",
        "options": {
            "kind": {"type": "str", "required": True},
            "names": {**_NAMES, "required": True},
            "namespace": {"type": "str"},
        },
    },
    "target_version": {"type": "str"},
    "new_nodes": {"type": "bool"},
}

#: The kinds of objects that a change can add or delete, by the name of the kind.
KINDS: Mapping[str, Kind] = {
    kind.kind: kind
    for kind in (
        *MIRROR_KINDS,
        IMAGE_CONFIG.kind,
        CLUSTER_POLICIES.kind,
        IMAGE_POLICY,
        KUBELET_CONFIG,
        CRIO_PROVIDER[0].kind,
        CONFIG_MAP,
    )
}

_CACHES = "which images the nodes have beyond those of running pods"
_LAYERS = "layers of upstream images that the integrated registry has not stored"
_LAYERS_BY_LOGIN = f"{_LAYERS}, and gets with a login of the project of the image stream"
_NODE_FILES = "registries, mirrors and logins that are set only in files of the nodes"
_STORAGE = "other hosts to which a registry sends its clients, such as storage for layers"
_UNASKED = ", unless the registries are asked"
_TOKENS = f"the host that gives out the tokens for a registry{_UNASKED}"
_AUTHORITIES = "certificate authorities that are set only in files of the nodes"
_REST = f"whether the source or mirror that is left has an image, accepts the login and is reachable{_UNASKED}"
#: The facts that decide the effect of a change, but are in no object that is read, by the option.
CANNOT_KNOW: Mapping[str, Sequence[str]] = {
    "unreachable_registries": (
        _CACHES,
        _STORAGE,
        _REST,
        _TOKENS,
        "whether the nodes trust the certificate of a mirror that they have today",
        _LAYERS,
    ),
    "only_registries": (_CACHES, _STORAGE, _REST, _AUTHORITIES, _LAYERS),
    "moved": (
        "whether everything that writes the names of images has the new ones, such as charts, operators and policies",
        "whether an image of the same tag is the same image at the new place",
        f"whether the new place has an image and accepts the login{_UNASKED}",
        _AUTHORITIES,
    ),
    "remove_secrets": (
        _CACHES,
        "which pods will be created again, for example by an eviction",
        "whether an inventory declares the secret: site would write it again, unless it has 'state: absent' there",
        _LAYERS_BY_LOGIN,
    ),
    "remove_links": ("which pods will be created again, for example by an eviction",),
    "remove_grants": (_CACHES, "rights that no role binding gives, such as those of another authorizer"),
    "remove_credential": (
        _CACHES,
        "copies of the login outside secrets of the types that nodes read",
        _LAYERS_BY_LOGIN,
    ),
    "add_objects": (
        "whether the API server and the machine config operator accept the object and when the nodes have it",
        f"the content of a mirror{_UNASKED}",
        _AUTHORITIES,
        _NODE_FILES,
    ),
    "delete_objects": ("when the nodes have the change", _REST, _AUTHORITIES, _NODE_FILES),
    "target_version": (
        "the patch number of the runtime after the upgrade",
        "the records of the kubelets about images that they have pulled",
    ),
    "new_nodes": ("images that are part of the image of a new node",),
    DECLARED: (
        _CACHES,
        "the result of the checks of 'verify', and of webhooks and quotas of the cluster",
        "secrets that the platform generates for new service accounts",
        _LAYERS_BY_LOGIN,
    ),
}


#: Changes of the registries and logins that all nodes have.
_OF_NODES = ("unreachable_registries", "only_registries", "remove_credential", "add_objects", "delete_objects")
#: Changes of the objects that an inventory declares.
_OF_INVENTORY = ("remove_secrets", "remove_links", "remove_grants", "remove_credential")


@dataclass(frozen=True)
class WhatIfChange:
    """One change. `kind` is its option, `title` names it in messages, and `value` is the content of the option.

    `usual`: the namespaces of an option without namespaces, by default all that are evaluated.
    """

    kind: str
    title: str
    value: Any = field(default=None, repr=False)
    objects: Mapping[ObjectRef, Json | None] = field(default_factory=dict, repr=False)
    inventory: InventoryLists | None = field(default=None, repr=False)
    usual: Collection[str] | None = None

    def list_unknown(self, *, asks: bool) -> list[str]:
        """Return the facts that no object shows. `asks`: registries were asked."""
        return [
            fact.replace(_UNASKED, ", if the registry did not answer") if asks else fact
            for fact in CANNOT_KNOW[self.kind]
        ]

    @property
    def version(self) -> tuple[int, int] | None:
        """Major and minor of `target_version`, otherwise None."""
        return parse_version(self.value) if self.kind == "target_version" else None

    @property
    def subjects(self) -> frozenset[Subject]:
        """The subjects of `remove_grants`. Empty means all."""
        accounts = (
            Subject("ServiceAccount", each["name"], each["namespace"]) for each in self._list("service_accounts")
        )
        groups = (Subject("Group", PROJECT_GROUPS + name) for name in self._list("projects"))
        return frozenset((*accounts, *groups, *(Subject("Group", name) for name in self._list("groups"))))

    def targets(self, namespaces: Sequence[str]) -> frozenset[str]:
        """Return the namespaces of the change: those of its option, the usual ones, or all that are evaluated."""
        given = as_dict(self.value).get("namespaces")
        return frozenset(next(each for each in (given, self.usual, namespaces) if each is not None))

    @property
    def concerns_nodes(self) -> bool:
        """Whether it changes the registries or the logins that all nodes have."""
        is_of_nodes = self.kind == "remove_secrets" and self.value["name"] == NODE_SECRET.name
        return self.kind in _OF_NODES or (is_of_nodes and NODE_SECRET.namespace in self.targets(()))

    def _list(self, option: str) -> Sequence[Any]:
        return as_dict(self.value).get(option) or ()


def parse_changes(
    given: Sequence[Mapping[str, Any]],
    read: Callable[[str], Sequence[Json]],
    declare: Callable[[Mapping[str, Any]], Lists] = lambda _given: {},
) -> list[WhatIfChange]:
    """Return the changes of the option. `read` returns the objects of a file, and `declare` the declarations of an inventory. Both raise
    OptionError if they cannot.

    :raises OptionError: with the problems of all changes.
    """
    changes, problems = [], []
    if not given:
        problems.append(
            "option 'changes' is empty: give at least one change, such as 'remove_secrets: {name: old-pull}'"
        )
    for at, each in enumerate(given):
        try:
            changes.append(_parse_change(each, read, declare))
        except OptionError as error:
            problems += [f"option 'changes[{at}]': {problem}" for problem in error.problems]
    problems += _contradictions(changes)
    if problems:
        raise OptionError(*problems)
    return changes


def _contradictions(changes: Sequence[WhatIfChange]) -> Iterator[str]:
    """An inventory is planned on the present cluster, not on the state that other changes of the same objects leave. A name is changed once."""
    kinds = [each.kind for each in changes]
    if kinds.count("moved") > 1:
        yield "option 'changes': write all places in one change 'moved', because each image moves once"
    others = [kind for kind in dict.fromkeys(kinds) if kind in _OF_INVENTORY]
    if DECLARED in kinds and (others or kinds.count(DECLARED) > 1):
        also = f", but there is {join_and(others)}" if others else " once"
        yield f"option 'changes': an inventory is planned on the present cluster, so suppose 'declared' without {join_and(_OF_INVENTORY)}{also}"


def _parse_change(
    given: Mapping[str, Any],
    read: Callable[[str], Sequence[Json]],
    declare: Callable[[Mapping[str, Any]], Lists],
) -> WhatIfChange:
    found = {name: value for name, value in given.items() if value is not None}
    if len(found) != 1:
        which = f"it has {join_and(sorted(found))}" if found else "it is empty"
        raise OptionError(
            f"each change has exactly one of {', '.join((*CHANGE_ARGUMENTS, DECLARED))}, but {which}: write each change as an item of its own"
        )
    ((kind, value),) = found.items()
    if kind == DECLARED:
        inventory = parse_inventory(kind, value, declare)
        return WhatIfChange(kind, f"the inventory is applied: {inventory}", inventory=inventory)
    if empty := [name for name, part in as_dict(value).items() if part == []]:
        raise OptionError(f"{kind}.{empty[0]} is empty: name at least one, or leave the option out")
    return _PARSERS[kind](kind, value, read)


def _parse_registries(kind: str, value: Any, _read: object) -> WhatIfChange:
    if not value:
        raise OptionError(f"{kind} is empty: name registries, such as quay.io")
    has_paths = kind == "unreachable_registries"
    places = [
        RegistryPath.parse(kind, each).text if has_paths and "/" in each else _check_host(kind, each) for each in value
    ]
    verb = "the nodes do not reach" if kind == "unreachable_registries" else "the nodes reach only"
    return WhatIfChange(kind, f"{verb} {join_and(places)}", places)


def _check_host(kind: str, registry: str) -> str:
    """Return the registry."""
    host = registry.removeprefix("*.")
    if "/" in registry or "*" in host or not host_of(host) or host not in (host_of(host), *DOCKER_HUB):
        form = "host[:port]" if kind == "only_registries" else "host[:port][/path]"
        raise OptionError(
            f"{kind}: {registry!r} is not {form}, such as quay.io, or *.example.com for all hosts below it"
        )
    return registry


def _parse_moved(kind: str, value: Any, _read: object) -> WhatIfChange:
    if not value:
        raise OptionError(
            f"{kind} is empty: give places with their new names, such as 'docker.io/bitnami: quay.io/acme/bitnami'"
        )
    parse = partial(RegistryPath.parse, kind)
    places = {parse(as_str(old)).text: parse(as_str(new)).text for old, new in value.items()}
    titles = [f"those of {old} from {new}" for old, new in places.items()]
    return WhatIfChange(kind, f"images come from new places: {join_and(titles)}", places)


def _parse_secrets(kind: str, value: Any, _read: object) -> WhatIfChange:
    check_path_segment(f"{kind}.name", value["name"])
    where = f" from {join_and(value['namespaces'])}" if value["namespaces"] else ""
    return WhatIfChange(kind, f"secret {value['name']} is deleted{where}", value)


def _parse_links(kind: str, value: Any, _read: object) -> WhatIfChange:
    accounts = value["service_accounts"]
    for name in (*value["secrets"], *(accounts or ())):
        check_path_segment(kind, name)
    whose = join_and(accounts) if accounts else "any service account"
    return WhatIfChange(kind, f"secret {join_and(value['secrets'])} is no longer linked to {whose}", value)


def _parse_grants(kind: str, value: Any, _read: object) -> WhatIfChange:
    change = WhatIfChange(kind, "", value)
    whose = join_and(sorted(map(str, change.subjects))) if change.subjects else "everyone"
    where = f"project {join_and(value['namespaces'])}" if value["namespaces"] else "any project"
    return WhatIfChange(kind, f"{whose} may no longer pull from {where}", value)


def _parse_credential(kind: str, value: Any, _read: object) -> WhatIfChange:
    host = host_of(value["registry"])
    if not host:
        raise OptionError(f"{kind}.registry: {value['registry']!r} is not host[:port], such as quay.io")
    return WhatIfChange(kind, f"{host} refuses the login of {value['username']}", {**value, "registry": host})


def _parse_added(kind: str, value: Any, read: Callable[[str], Sequence[Json]]) -> WhatIfChange:
    definitions = read(value["src"]) if value["src"] is not None else value["definition"]
    if not definitions:
        raise OptionError(f"{kind} has no object")
    objects = dict(_parse_object(kind, each) for each in definitions)
    return WhatIfChange(kind, f"added: {join_and([str(ref) for ref in objects])}", value, objects)


def _parse_object(kind: str, obj: Any) -> tuple[ObjectRef, Json]:
    found = as_dict(obj)
    of_kind = _kind_of(kind, as_str(found.get("kind")))
    given, name = found.get("apiVersion"), as_str(metadata(found).get("name"))
    if given != of_kind.api_version:
        raise OptionError(f"{kind}: a {of_kind.kind} has apiVersion {of_kind.api_version}, not {given!r}")
    namespace = as_str(metadata(found).get("namespace"))
    return _ref(kind, of_kind, namespace, name), found


def _ref(option: str, kind: Kind, namespace: str, name: str) -> ObjectRef:
    check_path_segment(f"{option} ({kind.kind})", name)
    if kind.namespaced and not namespace:
        raise OptionError(f"{option}: {kind.kind} {name} needs a namespace")
    return ObjectRef(kind, namespace if kind.namespaced else "", name)


def _kind_of(option: str, name: str) -> Kind:
    if name not in KINDS:
        raise OptionError(
            f"{option}: kind {name!r} cannot be changed in this way. The kinds are {', '.join(sorted(KINDS))}"
        )
    return KINDS[name]


def _parse_deleted(kind: str, value: Any, _read: object) -> WhatIfChange:
    of_kind = _kind_of(kind, value["kind"])
    refs = [_ref(kind, of_kind, value["namespace"] or "", name) for name in value["names"]]
    if not refs:
        raise OptionError(f"{kind}.names is empty")
    return WhatIfChange(kind, f"deleted: {join_and([str(ref) for ref in refs])}", value, dict.fromkeys(refs))


def _parse_version(kind: str, value: Any, _read: object) -> WhatIfChange:
    if parse_version(value) is None:
        raise OptionError(
            f"{kind} is {value!r}: give a version such as '4.22', or '1.35' for plain Kubernetes, in quotes"
        )
    return WhatIfChange(kind, f"upgrade to {value}", value)


def _parse_new_nodes(kind: str, value: Any, _read: object) -> WhatIfChange:
    if value is not True:
        raise OptionError(f"{kind} takes only true: leave it out otherwise")
    return WhatIfChange(kind, "all pods start on new nodes", value)


_PARSERS: Mapping[str, Callable[[str, Any, Callable[[str], Sequence[Json]]], WhatIfChange]] = {
    "unreachable_registries": _parse_registries,
    "only_registries": _parse_registries,
    "moved": _parse_moved,
    "remove_secrets": _parse_secrets,
    "remove_links": _parse_links,
    "remove_grants": _parse_grants,
    "remove_credential": _parse_credential,
    "add_objects": _parse_added,
    "delete_objects": _parse_deleted,
    "target_version": _parse_version,
    "new_nodes": _parse_new_nodes,
}


#: The answers that fail the task, by the value of `fail_on`.
_FAILING: Mapping[str, Sequence[str]] = {
    "never": (),
    "certain_break": (WOULD_BREAK,),
    WOULD_BREAK: (WOULD_BREAK, NOT_ASKED),
    NOT_KNOWN: (WOULD_BREAK, NOT_KNOWN),
}
ARGUMENTS: dict[str, Any] = {
    "changes": {"type": "list", "elements": "dict", "required": True, "options": CHANGE_ARGUMENTS},
    **image_questions.ARGUMENTS,
    "fail_on": {"type": "str", "choices": [*_FAILING], "default": "never"},
    "dest": {"type": "path"},
    "junit": {"type": "path"},
    "markdown": {"type": "path"},
}
#: Options of the inventory to compare with, besides the lists.
_AGAINST = {**INVENTORY, "on_cluster": {"type": "bool", "default": False}}
_Declare = Callable[[Mapping[str, Any]], Lists]


def with_inventories(lists: Mapping[str, Any]) -> dict[str, Any]:
    """Return `ARGUMENTS` with the options that take an inventory. `lists` are the argument specs of its lists."""
    declared = {"type": "dict", "options": {**lists, **INVENTORY}}
    given = {**ARGUMENTS["changes"], "options": {**CHANGE_ARGUMENTS, DECLARED: declared}}
    return {**ARGUMENTS, "changes": given, "against": {"type": "dict", "options": {**lists, **_AGAINST}}}


@dataclass(frozen=True)
class WhatIfQuestion:
    """The `change_set` is applied together, in the order given. `registries`: how registries are asked, None if they are not.

    `failing` are the answers that fail the task, and `NOT_ASKED`. `outputs` are the paths of the files to write, by their options, `sources` the files that
    the changes name. `against`: the inventory to compare with, which is applied to the cluster with `on_cluster`. Otherwise no cluster is
    read. `access_options` are those of `make_offer`.
    """

    change_set: Sequence[WhatIfChange]
    registries: RegistryAccess | None = None
    failing: Sequence[str] = ()
    outputs: Mapping[str, str] = field(default_factory=dict)
    sources: Sequence[str] = ()
    against: InventoryLists | None = None
    on_cluster: bool = False
    access_options: Sequence[str] = ()

    def render(self, document: Mapping[str, Any]) -> dict[str, str]:
        """Return the text of each file, by its option."""
        return render_outputs(self.outputs, document, self.failing)

    @property
    def target_version(self) -> str | None:
        """The version of the last upgrade among the changes, or None without one."""
        return next((each.value for each in reversed(self.change_set) if each.version is not None), None)

    @property
    def concerns_nodes(self) -> bool:
        """Whether a change concerns all nodes, so that the platform's namespaces are evaluated as well."""
        return any(each.concerns_nodes for each in self.change_set)

    def limit_removals(self, namespaces: Iterable[str]) -> WhatIfQuestion:
        """Return the question in these namespaces. If it concerns all nodes, a removal that names none leaves out the platform's."""
        usual = [name for name in namespaces if not is_platform_namespace(name)] if self.concerns_nodes else None
        return replace(self, change_set=[replace(each, usual=usual or None) for each in self.change_set])

    @property
    def is_about_network(self) -> bool:
        """Whether registries get out of reach, so that images count that no pod has today."""
        return any(each.kind in ("unreachable_registries", "only_registries") for each in self.change_set)

    @property
    def compared(self) -> Sequence[Lists]:
        """The declarations of the two inventories to compare without a cluster: the earlier and the later. Empty on a cluster."""
        if self.against is None or self.on_cluster:
            return []
        return [self.against.lists, *(each.inventory.lists for each in self.change_set if each.inventory is not None)]

    @property
    def inventories(self) -> Mapping[int, InventoryLists]:
        """The inventory of each change that applies one, by position. The one to compare with on a cluster is under `AGAINST`."""
        found = {at: each.inventory for at, each in enumerate(self.change_set) if each.inventory is not None}
        return {**found, AGAINST: self.against} if self.against is not None and self.on_cluster else found

    @property
    def lists(self) -> Mapping[int, Lists]:
        """The declarations of each inventory, as `inventories`."""
        return {at: each.lists for at, each in self.inventories.items()}

    @property
    def new_nodes(self) -> int | None:
        """The position of the change after which no node has an image, or None without it."""
        return next((at for at, each in enumerate(self.change_set) if each.kind == "new_nodes"), None)


def from_options(
    options: Mapping[str, Any],
    read: Callable[[str], Sequence[Json]],
    declare: _Declare = lambda _given: {},
    check: Callable[[Mapping[str, str], Sequence[str]], None] = lambda _outputs, _sources: None,
) -> WhatIfQuestion:
    """Return the question. `read` returns the objects in a file, and `declare` the declarations in an inventory.

    `check` gets the paths of the files to write, and of the files that the task reads, and raises OptionError with all its problems.

    :raises OptionError: with the problems of all options.
    """
    given, against = [as_dict(each) for each in options["changes"]], options.get("against")
    outputs, sources = {name: options[name] for name in OUTPUTS if options[name] is not None}, _sources_in(given)
    registries, changes, inventory, *_nothing = call_all(
        lambda: image_questions.access_of(options),
        lambda: parse_changes(given, read, declare),
        lambda: None if against is None else _parse_against(against, declare),
        lambda: _check_comparison(options),
        lambda: check(outputs, sources),
    )
    on_cluster = against is not None and against["on_cluster"]
    failing = _FAILING[options["fail_on"]]
    access = access_options_of(options)
    return WhatIfQuestion(changes, registries, failing, outputs, sources, inventory, on_cluster, access)


def _parse_against(against: Mapping[str, Any], declare: _Declare) -> InventoryLists:
    try:
        return parse_inventory("against", against, declare)
    except OptionError as error:
        raise OptionError(*(f"option 'against': {problem}" for problem in error.problems)) from None


def _sources_in(changes: Sequence[Mapping[str, Any]]) -> list[str]:
    """The paths of the files that the changes name."""
    added = (as_dict(each.get("add_objects")) for each in changes)
    return [source for each in added if (source := as_str(each.get("src")))]


def _check_comparison(options: Mapping[str, Any]) -> None:
    """:raises OptionError: for other changes than one inventory, and for options that need a cluster."""
    against = options.get("against")
    if against is None:
        return
    kinds = [name for change in options["changes"] for name, value in as_dict(change).items() if value is not None]
    problems = []
    if kinds != [DECLARED]:
        problems.append(
            "option 'against' compares one inventory with another: give exactly one change in option 'changes', of kind 'declared'"
        )
    if not against["on_cluster"]:
        given = {name: options[name] for name in ("fail_on", "ask_registries")}
        given["against.prune"] = against.get("prune")
        problems += [
            f"option {name!r} needs a cluster: leave it out, or set 'against.on_cluster' to true"
            for name, value in given.items()
            if value not in (False, None, "never")
        ]
    if problems:
        raise OptionError(*problems)
