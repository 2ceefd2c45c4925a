# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Name the variables for credentials: one for each login, however many secrets have it. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ...core.yaml_text import TemplateText

__all__ = ["Vault"]

_PREFIX = "vaulted"
#: Maximum number of characters of a part in a name.
_LONGEST = 48


class Vault:
    """`variables` are the credentials by name, in the order in which they were added."""

    def __init__(self) -> None:
        self.variables: dict[str, Any] = {}
        self._names: dict[tuple[str, ...], str] = {}

    def password(self, login: Mapping[str, str]) -> TemplateText:
        """Return a reference to the password. Its variable is `vaulted_REGISTRY_USER`, with a number for each further password."""
        key = ("password", login["registry"], login["username"], login["password"])
        name = self._name(key, (login["registry"], login["username"]), login["password"])
        # Before ansible-core 2.19, a template whose result looks like data becomes data.
        return TemplateText(f"{{{{ {name} | string }}}}")

    def auth_config(self, secret: str, meaning: str, config: Mapping[str, Any]) -> TemplateText:
        """Return a reference to a whole auth file. Its variable is `vaulted_SECRET_auth_config`."""
        name = self._name(("config", secret, meaning), (secret, "auth_config"), config)
        return TemplateText(f"{{{{ {name} }}}}")

    def _name(self, key: tuple[str, ...], parts: tuple[str, ...], value: Any) -> str:
        if key not in self._names:
            stem = "_".join([_PREFIX, *filter(None, map(_word, parts))])
            name, number = stem, 1
            while name in self.variables:
                number += 1
                name = f"{stem}_{number}"
            self._names[key] = name
            self.variables[name] = value
        return self._names[key]


def _word(part: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", re.sub(r"^https?://", "", part.lower())).strip("_")[:_LONGEST].strip("_")
