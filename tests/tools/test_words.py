# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The check of words finds translated English, and only in the texts for users."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import words
from prepare import ROOT

BAD = (
    "What cannot be read is an error",
    "It is what\nthe owner has",
    "where a leaked login stands in a secret",
    "So many connections are open",
    "An error is told once",
    "It tells whether the login works",
    "Who needs it as data",
    "Warnings, too.",
    "Wait also where it fails",
    "The secret is to be\ndeleted",
    "It is no directory",
    "It was no valid name",
    "Those that fail",
    "tags whose import failed, and one of which fails",
    "what a team declares no more",
    "for want of a list",
    "lest it fails",
    "nothing whatsoever",
    "Make the pods anew",
    "It mends the link",
    "It cannot be judged",
    "is held against the time",
    "A new login in the place of an old one",
    "a second one beside it",
    "a misspelt name",
    "Nobody needs it",
    "Somebody else's secret",
    "One thing; another thing; a third",
)
GOOD = (
    "What are retries?",
    "What is in the secret: who knows? Read on",
    "There is no diff, because nothing changes",
    "The login is no longer valid",
    "It stands for the registry",
    "The limit is so low that it fails so long as it is 0",
    "The one that the task names",
    "Anyone who has it can pull",
    "get on pods; list on pods; get on secrets",
    "One thing; another thing",
)


@pytest.mark.parametrize("text", BAD)
def test_a_bad_sentence_is_found(text: str) -> None:
    assert list(words.problems_of(text))


@pytest.mark.parametrize("text", GOOD)
def test_a_good_sentence_is_not_found(text: str) -> None:
    assert list(words.problems_of(text)) == []


def test_each_pattern_finds_a_bad_sentence() -> None:
    used = {problem.replacement for text in BAD for problem in words.problems_of(text)}
    assert used == {replacement for _pattern, replacement in words.PATTERNS}


@pytest.mark.parametrize(
    ("name", "text", "lines"),
    [
        ("a.md", 'One\n\n```\nmisspelt\n```\nTwo misspelt\nthree `misspelt` "misspelt" [misspelt](misspelt)\n', [6, 7]),
        ("a.md", "| misspelt | b |\n<!-- misspelt -->\n", [1]),
        ("a.rst", "One\n\n.. code-block:: yaml\n   :caption: a\n\n   misspelt\n\n   misspelt\n\nTwo misspelt\n", [10]),
        (
            "a.rst",
            'It prints::\n\n  misspelt\n\n``misspelt`` :ref:`misspelt` "misspelt"\n:ref:`misspelt <misspelt>`\n',
            [6],
        ),
        ("a.rst", ".. note::\n\n   misspelt\n\n.. misspelt\n   misspelt\n\n.. _misspelt:\n", [3]),
        (
            "a.yml",
            'options:\n  misspelt:\n    description:\n      - C(misspelt) "misspelt"\n      - A misspelt\n    default: misspelt\n',
            [5],
        ),
        ("a.yml", "minor_changes:\n  - a\n  - misspelt\n", [3]),
        (
            "a.py",
            'NAME = "misspelt"\nDOCUMENTATION = r"""\nnotes:\n  - misspelt\n"""\nEXAMPLES = """\n- misspelt\n"""\n# misspelt\n',
            [4],
        ),
        ("a.py", 'class A:\n    FLEET = r"""\noptions:\n  a:\n    description: misspelt\n"""\n', [5]),
    ],
)
def test_literals_and_code_are_not_checked(tmp_path: Path, name: str, text: str, lines: list[int]) -> None:
    (tmp_path / name).write_text(text)
    assert [problem.line for problem in words.problems_in(name, tmp_path)] == lines


@pytest.mark.parametrize(
    ("name", "is_checked"),
    [
        ("README.md", True),
        ("roles/private_registry/README.md", True),
        ("docs/docsite/rst/audit.rst", True),
        ("docs/architecture.md", True),
        ("plugins/modules/sa_link.py", True),
        ("plugins/module_utils/core/names.py", False),
        ("tests/lab/README.md", False),
        ("CHANGELOG.md", False),
    ],
)
def test_texts_for_users_are_checked(name: str, is_checked: bool) -> None:
    assert words.is_for_users(name) is is_checked


def test_every_text_for_users_is_plain(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.argv", ["words.py"])
    status = words.main()
    printed = capsys.readouterr().out
    assert (status, re.sub(r"\d+", "N", printed)) == (0, "N files, N problems\n"), printed


def test_a_text_of_the_code_is_a_problem_of_the_code(tmp_path: Path) -> None:
    file = tmp_path / "plugins/module_utils/core/a.py"
    file.parent.mkdir(parents=True)
    file.write_text('TEXT = (\n    "it is made "\n    "misspelt"\n)\n')
    (tmp_path / "a.md").write_text("- it is made misspelt\n- not made misspelt\n")
    data = words.data_of(tmp_path)
    found = words.problems_in("a.md", tmp_path)
    assert [any(context in data for context in problem.contexts) for problem in found] == [True, False]


def test_a_wrong_text_is_printed_with_its_line_and_replacement(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["words.py", "tests/tools/test_words.md"])
    monkeypatch.setattr(words, "data_of", lambda _root: "")
    monkeypatch.setattr(words, "problems_in", lambda _name: [*words_of("painted\nmisspelt")])
    assert words.main() == 1
    assert capsys.readouterr().out == "tests/tools/test_words.md:1: 'misspelt': write spelled, misspelled\n"


def words_of(text: str) -> list[words.Problem]:
    return list(words.problems_of(text))


def test_the_check_is_a_step_of_make_test() -> None:
    assert "tests/tools/words.py" in (ROOT / "tests/tools/check.py").read_text("utf-8")
