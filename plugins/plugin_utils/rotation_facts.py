# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The variables that a step of a rotation reads: of one host, and of the other hosts of its play. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible.module_utils.parsing.convert_bool import boolean

from ..module_utils.core.text import pluralize
from ..module_utils.features.credential_rotation.options import label_users

#: Maximum number of rows that a sentence shows, and of lines for secrets that a step prints.
SHOWN, LINES = 10, 20

Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Facts:
    """The variables of one host in a play.

    `read` returns an evaluated variable, None if it is not defined. `hosts` are the variables of all hosts of the play, and `active` are the
    hosts that have not failed. `run` runs a command on the controller, and returns its output. `inspect` returns the reason why a path on the
    controller is no file of tasks, with the whole path; empty if it is one.
    """

    read: Callable[[str], Any]
    hosts: Mapping[str, Mapping[str, Any]]
    active: Collection[str]
    run: Callable[[Sequence[str]], str]
    inspect: Callable[[str], str]

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
    def usernames(self) -> list[str]:
        """The users of the login to replace and of the login that replaces it."""
        names = [str(self.option(name)["username"]) for name in ("old", "new")]
        return names[::-1] if self.is_set("rollback") else names

    @property
    def logins(self) -> tuple[str, str]:
        """The words for the login to replace, and for the one that replaces it."""
        return word_logins(self.usernames, is_rollback=self.is_set("rollback"))

    @property
    def users(self) -> str:
        """The label of the users in the results of the module."""
        return label_users(*self.usernames)

    @property
    def is_planned(self) -> bool:
        """Whether the last plan of this host is that of this rotation. The end of a rotation can run on its own, or after another rotation."""
        plan = (self.fact("plan") or {}).get("rotation") or {}
        return plan.get("users") == self.users and {*plan.get("registries", ())} == {*self.option("registries")}

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
    def is_review(self) -> bool:
        """Whether check mode plans for a person who reads the plan first."""
        return self.is_check and bool(self.is_set("plan_only") or self.option("plan_dest"))

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


def word_logins(usernames: Sequence[str], *, is_rollback: bool) -> tuple[str, str]:
    """Return the words for the login to replace, and for the one that replaces it.

    A rollback writes the old login again, so there the user tells them apart. If the user is the same, the names of the options do.
    """
    if not is_rollback:
        return "the old login", "the new login"
    names = ("the new login", "the old login") if len({*usernames}) == 1 else ("the login", "the login")
    replaced, written = (f"{name} of {user}" for name, user in zip(names, usernames, strict=True))
    return replaced, written


def refuse(prefix: str, problems: Iterable[str]) -> str:
    """Return one text for all problems, numbered if there are several. Empty without any."""
    found = [*filter(None, problems)]
    if len(found) > 1:
        found = [f"({number}) {problem}" for number, problem in enumerate(found, 1)]
    return f"{prefix}: {'. '.join(found)}" if found else ""


def places_in(rows: Rows, most: int = SHOWN, *, joint: str = ": ", total: int = 0) -> str:
    """List the first rows, those with the same reason together. `total` counts rows that the result does not list."""
    groups: dict[str, list[str]] = {}
    for row in rows[:most]:
        groups.setdefault(row["reason"], []).append(f"{row['namespace']}/{row['secret']}")
    shown = [
        f"{', '.join(places)}{joint if len(places) == 1 else joint.replace(' has ', ' have ')}{reason}"
        for reason, places in groups.items()
    ]
    left = max(total, len(rows)) - len(rows[:most])
    return ". ".join([*shown, *([f"And {left:,} more"] if left else [])])


def tables_of(facts: Facts, looked: Mapping[str, Any]) -> list[list[str]]:
    """Return a title and a line for each secret that will be changed or needs attention. At most `LINES` secrets are listed.

    None of them stops the rotation: any user of the cluster can plant one.
    """
    login = f"{facts.usernames[0]} for {', '.join(facts.option('registries'))}"
    written = facts.logins[1] + " back" * facts.is_set("rollback")
    dest = facts.option("plan_dest")
    rest = f"the file {dest} has the others" if dest else "credential_rotation_plan_dest writes the others to a file"
    result = "the result of the task has more"
    counts = {"to_change": looked["copies"]["to_change"] if facts.is_check else 0}
    titles = {
        "to_change": ("would get {1}, instead of that of {0}", rest),
        "not_accepted": ("confirmed, with a login of {0} that no registry accepts", result),
        "other_passwords": ("confirmed, with another password of {0}", result),
        "other_users": ("named, with another user than {0}", result),
        "not_declared": ("not confirmed and not changed, with the login of {0}", rest),
    }
    blocks, left = [], LINES
    for name, (title, more) in titles.items():
        if count := counts.get(name, looked.get(f"{name}_count", 0)):
            rows = [{**row, "reason": ""} if name in counts else row for row in looked[name][:left]]
            left -= len(rows)
            blocks.append(
                _table(
                    f"{pluralize(count, 'secret')} {title.format(login, written)}",
                    rows,
                    "" if len(rows) == count else more,
                    has_plan=bool(facts.option("plan")),
                )
            )
    return blocks


def _table(title: str, rows: Rows, more: str, *, has_plan: bool) -> list[str]:
    """The reason that most rows have is in the title. A row with a fix is the line that the user copies."""
    reasons = Counter(row["reason"] for row in rows).most_common(1)
    usual = reasons[0][0] if reasons else ""
    # A plan confirms its secrets, and no others.
    confirmed = ". A plan that is written again has a row for each"
    named = ". A line with '- {' confirms its secret in credential_rotation_secrets"
    confirms = (confirmed if has_plan else named) if any(row.get("fix") for row in rows) else ""
    lines = []
    for row in rows:
        place = row.get("fix") or f"{row['namespace']}/{row.get('secret') or row['name']}"
        lines.append(place if row["reason"] == usual else f"{place} # {row['reason']}")
    shown = f" ({len(rows):,} listed, {more})" if more else ""
    return [f"{title}{shown}{': ' if usual else ''}{usual}{confirms}", *lines]
