# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The questions of the proofs about what-if answers: configurations of the cluster, and changes of all kinds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .lab import Lab
from .modules import run_module
from .registry_settings import registry_settings
from .supposed_changes import image_config, made, mirror_set, signature_policy
from .supposed_pods import NEVER, PRIVATE_AUTHORITY

__all__ = [
    "LOGIN",
    "MIRRORS",
    "PLAIN",
    "ROUNDS",
    "TRUSTING",
    "Base",
    "Changes",
    "Names",
    "Round",
    "added",
    "ask_what_if",
    "pulls_of",
    "users_of",
]

Changes = list[dict[str, Any]]
Names = Mapping[str, str]


def users_of(lab: Lab) -> dict[str, str]:
    """Return the names of the accounts that the rounds use: of the private registry that of the nodes and that of the pods, and another one
    of the pods. And the authority of the second address of the private registry."""
    users = [account["username"] for account in lab.registry("private")["accounts"]]
    return {
        "nodes_user": users[0],
        "user": users[1],
        "other_user": lab.registry("delegated")["accounts"][1]["username"],
        "authority": Path(lab.registry("private")["untrusted_ca"]).read_text(),
    }


def added(*objects: dict[str, Any]) -> Changes:
    return [{"add_objects": {"definition": [*objects]}}]


def deleted(kind: str, *names: str, **more: str) -> Changes:
    return [{"delete_objects": {"kind": kind, "names": [*names], **more}}]


def mirrors(names: Names) -> list[dict[str, Any]]:
    """The mirror sets of the base with mirrors."""
    to = f"{names['private']}/team"
    return [
        mirror_set("tag", "tags", f"{names['source']}/team", to),
        mirror_set("digest", "digests", f"{names['source']}/team", f"{names['delegated']}/nowhere", to),
        mirror_set("digest", "never", names["never"], names["delegated"], never_source=True),
    ]


@dataclass(frozen=True)
class Base:
    """The configuration of the cluster before the changes. `nodes_login` is the registry for which the nodes have a login."""

    title: str
    objects: Callable[[Names], Sequence[dict[str, Any]]] = lambda _names: ()
    nodes_login: str = ""

    @contextmanager
    def applied(self, lab: Lab, names: Names, logins: Mapping[str, tuple[str, str]] | None = None) -> Iterator[None]:
        """Apply the configuration until the end of the block. `logins` replace those of the nodes."""
        account = lab.registry("private")["accounts"][0]
        login = {names[self.nodes_login]: (account["username"], account["password"])} if self.nodes_login else {}
        objects = self.objects(names)
        with (
            registry_settings(lab, node=login if logins is None else logins),
            made(lab, added(*objects) if objects else []),
        ):
            yield


@dataclass(frozen=True)
class Round:
    """Questions in namespaces of their own. `changes` concern the whole cluster. `local`: the least and most changes of each pod. `images`: more
    images of its pods. `is_platform`: its namespaces are the platform's, and the question names none."""

    title: str
    base: Base
    changes: Callable[[Names, Sequence[str]], Changes]
    local: tuple[int, int] = (0, 1)
    images: Sequence[str] = ()
    is_platform: bool = False

    @property
    def is_mirrored(self) -> bool:
        """Whether its pods also use images that only mirrors have."""
        return self.base == MIRRORS or "mirrors" in self.title

    @property
    def has_search(self) -> bool:
        """Whether the cluster has search registries before and after the changes."""
        return self.base == SEARCH


PLAIN = Base("no settings")
LOGIN = Base("nodes with a login", nodes_login="private")
MIRRORS = Base("mirrors", mirrors, "private")
BLOCKED = Base("blocked registries", lambda names: [image_config(blockedRegistries=[names["delegated"]])], "delegated")
SIGNED = Base("image policies", lambda names: [signature_policy("app", f"{names['private']}/team/app")])


def trusted(names: Names) -> list[dict[str, Any]]:
    """The image config with an authority for the second address of the private registry."""
    config = image_config()
    config["spec"]["additionalTrustedCA"] = {"name": "site-ca"}
    meta, key = {"name": "site-ca", "namespace": "openshift-config"}, names["untrusted"].replace(":", "..")
    return [
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {key: names["authority"]}},
        config,
    ]


#: Images of the registry whose token service is another host.
_DELEGATED = ("{delegated}/team/app:v1",) * 16
TRUSTING = Base("an authority", trusted)


def search(names: Names, *registries: str) -> dict[str, Any]:
    """The image config with these search registries."""
    return image_config(containerRuntimeSearchRegistries=[names[each] for each in registries])


SEARCH = Base("search registries", lambda names: [search(names, "delegated", "private")])

NODES_SECRET = {"remove_secrets": {"name": "pull-secret", "namespaces": ["openshift-config"]}}


def refused(lab_account: str, registry: str) -> Callable[[Names, Sequence[str]], Changes]:
    return lambda names, _namespaces: [
        {"remove_credential": {"registry": names[registry], "username": names[lab_account]}}
    ]


def closed_path(names: Names, _namespaces: Sequence[str]) -> Changes:
    return [{"unreachable_registries": [f"{names['private']}/team"]}]


ROUNDS = (
    Round("nothing else", PLAIN, lambda _names, _namespaces: [{"new_nodes": True}], (1, 2)),
    Round("an upgrade", PLAIN, lambda _names, _namespaces: [{"target_version": "4.22"}], (1, 2)),
    Round("a login", PLAIN, refused("user", "private")),
    Round("a closed registry", PLAIN, lambda names, _: [{"unreachable_registries": [names["delegated"]]}]),
    Round("a closed path", PLAIN, closed_path),
    Round("a closed path of a mirror", MIRRORS, closed_path),
    Round(
        "images move from a closed path",
        LOGIN,
        lambda names, _: [*closed_path(names, ()), {"moved": {f"{names['private']}/team": f"{names['delegated']}/team"}}],
    ),
    Round(
        "images move to a path without a copy",
        PLAIN,
        lambda names, _: [{"moved": {names["private"]: f"{names['delegated']}/nowhere", names["delegated"]: names["private"]}}],
    ),
    Round(
        "images move to a registry with another authority",
        PLAIN,
        lambda names, _: [{"moved": {f"{names['private']}/team": f"{names['untrusted']}/team"}}],
    ),
    Round("the nodes' secret", LOGIN, lambda _names, _namespaces: [NODES_SECRET]),
    Round(
        "the nodes' secret and the platform",
        LOGIN,
        lambda _names, _namespaces: [NODES_SECRET],
        images=("{private}/team/app:v1",) * 16,
        is_platform=True,
    ),
    Round(
        "a closed registry and the platform",
        PLAIN,
        lambda names, _: [{"unreachable_registries": [names["private"]]}],
        is_platform=True,
    ),
    Round("the nodes' login", LOGIN, refused("nodes_user", "private")),
    Round(
        "a closed token service",
        PLAIN,
        lambda names, _: [{"unreachable_registries": [names["realm"]]}],
        (0, 0),
        _DELEGATED,
    ),
    Round(
        "only registries with their token services",
        LOGIN,
        lambda names, _: [{"only_registries": [names["delegated"], names["realm"], names["integrated"]]}],
        images=_DELEGATED,
    ),
    Round(
        "no authority", TRUSTING, lambda _names, _namespaces: added(image_config()), images=PRIVATE_AUTHORITY
    ),
    Round(
        "no authorities",
        TRUSTING,
        lambda _names, _namespaces: deleted("ConfigMap", "site-ca", namespace="openshift-config"),
        images=PRIVATE_AUTHORITY,
    ),
    Round(
        "only some registries",
        LOGIN,
        lambda names, _: [{"only_registries": [names["delegated"], names["integrated"]]}],
        images=_DELEGATED,
    ),
    Round("added mirrors", LOGIN, lambda names, _namespaces: added(*mirrors(names))),
    Round(
        "a mirror of a closed registry",
        LOGIN,
        lambda names, _namespaces: [
            {"unreachable_registries": [names["delegated"]]},
            *added(mirror_set("tag", "closed", names["delegated"], names["private"])),
        ],
    ),
    Round(
        "a mirror instead of the registry",
        LOGIN,
        lambda names, _: added(mirror_set("tag", "instead", names["private"], names["delegated"], never_source=True)),
    ),
    Round("deleted mirrors", MIRRORS, lambda _names, _namespaces: deleted("ImageDigestMirrorSet", "digests", "never")),
    Round("a closed mirror", MIRRORS, lambda names, _namespaces: [{"unreachable_registries": [names["private"]]}]),
    Round("the login for a mirrored registry", MIRRORS, refused("other_user", "delegated")),
    Round("the login for a mirror", MIRRORS, refused("nodes_user", "private")),
    Round(
        "an old mirror set",
        MIRRORS,
        lambda names, _: [
            *deleted("ImageTagMirrorSet", "tags"),
            *added(mirror_set("old", "old", f"{names['source']}/team", f"{names['delegated']}/team")),
        ],
    ),
    Round(
        "a blocked mirror", MIRRORS, lambda names, _: added(image_config(blockedRegistries=[f"{names['private']}/team"]))
    ),
    Round(
        "allowed registries without the mirror",
        MIRRORS,
        lambda names, _: added(
            image_config(allowedRegistries=[names["source"], names["never"], names["delegated"], names["integrated"]])
        ),
    ),
    Round("other search registries", SEARCH, lambda names, _namespaces: added(search(names, "delegated"))),
    Round("the login for a search registry", SEARCH, refused("user", "private")),
    Round(
        "a mirror of a search registry",
        SEARCH,
        lambda names, _: added(
            mirror_set("tag", "search", names["private"], f"{names['delegated']}/nowhere", never_source=True)
        ),
    ),
    Round("no blocked registry", BLOCKED, lambda _names, _namespaces: added(image_config())),
    Round(
        "another blocked registry",
        BLOCKED,
        lambda names, _: added(image_config(blockedRegistries=[f"{names['private']}/team"])),
    ),
    Round(
        "few allowed registries",
        BLOCKED,
        lambda names, _: added(image_config(allowedRegistries=[names["delegated"], names["integrated"]])),
    ),
    Round("no policy", SIGNED, lambda _names, _namespaces: deleted("ClusterImagePolicy", "app")),
    Round("a policy", SIGNED, lambda names, _namespaces: added(signature_policy("more", names["delegated"]))),
    Round(
        "a policy of the namespace",
        SIGNED,
        lambda names, namespaces: added(
            *(signature_policy("own", f"{names['integrated']}/project-b", each) for each in namespaces)
        ),
    ),
)  # fmt: skip


def ask_what_if(
    lab: Lab, changes: Changes, namespaces: Sequence[str] | None, *, asks: bool = True
) -> dict[tuple[str, str, str], Any]:
    """Return the answers by kind, name and container or volume, in these namespaces or everywhere. Pulls that no change affects are only counted."""
    authorities = lab.dir / "every-authority.crt"
    authorities.write_text(Path(lab.data["ca_cert"]).read_text() + users_of(lab)["authority"])
    result = run_module(
        "pull_access_what_if",
        kubeconfig=lab.kubeconfig,
        namespaces=None if namespaces is None else [*namespaces, "project-b"],
        changes=changes,
        ask_registries=asks,
        realm_hosts=[*lab.registry_hosts, NEVER],
        registry_ca_cert=str(authorities),
    )
    assert not result["failed"], result["msg"]
    rows = result["what_if"]["containers"]
    return {(row["kind"], row["name"], row["container"] or row["volume"]): row for row in rows}


def pulls_of(lab: Lab, places: Sequence[tuple[str, str]], *options: str) -> dict[tuple[str, str], dict[str, bool]]:
    """Whether a node gets each image of these pods. Without an option it has no image."""
    done = lab.pull_all(places, *options)
    return {
        place: {each.get("volume") or "judged": each["pulled"] for each in one["images"]}
        for place, one in zip(places, done, strict=True)
    }
