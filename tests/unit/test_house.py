# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The house (design, section 4): who may import whom, what a module may hold, and that documentation and code agree."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
COLLECTION = "ansible_collections.openshift_ops.image_pull"
MODULE_UTILS = ROOT / "plugins/module_utils"
MODULES = sorted(path.stem for path in (ROOT / "plugins/modules").glob("*.py"))
FILES = sorted(path for path in MODULE_UTILS.rglob("*.py") if path.name != "__init__.py")
#: The rooms, the lowest first, and what each may import beside itself.
_PURE = ("core", "dockerconfig", "secrets", "platform", "rbac")
ROOMS: dict[str, set[str]] = {
    "core": set(),
    "dockerconfig": {"core"},
    "secrets": {"core", "dockerconfig"},
    "platform": {"core", "dockerconfig", "secrets"},
    "rbac": {"core"},
    "features": {*_PURE},
    "clients": {"core"},
    "reconcile": {"core", "clients"},
    "workflows": {*_PURE, "features", "clients", "reconcile"},
    "runtime": {*_PURE, "clients", "reconcile"},
}
#: In these rooms each package stands alone: a feature never imports another, nor a client another.
APART = ("features", "clients")
#: The one package outside which a library is never imported, and what a file may import of Ansible.
LIBRARIES = {
    "kubernetes": "clients.kube",
    "urllib3": "clients.kube",
    "yaml": "clients.kube",
    "requests": "clients.registry",
}
ANSIBLE = {
    "runtime/options.py": {"ansible.module_utils.common.parameters.env_fallback"},
    "runtime/ansible_module.py": {
        "ansible.module_utils.basic.AnsibleModule",
        "ansible.module_utils.basic.missing_required_lib",
    },
}


def room_of(path: Path) -> str:
    return path.relative_to(MODULE_UTILS).parts[0]


def package_of(path: Path) -> str:
    """The package in its room, such as `features.sa_link`."""
    return ".".join(path.relative_to(MODULE_UTILS).parent.parts[:2])


def imports_of(path: Path) -> Iterator[str]:
    """The absolute names of the modules that a file imports, also inside functions."""
    package = [COLLECTION, *path.relative_to(ROOT).with_suffix("").parts][:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            module = ".".join(part for part in (base, node.module) if part)
            yield from (f"{module}.{alias.name}" for alias in node.names)


def ours_in(path: Path) -> Iterator[list[str]]:
    """What a file imports of the house, by its parts: room, package or file, and so on."""
    prefix = f"{COLLECTION}.plugins.module_utils."
    yield from (name.removeprefix(prefix).split(".") for name in imports_of(path) if name.startswith(prefix))


def id_of(path: Any) -> str:
    return str(path.relative_to(ROOT)) if isinstance(path, Path) else str(path)


class TestImports:
    @pytest.mark.parametrize("path", FILES, ids=id_of)
    def test_a_lower_room_never_imports_a_higher_one(self, path: Path) -> None:
        room = room_of(path)
        assert {parts[0] for parts in ours_in(path)} <= ROOMS[room] | {room}

    @pytest.mark.parametrize("path", [path for path in FILES if room_of(path) in APART], ids=id_of)
    def test_features_and_clients_stand_alone(self, path: Path) -> None:
        near = {".".join(parts[:2]) for parts in ours_in(path) if parts[0] == room_of(path)}
        assert near <= {package_of(path)}

    @pytest.mark.parametrize("path", FILES, ids=id_of)
    def test_each_library_has_one_room(self, path: Path) -> None:
        found = {name.split(".")[0] for name in imports_of(path)}
        assert {LIBRARIES[name] for name in found & set(LIBRARIES)} <= {package_of(path)}
        ansible = {name for name in imports_of(path) if name.split(".")[0] == "ansible"}
        assert ansible <= ANSIBLE.get(path.relative_to(MODULE_UTILS).as_posix(), set())

    def test_there_is_no_other_room(self) -> None:
        assert {room_of(path) for path in FILES} == {*ROOMS}


def tree_of(module: str) -> ast.Module:
    return ast.parse((ROOT / f"plugins/modules/{module}.py").read_text(encoding="utf-8"))


def loaded(module: str) -> Any:
    return importlib.import_module(f"{COLLECTION}.plugins.modules.{module}")


def documentation(module: str) -> dict[str, Any]:
    return yaml.safe_load(loaded(module).DOCUMENTATION)


def documented(module: str) -> dict[str, Any]:
    """The documented options, those of the doc fragments included; the module's own come first, as for Ansible."""
    found = documentation(module)
    options = dict(found["options"])
    for fragment in found.get("extends_documentation_fragment", []):
        name = fragment.removeprefix("openshift_ops.image_pull.")
        part = importlib.import_module(f"{COLLECTION}.plugins.doc_fragments.{name}").ModuleDocFragment
        options = {**yaml.safe_load(part.DOCUMENTATION).get("options", {}), **options}
    return options


def contract(options: dict[str, Any], suboptions: str) -> dict[str, Any]:
    """What documentation and argument spec must agree on."""
    return {
        name: {
            "type": option.get("type", "str"),
            "elements": option.get("elements"),
            "required": option.get("required", False),
            "default": option.get("default"),
            "choices": list(option.get("choices") or []),
            "aliases": list(option.get("aliases") or []),
            "options": contract(option.get(suboptions) or {}, suboptions),
        }
        for name, option in options.items()
    }


@pytest.mark.parametrize("module", MODULES)
class TestModules:
    def test_holds_no_logic(self, module: str) -> None:
        """Only a manual page, an argument spec, and run and main, which wire it."""
        allowed = (ast.Assign, ast.AnnAssign, ast.Import, ast.ImportFrom, ast.FunctionDef, ast.If)
        body = tree_of(module).body
        assert [type(node).__name__ for node in body if not isinstance(node, allowed)] == []
        assert [ast.unparse(node.test) for node in body if isinstance(node, ast.If)] == ["__name__ == '__main__'"]
        functions = [node for node in body if isinstance(node, ast.FunctionDef)]
        assert {function.name for function in functions} in ({"main"}, {"run", "main"})
        for function in functions:
            assert (function.end_lineno or 0) - function.lineno < 12
            assert not any(isinstance(node, (ast.For, ast.While, ast.Try, ast.If)) for node in ast.walk(function))

    def test_imports_nothing_that_a_room_holds(self, module: str) -> None:
        found = {name.split(".")[0] for name in imports_of(ROOT / f"plugins/modules/{module}.py")}
        assert found & {*LIBRARIES, "ansible"} == set()

    def test_documents_its_options_as_it_takes_them(self, module: str) -> None:
        assert contract(documented(module), "suboptions") == contract(loaded(module).ARGUMENTS, "options")

    def test_describes_every_option(self, module: str) -> None:
        def nameless(options: dict[str, Any]) -> Iterator[str]:
            for name, option in options.items():
                if not option.get("description"):
                    yield name
                yield from nameless(option.get("suboptions") or {})

        assert list(nameless(documented(module))) == []

    def test_names_each_variable_that_stands_in_for_an_option(self, module: str) -> None:
        def missing(options: dict[str, Any], pages: dict[str, Any]) -> Iterator[str]:
            for name, option in options.items():
                _function, variables = option.get("fallback") or (None, [])
                if variables and not any(f"E({variable})" in str(pages[name]["description"]) for variable in variables):
                    yield name
                yield from missing(option.get("options") or {}, pages[name].get("suboptions") or {})

        assert list(missing(loaded(module).ARGUMENTS, documented(module))) == []

    def test_says_what_it_supports(self, module: str) -> None:
        found = documentation(module)
        assert "openshift_ops.image_pull.attributes" in found["extends_documentation_fragment"]
        assert found["module"] == module
        assert yaml.safe_load(loaded(module).EXAMPLES)
        assert yaml.safe_load(loaded(module).RETURN)

    def test_has_an_action_plugin_that_runs_it(self, module: str) -> None:
        action = importlib.import_module(f"{COLLECTION}.plugins.action.{module}").ActionModule
        assert action.module is loaded(module).MODULE
        assert action.module.arguments is loaded(module).ARGUMENTS

    def test_is_in_the_action_group_when_it_takes_the_connection(self, module: str) -> None:
        """One module_defaults entry serves all of them, and kubernetes.core's."""
        group = yaml.safe_load((ROOT / "meta/runtime.yml").read_text(encoding="utf-8"))["action_groups"]["k8s"]
        assert (module in group) is ("namespaces" in loaded(module).ARGUMENTS)
        assert {"metadata": {"extend_group": ["kubernetes.core.k8s"]}} in group


class TestVersion:
    def test_the_user_agent_says_the_collections_version(self) -> None:
        galaxy = yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))
        assert galaxy["version"] == importlib.import_module(f"{COLLECTION}.plugins.module_utils.runtime.task").VERSION
