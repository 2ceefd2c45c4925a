# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Our three modules one after the other in one Python, without Ansible around them: what they themselves take.

usage: modules.py TASKS.json, which holds a list of [MODULE, OPTIONS]
"""

from __future__ import annotations

import importlib
import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from support.modules import PACKAGE, run_module


def main() -> None:
    tasks = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    for name, _options in tasks:
        importlib.import_module(f"{PACKAGE}.{name}")
    started = time.perf_counter()
    for name, options in tasks:
        result = run_module(name, **options)
        assert not result["failed"], result["msg"]
    print(json.dumps({"seconds": time.perf_counter() - started}))


if __name__ == "__main__":
    main()
