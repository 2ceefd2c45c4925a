# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The test files that belong to a file of this repository. Names and imports decide, so that a new file needs no entry here."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path, PurePosixPath

#: The text of each file of READ, by its path.
Texts = Mapping[str, str]
#: Test files, and the files that name a feature or a role.
READ = ("tests/**/*.py", "plugins/modules/*.py", "playbooks/*.yml")
#: Rooms whose files have their unit tests in the same place under tests/unit.
MIRRORED = ("module_utils", "plugin_utils", "lookup", "filter")
#: Tests of many files at once, for the files that match.
SHARED = (
    (
        "plugins/modules/*",
        (
            "unit/test_house",
            "unit/test_returns",
            "unit/test_examples",
            "unit/test_refused_options",
            "tools/test_options",
        ),
    ),
    ("plugins/action/*", ("unit/test_house",)),
    ("plugins/doc_fragments/*", ("unit/test_house", "unit/test_documentation")),
    ("plugins/*/__init__.py", ("unit/test_house",)),
    ("plugins/plugin_utils/pull_report/*", ("report/test_*",)),
    ("plugins/plugin_utils/pull_report/*.json", ("unit/plugins/module_utils/features/pull_report/test_*documents",)),
    ("roles/*", ("unit/test_roles",)),
    ("playbooks/inventory/*", ("scenarios/test_site",)),
    ("playbooks/tasks/*", ("scenarios/test_site",)),
    ("playbooks/vars/*", ("scenarios/test_site",)),
    ("docs/docsite/*", ("unit/test_documentation", "tools/test_words")),
    ("docs/*.md", ("unit/test_documentation", "tools/test_words")),
    ("*.md", ("tools/test_words",)),
    ("extensions/awx/*", ("unit/test_awx_*", "awx/test_*")),
    ("extensions/eda/*", ("eda/test_*",)),
    ("tests/lab/*", ("tools/test_lab_program", "lab_fidelity/test_*")),
    ("Makefile", ("tools/test_gates", "tools/test_interruption")),
)


def existing_tests(root: Path) -> dict[str, str]:
    """The files that `select_tests` reads, without the head that names the licence in each of them."""
    paths = (path for pattern in READ for path in root.glob(pattern))
    texts = {path.relative_to(root).as_posix(): path.read_text(encoding="utf-8") for path in paths}
    return {name: text.partition("SPDX-License-Identifier:")[2] or text for name, text in texts.items()}


def select_tests(path: str, texts: Texts) -> list[str]:
    """The existing test files that belong to the file. Empty where no test belongs to it."""
    found = {test for rule in (own_tests, shared_tests) for test in rule(PurePosixPath(path), texts)}
    return sorted(found) or sorted(naming(PurePosixPath(path).name, "tests/*", texts))


def shared_tests(path: PurePosixPath, texts: Texts) -> Iterator[str]:
    for pattern, names in SHARED:
        if fnmatchcase(str(path), pattern):
            for name in names:
                yield from matching(f"tests/{name}.py", texts)


def own_tests(path: PurePosixPath, texts: Texts) -> Iterator[str]:
    """The tests of this file only, selected by its folder."""
    if is_test(str(path)):
        yield str(path)
        return
    for folder, rule in RULES.items():
        if path.is_relative_to(folder):
            yield from rule(path, texts)


def of_plugin(path: PurePosixPath, texts: Texts) -> Iterator[str]:
    """The mirrored unit tests (for data without a unit test, all tests of the folder), and the lab tests of its feature's modules.

    For a module, the unit tests of its features and its lab tests.
    """
    _plugins, room, *rest = path.parts
    if room in ("modules", "action"):
        yield from of_module(path.stem, texts)
        for folder in features_of(path.stem, texts):
            place = PurePosixPath("tests/unit/plugins/module_utils") / folder
            yield from in_folder(place, texts)
            yield from named_after(place.name, str(place.parent), texts)
    if room not in MIRRORED or path.name == "__init__.py":
        return
    mirrored = named_after(path.stem, str("tests/unit" / path.parent), texts)
    folders = ["tests/unit" / folder for folder in path.parents if folder.parts[:2] == ("plugins", room)]
    choices = [mirrored, *(in_folder(folder, texts) for folder in folders)]
    yield from next(filter(None, choices), [])
    for module in modules_of(rest, texts):
        yield from of_module(module, texts)


def features_of(module: str, texts: Texts) -> set[str]:
    """The folders of the features and parts of the inventory that a module imports. If its name contains some of them, only these."""
    text = texts.get(f"plugins/modules/{module}.py", "")
    found = set(re.findall(r"^from .*\b(features|inventory)[. ](?:import )?(\w+)", text, re.MULTILINE))
    named = {(room, feature) for room, feature in found if feature in module}
    return {"/".join(parts) for parts in named or found}


def modules_of(parts: list[str], texts: Texts) -> Iterator[str]:
    """The modules that import the feature of a file in module_utils."""
    if len(parts) > 1 and parts[0] in ("features", "inventory"):
        feature = re.compile(rf"\b{parts[0]}[. ](?:import )?{PurePosixPath(parts[1]).stem}\b")
        yield from (
            PurePosixPath(name).stem
            for name, text in texts.items()
            if name.startswith("plugins/modules/") and feature.search(text)
        )


def of_module(name: str, texts: Texts) -> list[str]:
    return named_after(name, "tests/modules", texts) or naming(name, "tests/[mr]e*", texts)


def of_role(path: PurePosixPath, texts: Texts) -> list[str]:
    """The scenarios that name the role, or those of the playbooks that run it."""
    role = path.parts[1]
    playbooks = [
        PurePosixPath(name) for name in naming(role, "playbooks/*", texts) if PurePosixPath(name).parent.name != "vars"
    ]
    return naming(role, "tests/scenarios/*", texts) or [
        test for playbook in playbooks for test in of_playbook(playbook, texts)
    ]


def of_playbook(path: PurePosixPath, texts: Texts) -> list[str]:
    if path.parent != PurePosixPath("playbooks"):
        return []
    return named_after(path.stem, "tests/scenarios", texts) or naming(path.stem, "tests/scenarios/*", texts)


def of_guide(path: PurePosixPath, texts: Texts) -> list[str]:
    return named_after(path.stem, "tests/guides", texts) or naming(path.name, "tests/*", texts)


def of_test_code(path: PurePosixPath, texts: Texts) -> Iterator[str]:
    """For code that tests share, the tests that import it. For a conftest, the tests of its folder."""
    if path.name == "conftest.py":
        yield from in_folder(path.parent, texts)
    elif path.suffix == ".py":
        imports = re.compile(rf"^(?:from|import) .*\b{path.stem}\b", re.MULTILINE)
        yield from (name for name, text in texts.items() if is_test(name) and imports.search(text))


RULES: dict[str, Callable[[PurePosixPath, Texts], Iterator[str] | list[str]]] = {
    "plugins": of_plugin,
    "roles": of_role,
    "playbooks": of_playbook,
    "docs/docsite/rst": of_guide,
    "tests": of_test_code,
}


@cache
def is_test(name: str) -> bool:
    return fnmatchcase(name, "tests/*/test_*.py")


def matching(pattern: str, texts: Texts) -> list[str]:
    return [name for name in texts if fnmatchcase(name, pattern)]


def in_folder(folder: PurePosixPath, texts: Texts) -> list[str]:
    return matching(f"{folder}/test_*.py", texts) + matching(f"{folder}/*/test_*.py", texts)


def named_after(name: str, folder: str, texts: Texts) -> list[str]:
    return [*matching(f"{folder}/test_{name}.py", texts), *matching(f"{folder}/test_{name}_*.py", texts)]


def naming(word: str, pattern: str, texts: Texts) -> list[str]:
    """The files that contain the word. Below tests, only files with tests count."""
    expression = re.compile(rf"(?<![\w-]){re.escape(word)}(?![\w-])")
    names = [name for name in matching(pattern, texts) if is_test(name) or not name.startswith("tests/")]
    # A search for the plain word is much faster than one for the expression.
    return [name for name in names if word in texts[name] and expression.search(texts[name])]
