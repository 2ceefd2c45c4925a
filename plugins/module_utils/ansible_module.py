# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options in, results out: the only place that knows AnsibleModule."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from ansible.module_utils.basic import AnsibleModule, env_fallback, missing_required_lib

from .cluster import connection
from .cluster.client import Cluster
from .cluster.connection import ConnectionOptions, connect
from .domain.errors import ImagePullError, OptionError
from .domain.model import Desired
from .domain.redaction import credentials, credentials_in_text, hide
from .fleet import targets
from .fleet.engine import Settings, reconcile
from .fleet.limits import FailureLimit
from .fleet.outcome import Outcome
from .registry import client as registry_client

__all__ = ["CLUSTER_OPTIONS", "ImagePullModule", "run_reconcile"]

VERSION = "0.1.0"

#: In the task's temporary directory; plugins/plugin_utils/progress.py reads it.
PROGRESS_FILE = "progress"


def _env(*names: str) -> dict[str, Any]:
    return {"fallback": (env_fallback, [f"K8S_AUTH_{name}" for name in names])}


#: kubernetes.core's connection options under the same names and variables (plugins/module_utils/args_common.py).
CONNECTION_OPTIONS: dict[str, Any] = {
    "kubeconfig": {"type": "raw", "no_log": False, **_env("KUBECONFIG")},
    "context": {"type": "str", **_env("CONTEXT")},
    "host": {"type": "str", **_env("HOST")},
    "api_key": {"type": "str", "no_log": True, **_env("API_KEY")},
    "username": {"type": "str", **_env("USERNAME")},
    "password": {"type": "str", "no_log": True, **_env("PASSWORD")},
    "validate_certs": {"type": "bool", "aliases": ["verify_ssl"], **_env("VALIDATE_CERTS", "VERIFY_SSL")},
    "ca_cert": {"type": "path", "aliases": ["ssl_ca_cert"], **_env("CA_CERT", "SSL_CA_CERT")},
    "client_cert": {"type": "path", "aliases": ["cert_file"], **_env("CLIENT_CERT", "CERT_FILE")},
    "client_key": {"type": "path", "aliases": ["key_file"], "no_log": False, **_env("CLIENT_KEY", "KEY_FILE")},
    "proxy": {"type": "str", **_env("PROXY")},
    "no_proxy": {"type": "str", **_env("NO_PROXY")},
    "proxy_headers": {
        "type": "dict",
        "options": {
            "proxy_basic_auth": {"type": "str", "no_log": True, **_env("PROXY_HEADERS_PROXY_BASIC_AUTH")},
            "basic_auth": {"type": "str", "no_log": True, **_env("PROXY_HEADERS_BASIC_AUTH")},
            "user_agent": {"type": "str", **_env("PROXY_HEADERS_USER_AGENT")},
        },
        "apply_defaults": True,
    },
    "persist_config": {"type": "bool", **_env("PERSIST_CONFIG")},
    "impersonate_user": {"type": "str", **_env("IMPERSONATE_USER")},
    "impersonate_groups": {"type": "list", "elements": "str", **_env("IMPERSONATE_GROUPS")},
}

#: What every module that talks to a cluster takes.
CLUSTER_OPTIONS: dict[str, Any] = {
    **CONNECTION_OPTIONS,
    "namespaces": {"type": "list", "elements": "str"},
    "namespace_selector": {
        "type": "dict",
        "options": {
            "labels": {"type": "str"},
            "include": {"type": "list", "elements": "str"},
            "exclude": {"type": "list", "elements": "str"},
            "phases": {"type": "list", "elements": "str", "default": ["Active"]},
            "system_namespaces": {"type": "bool", "default": False},
        },
    },
    "concurrency": {"type": "int", "default": 8},
    "max_failures": {"type": "str"},
    "report_unchanged": {"type": "bool"},
    "progress": {"type": "bool", "default": True},
}
_TARGETS = ("namespaces", "namespace_selector")


class ImagePullModule(AnsibleModule):  # type: ignore[misc]
    """An AnsibleModule whose results, also those of a failed start, hold no credential in any form."""

    def __init__(self, argument_spec: Mapping[str, Any], **rules: Any) -> None:
        if "namespaces" in argument_spec:
            for rule in ("mutually_exclusive", "required_one_of"):
                rules[rule] = [*rules.get(rule, ()), _TARGETS]
        super().__init__(argument_spec=dict(argument_spec), supports_check_mode=True, **rules)
        self.no_log_values: set[str] = credentials(self.params, self.no_log_values)

    def _return_formatted(self, kwargs: dict[str, Any]) -> None:
        """Every exit of AnsibleModule ends here; without this it would return the options as they were given."""
        kwargs["invocation"] = {"module_args": hide(self.params, self.argument_spec)}
        super()._return_formatted(kwargs)

    def require_libraries(self) -> None:
        for name, module in (("kubernetes", connection.urllib3), ("requests", registry_client.requests)):
            if module is None:
                self.fail_json(msg=missing_required_lib(name), exception=traceback.format_exc())

    def guarded(self, work: Callable[[], dict[str, Any]]) -> None:
        """Exits with what C(work) returns, or fails with the one line that its error says."""
        self.require_libraries()
        try:
            result = work()
        except ImagePullError as error:
            result = {"failed": True, "msg": str(error)}
        leave = self.fail_json if result.get("failed") else self.exit_json
        leave(**result)

    def cluster(self) -> Cluster:
        """The cluster that the connection options lead to."""
        options = {name: self.params[name] for name in CONNECTION_OPTIONS}
        options["impersonate_groups"] = tuple(options["impersonate_groups"] or ())
        headers = {name: value for name, value in (options["proxy_headers"] or {}).items() if value is not None}
        found = ConnectionOptions(**{**options, "proxy_headers": headers or None})
        opened = connect(found, connections=self.params["concurrency"], temporary_directory=self.tmpdir)
        return Cluster(opened, user_agent=f"openshift_ops.image_pull/{VERSION} ({self._name})")

    def over_namespaces(
        self, wait_timeout: float, work: Callable[[Cluster, Sequence[str], Settings], Outcome]
    ) -> dict[str, Any]:
        """The result of C(work) for the namespaces that the options mean.

        What needs no network is checked first: nothing is sent for options that cannot work.
        """
        wanted, limit = targets.from_options(self.params), FailureLimit.parse(self.params["max_failures"])
        if self.params["concurrency"] < 1:
            raise OptionError("option 'concurrency' must be at least 1")
        cluster = self.cluster()
        meant = targets.resolve(cluster, wanted)
        if not meant.namespaces:
            self.warn("the namespace_selector selects no namespace: nothing was done")
        settings = Settings(
            check_mode=self.check_mode,
            concurrency=self.params["concurrency"],
            wait_timeout=wait_timeout,
            max_failures=limit.of(len(meant.namespaces)),
            task=self._name.rpartition(".")[2],
            say=self._progress() if self.params["progress"] else None,
        )
        outcome = work(cluster, meant.namespaces, settings)
        return self._report(
            outcome.with_skipped(meant.terminating, f"the namespace is being deleted on {cluster.name}")
        )

    def _report(self, outcome: Outcome) -> dict[str, Any]:
        """The task's result: failed, with everything that was done, when a namespace failed."""
        self.warn_all(outcome.notes)
        failure = {"failed": True, "msg": outcome.message(self._name)} if outcome.failed else {}
        return {**outcome.report(unchanged=self.params["report_unchanged"]), **failure}

    def _progress(self) -> Callable[[str], None]:
        """Where progress lines go: the task's action plugin, on the controller, shows what is appended to this file."""
        path = Path(self.tmpdir) / PROGRESS_FILE

        def say(line: str) -> None:
            # Under another user (become) the directory may not be writable: then nothing is shown.
            with suppress(OSError), path.open("a", encoding="utf-8") as file:
                file.write(f"{line}\n")

        return say

    def read_file(self, path: str) -> str:
        """The text of a file that an option names.

        :raises OptionError: when it cannot be read.
        """
        try:
            text = Path(path).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            raise OptionError(f"file {path} is not text in UTF-8") from None
        except OSError as error:
            raise OptionError(f"file {path} cannot be read on the host that runs the task: {error.strerror}") from None
        self.no_log_values.update(credentials_in_text(text))
        return text

    def warn_all(self, messages: Iterable[str]) -> None:
        for message in messages:
            self.warn(message)


_Wish = TypeVar("_Wish", bound=Desired)


def _as_it_is(_cluster: Cluster, _desired: Any, outcome: Outcome, _settings: Settings) -> Outcome:
    return outcome


def run_reconcile(
    module: ImagePullModule,
    desired_from: Callable[[ImagePullModule], _Wish],
    wait_timeout: float = 0.0,
    afterwards: Callable[[Cluster, _Wish, Outcome, Settings], Outcome] = _as_it_is,
) -> None:
    """The whole of a module that writes: options to a wish, the wish to the cluster, the outcome to the result.

    C(afterwards) looks at the cluster once more and may add to the outcome what it saw.
    """

    def start() -> dict[str, Any]:
        desired = desired_from(module)
        module.warn_all(getattr(desired, "warnings", ()))

        def work(cluster: Cluster, namespaces: Sequence[str], settings: Settings) -> Outcome:
            return afterwards(cluster, desired, reconcile(cluster, desired, namespaces, settings), settings)

        return module.over_namespaces(wait_timeout, work)

    module.guarded(start)
