# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which logins to verify: those that a task will write, and those that secrets hold. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..core.errors import OptionError
from ..core.text import summarize
from ..dockerconfig.auth_file import AuthFile
from ..dockerconfig.node_reading import kubelet_reading
from ..dockerconfig.registry_keys import host_of, kubelet_keys, without_user
from ..images.image_questions import RegistryAccess
from ..images.references import Reference, reference_of
from ..platform.protected import NO_REGISTRIES

__all__ = ["ARGUMENTS", "WRITE_ARGUMENTS", "LoginQuestion", "Verification"]

ARGUMENTS: dict[str, Any] = {
    "verify": {"type": "bool", "default": False},
    "verify_repositories": {"type": "list", "elements": "str"},
}

#: Options of the modules that write logins. `verify` is true, false or `warn`.
WRITE_ARGUMENTS: dict[str, Any] = {**ARGUMENTS, "verify": {"type": "raw", "default": False}}

#: Maximum number of keys in a message.
_SHOWN = 20
_WORDS: Mapping[str, bool | str] = {
    **dict.fromkeys(("true", "yes", "on", "1", "y", "t", "1.0"), True),
    **dict.fromkeys(("false", "no", "off", "0", "n", "f", "0.0", ""), False),
    "warn": "warn",
}


@dataclass(frozen=True, repr=False)
class LoginQuestion:
    """One login with its key, and the image that it must pull. None: only the login to the registry is checked."""

    key: str
    username: str
    password: str
    image: Reference | None = None

    @property
    def host(self) -> str:
        return host_of(self.key) if self.image is None else self.image.host


@dataclass(frozen=True)
class Verification:
    """`images` are the images that a login must pull, with their names in the option. `access` is how to reach the registries.

    `must_answer`: a login that no registry confirms or rejects counts as one that does not work.
    """

    images: Sequence[tuple[str, Reference]] = ()
    access: RegistryAccess = field(default_factory=RegistryAccess)
    must_answer: bool = True

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Verification | None:
        """Return the verification, or None when there is nothing to verify.

        :raises OptionError: for an invalid `verify`, an invalid repository, or a timeout that is too short for any response.
        """
        verify = _parse_verify(options.get("verify"))
        images = tuple((text, _parse_image(text)) for text in options.get("verify_repositories") or ())
        access = RegistryAccess.of(options)
        return cls(images, access, must_answer=verify != "warn") if verify or images else None

    def questions(self, auth_file: AuthFile) -> list[LoginQuestion]:
        """Return each login at its registry, and each repository with the login that a node would try first.

        :raises OptionError: for a repository without an entry and, if all logins `must_answer`, for a login that cannot be asked about.
        """
        logins = _logins_of(auth_file)
        found = self.of_logins(logins)
        answered = {question.image for question in found}
        problems = [
            f"option 'verify_repositories': no registry of this secret is for {text}. The secret has {', '.join(sorted(logins))}"
            for text, image in self.images
            if image not in answered
        ]
        unasked = self.unasked(auth_file) if self.must_answer else ()
        if unasked:
            names = summarize([*map(without_user, unasked)], _SHOWN)
            problems.append(
                f"option 'verify': no registry can be asked about the login for {names}, because a key with a star names none. Name an image "
                "that it is for in 'verify_repositories', or set 'verify' to warn"
            )
        if problems:
            raise OptionError("; ".join(problems))
        return found

    def unasked(self, auth_file: AuthFile) -> list[str]:
        """Return the keys whose login is not verified: those with a star name no registry, and need a repository that is for them."""
        logins = _logins_of(auth_file)
        asked = {question.key for question in self._of_images(logins)}
        return [key for key, login in logins.items() if all(login) and "*" in key and key not in asked]

    def of_logins(self, logins: Mapping[str, tuple[str, str]]) -> list[LoginQuestion]:
        """Return the same for logins by their key. Repositories without a login are left out."""
        asked = (LoginQuestion(key, *login) for key, login in logins.items() if all(login) and "*" not in key)
        return [*(one for one in asked if one.host not in NO_REGISTRIES), *self._of_images(logins)]

    def _of_images(self, logins: Mapping[str, tuple[str, str]]) -> Iterator[LoginQuestion]:
        for _text, image in self.images:
            key = next(iter(kubelet_keys(logins, image.repository)), None)
            if key is not None:
                yield LoginQuestion(key, *logins[key], image)


def _logins_of(auth_file: AuthFile) -> Mapping[str, tuple[str, str]]:
    return kubelet_reading(auth_file.text(legacy=False), legacy=False).logins


def _parse_verify(value: object) -> bool | str:
    """The value of the option. Messages do not repeat it, because it may be a misplaced credential."""
    word = str(value if value is not None else False).strip().lower()
    if word not in _WORDS:
        raise OptionError("option 'verify' takes true, false or warn")
    return _WORDS[word]


def _parse_image(text: str) -> Reference:
    image = reference_of(text)
    if image is None or image.is_short:
        raise OptionError(
            f"option 'verify_repositories': {text!r} is not a repository with its registry, such as quay.io/team/app"
        )
    return image
