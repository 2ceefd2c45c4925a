# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs one module in a separate process, so that it can be killed.

usage: python -m support.module_process MODULE OPTIONS.json [SECONDS TO WAIT FOR AN API SERVER]
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.kube import requester

from support.modules import run_module


def main() -> int:
    name, options = sys.argv[1], json.loads(Path(sys.argv[2]).read_text(encoding="utf-8"))
    for seconds in sys.argv[3:]:
        requester._PATIENCE_SECONDS = float(seconds)
    result = run_module(name, **options)
    print(json.dumps(result))
    return 1 if result["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
