# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No seed of the simulation breaks a law. A failure prints the command that plays it again, and its history."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.simulation import simulate

#: Seeds of `make test`, with those that find a past fault or have found one. `make test-all` plays more, and other ones.
FEW, MANY = (*range(19), 39, 79, 1112), range(1000, 2000)


@pytest.mark.parametrize("seed", FEW)
def test_no_law_is_broken(seed: int) -> None:
    simulate(seed).check()


@pytest.mark.slow
@pytest.mark.parametrize("first", MANY[::50])
def test_no_law_is_broken_in_many_seeds(first: int) -> None:
    for seed in range(first, first + 50):
        simulate(seed).check()


def test_a_seed_is_always_the_same_history() -> None:
    """In other processes, sets and mappings have another order."""
    tests = str(Path(__file__).parents[1])
    told = [
        subprocess.run(
            [sys.executable, "-m", "support.simulation", "SEED=8"],
            env={
                **os.environ,
                "PYTHONPATH": f"{tests}{os.pathsep}{os.environ['PYTHONPATH']}",
                "PYTHONHASHSEED": number,
            },
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for number in ("1", "2")
    ]
    assert told[0] == told[1]
    assert "pull_access_prune ends" in told[0]
