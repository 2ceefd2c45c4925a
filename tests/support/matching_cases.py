# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys of auth files and images, with the readers that use them. Unit tests check our code, tests/oracle the readers' own code."""

from __future__ import annotations

QUAY = "quay.io/org/app"
REGISTRY = "registry.example.com"
#: Basic cases: key, image, whether the kubelet uses it, and whether containers/image uses it.
ROWS = [
    ("quay.io", QUAY, True, True),
    ("quay.io/org", QUAY, True, True),
    ("quay.io/org", "quay.io/organization/app", True, False),
    ("quay.io/org/", QUAY, True, False),
    ("quay.io/org/", "quay.io/organization/app", False, False),
    ("quay.io/org/app", "quay.io/org/app2", True, False),
    ("quay.io/org/app/", QUAY, False, False),
    ("quay.io/org/app:v1", QUAY, False, False),
    ("https://quay.io", QUAY, True, True),
    ("https://quay.io/v1/", QUAY, True, True),
    ("https://quay.io/v2/", QUAY, True, True),
    ("https://quay.io/v2", QUAY, False, True),
    ("https://quay.io/v2/other", QUAY, False, True),
    ("quay.io/", QUAY, True, False),
    ("quay.io/v2/", QUAY, True, False),
    ("quay.io:443", QUAY, False, False),
    (f"{REGISTRY}:5000", f"{REGISTRY}:5000/a/b", True, True),
    (REGISTRY, f"{REGISTRY}:5000/a/b", False, False),
    (f"{REGISTRY}:*", f"{REGISTRY}:5000/a/b", False, False),
    ("*.example.com", f"{REGISTRY}/a", True, False),
    ("*.example.com", "example.com/a", False, False),
    ("*.example.com", "a.b.example.com/a", False, False),
    ("*.*.example.com", "a.b.example.com/a", True, False),
    ("reg*.example.com/team", f"{REGISTRY}/team/app", True, False),
    (f"{REGISTRY}/*/app", f"{REGISTRY}/team/app", False, False),
    ("*", QUAY, False, False),
    ("docker.io", "nginx", True, True),
    ("index.docker.io", "nginx", True, True),
    ("https://index.docker.io/v1/", "nginx", True, True),
    ("https://index.docker.io/v1", "nginx", False, True),
    ("registry-1.docker.io", "nginx", False, True),
    ("docker.io", "registry-1.docker.io/org", False, True),
    ("*.docker.io", "nginx", False, False),
    ("docker.io/myorg", "docker.io/myorg/app", True, True),
    ("index.docker.io/myorg", "docker.io/myorg/app", False, False),
    ("QUAY.IO", QUAY, False, False),
    ("sso.redhat.com", "registry.redhat.io/ubi9/ubi", False, False),
    (
        "image-registry.openshift-image-registry.svc:5000/proj",
        "image-registry.openshift-image-registry.svc:5000/proj2/app",
        True,
        False,
    ),
]

#: Cases found later: title, keys, image, the keys that the kubelet uses in its order, and the keys that containers/image may use.
QUIRKS: list[tuple[str, list[str], str, list[str], list[str]]] = [
    ("the fallback takes a host without dot for Docker Hub", ["index.docker.io"],
     "localhost/app", ["index.docker.io"], []),
    ("brackets in a host no longer parse", ["r[ae]g.example.com"], "reg.example.com/a", [], []),
    ("escapes in a path are read", ["quay.io/%6frg"], "quay.io/org/app", ["quay.io/%6frg"], []),
    ("bad escapes are not", ["quay.io/%2fx", "quay.io/%zz"], "quay.io/a", [], []),
    ("query and fragment are cut", ["quay.io?x", "docker.io#x"], "quay.io/a", ["quay.io?x"], []),
    ("an empty port is none", ["quay.io:"], "quay.io/a", ["quay.io:"], []),
    ("the scheme is lower case only", ["HTTPS://quay.io"], "quay.io/a", [], []),
    ("containers strips both schemes", ["http://https://quay.io"], "quay.io/a", [], ["http://https://quay.io"]),
    ("double slashes are kept", ["quay.io//org", "quay.io//"], "quay.io/org/a", [], []),
    ("one API version is cut", ["quay.io/v1/v2/org"], "quay.io/org/a", [], []),
    ("upper case matches itself", ["QUAY.IO"], "QUAY.IO/a", ["QUAY.IO"], ["QUAY.IO"]),
    ("URLs of one host are alike", ["https://quay.io/a", "https://quay.io/b"],
     "quay.io/b/c", ["https://quay.io/b"], ["https://quay.io/a", "https://quay.io/b"]),
    ("a lone star is one label", ["*"], "localhost/a", ["*"], []),
    ("addresses in brackets match no image", ["[::1", "[::1]", "[::1]:5000", "["], "quay.io/a", [], []),
    ("the kubelet drops a user", ["robot:pass@quay.io", "https://robot@quay.io/org"],
     "quay.io/org/app", ["https://robot@quay.io/org", "robot:pass@quay.io"], []),
    ("control characters do not parse", ["quay.io\x00", "quay.io/\x7f"], "quay.io/a", [], []),
    ("a port is digits", ["quay.io:5000x", "quay.io:5000"], "quay.io:5000/a", ["quay.io:5000"], ["quay.io:5000"]),
    ("a star stands for part of a label", ["*uay.io", "q*y.io", "*.io", "quay.*"],
     "quay.io/a", ["quay.*", "q*y.io", "*uay.io", "*.io"], []),
    ("the path of Docker Hub's own images", ["docker.io/library", "docker.io/library/nginx", "docker.io"],
     "nginx:1.2", ["docker.io/library/nginx", "docker.io/library", "docker.io"], ["docker.io/library/nginx"]),
]  # fmt: skip
