# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Apply the declarations of one host in a few steps, each a module for the entries of all roles. The caller runs the modules.

A failure in some namespaces does not stop the other steps. A step that rejects its options, or that the cluster stops, ends the run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import replace
from typing import Any, NamedTuple

from ansible.module_utils.common.validation import check_type_list
from ansible.module_utils.parsing.convert_bool import boolean

from ..module_utils.core.errors import OptionError
from ..module_utils.core.names import quote_name
from ..module_utils.core.ownership import check_owner
from ..module_utils.core.text import join_and, summarize
from ..module_utils.module.options import REGISTRY_OPTIONS
from .declaration_check import MODULES, refuse_invalid, role_in_play
from .declarations import KINDS, WRITERS, Declarations
from .declared_entries import Templates, file_reader
from .known_variables import VARIABLES, declaring_variables, find_invalid_settings, refusal_of
from .result_lines import apply_line, outcome_of
from .role_entries import DeclarationError, Made, Role, TemplateError, as_data

#: A result of a module.
Result = Mapping[str, Any]


class AccessStep(NamedTuple):
    """A module, its option for the entries, and the variables of other options, by option."""

    module: str
    option: str
    settings: Mapping[str, str]


def _variables(*names: str) -> dict[str, str]:
    return {name: f"image_pull_{name}" for name in names}


_OWNER = _variables("owner", "adopt")
#: For entries without these members. Each entry gets their values.
USUAL = _variables(*REGISTRY_OPTIONS)
_GUARD = _variables("guard") | USUAL
STEPS = {
    "registries": AccessStep("registry_auth_info", "registries", {}),
    "secrets": AccessStep("pull_secret", "secrets", _OWNER),
    "links": AccessStep("sa_link", "links", _OWNER),
    "removals": AccessStep("pull_secret", "secrets", _OWNER),
    "wait": AccessStep("sa_wait", "accounts", {"timeout": "cross_project_pull_wait_timeout"}),
    "grants": AccessStep("image_puller_grant", "grants", _OWNER),
    "prune": AccessStep("pull_access_prune", "grants", _variables("owner", "max_prune", "prune_everything") | _GUARD),
}
#: Keys of a step's result that are keys of the whole result. Ansible adds the others to the result of each task.
_SHOWN = ("warnings", "deprecations", "diff", "invocation", "ansible_parsed")
#: The steps of a removal that ask the guard.
_GUARDED = ("secrets", "links", "grants")
_NO_OWNER = (
    "variable image_pull_prune needs image_pull_owner, because only objects with the owner's label are "
    "removed: set it, such as image_pull_owner: team-a"
)


class DeclaredAccess:
    """The declarations of some roles on one host, and the results of the steps.

    `state` counts for all roles; None for the state of each role. With `plan`, nothing is awaited or pruned. `run` runs the module of a step
    with options. `results` are those of the steps that have run. `problems` are the reasons why nothing is written for an entry, `notes` are
    about registries.
    """

    def __init__(
        self,
        roles: Sequence[str],
        variables: Mapping[str, Any],
        templar: Any,
        run: Callable[[AccessStep, dict[str, Any]], Result],
        *,
        state: str | None = None,
        check_mode: bool = False,
        plan: bool = False,
    ) -> None:
        """:raises DeclarationError: if a declaration is invalid, with all problems."""
        self.results: dict[str, Result] = {}
        self.problems: list[str] = []
        self.notes: list[str] = []
        self._run, self._variables, self._templates = run, variables, Templates(templar)
        self._is_removal, self._check_mode, self._is_plan = state == "absent", check_mode, plan
        only = self._setting("image_pull_only_namespaces")
        self._only = None if only is None else frozenset(map(str, check_type_list(only)))
        self._is_whole = self._only is None and {*roles} == {*VARIABLES}
        self._waits = self._is_set("cross_project_pull_wait", default=True) and not plan
        self._steps = {name: self._step_of(name) for name in STEPS}
        self._given = {name: self._settings(step) for name, step in self._steps.items()}
        usual = Role("", check_mode=check_mode, only=self._only)
        ran = [self._role(usual, name, state) for name in roles]
        present = [role for role in ran if not role.absent and declaring_variables(role.name, variables)]
        self._refuse_invalid(present)
        self._declared = {
            role.name: Declarations(role, variables, self._templates, file_reader(variables)) for role in ran
        }
        for declared in self._declared.values():
            declared.refuse_conflicts()

    def _refuse_invalid(self, present: Sequence[Role]) -> None:
        problems = [
            one
            for name, step in self._steps.items()
            for one in find_invalid_settings(MODULES[step.module].arguments, self._given[name], step.settings)
        ]
        try:
            if owner := self._setting("image_pull_owner"):
                check_owner(str(owner))
            elif self._is_pruned:
                problems.append(_NO_OWNER)
        except OptionError as error:
            problems.append(str(error).replace("option 'owner'", "variable image_pull_owner"))
        try:
            if present:
                refuse_invalid(present, self._variables, self._templates)
        except DeclarationError as error:
            raise DeclarationError("; ".join((str(error), *dict.fromkeys(problems)))) from None
        if problems:
            raise DeclarationError(refusal_of(problems))

    def _step_of(self, name: str) -> AccessStep:
        """Return the step with the variables of its options. Only a removal asks the guard in each step."""
        guard = _GUARD if self._is_removal and name in _GUARDED else {}
        return STEPS[name]._replace(settings={**STEPS[name].settings, **guard})

    def _settings(self, step: AccessStep) -> dict[str, Any]:
        """Return the values of a step's options that come from variables."""
        return {option: value for option, name in step.settings.items() if (value := self._setting(name)) is not None}

    def _is_set(self, variable: str, *, default: bool) -> bool:
        value = self._setting(variable)
        try:
            return bool(boolean(default if value is None else value))
        except TypeError:
            raise DeclarationError(f"variable {variable} is {value!r}: set it to true or false") from None

    def _role(self, usual: Role, name: str, state: str | None) -> Role:
        if state is None:
            return role_in_play(usual, name, self._variables, self._templates)
        return replace(usual, name=name, absent=state == "absent")

    def _setting(self, variable: str) -> Any:
        try:
            return self._templates.resolve(self._variables.get(variable))
        except TemplateError as error:
            raise DeclarationError(error.at(f"variable {variable}")) from None

    @property
    def titles(self) -> list[str]:
        """The titles of all entries."""
        return [title for declared in self._declared.values() for title in declared.titles]

    def apply(self) -> None:
        """Run the steps. An entry that cannot be evaluated ends the run like a step that rejects its options."""
        steps = [self._apply_secrets, self._apply_grants]
        try:
            for step in [*(reversed(steps) if self._is_removal else steps), self._prune]:
                step()
        except DeclarationError as error:
            self.results["declarations"] = {"failed": True, "msg": str(error)}

    def result(self, host: str) -> dict[str, Any]:
        """Return the result of a task with these steps. `host` is named if it has no declarations."""
        results = [*self.results.values()]
        steps = {name: _own(one) for name, one in self.results.items()} | _problem_step("; ".join(self.problems))
        if self._is_plan:
            # The problems have the failures of registries.
            steps.pop("registries", None)
            if declared := self._declared_secrets():
                steps["declarations"] = {**steps.get("declarations", {}), "declared": declared}
            return {"changed": False, "steps": steps, "selectors": as_data(self._entries("selectors"))}
        goes_on = outcome_of(results)["goes_on"]
        line = apply_line(
            results,
            declared=self.titles if goes_on else None,
            check_mode=self._check_mode,
            problems=self.problems if goes_on else (),
            nothing=self._nothing(host),
        )
        said = [
            str(one.get("msg")) for name, one in self.results.items() if one.get("failed") and not _is_answer(name, one)
        ]
        found: dict[str, Any] = {
            "changed": any(one.get("changed") for one in results),
            "line": line,
            "steps": steps,
        }
        for name in ("warnings", "deprecations", "diff"):
            parts = [part for one in results for part in _as_list(one.get(name))]
            if once := [part for position, part in enumerate(parts) if part not in parts[:position]]:
                found[name] = once
        if said := [*said, *self.problems]:
            found |= {"failed": True, "msg": "; ".join(said)}
        return found

    def _nothing(self, host: str) -> str:
        if self._only is not None:
            names = summarize([quote_name(name) for name in sorted(self._only)], 5)
            return f"nothing is declared for the namespaces in image_pull_only_namespaces, {names}: correct their names, or declare access for them"
        variables = join_and([VARIABLES[name] for name in self._declared])
        nothing, advice = "", "Add some, or give another inventory with -i"
        if self._is_removal:
            nothing = ", so nothing was removed"
            advice = "Give the entries to remove, or set image_pull_owner to remove all objects of an owner, such as -e image_pull_owner=team-a"
        return (
            f"Nothing is declared for {host}{nothing}: it has no entries in {variables}. {advice}. To see its variables, run: "
            f"ansible-inventory -i INVENTORY --host {host}"
        )

    def _declared_secrets(self) -> list[Made]:
        """Return the name and the namespaces of each declared secret: `*` if it is not known which ones its selector selects."""
        selected = _selected_namespaces(self.results.get("secrets", {}))
        return [
            {
                "name": str(one["name"]),
                "namespaces": [*map(str, check_type_list(one.get("namespaces") or selected.get(one["title"], ["*"])))],
            }
            for one in self._entries("claims", self.results.get("registries", {}))
        ]

    @property
    def _is_pruned(self) -> bool:
        """Whether the owner's undeclared objects are removed. Without all roles and namespaces, it is not known which these are."""
        if self._is_plan:
            return False
        if self._is_removal:
            return self._is_whole and self._setting("image_pull_owner") is not None
        return self._is_whole and self._is_set("image_pull_prune", default=False)

    def _apply_secrets(self) -> None:
        self._step("registries", self._entries("registries"))
        answer = self.results.get("registries", {})
        self.problems = self._entries("problems", answer)
        self.notes = self._entries("undelegated", answer)
        elsewhere = [] if {*WRITERS} <= {*self._declared} else self._entries("elsewhere")
        # Removals first. Those of the first role keep their positions, by which `links` finds their results.
        secrets = sorted(self._entries("secrets", answer), key=lambda made: not _is_removal(made))
        later = not (self._check_mode or self._is_plan)
        self._step("secrets", secrets, declared_elsewhere=elsewhere, postpone_removals=later)
        written = self.results.get("secrets", {})
        self._step("links", [*self._links("private_registry", written), *self._links("delegated_auth", answer)])
        # A login that moves to another secret is linked there before it is removed here.
        self._step("removals", self._postponed(secrets, written), declared_elsewhere=elsewhere)

    def _apply_grants(self) -> None:
        if self._waits:
            self._step("wait", self._entries("accounts"))
        self._step("grants", self._entries("grants"))

    def _prune(self) -> None:
        if not self._is_pruned:
            return
        if self._is_removal:
            self._step("prune", [], secrets=[], links=[], max_prune="100%", prune_everything=True)
            return
        answer = self.results.get("registries", {})
        links = [*self._made("private_registry", "links"), *self._made("delegated_auth", "link_claims", answer)]
        failed = outcome_of([*self.results.values()])["not_applied"]
        secrets = self._entries("claims", answer)
        self._step("prune", self._entries("grants"), secrets=secrets, links=links, exclude_namespaces=failed)

    def _entries(self, kind: str, answer: Any = None) -> list[Any]:
        """Return the entries of this kind of all roles that have it."""
        return [one for name in self._declared if kind in KINDS[name] for one in self._made(name, kind, answer)]

    def _links(self, name: str, answer: Any) -> list[Made]:
        """Return the links of a role in the namespaces in which its secrets were written."""
        if name not in self._declared:
            return []
        written = self.results.get("secrets", {})
        declared = copy(self._declared[name])
        declared.role = replace(
            declared.role, selected=_selected_namespaces(written), failed=_failed_namespaces(written)
        )
        return KINDS[name]["links"](declared, answer)

    def _postponed(self, secrets: Sequence[Made], written: Result) -> list[Made]:
        """Return the entries that did not remove their registries yet. A namespace in which something failed keeps them until the next run."""
        rows = (row for place in written.get("namespaces", ()) for row in place.get("entries", ()))
        positions = sorted({row["entry"] for row in rows if row.get("postponed")})
        failed = outcome_of([*self.results.values()])["not_applied"]
        done = Role("", selected=_selected_namespaces(written), failed={"": failed})
        # The first of these steps has verified the logins.
        return done.narrow({**secrets[at], "verify": False, "verify_repositories": None} for at in positions)

    def _made(self, name: str, kind: str, answer: Any = None) -> list[Any]:
        return KINDS[name][kind](self._declared[name], answer)

    def _step(self, name: str, entries: Sequence[Made], **more: Any) -> None:
        """Run the module of a step, unless it has nothing to do or an earlier step has ended the run."""
        if not (entries or name == "prune") or not outcome_of([*self.results.values()])["goes_on"]:
            return
        step = self._steps[name]
        self.results[name] = self._run(step, as_data({**self._given[name], step.option: [*entries], **more}))


def refuse(message: str, *, plan: bool = False) -> dict[str, Any]:
    """Return the result of a task that has rejected the declarations. A plan reports that, and does not fail."""
    failed = {"failed": True, "msg": message}
    found = {"changed": False, "steps": _problem_step(message)}
    if plan:
        return {**found, "selectors": []}
    return {**found, **failed, "line": apply_line([failed], declared=None, check_mode=False)}


def _problem_step(message: str) -> dict[str, Any]:
    """Return the result of the reading of the declarations, as a step, if it has a problem."""
    return {"declarations": {"failed": True, "msg": message}} if message else {}


def _is_answer(step: str, result: Result) -> bool:
    """Whether a failure is only that of some registries, which `problems` has by entry."""
    return step == "registries" and bool(outcome_of([result])["goes_on"])


def _own(result: Result) -> dict[str, Any]:
    """Return the result of a step without the keys that the whole result has, and without Ansible's own.

    A step with failures does not need its message.
    """
    shown = (*_SHOWN, "msg") if result.get("failures") else _SHOWN
    return {key: value for key, value in result.items() if key not in shown and not key.startswith("_ansible")}


def _as_list(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else [value] if value else []


def _is_removal(made: Made) -> bool:
    return made.get("state") == "absent" or "delete_empty" in made


def _selected_namespaces(written: Result) -> Mapping[str, list[str]]:
    """Return the namespaces that a task selected for each entry, by the title of the entry."""
    rows = written.get("selected", ())
    return {str(title): list(map(str, row["namespaces"])) for row in rows for title in row["titles"]}


def _failed_namespaces(written: Result) -> Mapping[str, set[str]]:
    """Return the namespaces in which a task failed for each entry, and under "" those in which it failed or was skipped for all entries.

    A namespace that is being deleted is skipped. A link there would lack its secret, although check mode cannot see that.
    """
    rows = written.get("namespaces", ())
    found = {"": {str(row.get("name")) for row in rows if row.get("status") == "skipped"}}
    for row in written.get("failures", ()):
        # The title of an entry is followed by its name in brackets.
        title = str(row.get("title") or "").partition(" ")[0]
        found.setdefault(title, set()).add(str(row.get("namespace")))
    return found
