# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The code keeps the rules of the architecture: allowed imports, contents of modules, and documentation that matches the code."""

from __future__ import annotations

import ast
import dataclasses
import functools
import importlib
import json
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.openshift_ops.image_pull.plugins.plugin_utils import declarations
from support.agreement import assert_agreement, disagreements
from support.examples import tasks_in

ROOT = Path(__file__).parents[2]
COLLECTION = "ansible_collections.openshift_ops.image_pull"
MODULE_UTILS = ROOT / "plugins/module_utils"
MODULES = sorted(path.stem for path in (ROOT / "plugins/modules").glob("*.py"))
FILES = sorted(path for path in MODULE_UTILS.rglob("*.py") if path.name != "__init__.py")
#: The rooms, lowest first, and the other rooms that each may import.
_PURE = ("core", "dockerconfig", "secrets", "platform", "rbac", "images", "explain")
ROOMS: dict[str, set[str]] = {
    "core": set(),
    "declarations": {"core"},
    "dockerconfig": {"core"},
    "secrets": {"core", "dockerconfig"},
    "platform": {"core", "dockerconfig", "secrets"},
    "rbac": {"core"},
    "images": {"core", "dockerconfig", "secrets", "platform"},
    "explain": {"core", "dockerconfig", "secrets", "platform", "rbac", "images"},
    "clients": {"core"},
    "engine": {"core", "declarations", "clients"},
    "discovery": {*_PURE, "clients", "engine"},
    "features": {*_PURE, "declarations"},
    "inventory": {*_PURE, "declarations", "features"},
    "module": {*_PURE, "declarations", "clients", "engine"},
}
#: Rooms with independent packages: no feature imports another feature, and no client another client.
APART = ("features", "clients", "inventory")
#: Rooms in which the files `run.py` and `run_*.py` do the work of a package, or its only file, and all other files are pure.
RUNS = ("features", "inventory")
OF_RUNS = {"clients", "engine", "discovery"}
#: The packages that others of their room use: the only HTTP stack, and the evaluation of changes, which is the guard of a removal.
SHARED = {"clients.https", "inventory.what_if"}
#: The only package that may import each library, empty for none, and the parts of Ansible that a file may import.
LIBRARIES = {
    "kubernetes": "",
    "yaml": "clients.kube",
    "urllib3": "clients.https",
    "certifi": "clients.https",
}
ANSIBLE = {
    "module/options.py": {
        "ansible.module_utils.common.arg_spec.ArgumentSpecValidator",
        "ansible.module_utils.common.parameters.env_fallback",
    },
    "declarations/declare.py": {"ansible.module_utils.common.arg_spec.ArgumentSpecValidator"},
    "module/event_source.py": {"ansible.module_utils.common.arg_spec.ArgumentSpecValidator"},
    "module/task.py": {"ansible.module_utils.secrets.register_secrets"},
    "module/ansible_module.py": {"ansible.module_utils.basic.AnsibleModule"},
}


def room_of(path: Path) -> str:
    return path.relative_to(MODULE_UTILS).parts[0]


def is_run(path: Path) -> bool:
    is_whole = path.parent.name in RUNS
    return room_of(path) in RUNS and (is_whole or path.name.startswith("run"))


def package_of(path: Path) -> str:
    """Return the package in its room, such as `features.sa_link`. It can be one file."""
    return ".".join(path.relative_to(MODULE_UTILS).with_suffix("").parts[:2])


@functools.cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@functools.cache
def imports_of(path: Path) -> frozenset[str]:
    """Return the absolute names of the modules that a file imports, including imports inside functions."""
    package = [COLLECTION, *path.relative_to(ROOT).with_suffix("").parts][:-1]
    found: set[str] = set()
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            module = ".".join(part for part in (base, node.module) if part)
            found |= {f"{module}.{alias.name}" for alias in node.names}
    return frozenset(found)


def ours_in(path: Path) -> Iterator[list[str]]:
    """Yield the imports of module_utils in a file, split into their parts: room, package or file, and so on."""
    prefix = f"{COLLECTION}.plugins.module_utils."
    yield from (name.removeprefix(prefix).split(".") for name in imports_of(path) if name.startswith(prefix))


def near_in(path: Path) -> set[str]:
    """Return the imported packages of the file's own room."""
    return {".".join(parts[:2]) for parts in ours_in(path) if parts[0] == room_of(path)}


def forbidden(allowed: Mapping[Path, set[str]], imported: Callable[[Path], Iterable[str]]) -> dict[str, set[str]]:
    """Return the imports of each file that are not allowed."""
    found = {path: {*imported(path)} - names for path, names in allowed.items()}
    return {path.relative_to(ROOT).as_posix(): names for path, names in found.items() if names}


class TestImports:
    def test_a_lower_package_never_imports_a_higher_one(self) -> None:
        allowed = {
            path: ROOMS[room_of(path)] | {room_of(path)} | (OF_RUNS if is_run(path) else set()) for path in FILES
        }
        found = forbidden(allowed, lambda path: {parts[0] for parts in ours_in(path)})
        assert found == {}, (
            "these files may not import these rooms. ROOMS has the rooms below each, and OF_RUNS those for run.py and run_*.py"
        )

    def test_features_and_clients_do_not_import_each_other(self) -> None:
        allowed = {path: {package_of(path)} | SHARED for path in FILES if room_of(path) in APART}
        assert forbidden(allowed, near_in) == {}

    def test_shared_packages_import_no_feature_or_client(self) -> None:
        allowed = {path: {package_of(path)} for path in FILES if package_of(path) in SHARED}
        assert forbidden(allowed, near_in) == {}

    def test_each_library_is_imported_by_one_package(self) -> None:
        def libraries(path: Path) -> set[str]:
            return {name.split(".")[0] for name in imports_of(path)} & {*LIBRARIES}

        allowed = {path: {name for name, only in LIBRARIES.items() if only == package_of(path)} for path in FILES}
        assert forbidden(allowed, libraries) == {}

    def test_only_some_files_import_parts_of_ansible(self) -> None:
        allowed = {path: ANSIBLE.get(path.relative_to(MODULE_UTILS).as_posix(), set()) for path in FILES}
        assert (
            forbidden(allowed, lambda path: {name for name in imports_of(path) if name.split(".")[0] == "ansible"})
            == {}
        )

    def test_modules_with_a_guard_start_without_the_evaluation_of_pulls(self) -> None:
        """It is most of the collection, and only a task that removes something needs it."""
        modules = ("image_puller_grant", "pull_access_prune", "pull_secret", "sa_link")
        program = f"import sys; from {COLLECTION}.plugins.modules import {', '.join(modules)}; print(*sys.modules)"
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
        assert not [name for name in done.stdout.split() if ".explain.steps" in name or ".pull_audit" in name]

    def test_the_list_of_packages_is_complete(self) -> None:
        assert {room_of(path) for path in FILES} == {*ROOMS}


#: The class names by which Ansible finds plugins.
_OF_PLUGINS = {"ActionModule", "FilterModule", "LookupModule", "ModuleDocFragment"}


def test_no_class_name_is_used_in_two_files() -> None:
    found: dict[str, set[str]] = {}
    for path in sorted((ROOT / "plugins").rglob("*.py")):
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.ClassDef) and node.name not in _OF_PLUGINS:
                found.setdefault(node.name, set()).add(path.relative_to(ROOT).as_posix())
    assert {name: paths for name, paths in found.items() if len(paths) > 1} == {}


PLUGINS = ROOT / "plugins"
#: The folders whose files need their own test files. Modules and action plugins are wiring: tests/modules and tests/scenarios run them.
MIRRORED = ("module_utils", "plugin_utils", "lookup", "filter")


def holds_data_only(source: ast.Module) -> bool:
    """Return whether a file has only imports, assignments without computations, and classes with nothing but fields."""
    return all(map(is_data, source.body))


def is_data(node: ast.stmt) -> bool:
    if isinstance(node, ast.ClassDef):
        return all(is_data(part) for part in node.body)
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant)
    computes = (ast.Call, ast.Lambda, ast.BinOp, ast.comprehension, ast.IfExp)
    is_plain = not any(isinstance(part, computes) for part in ast.walk(node))
    return isinstance(node, (ast.Import, ast.ImportFrom)) or (
        isinstance(node, (ast.Assign, ast.AnnAssign)) and is_plain
    )


def test_every_file_with_code_has_its_test() -> None:
    """A large file has several. Pure data needs no test, because the test would repeat it."""
    files = [path for folder in MIRRORED for path in (PLUGINS / folder).rglob("*.py") if path.name != "__init__.py"]
    tests = {path: Path("tests/unit") / path.relative_to(ROOT).with_name(f"test_{path.name}") for path in files}

    def is_tested(test: Path) -> bool:
        return (ROOT / test).is_file() or any((ROOT / test.parent).glob(f"{test.stem}_*.py"))

    missing = [path for path in files if not is_tested(tests[path]) and not holds_data_only(parsed(path))]
    assert [f"write {tests[path]}, the test of {path.relative_to(ROOT)}" for path in missing] == []


@pytest.mark.parametrize(
    ("source", "is_data_only"),
    [
        ('"""Text."""\nfrom __future__ import annotations\nA = ("a", "b")\nB: dict[str, int] = {"a": 1}', True),
        ("@dataclass(frozen=True)\nclass A:\n    a: int\n    b: str = 'b'", True),
        ("A = re.compile('a')", False),
        ("A = {name: 1 for name in B}", False),
        ("A = lambda: 1", False),
        ("A = 60 * B", False),
        ("def f(): pass", False),
        ("class A:\n    def f(self): pass", False),
        ("if A:\n    B = 1", False),
    ],
)
def test_data_is_what_computes_nothing(source: str, is_data_only: bool) -> None:
    assert holds_data_only(ast.parse(source)) is is_data_only


def page_of(module: str) -> str:
    return f"plugins/modules/{module}.py"


def loaded(module: str) -> Any:
    return importlib.import_module(f"{COLLECTION}.plugins.modules.{module}")


@functools.cache
def documentation(module: str) -> dict[str, Any]:
    return yaml.safe_load(loaded(module).DOCUMENTATION)


@functools.cache
def documented(module: str) -> dict[str, Any]:
    """Return the documented options, including the doc fragments. As in Ansible, the module's own options take precedence."""
    found = documentation(module)
    options = dict(found["options"])
    for fragment in found.get("extends_documentation_fragment", []):
        name, _dot, part = fragment.removeprefix("openshift_ops.image_pull.").partition(".")
        parts = importlib.import_module(f"{COLLECTION}.plugins.doc_fragments.{name}").ModuleDocFragment
        options = {**yaml.safe_load(getattr(parts, part.upper() or "DOCUMENTATION")).get("options", {}), **options}
    return options


def contract(options: dict[str, Any], suboptions: str) -> dict[str, Any]:
    """Return the facts about options on which documentation and argument spec must agree."""
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


def leave_out_entries(ours: dict[str, Any], taken: dict[str, Any], lists: set[str]) -> None:
    """Leave out the options of entries that the page does not document, also in lists within other options."""
    for name, option in taken.items():
        page = ours.get(name, {}).get("options", {})
        if name in lists:
            entry = option["options"]
            option["options"] = {each: {**entry[each], "options": {}} for each in page if each in entry}
        else:
            leave_out_entries(page, option["options"], lists)


#: The last sentence of an option that only the roles and playbooks of the collection set.
OF_ROLES = "Used by the roles of this collection."


def set_in(module: str, tasks: Any) -> set[str]:
    """Return the options that tasks of a play or a file give a module."""
    given = (options for name, options in tasks_in(tasks) if name == module)
    return {name for options in given for name in options}


@functools.cache
def set_by_roles(module: str) -> set[str]:
    files = [
        path for folder in ("roles/*/tasks", "playbooks", "playbooks/tasks") for path in ROOT.glob(f"{folder}/*.yml")
    ]
    steps = ast.walk(parsed(ROOT / "plugins" / "plugin_utils" / "declared_access.py"))
    given = {each.arg for node in steps if isinstance(node, ast.Call) for each in node.keywords if each.arg}
    return given | {name for path in files for name in set_in(module, yaml.safe_load(path.read_text(encoding="utf-8")))}


@pytest.mark.parametrize("module", MODULES)
class TestModules:
    def test_a_module_contains_no_logic(self, module: str) -> None:
        """A module consists of its manual page, an argument spec, and the functions run and main that wire it."""
        allowed = (ast.Assign, ast.AnnAssign, ast.Import, ast.ImportFrom, ast.FunctionDef, ast.If)
        body = parsed(ROOT / page_of(module)).body
        assert [type(node).__name__ for node in body if not isinstance(node, allowed)] == []
        assert [ast.unparse(node.test) for node in body if isinstance(node, ast.If)] == ["__name__ == '__main__'"]
        functions = [node for node in body if isinstance(node, ast.FunctionDef)]
        assert {function.name for function in functions} in ({"main"}, {"run", "main"})
        for function in functions:
            assert (function.end_lineno or 0) - function.lineno < 12
            assert not any(isinstance(node, (ast.For, ast.While, ast.Try, ast.If)) for node in ast.walk(function))

    def test_a_module_imports_no_third_party_library(self, module: str) -> None:
        found = {name.split(".")[0] for name in imports_of(ROOT / page_of(module))}
        assert found & {*LIBRARIES, "ansible"} == set()

    def test_the_page_of_a_module_matches_its_arguments(self, module: str) -> None:
        """A module that takes the lists of other modules documents only the options that it reads, and refers to their pages."""
        pages = f"DOCUMENTATION of {page_of(module)} or of a fragment that it extends"
        ours, taken = contract(documented(module), "suboptions"), contract(loaded(module).ARGUMENTS, "options")
        leave_out_entries(ours, taken, {form.option for form in loaded(module).MODULE.lists})
        assert_agreement(ours, taken, pages, "its argument spec")

    def test_the_page_of_a_module_describes_every_option(self, module: str) -> None:
        def nameless(options: dict[str, Any]) -> Iterator[str]:
            for name, option in options.items():
                if not option.get("description"):
                    yield name
                yield from nameless(option.get("suboptions") or {})

        assert list(nameless(documented(module))) == []

    def test_options_of_the_roles_are_last_and_without_an_example(self, module: str) -> None:
        """The beginning of a page is for users who write tasks."""
        options = documentation(module)["options"]
        ours = [name for name, option in options.items() if OF_ROLES in option["description"]]
        assert ours == [*options][len(options) - len(ours) :]
        assert [name for name in ours if name in set_in(module, yaml.safe_load(loaded(module).EXAMPLES))] == []
        assert [name for name in ours if name not in set_by_roles(module)] == []

    def test_the_page_of_a_module_names_each_fallback_variable(self, module: str) -> None:
        def missing(options: dict[str, Any], pages: dict[str, Any]) -> Iterator[str]:
            for name, option in options.items():
                _function, variables = option.get("fallback") or (None, [])
                page = pages.get(name, {})
                if variables and not any(f"E({variable})" in str(page.get("description")) for variable in variables):
                    yield f"name E({variables[0]}) in the description of option {name!r} in {page_of(module)}"
                yield from missing(option.get("options") or {}, page.get("suboptions") or {})

        assert list(missing(loaded(module).ARGUMENTS, documented(module))) == []

    def test_the_page_of_a_module_has_attributes_examples_and_returns(self, module: str) -> None:
        found = documentation(module)
        assert "openshift_ops.image_pull.attributes" in found["extends_documentation_fragment"]
        assert found["module"] == module
        assert yaml.safe_load(loaded(module).EXAMPLES)
        assert yaml.safe_load(loaded(module).RETURN)

    def test_a_module_has_an_action_plugin(self, module: str) -> None:
        action = importlib.import_module(f"{COLLECTION}.plugins.action.{module}").ActionModule
        assert action.module is loaded(module).MODULE
        assert action.module.arguments is loaded(module).ARGUMENTS

    def test_a_module_with_connection_options_is_in_the_action_group(self, module: str) -> None:
        """One module_defaults entry serves all modules of the collection and of kubernetes.core."""
        group = yaml.safe_load((ROOT / "meta/runtime.yml").read_text(encoding="utf-8"))["action_groups"]["k8s"]
        assert (module in group) is ("kubeconfig" in loaded(module).ARGUMENTS)
        assert {"metadata": {"extend_group": ["kubernetes.core.k8s"]}} in group


# For a new option, see CONTRIBUTING.md, "Add an option". Only these two tables in this file may need an entry for it.
#: Module options that the feature does not read. The module's page passes them on, or the action plugin reads them.
_REGISTRY = {"realm_hosts", "registry_ca_cert", "registry_validate_certs", "registry_timeout"}
_GUARD = {"guard", *_REGISTRY}
HANDED_ON = {
    "global_pull_secret": {"timeout"},
    "image_list": {"show"},
    "image_puller_grant": _GUARD,
    "pull_access": {"show"},
    "pull_secret": {"guard", "declared_elsewhere"},
    "sa_link": _GUARD,
    "sa_wait": {"timeout"},
    "what_if": {"show"},
}
#: For each feature, tasks whose options together reach every read. An option that depends on another needs a task with both.
SAMPLES: dict[str, list[dict[str, Any]]] = {
    "export": [{"roles": ["r"], "dest": "d", "vault_id": "v", "force": True}, {"credentials": "placeholder"}],
    "automation_account": [
        {"name": "n", "namespace": "a", "jobs": ["secrets"], "token_seconds": 600, "kubeconfig_dest": "d/f"},
        {"namespace": "a", "jobs": ["audit"], "everywhere": True},
    ],
    "credential_rotation": [
        {
            "registries": ["quay.io"],
            "old": {"username": "u", "password": "p"},
            "new": {"username": "u", "password": "q", "expires": "2126-01-01T00:00:00Z"},
            "next_rotation_seconds": 60,
            "verify": True,
        }
    ],
    "global_pull_secret": [
        {"merge": ["quay.io"], "wait": True, "allow_paused": True, "rendered_before": {"worker": "rendered-worker-1"}},
        {"auth_file": "config.json", "include": ["quay.io"]},
    ],
    "image_list": [{"to": {"docker.io/bitnami": "quay.io/b"}, "dest": "d", "csv": "c"}],
    "image_puller_grant": [
        {"users": ["u"], "binding_name": "b", "exclusive": True, "verify_access": True},
        {"projects": ["p"], "role": "r", "state": "absent", "revoke_from": "every_binding", "prune": True},
    ],
    "image_stream_import": [
        {"registries": ["quay.io"], "streams": ["s"]},
        {"only_failed": False},
    ],
    "pull_access": [
        {"pod": "p", "ask_registries": True},
        {"workload": "Job/j"},
        {"image": "i", "service_account": "a"},
        {"secretless": True, "credential_provider_config": "f"},
    ],
    "pull_audit": [
        {
            "rules": ["secret-unused"],
            "ignore": ["secret-unused"],
            "target_version": "4.22",
            "search_credential": {"password": "p" * 8},
            "fingerprint_key": "k" * 16,
            "dest": "d",
            "cluster_name": "c",
            "expires_within": 3,
            "drift": [{"namespaces": []}],
        }
    ],
    "pull_probe": [
        {
            "images": ["quay.io/team/app:1"],
            "service_account": "a",
            "image_pull_secrets": ["s"],
            "node_selectors": [{"pool": "gpu"}],
            "timeout": 5,
            "keep_failed": True,
        }
    ],
    "pull_report": [
        {
            "src": ["s"],
            "html": "h",
            "json": "j",
            "junit": "x",
            "title": "t",
            "missing": [{"name": "n", "error": "e"}],
        },
        {"src": ["s"], "compare_with": "c", "fail_on": "error", "fail_on_new": True},
        {"what_if": ["w"], "html": "h"},
    ],
    "pull_secret": [
        {
            "name": "s",
            "registries": [{"registry": "quay.io", "username": "u", "password": "p"}],
            "recreate": True,
            "verify": True,
        },
        {"name": "s", "auth_file": "config.json", "include": ["quay.io"], "mode": "merge", "update_existing": False},
        {"name": "s", "auth_config": {"auths": {"quay.io": {"auth": "dTpw"}}}, "type": "kubernetes.io/dockercfg"},
        {"name": "s", "registries": [{"registry": "quay.io"}], "mode": "remove"},
        {"name": "s", "state": "absent"},
    ],
    "pull_secret_info": [{"names": ["a", "b-*"], "verify": True}],
    "sa_link": [
        {"secrets": ["s"], "exclusive": True, "create": True, "restart_pods": "stuck"},
        {"secrets": ["s"], "service_accounts": ["build-*"], "link_for": ["mount"], "require": "none"},
        {"secrets": ["s"], "state": "absent"},
    ],
    "sa_wait": [{"service_accounts": ["a"]}, {"accounts": [{"namespace": "a"}]}],
    "what_if": [{"changes": [{"new_nodes": True}], "ask_registries": True, "dest": "d"}],
}
FEATURES = sorted(SAMPLES)
#: The features that read the file of an option.
READS_FILES = ("global_pull_secret", "pull_secret")
#: The modules whose names differ from the names of their features.
MODULE_OF = {
    "export": "pull_access_export",
    "global_pull_secret": "global_pull_secret_info",
    "image_list": "pull_access_images",
    "pull_access": "pull_access_info",
    "pull_audit": "pull_access_audit",
    "pull_report": "pull_access_report",
    "what_if": "pull_access_what_if",
}


class Reading(dict[str, Any]):
    """Options that record which of them are read. Reading an unknown option is an error."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        super().__init__(values)
        self.names: set[str] = set()

    def __getitem__(self, name: str) -> Any:
        self.names.add(name)
        return super().__getitem__(name)

    def get(self, name: str, default: Any = None) -> Any:
        return self[name]


def own_arguments(feature: str) -> dict[str, Any]:
    """Return the arguments of a single declaration."""
    module = loaded(MODULE_OF.get(feature, feature))
    form = module.MODULE.form
    lists = {form.option} if hasattr(form, "declare") else set()
    return {
        name: spec
        for name, spec in module.ARGUMENTS.items()
        if name not in {*runtime_options().CLUSTER_OPTIONS, *lists}
    }


def runtime_options() -> Any:
    return importlib.import_module(f"{COLLECTION}.plugins.module_utils.module.options")


def validated(arguments: dict[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options as the module receives them, with all defaults."""
    result = ArgumentSpecValidator(arguments).validate(dict(given))
    assert result.error_messages == []
    return result.validated_parameters


def files_of(feature: str) -> list[Path]:
    """Return the files of a feature, which has one or a folder of them."""
    return [path for path in FILES if room_of(path) in RUNS and feature_of(path) == feature]


def feature_of(path: Path) -> str:
    return path.stem if path.parent.name == "features" else path.parent.name


def reads_options(path: Path) -> bool:
    """Return whether a file turns the options of a module into its declaration or question."""
    return any(isinstance(node, ast.FunctionDef) and node.name == "from_options" for node in parsed(path).body)


def made_of(feature: str, options: Reading) -> Any:
    """Return the declaration or question that the feature makes of its options."""
    (path,) = (path for path in files_of(feature) if reads_options(path))
    name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    make = importlib.import_module(f"{COLLECTION}.{name}").from_options
    files: dict[str, Any] = {}
    if feature in READS_FILES:
        files["read_file"] = lambda _path: '{"auths": {"quay.io": {"auth": "dTpw"}}}'
    if feature == "what_if":
        files["read"] = lambda _path: []
    if feature == "pull_access":
        files["read_objects"] = lambda _path: [{}]
    return make(options, **files)


class TestOneOptionIsWrittenOnce:
    """Documentation and argument table agree (tests above). The dataclass made of the options and the roles (tests below) agree with them too."""

    def test_every_feature_with_options_has_samples(self) -> None:
        found = {feature_of(path) for path in FILES if room_of(path) in RUNS and reads_options(path)} - {
            "object_events"
        }
        assert [
            f"add a sample of the options of {name!r} to SAMPLES in tests/unit/test_house.py"
            for name in found - {*FEATURES}
        ] == []
        assert [f"remove {name!r} from SAMPLES: it reads no options" for name in {*FEATURES} - found] == []

    @pytest.mark.parametrize("feature", FEATURES)
    def test_a_feature_reads_exactly_its_options(self, feature: str) -> None:
        arguments = own_arguments(feature)
        given = [Reading(validated(arguments, sample)) for sample in SAMPLES[feature]]
        for options in given:
            made_of(feature, options)
        read = {name for options in given for name in options.names}
        wanted = set(arguments) - HANDED_ON.get(feature, set())
        file = f"features/{feature}"
        assert [
            f"{file} does not read option {name!r}: read it there. If it is read only with certain other options, add these to "
            f"SAMPLES[{feature!r}]. If the module or the action plugin reads it, add it to HANDED_ON[{feature!r}]"
            for name in sorted(wanted - read)
        ] == []
        assert [f"{file} reads {name!r}, but HANDED_ON[{feature!r}] names it" for name in sorted(read - wanted)] == []

    @pytest.mark.parametrize("feature", FEATURES)
    def test_a_field_with_the_name_of_an_option_contains_its_value(self, feature: str) -> None:
        for sample in SAMPLES[feature]:
            options = validated(own_arguments(feature), sample)
            made = made_of(feature, Reading(options))
            names = {field.name for field in dataclasses.fields(made)} & {*sample} - {
                "registries",
                "auth_file",
                "mode",
                "ignore",
            }
            held = {name: getattr(made, name) for name in names}
            plain = {name: list(value) if isinstance(value, tuple) else value for name, value in held.items()}
            given = {name: options[name] for name in names}
            assert_agreement(given, plain, "the task", f"what features/{feature} makes of it")

    @pytest.mark.parametrize("feature", FEATURES)
    def test_a_feature_compares_options_only_with_their_choices(self, feature: str) -> None:
        """Otherwise a choice that is renamed only in the table would never match again."""
        choices = {name: spec["choices"] for name, spec in own_arguments(feature).items() if "choices" in spec}
        found = [
            f"{path.name}:{line}: {name} is never {value!r}"
            for path in files_of(feature)
            for line, name, value in compared_in(path)
            if name in choices and value not in choices[name] and (feature, name, value) not in BESIDE_CHOICES
        ]
        assert found == []

    def test_the_selector_reads_exactly_its_suboptions(self) -> None:
        arguments = runtime_options().CLUSTER_OPTIONS["namespace_selector"]["options"]
        options = Reading(validated(arguments, {"labels": "a=b"}))
        selector = importlib.import_module(f"{COLLECTION}.plugins.module_utils.core.namespaces")
        made = selector.selector_of(options)
        assert options.names == set(arguments)
        assert made == dataclasses.replace(selector.NamespaceSelector(), labels="a=b")

    def test_the_connection_options_match_the_fields_of_the_dataclass(self) -> None:
        found = importlib.import_module(f"{COLLECTION}.plugins.module_utils.clients.kube.login").ConnectionOptions
        assert {field.name for field in dataclasses.fields(found)} == set(runtime_options().CONNECTION_OPTIONS)

    def test_the_registry_options_match_the_fields_and_defaults_of_the_dataclass(self) -> None:
        module = loaded("registry_auth_info")
        arguments = module.ARGUMENTS
        client = importlib.import_module(f"{COLLECTION}.plugins.module_utils.clients.registry.transport")
        given = validated(arguments, {"registry": "quay.io"})
        login = {"username", "password", "repositories", "realm_hosts"}
        assert {given.pop(name) for name in ("registries", *login)} == {None}
        assert dataclasses.asdict(client.RegistryOptions(registry="quay.io")) == {
            **{name.removeprefix("registry_"): value for name, value in given.items()},
            "authorities": None,
        }
        assert {*arguments["registries"]["options"]} == {*given, *login, "title"}


#: Compared values that are not choices of the option: `PullSecret.mode` also represents the option `state`.
BESIDE_CHOICES = {("pull_secret", "mode", "absent")}


def compared_in(path: Path) -> Iterator[tuple[int, str, str]]:
    """Yield comparisons of an option, or of an attribute with its name, with strings: the line, the name and each string."""
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            names = {name for side in sides if (name := option_name(side))}
            values = [part for side in sides for part in getattr(side, "elts", [side])]
            for part in values:
                if isinstance(part, ast.Constant) and isinstance(part.value, str):
                    yield from ((node.lineno, name, part.value) for name in names)


def option_name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self":
        return node.attr
    if (
        isinstance(node, ast.Subscript)
        and ast.unparse(node.value) == "options"
        and isinstance(node.slice, ast.Constant)
    ):
        return str(node.slice.value)
    if (
        isinstance(node, ast.Call)
        and ast.unparse(node.func) == "options.get"
        and isinstance(node.args[0], ast.Constant)
    ):
        return str(node.args[0].value)
    return ""


def version(text: Any) -> tuple[int, ...]:
    assert isinstance(text, str), "a version is text: 0.10 must not become 0.1"
    return tuple(int(part) for part in text.split("."))


@pytest.mark.parametrize("module", MODULES)
class TestPages:
    def test_a_page_documents_the_rules_between_options(self, module: str) -> None:
        """For options that exclude or need each other, the page of one option names all of them and the condition of the rule."""
        rules = loaded(module).MODULE.all_rules
        assert set(rules) <= {"mutually_exclusive", "required_one_of", "required_if"}
        groups = [*rules.get("mutually_exclusive", ()), *rules.get("required_one_of", ())]
        wanted = [{f"O({name})" for name in group} for group in groups]
        for option, value, names, *_any in rules.get("required_if", ()):
            wanted.append({f"O({option}={value})", *(f"O({name})" for name in names)})
        texts = [str(option["description"]) for option in documented(module).values()]
        assert [words for words in wanted if not any(all(word in text for word in words) for text in texts)] == []

    def test_each_option_has_a_type_and_only_known_keys(self, module: str) -> None:
        """Ansible ignores unknown keys in an argument spec, and an option without a type is a string."""
        known = {
            "type",
            "elements",
            "options",
            "default",
            "choices",
            "required",
            "aliases",
            "no_log",
            "fallback",
            "apply_defaults",
        }
        known |= {"mutually_exclusive", "required_one_of", "required_together", "required_if", "required_by"}

        def odd(arguments: dict[str, Any]) -> Iterator[str]:
            for name, spec in arguments.items():
                if "type" not in spec or set(spec) - known:
                    yield name
                yield from odd(spec.get("options") or {})

        assert list(odd(loaded(module).ARGUMENTS)) == []

    def test_a_page_has_a_valid_version_added(self, module: str) -> None:
        """The version of a module exists. Only options that are newer than their module have a version of their own."""
        ours = version(yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))["version"])
        page = version(documentation(module)["version_added"])
        assert page <= ours

        def added(options: dict[str, Any]) -> Iterator[tuple[str, tuple[int, ...]]]:
            for name, option in options.items():
                if "version_added" in option:
                    yield name, version(option["version_added"])
                yield from added(option.get("suboptions") or {})

        odd = [name for name, since in added(documented(module)) if not page < since <= ours]
        assert not odd, f"version_added of {odd} must be newer than the module, and not newer than galaxy.yml"


SOURCES = sorted(path.stem for path in (ROOT / "extensions/eda/plugins/event_source").glob("*.py"))
#: The rooms that an event source wires: its options, its work, and the code that runs it.
OF_SOURCES = {"features", "module"}


def source_of(name: str) -> Any:
    return importlib.import_module(f"{COLLECTION}.extensions.eda.plugins.event_source.{name}")


@pytest.mark.parametrize("source", SOURCES)
class TestEventSources:
    """An event source is a manual page and wiring, like a module. ansible-rulebook runs it by its path."""

    def test_an_event_source_contains_no_logic(self, source: str) -> None:
        path = ROOT / f"extensions/eda/plugins/event_source/{source}.py"
        found = {name.split(".")[0] for name in imports_of(path)}
        assert found & {*LIBRARIES, "ansible"} == set()
        assert {parts[0] for parts in ours_in(path)} <= OF_SOURCES
        body = parsed(path).body
        functions = [node for node in body if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]
        assert {function.name for function in functions} == {"main"}
        assert all((function.end_lineno or 0) - function.lineno < 12 for function in functions)

    def test_the_page_of_an_event_source_matches_its_arguments(self, source: str) -> None:
        page = yaml.safe_load(source_of(source).DOCUMENTATION)["options"]
        ours, taken = contract(page, "suboptions"), contract(source_of(source).ARGUMENTS, "options")
        assert_agreement(ours, taken, f"DOCUMENTATION of event_source/{source}.py", "its argument spec")

    def test_an_event_source_has_the_connection_options_of_the_modules(self, source: str) -> None:
        fragment = importlib.import_module(f"{COLLECTION}.plugins.doc_fragments.connection").ModuleDocFragment
        theirs = yaml.safe_load(fragment.DOCUMENTATION)["options"]
        page = yaml.safe_load(source_of(source).DOCUMENTATION)["options"]
        assert contract({name: page[name] for name in theirs}, "suboptions") == contract(theirs, "suboptions")
        named = {name for name, spec in runtime_options().CONNECTION_OPTIONS.items() if spec.get("fallback")}
        assert [name for name in sorted(named) if "E(K8S_AUTH_" not in str(page[name]["description"])] == []

    def test_the_schema_of_an_event_source_has_the_same_options(self, source: str) -> None:
        path = ROOT / f"extensions/eda/plugins/event_source/schemas/{source}.json"
        schema = json.loads(path.read_text(encoding="utf-8"))
        arguments = source_of(source).ARGUMENTS
        names = {*arguments, *(alias for spec in arguments.values() for alias in spec.get("aliases", ()))}
        file = f"event_source/schemas/{source}.json"
        assert [f"add option {name!r} to {file}" for name in sorted(names - {*schema["properties"]})] == []
        assert [f"remove {name!r} from {file}" for name in sorted({*schema["properties"]} - names)] == []
        assert schema["additionalProperties"] is False
        for name, spec in arguments.items():
            ours = schema["properties"][name]
            assert ours.get("default") == spec.get("default"), name
            part = ours.get("items") or ours
            members = {*part.get("properties", {})}
            assert members == {*spec.get("options", {})}, f"members of {name!r} in {file}, and in the argument spec"
            for inner, option in (spec.get("options") or {}).items():
                found = part["properties"][inner]
                choices = found.get("enum") or found.get("items", {}).get("enum")
                assert choices == option.get("choices"), inner

    def test_the_examples_of_an_event_source_are_valid(self, source: str) -> None:
        examples = yaml.safe_load(source_of(source).EXAMPLES)
        assert examples
        for example in examples:
            (name,) = {*example} - {"name"}
            assert name == f"openshift_ops.image_pull.{source}"
            assert {*(example[name] or {})} <= {*source_of(source).ARGUMENTS}

    def test_the_page_of_an_event_source_has_version_added(self, source: str) -> None:
        assert version(yaml.safe_load(source_of(source).DOCUMENTATION)["version_added"])


ROLES = sorted(path.name for path in (ROOT / "roles").iterdir() if path.is_dir())
#: Role options with fewer choices than the module's option, and the missing choices.
FEWER_CHOICES = {("private_registry", "mode"): {"remove"}}


@functools.cache
def role_file(role: str, name: str) -> Any:
    return yaml.safe_load((ROOT / "roles" / role / name).read_text(encoding="utf-8"))


def role_options(role: str) -> dict[str, Any]:
    return role_file(role, "meta/argument_specs.yml")["argument_specs"]["main"]["options"]


def entry_options(role: str) -> dict[str, Any]:
    """Return the options of one entry of the role's list."""
    options: dict[str, Any] = role_file(role, "meta/argument_specs.yml")["argument_specs"]["entry"]["options"]
    return options


#: The module that receives an option of a role's entry unchanged. Other options name a secret, or belong to the role.
HANDED_TO = {
    "private_registry": {
        **dict.fromkeys(declarations._SECRET, "pull_secret"),
        # The role has its own default of `require`.
        **dict.fromkeys({*declarations._LINK} - {"require"}, "sa_link"),
        **dict.fromkeys(declarations.PLACES, "pull_secret"),
    },
    "delegated_auth": {
        **dict.fromkeys(declarations._QUESTION, "registry_auth_info"),
        **dict.fromkeys(declarations.PLACES, "pull_secret"),
        **dict.fromkeys(("service_accounts", "link_for", "wait_timeout"), "sa_link"),
    },
    "cross_project_pull": dict.fromkeys((*declarations._GRANT, *declarations.PLACES), "image_puller_grant"),
}


def as_a_role_may(ours: dict[str, Any], theirs: dict[str, Any]) -> dict[str, Any]:
    """Return the module's options with the differences that a role may have: more required options, and no aliases."""
    options = {
        name: as_a_role_may(ours["options"][name], option) if name in ours["options"] else option
        for name, option in theirs["options"].items()
    }
    return {**theirs, "required": ours["required"] or theirs["required"], "aliases": [], "options": options}


@pytest.mark.parametrize("role", HANDED_TO)
class TestEntries:
    def test_an_option_that_is_passed_on_equals_the_modules(self, role: str) -> None:
        entry, spec = entry_options(role), f"argument_specs/entry of roles/{role}/meta/argument_specs.yml"
        assert [f"document option {name!r} in {spec}" for name in HANDED_TO[role] if name not in entry] == []
        for option, module in HANDED_TO[role].items():
            assert option in loaded(module).ARGUMENTS, (
                f"option {option!r} is handed to module {module}, which does not have it"
            )
            ours = contract({option: entry[option]}, "options")[option]
            theirs = as_a_role_may(ours, contract({option: loaded(module).ARGUMENTS[option]}, "options")[option])
            fewer = FEWER_CHOICES.get((role, option), set())
            theirs["choices"] = [choice for choice in theirs["choices"] if choice not in fewer]
            assert_agreement({option: ours}, {option: theirs}, spec, f"module {module}")

    def test_every_option_of_an_entry_is_described(self, role: str) -> None:
        assert [name for name, option in entry_options(role).items() if not option.get("description")] == []


@pytest.mark.parametrize("role", ROLES)
class TestRoles:
    def test_every_variable_of_a_role_is_described(self, role: str) -> None:
        assert [name for name, option in role_options(role).items() if not option.get("description")] == []

    def test_a_role_with_entries_passes_them_to_a_module(self, role: str) -> None:
        assert ("entry" in role_file(role, "meta/argument_specs.yml")["argument_specs"]) == (role in HANDED_TO)


class TestVersion:
    def test_the_user_agent_contains_the_version_of_the_collection(self) -> None:
        galaxy = yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))
        assert galaxy["version"] == importlib.import_module(f"{COLLECTION}.plugins.module_utils.module.task").VERSION


class TestMessages:
    """The error messages tell contributors where to document a new option."""

    PAGE = {"a": {"type": "str", "options": {"b": {"type": "int"}}}}

    @pytest.mark.parametrize(
        ("taken", "lines"),
        [
            (PAGE, []),
            ({**PAGE, "c": {}}, ["document option 'c' in the page"]),
            ({}, ["the page documents option 'a', which the code does not have"]),
            ({"a": {"type": "str"}}, ["the page documents option 'a.b', which the code does not have"]),
            (
                {"a": {"type": "bool", "options": {"b": {"type": "int"}, "c": {}}}},
                [
                    "the page has type 'str' for option 'a', but the code has 'bool'",
                    "document option 'a.c' in the page",
                ],
            ),
        ],
    )
    def test_a_message_says_what_to_write_where(self, taken: dict[str, Any], lines: list[str]) -> None:
        assert disagreements(self.PAGE, taken, "the page", "the code") == lines


def test_each_place_names_the_same_packages_to_install() -> None:
    """requirements.txt is for execution environments, the message and the manual are for people."""
    wanted = [line for line in (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines() if line[0] != "#"]
    task = importlib.import_module(f"{COLLECTION}.plugins.module_utils.module.task")
    fragment = importlib.import_module(f"{COLLECTION}.plugins.doc_fragments.connection").ModuleDocFragment
    message = task.Module({}, lambda _task: {}, "why").without_library("python3")
    assert f"python3 -m pip install {' '.join(map(repr, wanted))}, or" in message
    pages = yaml.safe_load(fragment.DOCUMENTATION)["requirements"]
    assert [line.replace(" ", "") for line in pages if not line.startswith("python")] == wanted
