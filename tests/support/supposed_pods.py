# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Creates pods and deployments for what-if questions on the lab, each with changes of its own."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

from .generated_pods import AT_ONCE, KEYS, KINDS, LOGINS, VOLUME, Pods, SecretCase
from .lab import Lab, pull_names
from .registry_settings import auth_file, pull_secret
from .supposed_changes import make_change

__all__ = ["LOCAL", "NEVER", "PRIVATE_AUTHORITY", "SupposedCase", "SupposedPods", "names_of", "supposed_cases"]

#: An address without a listener that needs no name resolution.
NEVER = "127.0.0.9:5002"

#: The changes that concern one case only.
LOCAL = ("remove_secrets", "remove_links", "remove_grants")
_GRANTED = "{integrated}/project-b/app:v1"
_IMAGES = (
    *("{private}/team/app:v1",) * 8, *("{delegated}/team/app:v1",) * 4, *(_GRANTED,) * 4,
    *("{private}/team/app@{digest}",) * 2, "{private}/team/app:v1@{digest}", "{private}/other/app:v1",
    "{integrated}/project-b/app:none", "{private}/Team/app:v1",
)  # fmt: skip
#: Images that only mirrors have: of a path that the registry does not have, and of a registry without a listener.
#: Images without a registry. The secret with a login for each registry has one for Docker Hub, which the private registry accepts.
_SHORT = (*("team/app:v1",) * 3, "team/app@{digest}", "other/app:v1")
_MIRRORED = (*("{source}/team/app:v1",) * 4, *("{source}/team/app@{digest}",) * 4, "{never}/team/app@{digest}")
#: Images of a registry whose authority only an object of the cluster names.
PRIVATE_AUTHORITY = ("{untrusted}/team/app:v1",) * 8
#: The secret with a login for each registry.
_RIGHT = SecretCase(KINDS[0], ())


@dataclass(frozen=True)
class SupposedCase:
    """`lists`: whether the pod or its account lists the secrets. `volume` is the image of a mounted image volume, empty without one.

    `changes` are the kinds of changes that concern this case only, each with the position of the secret.
    """

    secrets: tuple[SecretCase, ...]
    lists: str
    image: str
    volume: str
    may_pull_project_b: bool
    changes: tuple[tuple[str, int], ...]


def names_of(lab: Lab) -> dict[str, str]:
    """Return the values for the names in braces."""
    hosts = {name: lab.registry(name)["host"] for name in ("private", "delegated", "integrated")}
    bare, _colon, port = hosts["private"].partition(":")
    (digest,) = {lab.sign("team/app:v1", registry=name)["image"] for name in ("private", "delegated")}
    source = f"{hosts['delegated']}/lost"
    more = {"untrusted": lab.registry("private")["untrusted_host"], "realm": lab.registry("delegated")["realm_host"]}
    return {**hosts, **more, "bare": bare, "port": port, "source": source, "never": NEVER, "digest": digest}


def supposed_cases(
    count: int,
    seed: str,
    first: str,
    *,
    with_mirrors: bool,
    changes: tuple[int, int],
    has_search: bool = False,
    more: Sequence[str] = (),
) -> list[SupposedCase]:
    """Return a number of cases, the same ones for the same seed. `changes`: the least and most changes of a case. `more`: additional images.

    The first case works until its only change, of the kind `first`, is made. `has_search`: the cluster has search registries.
    """
    choice = random.Random(seed)
    images = (*_IMAGES, *(_MIRRORED * 2 if with_mirrors else ()), *(_SHORT * 6 if has_search else ()), *more)
    image = _GRANTED if first == "remove_grants" else _IMAGES[0]
    simple = SupposedCase((_RIGHT,), "account", image, "", True, ((first, 0),))
    return [simple, *(_case(choice, images, changes) for _number in range(count - 1))]


def _case(choice: random.Random, images: Sequence[str], changes: tuple[int, int]) -> SupposedCase:
    local = choice.sample(LOCAL, choice.randint(*changes))
    needs_grant = "remove_grants" in local  # a removed grant matters for images of the integrated registry
    return SupposedCase(
        tuple(_secret(choice) for _number in range(choice.choice((1, 1, 1, 2)))),
        "account" if needs_grant else choice.choice(("account", "account", "pod")),
        _GRANTED if needs_grant else choice.choice(images),
        choice.choice(("", "", "", choice.choice(images))),
        needs_grant or choice.random() < 0.8,
        tuple((kind, choice.randint(0, 1)) for kind in local),
    )


def _secret(choice: random.Random) -> SecretCase:
    """Most secrets are right, because a change breaks nothing that is broken already."""
    if choice.random() < 0.75:
        return _RIGHT
    keys = dict.fromkeys(choice.choices(KEYS, k=choice.choice((1, 1, 2, 3))))
    return SecretCase(choice.choice(KINDS), tuple((key, choice.choice(LOGINS)) for key in keys))


#: The hosts of a registry that take its logins.
_DOORS = ("host", "untrusted_host")


class SupposedPods(Pods):
    """The cases of some namespaces on a lab, by number.

    Pod, deployment, account and secrets of case 7 are `p-7`, `d-7`, `a-7` and `s-7-0`, ... `n-7` is the pod that the deployment would
    create after the change.
    """

    def __init__(self, lab: Lab, cases: Mapping[int, SupposedCase], names: Mapping[str, str], *namespaces: str) -> None:
        super().__init__(lab, cases, dict(names))  # type: ignore[arg-type]
        self.cases: Mapping[int, SupposedCase] = cases  # type: ignore[assignment]
        self.namespaces = [*namespaces]
        self._homes = dict(zip(cases, itertools.cycle(namespaces), strict=False))
        #: The new names of places, for the pods that are created from now on.
        self.moved: Mapping[str, str] = {}

    def place(self, number: int) -> tuple[str, str]:
        return self._homes[number], f"p-{number}"

    def make(self) -> None:
        for name in self.namespaces:
            self.lab.namespace(name, wait=False)
        for step in (self._account, self._provisioned, self._secrets_and_grant, self._link, self._pod):
            self.each(step)

    def each(self, step: Callable[[int], Any]) -> list[Any]:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            return list(pool.map(step, self.cases))

    def _secret(self, name: str, case: SecretCase) -> dict[str, Any]:
        if case != _RIGHT:
            return super()._secret(name, case)
        registries = [self.lab.registry(each) for each in ("private", "delegated")]
        logins = {each[part]: each["accounts"][1] for each in registries for part in _DOORS if each.get(part)}
        logins["docker.io"] = registries[0]["accounts"][1]
        return pull_secret(name, auth_file({host: (one["username"], one["password"]) for host, one in logins.items()}))

    def _link(self, number: int) -> None:
        if self.cases[number].lists == "account":
            self.lab.set_account(self._homes[number], f"a-{number}", imagePullSecrets=self._names(number))

    def _pod(self, number: int) -> None:
        self.create_pod(number, f"p-{number}")
        labels = {"case": str(number)}
        template = {"metadata": {"labels": labels}, "spec": self._spec(number)}
        spec = {"replicas": 0, "selector": {"matchLabels": labels}, "template": template}
        path = f"/apis/apps/v1/namespaces/{self._homes[number]}/deployments"
        self.lab.api("POST", path, {"metadata": {"name": f"d-{number}"}, "spec": spec})

    def create_pod(self, number: int, name: str) -> str:
        """Create a pod with the present list of its account, which the API server reads from a cache. Return its name."""
        namespace = self._homes[number]
        names = itertools.chain([name], (f"{name}-{again}" for again in itertools.count()))
        made: list[str] = []

        def has_present_list() -> bool:
            made.append(next(names))
            body = {"metadata": {"name": made[-1]}, "spec": self._spec(number)}
            pod = self.lab.create(namespace, "pods", body)
            own = self.cases[number].lists == "pod"
            wanted = self._names(number) if own else pull_names(self.lab.account(namespace, f"a-{number}"))
            return sorted(pull_names(pod["spec"])) == sorted(wanted)

        self.lab.until(has_present_list, f"a pod of case {number} has the present list")
        return made[-1]

    def next_pod(self, number: int) -> str:
        """Create the present pod again if an image of it moves, with the list of secrets that it has. Return the name of the pod to judge."""
        namespace, name = self.place(number)
        if not (self.is_moved(self.cases[number].image) or self.is_moved(self.cases[number].volume)):
            return name
        listed = self.lab.get(namespace, "pods", name)["spec"].get("imagePullSecrets", [])
        body = {"metadata": {"name": f"m-{number}"}, "spec": {**self._spec(number), "imagePullSecrets": listed}}
        self.lab.create(namespace, "pods", body)
        return f"m-{number}"

    def is_moved(self, image: str) -> bool:
        return self._name_of(image) != image.format(**self.names)

    def _name_of(self, image: str) -> str:
        name = image.format(**self.names)
        place = next((each for each in self.moved if name.startswith(f"{each}/")), "")
        return f"{self.moved[place]}{name[len(place) :]}" if place else name

    def _spec(self, number: int) -> dict[str, Any]:
        case = self.cases[number]
        judged: dict[str, Any] = {"name": "judged", "image": self._name_of(case.image)}
        judged["imagePullPolicy"] = self._pull_policy(number)
        spec: dict[str, Any] = {"serviceAccountName": f"a-{number}", "containers": [judged]}
        if case.volume:
            volume = {"reference": self._name_of(case.volume), "pullPolicy": self._pull_policy(number)}
            spec["volumes"] = [{"name": VOLUME, "image": volume}]
            judged["volumeMounts"] = [{"name": VOLUME, "mountPath": "/files"}]
        if case.lists == "pod":
            spec["imagePullSecrets"] = [{"name": each} for each in self._names(number)]
        return spec

    def _pull_policy(self, _number: int) -> str:
        return "Always"

    # --- changes

    def changes(self, number: int) -> list[dict[str, Any]]:
        """The changes of one case, as items of the option `changes`."""
        return [self._change(kind, number, position) for kind, position in self.cases[number].changes]

    def _change(self, kind: str, number: int, position: int) -> dict[str, Any]:
        namespace, names = self._homes[number], self._names(number)
        secret = names[position % len(names)]
        values: Mapping[str, dict[str, Any]] = {
            "remove_secrets": {"name": secret, "namespaces": [namespace]},
            "remove_links": {"secrets": [secret], "service_accounts": [f"a-{number}"], "namespaces": [namespace]},
            "remove_grants": {
                "namespaces": ["project-b"],
                "service_accounts": [{"namespace": namespace, "name": f"a-{number}"}],
            },
        }
        return {kind: values[kind]}

    def change(self) -> None:
        """Make the changes of all cases, those of grants together: each reads all bindings of the project."""
        made = [each for number in self.cases for each in self.changes(number)]
        grants = [each["remove_grants"] for each in made if "remove_grants" in each]
        if grants:
            accounts = [account for each in grants for account in each["service_accounts"]]
            make_change(self.lab, {"remove_grants": {**grants[0], "service_accounts": accounts}})
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(partial(make_change, self.lab), (each for each in made if "remove_grants" not in each)))
