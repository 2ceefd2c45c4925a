# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The text that each client of a registry writes for each fault, composed from the formats in its source.

containers/image v5.38 (CRI-O): docker/errors.go, docker/docker_client.go, docker/distribution_error.go, copy/, manifest/.
containerd v1.7 to v2.4: core/remotes/docker, core/remotes/errors, plugins/content/local, core/unpack.
moby (cri-dockerd): daemon/internal/distribution, distribution's registry/client. Network errors come from Go's net and net/http.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product

__all__ = ["IMAGE", "Text", "texts"]

HOST, REPOSITORY, TAG = "registry.example.com:5000", "team/app", "v1"
IMAGE = f"{HOST}/{REPOSITORY}:{TAG}"
_MANIFEST = f"https://{HOST}/v2/{REPOSITORY}/manifests/{TAG}"
_BLOB = f"https://{HOST}/v2/{REPOSITORY}/blobs/sha256:{'1' * 64}"
#: The server to which a registry redirects the request for a blob.
_STORAGE = "https://storage.example.com/bucket/11/data?signature=x"
_TOKEN = "https://auth.example.com/token?scope=repository%3Ateam%2Fapp%3Apull&service=x"
_ONE, _TWO = f"sha256:{'1' * 64}", f"sha256:{'2' * 64}"

_PAGE = "<!DOCTYPE html>\n<html><head><title>Access blocked</title></head></html>\n"
_PHRASES = {
    200: "OK", 400: "Bad Request", 401: "Unauthorized", 402: "Payment Required", 403: "Forbidden", 404: "Not Found",
    405: "Method Not Allowed", 407: "Proxy Authentication Required", 429: "Too Many Requests",
    500: "Internal Server Error", 502: "Bad Gateway", 503: "Service Unavailable", 504: "Gateway Timeout", 520: "",
}  # fmt: skip
#: The errors of a registry's JSON, as messages of containers/image and docker.
_ERRORS = {
    400: "unknown: bad request", 401: "unauthorized: authentication required", 402: "unknown: payment required",
    403: "denied: requested access to the resource is denied", 404: "manifest unknown: manifest unknown",
    405: "unsupported: The operation is unsupported.", 407: "unknown: proxy authentication required",
    429: "toomanyrequests: You have reached your pull rate limit",
}  # fmt: skip

CLIENTS = ("cri-o", "containerd", "docker")


@dataclass(frozen=True)
class Text:
    """The text of a client for a fault, and the cause that it proves."""

    client: str
    cause: str
    text: str


@dataclass(frozen=True)
class _Status:
    """An answer. `place`: `ping`, `manifest`, `blob`, or `token` without and `login` with a login. `other`: the cause by client, if the
    client does not show the difference. Empty if the client does not send such a request."""

    cause: str
    place: str
    status: int
    body: str = "json"
    other: Mapping[str, str] = field(default_factory=dict)


#: containerd shows nothing of the body for HEAD. containers/image does not show whether a token service got a login.
_HIDES = {"containerd": "denied"}
_STATUSES = (
    *(_Status("registry_error", place, status, body, {"containerd": ""} if place == "ping" else {}) for place, status,
      body in product(("ping", "manifest", "blob", "token", "login"), (500, 502, 503, 504, 520), ("json", "html"))),
    *(_Status(cause, place, status, "json", {"containerd": ""} if place == "ping" else {}) for (cause, status),
      place in product((("billing", 402), ("proxy", 407), ("rate_limited", 429)), ("ping", "manifest", "blob", "token",
                                                                                   "login"))),
    _Status("proxy", "ping", 403, "html", {"containerd": ""}),
    _Status("proxy", "ping", 404, "html", {"containerd": ""}),
    _Status("proxy", "manifest", 403, "html", _HIDES),
    _Status("proxy", "manifest", 404, "html", {"containerd": "not_found"}),
    _Status("proxy", "blob", 403, "html", {"containerd": "content_refused"}),
    _Status("proxy", "blob", 404, "html", {"containerd": "damaged_content"}),
    _Status("proxy", "token", 403, "html", {"cri-o": "denied", "containerd": "no_credentials"}),
    _Status("proxy", "login", 403, "html", {"cri-o": "denied", "containerd": "bad_credentials"}),
    *(_Status("proxy", place, 200, "html") for place in ("token", "login")),
    _Status("registry_error", "ping", 404, "plain", {"containerd": "", "docker": ""}),
    *(_Status("registry_error", place, status, "plain", {"docker": ""}) for place,
      status in product(("token", "login"), (404, 405))),
    _Status("bad_credentials", "login", 400, "json", {"cri-o": "registry_error", "docker": ""}),
    _Status("bad_credentials", "login", 401, "json", {"docker": "unauthorized"}),
    _Status("bad_credentials", "login", 403, "json", {"cri-o": "denied", "docker": "denied"}),
    _Status("no_credentials", "token", 401, "json", {"cri-o": "bad_credentials", "docker": "unauthorized"}),
    _Status("no_credentials", "token", 403, "json", {"cri-o": "denied", "docker": "denied"}),
    _Status("denied", "manifest", 403, "json"),
    _Status("denied", "manifest", 403, "plain"),
    _Status("content_refused", "blob", 403, "json", {"docker": "denied"}),
    _Status("content_refused", "blob", 401, "json", {"docker": "unauthorized"}),
    _Status("unauthorized", "manifest", 401, "json"),
    _Status("not_found", "manifest", 404, "json"),
    _Status("not_found", "manifest", 404, "plain"),
    _Status("damaged_content", "blob", 404, "json"),
    _Status("registry_error", "blob", 403, "xml", {"containerd": "content_refused"}),
)  # fmt: skip

#: Go's errors of a connection, with the host of the request.
_NETWORK = {
    "dns": (
        "dial tcp: lookup {host} on 192.0.2.53:53: no such host",
        "dial tcp: lookup {host} on 192.0.2.53:53: server misbehaving",
        "dial tcp: lookup {host}: Temporary failure in name resolution",
        "dial tcp: lookup {host} on 192.0.2.53:53: read udp 192.0.2.7:40000->192.0.2.53:53: i/o timeout",
    ),
    "connection_refused": (
        "dial tcp 192.0.2.9:443: connect: connection refused",
        "dial tcp 192.0.2.9:443: connect: no route to host",
        "dial tcp [2001:db8::9]:443: connect: network is unreachable",
        "dial tcp 192.0.2.9:443: connect: permission denied",
        "dial tcp 192.0.2.9:443: connect: operation not permitted",
        "dial tcp 192.0.2.9:443: socket: permission denied",
    ),
    "timeout": ("dial tcp 192.0.2.9:443: i/o timeout", "dial tcp 192.0.2.9:443: connect: connection timed out",
                "context deadline exceeded", "net/http: TLS handshake timeout",
                "net/http: request canceled while waiting for connection (Client.Timeout exceeded while awaiting headers)"),
    "tls_http": ("http: server gave HTTP response to HTTPS client",
                 "tls: first record does not look like a TLS handshake"),
    "tls_expired": ("tls: failed to verify certificate: x509: certificate has expired or is not yet valid: current time x is after y",),
    "tls_name": ("tls: failed to verify certificate: x509: certificate is valid for other.example.com, not {host}",
                 "x509: cannot validate certificate for 192.0.2.9 because it doesn't contain any IP SANs"),
    "tls_untrusted": ("tls: failed to verify certificate: x509: certificate signed by unknown authority",
                      "x509: certificate signed by unknown authority"),
    "tls_client": ("remote error: tls: certificate required", "remote error: tls: bad certificate",
                   "remote error: tls: unknown certificate authority", "remote error: tls: unknown certificate",
                   "remote error: tls: expired certificate", "remote error: tls: access denied"),
    "tls_version": ("remote error: tls: protocol version not supported", "remote error: tls: handshake failure",
                    "remote error: tls: insufficient security level", "tls: server selected unsupported protocol version 301"),
    "redirects": ("stopped after 10 redirects",),
    "registry_error": ("EOF", "unexpected EOF",
                       "read tcp 192.0.2.7:40000->192.0.2.9:443: read: connection reset by peer",
                       "write tcp 192.0.2.7:40000->192.0.2.9:443: write: broken pipe", "http: server closed idle connection",
                       "stream error: stream ID 1; INTERNAL_ERROR; received from peer",
                       "http2: server sent GOAWAY and closed the connection; LastStreamID=1, ErrCode=NO_ERROR",
                       'malformed HTTP response "x"'),
    "proxy": (
        "proxyconnect tcp: dial tcp 192.0.2.8:3128: connect: connection refused",
        "proxyconnect tcp: dial tcp: lookup proxy.example.com on 192.0.2.53:53: no such host",
        "proxyconnect tcp: dial tcp 192.0.2.8:3128: i/o timeout",
        "proxyconnect tcp: remote error: tls: handshake failure",
        "proxyconnect tcp: tls: first record does not look like a TLS handshake",
        "proxyconnect tcp: tls: failed to verify certificate: x509: certificate signed by unknown authority",
        "socks connect tcp 192.0.2.8:1080->{host}:443: general SOCKS server failure",
        *(phrase for status, phrase in _PHRASES.items() if status >= 400 and phrase and status not in (402, 429)),
        "Tunnel or SSL Forbidden",
        "unknown status code",
        "",
    ),
}  # fmt: skip

_OPEN = "failed to copy: httpReadSeeker: failed open: "
#: Each client's error for content that does not belong to the image, without its frame.
_CONTENT: Mapping[str, Mapping[str, Sequence[str]]] = {
    "damaged_content": {
        "cri-o": (
            f"writing blob: happened during read: Digest did not match, expected {_ONE}, got {_TWO}",
            f"copying system image from manifest list: writing blob: happened during read: Digest did not match, expected {_ONE}, got {_TWO}",
            f"Source image rejected: Manifest does not match provided manifest digest {_ONE}",
            f"initializing image from source docker://{IMAGE}: Image manifest does not match selected manifest digest {_ONE}",
            f"initializing image from source docker://{IMAGE}: no FSLayers in manifest",
            f"initializing image from source docker://{IMAGE}: unsupported schema version 3",
            f"initializing image from source docker://{IMAGE}: length of history not equal to number of layers",
            f"initializing image from source docker://{IMAGE}: unexpected end of JSON input",
            f"initializing image from source docker://{IMAGE}: invalid character '|' after object key:value pair",
            f"initializing image from source docker://{IMAGE}: json: cannot unmarshal string into Go struct field x of type int",
            f"initializing image from source docker://{IMAGE}: rejecting ambiguous manifest, unexpected fields []string{{}} in supposedly x",
            f"initializing image from source docker://{IMAGE}: Unimplemented manifest MIME type \"x\"",
            f"parsing image configuration: Download config.json digest {_ONE} does not match expected {_TWO}",
            "parsing image configuration: unexpected end of JSON input",
            "parsing image configuration: invalid character 'x' looking for beginning of value",
            "parsing image configuration: json: cannot unmarshal string into Go struct field Image.rootfs of type v1.RootFS",
            'parsing image configuration: invalid mixed OCI image with Docker v2s2 config ("application/vnd.docker.container.image.v1+json")',
            f'digest mismatch, expected "{_ONE}", got "{_TWO}"',
            "writing blob: storing blob to file \"/var/tmp/x\": happened during read: gzip: invalid checksum",
            f'writing blob: adding layer with blob "{_ONE}": processing tar file(archive/tar: invalid tar header): exit status 1',
        ),
        "containerd": (
            f'failed commit on ref "layer-{_ONE}": unexpected commit digest {_TWO}, expected {_ONE}: failed precondition',
            f'failed commit on ref "manifest-{_ONE}": unexpected commit size 1, expected 2: failed precondition',
            f'failed commit on ref "config-{_ONE}": "config-{_ONE}" failed size validation: 407 != 502: failed precondition',
            "short read: expected 109 bytes but got 108: unexpected EOF",
            f"{_OPEN}could not fetch content descriptor {_ONE} (application/vnd.oci.image.layer.v1.tar+gzip) from remote: not found",
            f"{_OPEN}content at {_BLOB} not found: not found",
            "failed to unpack image on snapshotter overlayfs: number of layers and diffIDs don't match: 1 != 2",
            "failed to unpack image on snapshotter overlayfs: mismatched image rootfs and manifest layers",
            f'failed to unpack image on snapshotter overlayfs: wrong diff id "{_ONE}" calculated on extraction "{_TWO}", desc "{_ONE}"',
            f"failed to unpack image on snapshotter overlayfs: unexpected media type application/octet-stream for {_ONE}: not found",
            f'failed to extract layer {_ONE}: failed to apply: archive/tar: invalid tar header: unknown',
            'not implemented: media type "application/vnd.docker.distribution.manifest.v1+prettyjws" is no longer supported since containerd v2.1, '
            'please rebuild the image as "x" or "y"',
            f'failed to resolve reference "{IMAGE}": "x" in header not a valid digest: invalid checksum digest format',
        ),
        "docker": (
            f"filesystem layer verification failed for digest {_ONE}",
            f"manifest verification failed for digest {_ONE}",
            f"image config verification failed for digest {_ONE}",
            "layers from manifest don't match image configuration: rootfs",
            "invalid rootfs in image configuration",
            "unsupported manifest format",
            "missing signature key",
            "unsupported media type application/x",
            "error unmarshalling content: invalid character 'x' looking for beginning of value",
            "unknown blob",
        ),
    },
    "proxy": {
        "cri-o": (
            f"initializing image from source docker://{IMAGE}: invalid character '<' looking for beginning of value",
            f'initializing source docker://{IMAGE}: decoding bearer token (last URL "{_TOKEN}", body start "<html>"): '
            "invalid character '<' looking for beginning of value",
        ),
        "containerd": (
            f"failed to unpack image on snapshotter overlayfs: unexpected media type text/html for {_ONE}: not found",
            f"{_OPEN}could not fetch content descriptor {_ONE} (text/html) from remote: not found",
        ),
        "docker": (
            "error unmarshalling content: invalid character '<' looking for beginning of value",
            "error parsing HTTP 403 response body: invalid character '<' looking for beginning of value: \"<html>\\n<head>\"",
            "unsupported media type text/html",
        ),
    },
    "billing": {
        "cri-o": (f"reading manifest {TAG} in {HOST}/{REPOSITORY}: denied: This API method requires billing to be enabled",),
        "containerd": (),
        "docker": (),
    },
    "registry_error": {
        "cri-o": (),
        "containerd": (
            f'failed to resolve reference "{IMAGE}": failed to authorize: failed to fetch anonymous token: authorization server did not '
            "include a token in the response",
        ),
        "docker": ("authorization server did not include a token in the response",),
    },
    "no_credentials": {
        "cri-o": (),
        "containerd": (
            f'failed to resolve reference "{IMAGE}": pull access denied, repository does not exist or may require authorization: '
            "authorization failed: no basic auth credentials",
        ),
        "docker": (f'Get "{_MANIFEST}": no basic auth credentials',),
    },
    "denied": {
        "cri-o": (
            f"reading manifest {TAG} in {HOST}/{REPOSITORY}: denied: Permission \"artifactregistry.repositories.downloadArtifacts\" denied on "
            'resource "projects/p/locations/eu/repositories/r" (or it may not exist)',
            f'reading manifest {TAG} in {HOST}/{REPOSITORY}: denied: Permission denied for "{TAG}" from request "/v2/team/app/manifests/{TAG}".',
            f"reading manifest {TAG} in {HOST}/{REPOSITORY}: denied: permission denied",
            f"reading manifest {TAG} in {HOST}/{REPOSITORY}: Permission denied",
            f"reading manifest {TAG} in {HOST}/{REPOSITORY}: unauthorized: pull of this project: permission denied",
            f"reading manifest {TAG} in {HOST}/{REPOSITORY}: unknown: permission denied to pull",
        ),
        "containerd": (
            f'failed to resolve reference "{IMAGE}": pull access denied, repository does not exist or may require authorization: '
            "server message: insufficient_scope: authorization failed",
        ),
        "docker": (),
    },
    "not_an_image": {
        "cri-o": (
            'parsing image configuration: unsupported image-specific operation on artifact with type "application/vnd.cncf.helm.config.v1+json"',
        ),
        "containerd": (),
        "docker": (),
    },
    "too_large": {
        "cri-o": (
            f"initializing source docker://{IMAGE}: exceeded maximum allowed size of 4194304 bytes",
            f"initializing source docker://{IMAGE}: reading manifest {TAG} in {HOST}/{REPOSITORY}: exceeded maximum allowed size of 1048576 bytes",
            "parsing image configuration: exceeded maximum allowed size of 4194304 bytes",
        ),
        "containerd": (f'failed to resolve reference "{IMAGE}": rejecting 5000000 byte manifest for {IMAGE}: not found',),
        "docker": (),
    },
    "platform": {
        "cri-o": (
            f'choosing an image from manifest list docker://{IMAGE}: no image found in manifest list for architecture "arm64", OS "linux"',
        ),
        "containerd": (f"no match for platform in manifest {_ONE}: not found",),
        "docker": ("no matching manifest for linux/arm64/v8 in the manifest list entries",),
    },
    "node_permission": {
        "cri-o": (
            'writing blob: storing blob to file "/var/tmp/container_images_storage1/1": open /var/tmp/container_images_storage1/1: permission denied',
            f'writing blob: adding layer with blob "{_ONE}": processing tar file(open /usr/bin/x: permission denied): exit status 1',
            f'writing blob: adding layer with blob "{_ONE}": processing tar file(lchown /x: operation not permitted): exit status 1',
            f'writing blob: adding layer with blob "{_ONE}": ApplyLayer stdout:  stderr: open /etc/x: permission denied exit status 1',
            "dial unix /var/run/x.sock: connect: permission denied",
            "open /etc/docker/certs.d/registry.example.com/ca.crt: permission denied",
            'creating temporary directory: mkdir "/var/tmp/x": permission denied',
        ),
        "containerd": (
            f"failed to extract layer {_ONE}: mount callback failed on /var/lib/containerd/tmpmounts/x: failed to open /x: permission denied: "
            "unknown",
            f'failed to extract layer {_ONE}: mount callback failed on /var/lib/containerd/tmpmounts/x: failed to Lchown "/x" for UID 0, GID 5: '
            "lchown /x: operation not permitted: unknown",
            f"failed to copy: failed to send write: open /var/lib/containerd/{_ONE}/data: permission denied",
        ),
        "docker": ("open /var/lib/docker/tmp/x: permission denied", "mkdir /var/lib/docker/overlay2/x: permission denied"),
    },
    "disk": {
        "cri-o": ('writing blob: storing blob to file "/var/tmp/x": write /var/tmp/x: no space left on device',),
        "containerd": (f"failed to copy: failed to send write: write /var/lib/x/{_ONE}/data: no space left on device: unknown",),
        "docker": ("write /var/lib/docker/tmp/x: no space left on device",),
    },
}  # fmt: skip


def texts() -> Iterator[Text]:
    """Every fault, in the words of every client that reports it."""
    for fault in _STATUSES:
        for client, write in _WRITERS.items():
            cause = fault.other.get(client, fault.cause)
            if cause:
                yield from (Text(client, cause, text) for text in write(fault))
    for cause, errors in _NETWORK.items():
        for error in errors:
            yield from _of_network(cause, error)
    for cause, by_client in _CONTENT.items():
        for client, each in by_client.items():
            yield from (Text(client, cause, _FRAMES[client].format(text)) for text in each)


_FRAMES = {
    "cri-o": "unable to pull image or OCI artifact: pull image err: {0}; artifact err: {0}",
    "containerd": f'failed to pull and unpack image "{IMAGE}": {{}}',
    "docker": "Error response from daemon: {}",
}
_SOURCE = f"initializing source docker://{IMAGE}: "
#: The first blob of an image is its configuration.
_CRIO_BLOBS = ("parsing image configuration: ", f"reading blob {_ONE}: ")
_RESOLVE = f'failed to resolve reference "{IMAGE}": '


# --- containers/image


def _by_crio(fault: _Status) -> Iterator[str]:
    if fault.place in ("token", "login"):
        yield _FRAMES["cri-o"].format(_SOURCE + _crio_token(fault))
        return
    beginnings = {
        "ping": [f"{_SOURCE}pinging container registry {HOST}: "],
        "manifest": [f"{_SOURCE}reading manifest {TAG} in {HOST}/{REPOSITORY}: "],
        "blob": [f"{part}fetching blob: " for part in _CRIO_BLOBS],
    }[fault.place]
    yield from (_FRAMES["cri-o"].format(begin + _crio_error(fault)) for begin in beginnings)


def _crio_token(fault: _Status) -> str:
    if fault.status == 200:
        return f'decoding bearer token (last URL "{_TOKEN}", body start "{_PAGE[:50]}"): invalid character \'<\' looking for beginning of value'
    if fault.status == 429:
        return "too many requests to registry"
    if fault.status == 401:
        return f"unable to retrieve auth token: invalid username/password: {_crio_error(fault)}"
    return f"Requesting bearer token: received unexpected HTTP status: {_status(fault.status)}"


def _crio_error(fault: _Status) -> str:
    if not 400 <= fault.status < 500:
        return f"received unexpected HTTP status: {_status(fault.status)}"
    if fault.body == "json":
        code, _colon, message = _json_error(fault).partition(": ")
        return (
            message
            if message in (code, "requested access to the resource is denied", "authentication required")
            else f"{code}: {message}"
        )
    body = _body(fault)
    start = body if len(body) <= 50 else f"{body[:50]}..."
    return f"StatusCode: {fault.status}, {_quoted(start)}"


# --- containerd


def _by_containerd(fault: _Status) -> Iterator[str]:
    frame = _FRAMES["containerd"]
    if fault.place in ("token", "login"):
        kind = "anonymous" if fault.place == "token" else "oauth"
        begin = f"{_RESOLVE}failed to authorize: failed to fetch {kind} token: "
        if fault.status == 200:
            yield frame.format(
                f"{begin}unable to decode token response: invalid character '<' looking for beginning of value"
            )
            return
        yield frame.format(f"{begin}unexpected status from GET request to {_TOKEN}: {_status(fault.status)}")
        yield frame.format(f"{begin}unexpected status: {_status(fault.status)}")
    elif fault.place == "blob":
        if fault.status == 404:
            yield frame.format(f"{_OPEN}content at {_BLOB} not found: not found")
            return
        error = f"\n{_json_error(fault)}" if fault.body == "json" else ""
        yield frame.format(f"{_OPEN}unexpected status from GET request to {_BLOB}: {_status(fault.status)}{error}")
        server = f" - Server message: {_json_error(fault)}" if error else ""
        yield frame.format(f"{_OPEN}unexpected status code {_BLOB}: {_status(fault.status)}{server}")
    elif fault.status == 404:
        yield f"rpc error: code = NotFound desc = {frame.format(f'{_RESOLVE}{IMAGE}: not found')}"
    else:
        yield frame.format(f"{_RESOLVE}unexpected status from HEAD request to {_MANIFEST}: {_status(fault.status)}")
        yield frame.format(f"{_RESOLVE}unexpected status code {_MANIFEST}: {_status(fault.status)}")
        yield frame.format(
            f"{_RESOLVE}pulling from host {HOST} failed with status code [manifests {TAG}]: {_status(fault.status)}"
        )


# --- docker


def _by_docker(fault: _Status) -> Iterator[str]:
    frame = _FRAMES["docker"]
    begin = f'Get "{_MANIFEST}": ' if fault.place in ("token", "login") else ""
    if fault.status == 200:
        yield frame.format(
            f"{begin}unable to decode token response: invalid character '<' looking for beginning of value"
        )
    elif not 400 <= fault.status < 500:
        yield frame.format(f"{begin}received unexpected HTTP status: {_status(fault.status)}")
    else:
        yield frame.format(begin + _docker_error(fault))


def _docker_error(fault: _Status) -> str:
    code = {401: "unauthorized", 403: "denied", 429: "toomanyrequests"}.get(fault.status, "unknown")
    message = _json_error(fault) if fault.body == "json" else f"{code}: {_body(fault)}"
    if message.startswith("denied"):
        return f"pull access denied for {HOST}/{REPOSITORY}, repository does not exist or may require 'docker login': {message}"
    if message.startswith("manifest unknown"):
        return f"manifest for {IMAGE} not found: {message}"
    return message


# --- all


_WRITERS = {"cri-o": _by_crio, "containerd": _by_containerd, "docker": _by_docker}


def _of_network(cause: str, error: str) -> Iterator[Text]:
    own, other = error.format(host="registry.example.com"), error.format(host="auth.example.com")
    stored = f'Get "{_STORAGE}": {error.format(host="storage.example.com")}'
    crio, containerd, docker = (_FRAMES[client] for client in CLIENTS)
    ping = f'{_SOURCE}pinging container registry {HOST}: Get "https://{HOST}/v2/": {own}'
    yield Text("cri-o", cause, f"unable to pull image: {ping}")
    yield Text("cri-o", cause, crio.format(ping))
    yield Text("cri-o", cause, f'unable to pull image: {_SOURCE}Get "{_TOKEN}": {other}')
    yield from (Text("cri-o", cause, f"unable to pull image: {begin}{stored}") for begin in _CRIO_BLOBS)
    yield Text("containerd", cause, containerd.format(f"{_OPEN}failed to do request: {stored}"))
    yield Text("docker", cause, docker.format(stored))
    yield Text("containerd", cause, containerd.format(f'{_RESOLVE}failed to do request: Head "{_MANIFEST}": {own}'))
    token = f'{_RESOLVE}failed to authorize: failed to fetch anonymous token: Get "{_TOKEN}": {other}'
    yield Text("containerd", cause, containerd.format(token))
    yield Text(
        "containerd",
        cause,
        containerd.format(f'{_RESOLVE}failed to authorize: failed to fetch oauth token: Post "{_TOKEN}": {other}'),
    )
    yield Text("docker", cause, docker.format(f'Get "https://{HOST}/v2/": {own}'))
    yield Text("docker", cause, docker.format(f"Get https://{HOST}/v2/: {own}"))
    yield Text("docker", cause, docker.format(f'Head "{_MANIFEST}": Get "{_TOKEN}": {other}'))


def _status(status: int) -> str:
    """The status in the format of Go's `Response.Status`."""
    return f"{status} {_PHRASES[status]}"


def _json_error(fault: _Status) -> str:
    if fault.place == "blob" and fault.status == 404:
        return "blob unknown: blob unknown to registry"
    return _ERRORS.get(fault.status, "unknown: unknown error")


def _body(fault: _Status) -> str:
    if fault.body == "html":
        return _PAGE
    if fault.body == "xml":
        return '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>AccessDenied</Code></Error>'
    return f"{fault.status} page\n" if fault.status == 404 else f"{_PHRASES[fault.status]}\n"


def _quoted(text: str) -> str:
    """Quote the text like Go's `%q`."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
