# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The variables that a step of a rotation reads: of one host, and of the other hosts of its play. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible.module_utils.parsing.convert_bool import boolean

__all__ = ["SHOWN", "Facts", "Rows", "places_in", "refuse", "tables_of"]

#: Maximum number of rows that a sentence shows.
SHOWN = 10

Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Facts:
    """The variables of one host in a play.

    `read` returns an evaluated variable, None if it is not defined. `hosts` are the variables of all hosts of the play, and `active` are the
    hosts that have not failed.
    """

    read: Callable[[str], Any]
    hosts: Mapping[str, Mapping[str, Any]]
    active: Collection[str]

    def option(self, name: str) -> Any:
        return self.read(f"credential_rotation_{name}")

    def fact(self, name: str) -> Any:
        return self.read(f"__credential_rotation_{name}")

    def is_set(self, name: str) -> bool:
        """Whether an option is true. As in Ansible, words such as `yes` are true, and unknown words are false."""
        return bool(boolean(self.option(name), strict=False))

    def allows(self, what: str) -> bool:
        """Whether the option `allow` has this word. As in Ansible, a text with commas is also a list."""
        given = self.option("allow")
        return what in (map(str.strip, given.split(",")) if isinstance(given, str) else given)

    @property
    def plan(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.fact("plan")["rotation"]
        return found

    @property
    def seen(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.fact("seen")["rotation"]
        return found

    @property
    def is_check(self) -> bool:
        return bool(self.read("ansible_check_mode"))

    @property
    def is_planned(self) -> bool:
        """Whether the last plan of this host is that of this rotation. The end of a rotation can run on its own, or after another rotation."""
        return bool((self.fact("planned") or {}).get("key") == self.fact("key"))

    @property
    def first(self) -> Mapping[str, Any]:
        """The first state that is known of the cluster."""
        return self.plan if self.is_planned else self.seen

    @property
    def has_password(self) -> bool:
        return bool(self.option("old").get("password"))

    @property
    def has_retirement(self) -> bool:
        """Whether tasks are given that disable the old login."""
        return bool(self.option("retire_tasks"))

    @property
    def retires(self) -> bool:
        return self.has_retirement and not self.is_set("rollback")

    @property
    def is_retired(self) -> bool:
        """Whether the old login must be refused at the end. Without retire tasks, it was disabled before."""
        return self.is_set("verify_revoked") or self.has_retirement

    @property
    def may_retire_now(self) -> bool:
        return self.retires and not self.is_check

    @property
    def waits(self) -> bool:
        return self.may_retire_now and not self.is_set("emergency")

    @property
    def has_guard(self) -> bool:
        return str(self.option("guard")) in ("what_if", "what_if_strict") and self.has_retirement

    @property
    def changes_nodes(self) -> bool:
        return self.is_set("nodes") and bool(self.plan["nodes"])

    @property
    def lost_hosts(self) -> list[str]:
        return [host for host in self.hosts if host not in self.active]


def refuse(prefix: str, problems: Iterable[str]) -> str:
    """Return one text for all problems, empty without any."""
    found = [*filter(None, problems)]
    return f"{prefix}: {'. '.join(found)}" if found else ""


def places_in(rows: Rows, most: int = SHOWN, *, joint: str = ": ", total: int = 0) -> str:
    """List the first rows. `total` counts rows that the result does not list."""
    shown = [f"{row['namespace']}/{row['secret']}{joint}{row['reason']}" for row in rows[:most]]
    left = max(total, len(rows)) - len(shown)
    return ". ".join([*shown, *([f"And {left:,} more"] if left else [])])


def tables_of(looked: Mapping[str, Any]) -> list[Any]:
    """Secrets that need attention. None of them stops the rotation: any user of the cluster can plant one."""
    titles = {
        "not_declared": "unconfirmed secrets with the old login",
        "not_accepted": "confirmed secrets with a login that no registry accepts",
        "other_users": "named secrets with another user",
    }
    return [{title: looked[name]} for name, title in titles.items() if looked[f"{name}_count"]]
