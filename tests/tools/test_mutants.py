# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The mutation tool distinguishes a good test from a poor one."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from tools.mutants import Code, Notes
from tools.mutations import mutants_of, mutated

TOOL = Path(__file__).with_name("mutants.py")
SOURCE = '''\
"""A small room."""


def is_adult(age: int) -> bool:
    """Whether a person is of age."""
    return age >= 18
'''
GOOD_TEST = """\
import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.example import is_adult


@pytest.mark.parametrize(("age", "adult"), [(17, False), (18, True), (19, True)])
def test_from_the_birthday_on(age, adult):
    assert is_adult(age) is adult
"""
POOR_TEST = """\
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.example import is_adult


def test_that_it_answers():
    assert is_adult(40)
"""
HANGING = """\
def count_down(number: int) -> int:
    while number > 0:
        number -= 1
    return number
"""
HANGING_TEST = """\
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.example import count_down


def test_ends_at_zero():
    assert count_down(3) == 0
    assert count_down(-3) == -3
"""
FLAKY_TEST = """

def test_once():
    import pathlib
    seen = pathlib.Path("{}")
    assert not seen.exists()
    seen.touch()
"""
STARTING_TEST = """\
import subprocess
import sys

SCRIPT = (
    "from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.example import is_adult;"
    "print(is_adult(17), is_adult(18), is_adult(19))"
)


def test_in_another_process():
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    assert done.stdout == "False True True\\n"
"""


NAMED_TEST = """\
import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.example import limit


@pytest.mark.parametrize("age", [limit()])
def test_the_limit(age):
    assert age == limit() == 18
"""


class Example:
    """A collection with one file and its test file, judged by the tool."""

    def __init__(self, directory: Path) -> None:
        self.collections = directory
        self.root = directory / "ansible_collections/openshift_ops/image_pull"
        self.accepted = directory / "accepted.yml"

    def write(self, source: str, test: str) -> None:
        for path, text in (("plugins/module_utils/core/example.py", source), (f"{MIRROR}/test_example.py", test)):
            (self.root / path).parent.mkdir(parents=True, exist_ok=True)
            (self.root / path).write_text(text)
        (self.root / "plugins/module_utils/core/__init__.py").touch()

    def accept(self, **entry: str) -> None:
        self.accepted.write_text(yaml.safe_dump([entry]))

    def judge(self, *options: str) -> tuple[int, str]:
        """Run the tool. Return the exit status and the output."""
        command = [sys.executable, TOOL, "--root", self.root, "--accepted", self.accepted, "--fresh", "--all", *options]
        variables = {**os.environ, "PYTHONPATH": str(self.collections)}
        done = subprocess.run(command, capture_output=True, text=True, env=variables, timeout=300, check=False)
        return done.returncode, done.stderr + done.stdout


MIRROR = "tests/unit/plugins/module_utils/core"
EXAMPLE = "plugins/module_utils/core/example.py"
BOUNDARY = {"file": EXAMPLE, "function": "is_adult", "kind": "comparison", "before": "age >= 18", "after": "age > 18"}


@pytest.fixture
def example(tmp_path: Path) -> Example:
    return Example(tmp_path)


class TestGate:
    @pytest.mark.slow
    def test_the_gate_passes_when_every_mutant_is_killed(self, example: Example) -> None:
        example.write(SOURCE, GOOD_TEST)
        status, text = example.judge()
        assert text.splitlines()[-1].split() == ["core", "4", "4", "4", "0", "0", "0", "100.0", "%"]
        assert status == 0

    def test_the_gate_fails_and_shows_the_surviving_mutants(self, example: Example) -> None:
        example.write(SOURCE, POOR_TEST)
        status, text = example.judge()
        assert f"  {EXAMPLE}:6: comparison in is_adult: age >= 18 -> age > 18\n" in text
        assert f"  {EXAMPLE}:6: constant in is_adult: 18 -> 19\n" in text
        assert text.splitlines()[-1].split()[:8] == ["core", "4", "4", "2", "0", "2", "0", "50.0"]
        assert status == 1

    @pytest.mark.slow
    def test_the_gate_fails_when_no_test_runs_the_code(self, example: Example) -> None:
        example.write(SOURCE, "def test_nothing():\n    pass\n")
        status, text = example.judge()
        assert "0.0 %  less than 90 %" in text
        assert status == 1

    @pytest.mark.slow
    def test_a_mutant_that_hangs_is_killed(self, example: Example) -> None:
        example.write(HANGING, HANGING_TEST)
        status, text = example.judge()
        assert text.splitlines()[-1].split()[:5] == ["core", "8", "8", "8", "2"]
        assert status == 0, text

    @pytest.mark.slow
    def test_the_gate_fails_when_a_test_fails_without_a_mutant(self, example: Example) -> None:
        example.write(SOURCE, GOOD_TEST.replace("18, True", "18, False"))
        status, text = example.judge()
        assert text.endswith(
            "fail without a mutant, so they judged no mutant:\n"
            f"  {MIRROR}/test_example.py::test_from_the_birthday_on[18-False]\n"
        )
        assert "core                   4       4       2 " in text
        assert status == 1

    @pytest.mark.slow
    def test_the_gate_fails_when_a_test_passes_only_once(self, example: Example, tmp_path: Path) -> None:
        """A test that fails by chance, or in another order, kills mutants that it does not notice."""
        example.write(SOURCE, POOR_TEST + FLAKY_TEST.format(tmp_path / "seen"))
        status, text = example.judge()
        assert text.endswith(f"Do not trust the numbers:\n  {MIRROR}/test_example.py::test_once\n")
        assert "core                   4       4       4 " in text
        assert status == 1

    @pytest.mark.slow
    def test_a_mutant_is_also_in_the_pythons_that_a_test_starts(self, example: Example) -> None:
        example.write(SOURCE, STARTING_TEST)
        status, text = example.judge()
        assert "100.0 %" in text
        assert status == 0, text

    @pytest.mark.slow
    def test_a_mutant_that_changes_the_name_of_a_test_is_killed(self, example: Example) -> None:
        """The id of the parameter is made from the value, so no test of that name is left."""
        example.write("def limit() -> int:\n    return 18\n", NAMED_TEST)
        status, text = example.judge()
        assert "100.0 %" in text
        assert status == 0, text

    def test_a_kind_selects_its_mutants(self, example: Example) -> None:
        example.write(f"LEGAL = ('a', 'b')\n\n\n{SOURCE}", POOR_TEST)
        status, text = example.judge("--kind", "table")
        assert f"  {EXAMPLE}:1: table in the module: ('a', 'b') -> ('b',)\n" in text
        assert text.splitlines()[-1].split()[:6] == ["core", "2", "2", "0", "0", "2"]
        assert status == 1

    @pytest.mark.slow
    def test_the_gate_fails_when_the_time_is_up(self, example: Example) -> None:
        example.write(SOURCE, GOOD_TEST)
        status, text = example.judge("--seconds", "0")
        assert "4 not judged: the time was up" in text
        assert status == 1


@pytest.mark.slow
class TestAccepted:
    def test_a_survivor_with_a_reason_is_not_counted(self, example: Example) -> None:
        example.write(SOURCE, GOOD_TEST.replace("(18, True)", "(18.5, True)"))
        assert "75.0 %" in example.judge()[1]
        example.accept(**BOUNDARY, reason="no person asks on the birthday")
        status, text = example.judge()
        assert text.splitlines()[-1].split() == ["core", "4", "4", "3", "0", "0", "1", "100.0", "%"]
        assert status == 0

    def test_an_accepted_survivor_needs_a_reason(self, example: Example) -> None:
        example.write(SOURCE, GOOD_TEST)
        example.accept(**BOUNDARY, reason=" ")
        status, text = example.judge()
        assert "needs file, function, kind, before, after and reason" in text
        assert status == 1

    def test_an_accepted_mutant_that_no_longer_exists_fails_the_gate(self, example: Example) -> None:
        example.write(SOURCE, GOOD_TEST)
        example.accept(**{**BOUNDARY, "before": "age >= 21"}, reason="of age later")
        status, text = example.judge()
        assert "no such mutant exists any more" in text
        assert status == 1


class TestNotes:
    """The run without a mutant is not repeated for a test file until a file changes."""

    ANSWER = {"file": "x", "tests": [], "modules": [], "failures": []}
    TEST = f"{MIRROR}/test_example.py"

    @pytest.fixture
    def note(self, example: Example, tmp_path: Path) -> Callable[[], Notes]:
        example.write(SOURCE, GOOD_TEST)
        return lambda: Notes(Code(example.root), tmp_path / "notes")

    def test_a_written_note_is_read_again(self, note: Callable[[], Notes]) -> None:
        assert note().read(self.TEST) is None
        note().write(self.TEST, self.ANSWER)
        assert note().read(self.TEST) == self.ANSWER

    @pytest.mark.parametrize("path", [EXAMPLE, TEST, "tests/conftest.py", "roles/r/meta.yml"])
    def test_a_note_is_void_after_a_change(self, note: Callable[[], Notes], example: Example, path: str) -> None:
        note().write(self.TEST, self.ANSWER)
        (example.root / path).parent.mkdir(parents=True, exist_ok=True)
        (example.root / path).write_text("# changed")
        assert note().read(self.TEST) is None

    def test_another_test_file_voids_no_note(self, note: Callable[[], Notes], example: Example) -> None:
        note().write(self.TEST, self.ANSWER)
        (example.root / MIRROR / "test_other.py").write_text("# new")
        assert note().read(self.TEST) == self.ANSWER

    def test_a_note_of_failures_is_not_kept(self, note: Callable[[], Notes]) -> None:
        note().write(self.TEST, {**self.ANSWER, "failures": ["one"]})
        assert note().read(self.TEST) is None

    def test_a_note_of_a_test_without_a_source_file_is_not_used(
        self, note: Callable[[], Notes], example: Example
    ) -> None:
        (example.root / "tests/unit/test_house.py").touch()
        note().write("tests/unit/test_house.py", self.ANSWER)
        assert note().read("tests/unit/test_house.py") is None


def changes(source: str) -> list[str]:
    return [f"{mutant.kind}: {mutant.before} -> {mutant.after}" for mutant in mutants_of(source, "x.py")]


class TestMutations:
    @pytest.mark.parametrize(
        ("source", "expected"),
        [
            ("a < b", ["comparison: a < b -> a <= b", "comparison: a < b -> a >= b"]),
            ("a is not b", ["comparison: a is not b -> a is b"]),
            ("not a", ["not: not a -> a"]),
            ("a or b", ["and/or: a or b -> a and b", "operand: a or b -> b", "operand: a or b -> a"]),
            ("a + 1", ["arithmetic: a + 1 -> a - 1", "constant: 1 -> 2"]),
            ("a[1:]", ["slice: 1: -> :", "constant: 1 -> 2"]),
            ("f(a, key=b)", ["argument: f(a, key=b) -> f(a)"]),
            ("f(a, b)", ["argument: f(a, b) -> f(a)"]),
            ("a.strip()", ["call: a.strip() -> a"]),
            ("all(a)", ["call: all(a) -> any(a)"]),
            ("[a for a in b if c]", ["filter: for a in b if c -> for a in b"]),
            ("a if b else c", ["condition: a if b else c -> a", "condition: a if b else c -> c"]),
            ("'*?['", ["string: '*?[' -> '?['"]),
            ("f'{a}'", ["text: f'{a}' -> 'XX'"]),
            ("{'a': b}", ["element: {'a': b} -> {}", "string: 'a' -> 'XXaXX'"]),
        ],
    )
    def test_an_expression_has_the_expected_mutants(self, source: str, expected: list[str]) -> None:
        assert changes(f"x = {source}") == expected

    @pytest.mark.parametrize(
        ("source", "expected"),
        [
            (
                "if a:\n    f()",
                ["condition: if a: -> if True:", "condition: if a: -> if False:", "statement: f() -> pass"],
            ),
            ("while a:\n    break", ["condition: while a: -> while False:", "statement: break -> pass"]),
            ("raise a", ["statement: raise a -> pass"]),
            ("a -= b", ["arithmetic: a -= b -> a += b", "statement: a -= b -> pass"]),
            ("a.b = c", ["statement: a.b = c -> pass"]),
            ("def f():\n    return a", ["return: return a -> return None"]),
            ("def f():\n    a = b", ["assignment: a = b -> a = None"]),
            ("def f(a):\n    a = b", ["assignment: a = b -> a = None", "statement: a = b -> pass"]),
            ("def f(a=1): ...", ["constant: 1 -> 2"]),
        ],
    )
    def test_a_statement_has_the_expected_mutants(self, source: str, expected: list[str]) -> None:
        assert changes(source) == expected

    @pytest.mark.parametrize(
        ("source", "expected"),
        [
            ("A = (b, c)", ["(b, c) -> (c,)", "(b, c) -> (b,)"]),
            ("_A: tuple[str, ...] = (b,)", ["(b,) -> ()"]),
            ("A_1 = [b, c]", ["[b, c] -> [c]", "[b, c] -> [b]"]),
            ("A = {b}", ["{b} -> set()"]),
            ("A = {b: c, d: e}", ["{b: c, d: e} -> {d: e}", "{b: c, d: e} -> {b: c}"]),
            ("A = {**b, c: d}", ["{**b, c: d} -> {c: d}", "{**b, c: d} -> {**b}"]),
            ("A = frozenset((b, c))", ["(b, c) -> (c,)", "(b, c) -> (b,)"]),
            ("class A:\n    B = (c,)", ["(c,) -> ()"]),
            ("A = B = (c,)", ["(c,) -> ()"]),
        ],
    )
    def test_a_constant_table_loses_each_element(self, source: str, expected: list[str]) -> None:
        assert changes(source) == [f"table: {one}" for one in expected]

    def test_a_long_constant_table_loses_each_element(self) -> None:
        names = [f"n{number}" for number in range(60)]
        found = mutants_of(f"A = ({', '.join(names)})", "x.py")
        assert [mutant.kind for mutant in found] == ["table"] * 60
        before, _arrow, after = str(found[20]).partition(" -> ")
        assert "n19, n20, n21, " in before and "n19, n21, " in after
        assert len(before) + len(after) < 250

    @pytest.mark.parametrize(
        "source", ["A, B = (c, d)", "a = (b, c)", "def f():\n    A = (b, c)", "A.b = (c, d)", "A = (1, 36)"]
    )
    def test_a_tuple_that_is_no_table_keeps_its_size(self, source: str) -> None:
        assert not [change for change in changes(source) if change.startswith(("table", "element"))]

    @pytest.mark.parametrize(
        "source",
        [
            '"""A docstring."""',
            "x: int",
            "def f(a: 'int | None') -> 'str': ...",
            "__all__ = ['a', 'b']",
            "Pair = tuple[int, 'str']",
            "T = TypeVar('T', bound='int')",
            "x = cast('int', y)",
            "if TYPE_CHECKING:\n    x = 1",
            "from a import b",
            "@dataclass(frozen=True)\nclass A:\n    a: dict = field(repr=False)",
            "class A(Protocol):\n    b: int = 1",
            "class A(Enum):\n    B = 'b'",
            "Either = A | B[int]",
            "def f():\n    raise NotImplementedError('f')",
            "def f():\n    return None",
            "x = a.decode(encoding='utf-8')",
        ],
    )
    def test_code_that_no_test_should_check_has_no_mutants(self, source: str) -> None:
        assert changes(source) == []

    def test_a_mutant_changes_one_place_only(self) -> None:
        source = "def f(a):\n    if a > 1:\n        return a\n    return 1\n"
        texts = [ast.unparse(mutated(source, mutant)) for mutant in mutants_of(source, "x.py")]
        assert "def f(a):\n    if a >= 1:\n        return a\n    return 1" in texts
        assert len(texts) == len(set(texts)) == 8
