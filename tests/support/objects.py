# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects of a cluster, their encoded content, and the text of an error, as most tests need them."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

__all__ = ["auth_file", "b64", "named", "raised"]


def b64(content: Any) -> str:
    """Encode text, bytes, or the JSON of any other value."""
    if not isinstance(content, (str, bytes)):
        content = json.dumps(content)
    return base64.b64encode(
        content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass")
    ).decode()


def auth_file(user: str = "u", password: str = "p", *keys: str) -> dict[str, Any]:
    return {"auths": {key: {"auth": b64(f"{user}:{password}")} for key in keys}}


def named(*names: str) -> list[dict[str, str]]:
    """The references of a list of an account or a pod."""
    return [{"name": name} for name in names]


def raised(kind: type[BaseException] | tuple[type[BaseException], ...], call: Callable[[], object]) -> str:
    """The text of the error that the call must raise."""
    with pytest.raises(kind) as caught:
        call()
    return str(caught.value)
