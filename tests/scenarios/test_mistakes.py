# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""For each mistake of tests/scenarios/mistakes, the message names the problem, its place and the fix, and nothing is written before it.

With `--show FILE`, the commands and their messages are written to a file, for readers who have not seen the code.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from support.lab import Lab
from support.mistakes import Mistake, answers_of, as_text, read_mistakes
from support.playbooks import ROOT

MISTAKES = read_mistakes()
RUNS = {one.run: [other for other in MISTAKES if other.run == one.run] for one in MISTAKES}


@pytest.fixture(scope="module")
def answered(
    lab: Lab, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Callable[[Mistake], str]:
    """Return the message for a mistake. The first question plays the mistakes of the same run."""
    found: dict[str, str] = {}
    shown = request.config.getoption("--show")

    def answer(mistake: Mistake) -> str:
        if mistake.name not in found:
            folder = tmp_path_factory.mktemp("mistakes")
            try:
                of_run = answers_of(lab, folder, RUNS[mistake.run])
            except AssertionError as error:  # the same for each of its mistakes
                of_run = {one.name: str(error) for one in RUNS[mistake.run]}
            found.update(of_run)
            if shown:
                with Path(shown).open("a", encoding="utf-8") as file:
                    file.writelines(as_text(one, of_run[one.name]) for one in RUNS[mistake.run])
        return found[mistake.name]

    return answer


#: Older cores make a text of a templated number, which is then a valid version.
NUMBERS = {"what_if_version_as_number"}
ROWS = [
    pytest.param(one, id=one.name, marks=[pytest.mark.newest_core] if one.name in NUMBERS else []) for one in MISTAKES
]


@pytest.mark.parametrize("mistake", ROWS)
def test_the_message_names_the_mistake_its_place_and_the_fix(
    answered: Callable[[Mistake], str], mistake: Mistake
) -> None:
    message = answered(mistake)
    assert mistake.missing(message) == [], message


def test_the_table_has_a_hundred_mistakes_of_each_playbook_and_role() -> None:
    assert len({one.name for one in MISTAKES}) == len(MISTAKES) >= 100
    assert {path.stem for path in (ROOT / "playbooks").glob("*.yml")} <= {one.playbook for one in MISTAKES}
    assert {path.name for path in (ROOT / "roles").iterdir()} <= {one.name for one in MISTAKES}
