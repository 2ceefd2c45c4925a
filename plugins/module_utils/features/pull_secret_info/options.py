# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the options of `pull_secret_info`. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from ...core.errors import OptionError
from ...core.names import check_name, is_pattern
from ...explain import verification
from ...explain.verification import Verification

__all__ = ["ARGUMENTS", "PullSecrets", "from_options"]

ARGUMENTS: dict[str, Any] = {
    "names": {"type": "list", "elements": "str"},
    **verification.ARGUMENTS,
}


@dataclass(frozen=True)
class PullSecrets:
    """The question. `names` are names or globs; without any, it is about all secrets with an auth file, except generated ones.

    `verification` is how their logins are checked, None for no check.
    """

    names: tuple[str, ...] = ()
    verification: Verification | None = None

    @property
    def exact(self) -> tuple[str, ...]:
        """The names if there is no glob among them, otherwise empty: only these secrets must be read."""
        return () if any(map(is_pattern, self.names)) else self.names

    def named(self, name: str) -> bool:
        """Whether a name or glob matches the name."""
        return any(fnmatchcase(name, pattern) for pattern in self.names)


def from_options(options: Mapping[str, Any]) -> PullSecrets:
    """Return the question that the options ask.

    :raises OptionError: for an empty list, invalid names, and checks that cannot work.
    """
    names = options["names"]
    if names is not None and not names:
        raise OptionError("option 'names' is empty: give at least one name or glob, or leave it out for all")
    for name in names or ():
        if not is_pattern(name):
            check_name("names", name)
    return PullSecrets(tuple(dict.fromkeys(names or ())), Verification.of(options))
