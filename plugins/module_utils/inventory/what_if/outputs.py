# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The texts of the files for one answer. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ...core.what_if_format import WOULD_BREAK
from .junit import as_junit
from .markdown import as_markdown

__all__ = ["OUTPUTS", "render_outputs"]

#: The options that name files.
OUTPUTS = ("dest", "junit", "markdown")


def render_outputs(names: Iterable[str], document: Mapping[str, Any], failing: Sequence[str]) -> dict[str, str]:
    """Return the text of each of these outputs.

    `failing` are the answers that fail the task. Without any, `would_break` fails a case of JUnit.
    """
    texts = {
        "dest": lambda: json.dumps(document, indent=1) + "\n",
        "junit": lambda: as_junit(document, failing or (WOULD_BREAK,)),
        "markdown": lambda: as_markdown(document),
    }
    return {name: texts[name]() for name in names}
