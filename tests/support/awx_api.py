# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The part of AWX's API that the modules of awx.awx use for the configuration, in memory: lists, objects, relations, surveys, nodes.

As in AWX, inputs of a credential are replaced as a whole and shown as `$encrypted$`. A new project is updated, and has its playbooks
after a client has read the end of that update. Requests that AWX's rules refuse are answered with 400.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from support.awx_rules import BUILT_IN_TYPES, PROJECT, of_rrule, of_survey, of_type, unanswered

_RELATIONS = ("credentials", "instance_groups", "success_nodes", "failure_nodes", "always_nodes", "labels")
_TEMPLATES = ("job_templates", "workflow_job_templates", "projects", "inventory_sources", "workflow_approval_templates")


class Refused(Exception):
    """An answer with the status 400."""


class Awx(ThreadingHTTPServer):
    """`objects` by endpoint and number, `related` by path, `writes` in order. `prefix` is the path of the API, another one behind a gateway."""

    daemon_threads = True

    def __init__(self, prefix: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.prefix = prefix
        self.objects: dict[str, dict[int, dict[str, Any]]] = {}
        self.related: dict[str, list[int]] = {}
        self.surveys: dict[str, Any] = {}
        #: The settings of the whole controller. A launch in bulk is allowed by default.
        self.settings: dict[str, Any] = {"BULK_JOB_MAX_LAUNCH": 100}
        self.writes: list[str] = []
        self.number = 0
        #: Number of project updates that fail before all later ones succeed.
        self.failing_updates = 0
        self.lock = threading.Lock()
        self.create("organizations", {"name": "Default"})
        for name in BUILT_IN_TYPES:
            self.create("credential_types", {"name": name, "kind": "kubernetes", "managed": True})

    def named(self, endpoint: str, name: str) -> dict[str, Any]:
        return next(one for one in self.objects[endpoint].values() if one.get("name") == name)

    def create(self, endpoint: str, fields: dict[str, Any]) -> dict[str, Any]:
        self.check(endpoint, fields)
        self.number += 1
        url = f"{self.prefix}/v2/{endpoint}/{self.number}/"
        related = {"survey_spec": f"{url}survey_spec/"}
        made = {"id": self.number, "type": endpoint.rstrip("s"), "url": url, "related": related, **fields}
        self.objects.setdefault(endpoint, {})[self.number] = made
        if endpoint == "projects":
            update = self.create("project_updates", {"status": "running", "project": made["id"]})
            made |= {"scm_revision": "", "playbook_files": [], "status": "running"}
            made["summary_fields"] = {"current_update": {"id": update["id"]}}
            related["update"] = f"{url}update/"
        return made

    def check(self, endpoint: str, fields: dict[str, Any]) -> None:
        if endpoint == "credential_types" and not fields.get("managed"):
            _refuse(of_type(fields))
        if endpoint == "schedules":
            _refuse(of_rrule(fields["rrule"]))
            survey = self.surveys.get(f"job_templates/{fields['unified_job_template']}/survey_spec", {})
            _refuse(unanswered({"survey_spec": survey}, fields.get("extra_data", {})))
        if (
            endpoint == "job_templates"
            and fields["playbook"] not in self.objects["projects"][fields["project"]]["playbook_files"]
        ):
            raise Refused("Playbook not found for project.")

    def end(self, update: dict[str, Any]) -> None:
        if update["status"] != "running":
            return
        failed = self.failing_updates > 0
        self.failing_updates -= failed
        update |= {
            "status": "failed" if failed else "successful",
            "finished": "now",
            "failed": failed,
            "scm_revision": "1",
        }
        found = [] if failed else [path.name for path in PROJECT.glob("*.yml")]
        project = self.objects["projects"][update["project"]]
        project |= {"summary_fields": {}, "playbook_files": found, "status": update["status"]}

    # --- handling of requests

    def get(self, path: list[str], query: dict[str, str]) -> Any:
        if path == ["settings", "all"]:
            return self.settings
        if len(path) == 1:
            return _page([self.shown(one) for one in self.matching(path[0], query)])
        if len(path) == 2:
            one = self.objects[path[0]][int(path[1])]
            if path[0] == "project_updates":
                self.end(one)
            return self.shown(one)
        if path[2] == "survey_spec":
            return self.surveys.get("/".join(path), {})
        related = "workflow_job_template_nodes" if path[2].endswith("_nodes") else path[2]
        return _page([self.objects[related][number] for number in self.related.get("/".join(path), [])])

    def matching(self, endpoint: str, query: dict[str, str]) -> Iterator[dict[str, Any]]:
        endpoints = _TEMPLATES if endpoint == "unified_job_templates" else (endpoint,)
        for one in (one for name in endpoints for one in self.objects.get(name, {}).values()):
            if all(key == "page_size" or str(one.get(key)) == value for key, value in query.items()):
                yield one

    def shown(self, one: dict[str, Any]) -> dict[str, Any]:
        if one["type"] != "credential":
            return one
        kind = self.objects["credential_types"][one["credential_type"]]
        secret = {field["id"] for field in kind.get("inputs", {}).get("fields", ()) if field.get("secret")}
        secret |= {"bearer_token", "ssl_ca_cert"}
        return {
            **one,
            "inputs": {key: "$encrypted$" if key in secret else value for key, value in one.get("inputs", {}).items()},
        }

    def post(self, path: list[str], data: Any) -> tuple[int, Any]:
        if len(path) == 1:
            return 201, self.create(path[0], data)
        if path[2] == "survey_spec":
            _refuse(of_survey({"survey_enabled": True, "survey_spec": data}))
            self.surveys["/".join(path)] = data
            return 200, {}
        if path[2] == "create_approval_template":
            fields = {key: data[key] for key in ("name", "description", "timeout") if key in data}
            made = self.create("workflow_approval_templates", fields)
            node = self.objects["workflow_job_template_nodes"][int(path[1])]
            node["unified_job_template"] = made["id"]
            node["related"]["unified_job_template"] = made["url"]
            return 201, made
        if path[2] == "update":
            made = self.create("project_updates", {"status": "running", "project": int(path[1])})
            return 202, made
        assert path[2] in _RELATIONS, path
        numbers = self.related.setdefault("/".join(path), [])
        if data.get("disassociate"):
            numbers.remove(data["id"])
        else:
            numbers.append(data["id"])
        return 204, None

    def patch(self, path: list[str], data: Any) -> Any:
        if path == ["settings", "all"]:
            self.settings.update(data)
            return self.settings
        one = self.objects[path[0]][int(path[1])]
        self.check(path[0], {**one, **data})
        one.update(data)
        return one


def _page(results: list[dict[str, Any]]) -> dict[str, Any]:
    return {"count": len(results), "next": None, "previous": None, "results": results}


def _refuse(sentences: Iterator[str]) -> None:
    if found := list(sentences):
        raise Refused(found)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Awx

    def do_GET(self) -> None:
        self.answer("GET")

    def do_POST(self) -> None:
        self.answer("POST")

    def do_PATCH(self) -> None:
        self.answer("PATCH")

    def answer(self, method: str) -> None:
        address = urlsplit(self.path)
        path = address.path.removeprefix(f"{self.server.prefix}/v2/").strip("/").split("/")
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        with self.server.lock:
            try:
                status, answer = self.done(method, path, dict(parse_qsl(address.query)), body)
            except Refused as error:
                status, answer = 400, {"__all__": [str(error)]}
            except (KeyError, IndexError, ValueError) as error:
                status, answer = 404, {"detail": repr(error)}
        data = b"" if answer is None else json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def done(self, method: str, path: list[str], query: dict[str, str], body: bytes) -> tuple[int, Any]:
        if method == "GET":
            return 200, self.server.get(path, query)
        self.server.writes.append(f"{method} {'/'.join(path)}")
        if method == "POST":
            return self.server.post(path, json.loads(body))
        return 200, self.server.patch(path, json.loads(body))

    def log_message(self, *_arguments: object) -> None:
        """Write nothing to stderr."""


@contextmanager
def running(prefix: str = "/api") -> Iterator[Awx]:
    with Awx(prefix) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        yield server
        server.shutdown()
