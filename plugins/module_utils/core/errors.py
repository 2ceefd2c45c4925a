# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Base classes of the collection's errors, the permissions that the caller lacks, the correct spelling of a misspelled
name, and limits. Each message is one line without a credential. Pure."""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from fractions import Fraction
from pathlib import Path
from typing import Any

from .text import make_printable, summarize


def describe_unexpected(error: BaseException) -> str:
    """Describe an unexpected error by its type and location. Its text is left out, because it may contain the content of a secret."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f" in {frames[-1].name}, line {frames[-1].lineno} of {Path(frames[-1].filename).name}" if frames else ""
    return f"{type(error).__name__}{where}"


class ImagePullError(Exception):
    """An error that the collection reports to its user."""

    def __str__(self) -> str:
        """Return one printable line, even if the message quotes an object of the cluster."""
        return make_printable(super().__str__())


class OptionError(ImagePullError):
    """Invalid task options. They are detected before any request is sent. `problems` are sentences, each about one problem."""

    def __init__(self, *problems: str) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


def call_all(*checks: Callable[[], Any]) -> list[Any]:
    """Call all functions, and return their results.

    :raises OptionError: with the problems of all functions that raise OptionError.
    """
    results: list[Any] = []
    problems: list[str] = []
    for check in checks:
        try:
            results.append(check())
        except OptionError as error:
            problems += error.problems
    if problems:
        raise OptionError(*problems)
    return results


class Refusal(ImagePullError):
    """The state of the cluster makes the requested change unsafe or impossible. Nothing was written."""


RIGHTS_PAGE = "https://github.com/openshift-ops/image_pull/blob/main/docs/docsite/rst/rights.rst"

#: Maximum number of namespaces or objects that a message names for one permission.
_SHOWN = 3

#: The message of every API server for a missing permission (kubernetes apiserver pkg/endpoints/handlers/responsewriters/errors.go). Names
#: with other characters are not repeated.
_NAME = r"[\w.:/*-]{1,253}"
_REFUSAL = re.compile(
    rf'cannot ([a-z]{{1,20}}) resource "({_NAME})" in API group "({_NAME}|)"(?: in the namespace "({_NAME})"| at the cluster scope)'
)


@dataclass(frozen=True, order=True)
class MissingPermission:
    """One permission. `namespace` is empty for the whole cluster, `name` if it is not about a single object."""

    verb: str
    resource: str
    group: str = ""
    namespace: str = ""
    name: str = ""

    @classmethod
    def of(cls, message: str, name: str) -> MissingPermission | None:
        """Return the permission that an API server's refusal names, or None. `name` is the name of the requested object."""
        found = _REFUSAL.search(message)
        if found is None:
            return None
        verb, resource, group, namespace = found.groups(default="")
        # The server names a namespace as its own namespace.
        return cls(verb, resource, group, "" if resource == "namespaces" else namespace, name)

    def __str__(self) -> str:
        """Return the permission as text, such as `get on secrets pull in namespace project-a`."""
        kind = f"{self.resource}.{self.group}" if self.group else self.resource
        which = f" {self.name}" if self.name else ""
        where = f" in namespace {self.namespace}" if self.namespace else ""
        return f"{self.verb} on {kind}{which}{where}"


def describe_missing(needs: Iterable[MissingPermission], caller: str = "the caller") -> list[str]:
    """Return a list with one sentence that names the missing permissions, or an empty list. Of many objects of a kind, some are named."""
    alike: dict[MissingPermission, list[MissingPermission]] = {}
    for need in sorted(set(needs)):
        alike.setdefault(replace(need, namespace="", name=""), []).append(need)
    named = "; ".join(summarize([*map(str, found)], _SHOWN) for found in alike.values())
    if not named:
        return []
    return [f"results are incomplete: {caller} lacks permissions and needs {named}. See {RIGHTS_PAGE}"]


def find_similar(name: str, known: Collection[str]) -> str:
    """Return the known name that was probably meant. Empty if none is similar."""
    longer = [one for one in known if len(name) > 2 and one.startswith(name)]
    ends = [one for one in known if one.endswith(f"_{name}")]
    found = get_close_matches(name, known, 1, 0.7) or sorted(longer, key=len) or ends * (len(ends) == 1)
    return found[0] if found else ""


def format_suggestion(name: str, known: Collection[str], given: Collection[str] = ()) -> str:
    """Return the end of a sentence that suggests the similar name. Empty if none is similar. `given` are the names that are set."""
    found = find_similar(name, known)
    advice = f"{found!r} is set as well, so remove {name!r}, or move its value to {found!r}"
    return f": {advice if found in given else f'did you mean {found!r}?'}" if found else ""


_KEY = re.compile(r"(?:^|[\s,])(\w+)=")
_QUOTED = re.compile("[{'\"]")
#: The values that a reader would not know, with the end of the quotation.
_VALUE = "VALUE'"
_VALUES = {"owner": "NAME', the owner (image_pull_owner) with which the objects were created"}


def problems_of_names(arguments: Mapping[str, Any], given: Mapping[Any, Any], where: str = "") -> Iterator[str]:
    """Yield a sentence for each option that the argument spec does not have, and each missing required one, including suboptions."""
    names = [*arguments, *(alias for spec in arguments.values() for alias in spec.get("aliases", ()))]
    filled = [name for name, value in given.items() if value is not None]
    for name, value in given.items():
        if name not in names:
            if not str(name).startswith("_ansible_"):
                meant = format_suggestion(str(name), names, filled)
                yield f"{where}{name} is unknown{meant}{'' if meant.endswith('?') else ';'} it takes {', '.join(sorted(arguments))}"
            continue
        options = arguments.get(name, {}).get("options")
        if not options:
            continue
        for position, item in enumerate(value if isinstance(value, list) else [value]):
            index = f"[{position}]" if isinstance(value, list) else ""
            if isinstance(item, Mapping):
                yield from problems_of_names(options, item, f"{where}{name}{index}.")
            elif isinstance(item, str) and not (_QUOTED.search(item) or options.keys() >= {*_KEY.findall(item)}):
                # Ansible reads `a=b` as a dictionary.
                yield f"{where}{name}{index} is a text and not a dictionary: write its options, such as '{name}: {{{next(iter(options))}: VALUE}}'"
    needed = {name: (name, *spec.get("aliases", ())) for name, spec in arguments.items() if spec.get("required")}
    missing = (name for name, spellings in needed.items() if all(given.get(one) is None for one in spellings))
    yield from (f"{where}{name} is missing or empty: write '{name}: {_VALUES.get(name, _VALUE)}" for name in missing)


#: The default of the options that limit a prune.
USUAL_LIMIT = "10%"

#: Maximum number of characters of an invalid text in a message.
_SHOWN_LENGTH = 40

#: Longer numbers are meaningless, and Python refuses to read very long ones.
_FORM = re.compile(r"\s*([0-9]{1,15})(\.[0-9]{1,15})?\s*(%?)\s*")


@dataclass(frozen=True)
class Limit:
    """A number or, if `is_share`, a percentage. `text` is the option's value. The caller of `of` rounds."""

    text: str
    amount: Fraction
    is_share: bool = False

    @classmethod
    def parse(cls, option: str, text: str) -> Limit:
        """Return the limit that the text of an option gives.

        :raises OptionError: unless `text` is a whole number, or a percentage from 0 to 100.
        """
        found = _FORM.fullmatch(text)
        if found:
            amount, is_share = Fraction(found[1] + (found[2] or "")), bool(found[3])
            if amount <= 100 if is_share else not found[2]:
                return cls(text.strip(), amount, is_share)
        raise OptionError(
            f"option {option!r}: {text[:_SHOWN_LENGTH]!r} is neither a whole number nor a percentage from 0% to 100%, such as '5%'"
        )

    def of(self, total: int) -> Fraction:
        """Return the exact share of `total`, or the number itself."""
        return total * self.amount / 100 if self.is_share else self.amount
