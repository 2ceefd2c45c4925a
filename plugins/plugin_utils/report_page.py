# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The template of the report's page, with its style and its program. Only Ansible's own process has these files, and Jinja.

The policy in the page's head allows only this one program and this one style. Text of a cluster is data of the template, and never a part
of it.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from ..module_utils.core.text import escape_invisible, pluralize

_DIRECTORY = Path(__file__).parent / "pull_report"


def page_renderer() -> Callable[..., str]:
    """Return the function that renders the page from the variables of its template."""
    html, *others = ((_DIRECTORY / f"page.{kind}").read_text(encoding="utf-8") for kind in ("html", "css", "js"))
    style, program = (f"\n{content}" for content in others)
    environment = Environment(
        autoescape=True,
        finalize=_make_visible,
        keep_trailing_newline=True,
        lstrip_blocks=True,
        trim_blocks=True,
        undefined=StrictUndefined,
    )
    filters: dict[str, Callable[..., Any]] = {"counted": pluralize, "number": "{:,}".format}
    environment.filters |= filters
    policy = f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(program)}; base-uri 'none'; form-action 'none'"
    return partial(environment.from_string(html).render, style=style, program=program, policy=policy)


def _make_visible(value: Any) -> Any:
    """Return each text that is not markup with visible characters. Jinja escapes it afterwards."""
    return escape_invisible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _hash(content: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"
