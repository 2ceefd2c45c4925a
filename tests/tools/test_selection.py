# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`make t` finds the tests of each module, room and file."""

from __future__ import annotations

from pathlib import Path

import check
import pytest
from prepare import ROOT
from sanity import known_files
from selection import existing_tests, select_tests

TEXTS = {
    "tests/unit/test_house.py": "",
    "tests/unit/plugins/module_utils/core/test_names.py": "",
    "tests/unit/plugins/module_utils/core/test_times.py": "",
    "tests/unit/plugins/module_utils/features/sa_link/test_options.py": "",
    "tests/modules/test_sa_link.py": "from support.many import batch",
    "tests/modules/test_sa_link_pods.py": "",
    "tests/modules/test_sa_linked.py": "",
    "tests/report/test_module.py": "report_module",
    "tests/scenarios/test_site.py": "a private_registry, a my-role-b",
    "tests/scenarios/test_owners.py": "site",
    "tests/scenarios/test_rotate.py": "",
    "tests/guides/test_rotation.py": "",
    "tests/tools/test_gates.py": "import check\n",
    "tests/support/many.py": "",
    "tests/eda/test_page.py": "docs/docsite/rst/events.rst",
    "plugins/modules/sa_link.py": "from ..module_utils.features.sa_link.options import from_options\n"
    "from ..module_utils.inventory.what_if import guard",
    "plugins/modules/pull_access_audit.py": "from ..module_utils.features import pull_audit",
    "tests/modules/test_pull_access_audit.py": "",
    "tests/unit/plugins/module_utils/features/pull_audit/test_rules.py": "",
    "tests/unit/plugins/module_utils/inventory/what_if/test_guard.py": "",
    "playbooks/rotate.yml": "role: rotation",
    "plugins/modules/sa_wait.py": "from ..module_utils.features import sa_wait",
    "tests/unit/plugins/module_utils/features/test_sa_wait_run.py": "",
}
#: Folders in which each file has a test.
COVERED = ("plugins/", "roles/", "playbooks/", "docs/docsite/rst/")


@pytest.mark.parametrize(
    ("path", "tests"),
    [
        ("tests/tools/test_gates.py", "tools/test_gates"),
        ("tests/tools/check.py", "tools/test_gates"),
        ("tests/support/many.py", "modules/test_sa_link"),
        ("plugins/module_utils/core/names.py", "unit/plugins/module_utils/core/test_names"),
        (
            "plugins/module_utils/core/data.py",
            "unit/plugins/module_utils/core/test_names unit/plugins/module_utils/core/test_times",
        ),
        (
            "plugins/module_utils/features/sa_link/options.py",
            "unit/plugins/module_utils/features/sa_link/test_options modules/test_sa_link modules/test_sa_link_pods",
        ),
        ("plugins/module_utils/core/__init__.py", "unit/test_house"),
        (
            "plugins/modules/sa_link.py",
            "unit/plugins/module_utils/features/sa_link/test_options modules/test_sa_link modules/test_sa_link_pods unit/test_house",
        ),
        (
            "plugins/action/sa_link.py",
            "unit/plugins/module_utils/features/sa_link/test_options modules/test_sa_link modules/test_sa_link_pods unit/test_house",
        ),
        (
            "plugins/modules/pull_access_audit.py",
            "unit/plugins/module_utils/features/pull_audit/test_rules modules/test_pull_access_audit unit/test_house",
        ),
        ("plugins/modules/sa_wait.py", "unit/plugins/module_utils/features/test_sa_wait_run unit/test_house"),
        ("plugins/action/report_module.py", "report/test_module unit/test_house"),
        ("roles/private_registry/tasks/main.yml", "scenarios/test_site"),
        ("roles/rotation/tasks/main.yml", "scenarios/test_rotate"),
        ("playbooks/site.yml", "scenarios/test_site"),
        ("docs/docsite/rst/rotation.rst", "guides/test_rotation"),
        ("docs/docsite/rst/events.rst", "eda/test_page"),
        ("LICENSE", ""),
    ],
)
def test_a_file_has_these_tests(path: str, tests: str) -> None:
    assert select_tests(path, TEXTS) == sorted(f"tests/{name}.py" for name in tests.split())


def test_every_file_of_the_collection_has_an_existing_test() -> None:
    texts = existing_tests(ROOT)
    found = {name: select_tests(name, texts) for name in sorted(known_files()) if name.startswith(COVERED)}
    assert len(found) > 300
    assert [name for name, tests in found.items() if not tests] == []
    assert {test for tests in found.values() for test in tests} <= {*texts}


def test_each_kind_of_file_runs_in_the_environment_of_its_tests(capsys: pytest.CaptureFixture[str]) -> None:
    names = ("extensions/eda/rulebooks/new_namespaces.yml", "tests/report/test_use.py", "tests/tools/words.py")
    steps = check.steps_of_files([str(ROOT / name) for name in names])
    assert {step.environment for step in steps} == {"eda", "browser", "newest"}
    assert all(step.counts_tests for step in steps)
    for step in steps:
        tests = step.command[len(check.PYTEST) :]
        assert tests and all((ROOT / test).is_file() for test in tests)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ([], "make t T="),
        (["no/such/file.py"], "no/such/file.py does not exist in this checkout"),
        ([str(Path(__file__).parent.parent.parent.parent)], "does not exist in this checkout"),
        ([str(*(ROOT / "tests/requirements").glob("*2.18*"))], "no test belongs to"),
    ],
)
def test_a_wrong_file_is_refused(names: list[str], message: str) -> None:
    with pytest.raises(SystemExit, match=message):
        check.steps_of_files(names)


@pytest.mark.parametrize(
    ("name", "paths"),
    [
        ("sa_link", ["plugins/modules/sa_link.py"]),
        ("sa_wait", ["plugins/modules/sa_wait.py"]),
        ("registry_auth", ["plugins/module_utils/features/registry_auth.py"]),
        (
            "object_events",
            [
                "plugins/module_utils/features/object_events/__init__.py",
                "plugins/module_utils/features/object_events/events.py",
                "plugins/module_utils/features/object_events/run.py",
            ],
        ),
        ("README.md", ["README.md"]),
    ],
)
def test_a_name_stands_for_a_module_a_room_or_a_file(
    name: str, paths: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    assert [path.relative_to(ROOT).as_posix() for path in check.paths_of(name)] == paths


def test_a_room_stands_for_all_its_files() -> None:
    names = [path.relative_to(ROOT).as_posix() for path in check.paths_of("explain")]
    assert "plugins/module_utils/explain/steps/login.py" in names and "plugins/module_utils/explain/chain.py" in names
