# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cause of a failed pull, from the text of a kubelet, CRI-O, containerd or cri-dockerd: rules as data. Pure.

The first matching rule counts, so the order matters: a refusal by a policy begins like a failed signature check, a rate limit may
contain «denied», a proxy answers «Forbidden», and a registry without a credential answers «access denied» and «no basic auth
credentials» in one sentence.

Sources of the texts: kubelet pkg/kubelet/images, CRI-O server/image_pull.go, containers/image docker/, copy/ and manifest/, containerd
core/remotes/docker and plugins/content/local, moby daemon/internal/distribution. Collected from public reports and from a node on which
pulls were made to fail. tests/support/client_texts.py builds the texts of each client for each cause from these formats.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from .registry_sources import HOSTED_MIRRORS

#: The id of the rule for the kubelet's own limit, which passes by itself and hides the response of the registry.
OWN_LIMIT = "node_limit"
#: The beginning of an error about the configuration or a layer. The runtime asks for these after the manifest, which needs the same login.
CONTENT = r"(?:\b(?:reading|writing) blob\b|parsing image configuration: |failed to copy: )"
_ANY = ("cri-o", "containerd", "cri-dockerd")


@dataclass(frozen=True)
class MessageRule:
    """One cause.

    `id` is stable. `expression` is searched for, ignoring case, in a text with `*` for images and hosts and `->` for requests. `runtimes`
    lists the programs that write such a text, with `kubelet` for the kubelet's own texts. `sample` is such a text. `meaning` is a sentence
    without its full stop, and `fix` says what to do about it. `since` is the first version that writes it, if older ones do not.
    """

    id: str
    expression: str
    runtimes: Sequence[str]
    sample: str
    meaning: str
    fix: str
    since: str = ""

    def meaning_at(self, server: str) -> str:
        """Return the meaning for a failure of another server than the registry, such as its token service."""
        first = f"The {server[4:]}" if server.startswith("the ") else server
        return self.meaning.replace("The registry", first).replace("the registry", server)


UNKNOWN = MessageRule(
    "unknown",
    "",
    (),
    "",
    "The node reports an error that this collection does not recognize",
    "Read the node's message. Please report it, so that a rule can be added",
)

RULES = (
    MessageRule(
        "secret_missing",
        r"unable to retrieve some image pull secrets",
        ("kubelet",),
        "Unable to retrieve some image pull secrets (a, b); attempting to pull the image may not succeed.",
        "A pull secret in the pod's list does not exist",
        "Create the secret, or remove its name from the pod's or the service account's list",
    ),
    MessageRule(
        "invalid_name",
        r"couldn't parse image (?:name|reference)|invalid reference format|invalidimagename",
        ("kubelet", "cri-dockerd"),
        'Failed to apply default image tag "UPPER": couldn\'t parse image name "UPPER": invalid reference format',
        "The image name is not valid",
        "Correct the name: no scheme, no upper case in the path, no empty part",
    ),
    MessageRule(
        "never_pull",
        r"is not present with pull policy of never",
        ("kubelet",),
        'Container image "registry.example.com/app:1" is not present with pull policy of Never',
        "The pull policy is Never, and the node does not have the image, or this pod's credentials do not give access to it",
        "Change imagePullPolicy, or bring the image to the node",
    ),
    MessageRule(
        "short_name_ambiguous",
        r"short[- ]name mode is enforcing|short-name .* did not resolve|short-name resolution enforced",
        ("cri-o",),
        "short name mode is enforcing, but image name team/app:v1 returns ambiguous list",
        "The image name has no registry, and several could be meant",
        "Write the image with its registry's host",
        since="CRI-O 1.34",
    ),
    MessageRule(
        "secret_unparsable",
        r"^illegal base64 data at input byte|unable to parse auth field|^invalid character .* (?:looking for|in|after) "
        r"|^unexpected end of json input|^json: cannot unmarshal|invalid decoded auth",
        ("kubelet", "containerd"),
        "illegal base64 data at input byte 8",
        "One of the pod's pull secrets cannot be decoded, so none of them is used",
        "Find the secret and correct it: one entry that cannot be decoded stops every pull of the pod",
    ),
    MessageRule(
        "blocked_by_config",
        r"is blocked in /|registry blocked",
        ("cri-o",),
        "registry blocked.example.com is blocked in /etc/containers/registries.conf or /etc/containers/registries.conf.d",
        "The cluster's configuration blocks the registry",
        "Check registrySources.blockedRegistries of images.config.openshift.io/cluster, and mirror sets with NeverContactSource. "
        f"For a hosted cluster, change spec.configuration.image of the HostedCluster, and mirrors in {HOSTED_MIRRORS}",
    ),
    MessageRule(
        "policy_rejected",
        r"is rejected by policy",
        ("cri-o",),
        "Source image rejected: Running image docker://registry.example.com/app:1 is rejected by policy.",
        "The cluster's configuration does not allow the registry. No signature is involved",
        "Check registrySources.allowedRegistries and blockedRegistries of images.config.openshift.io/cluster. For a hosted cluster, change "
        "spec.configuration.image of the HostedCluster",
    ),
    MessageRule(
        "rate_limited",
        r"toomanyrequests|too many requests|pull rate limit|statuscode: 429|unexpected status code:? \*:? 429",
        _ANY,
        "reading manifest v1: toomanyrequests: You have reached your unauthenticated pull rate limit",
        "The registry's pull rate limit was reached",
        "Pull with a credential, which has a higher limit, pull through a mirror, or wait",
    ),
    MessageRule(
        "billing",
        r"payment required|requires billing|billing (?:account|is|has|to be)\b|statuscode: 402|status(?: code)?:? (?:\*:? )?402\b",
        _ANY,
        "reading manifest v1: unknown: payment required",
        "The registry requires payment: the subscription or the billing account of its owner does not cover this pull",
        "Settle that with the registry's provider. Another login helps only if it belongs to a paid account",
    ),
    MessageRule(
        "proxy",
        # A proxy that refuses to connect: Go's net/http keeps only the words of its response, not the status code.
        r"proxyconnect|socks connect|proxy authentication required|statuscode: 407|status(?: code)?:? (?:\*:? )?407\b"
        r"|(?-i:-> (?!EOF$)[A-Z][A-Za-z -]*$)|-> unknown status code$|->$"
        # The page of a proxy, instead of a registry's response.
        r"|<(?:!doctype|html|head|title|body)\b|invalid character '<'|\btext/html\b",
        _ANY,
        'pinging container registry registry.example.com: Get "https://registry.example.com/v2/": Proxy Authentication Required',
        "A proxy, a firewall or another server answered instead of the registry, or the node cannot reach its proxy",
        "Check the nodes' proxy (proxies.config.openshift.io/cluster, including noProxy), and have the proxy let "
        "the registry through",
    ),
    MessageRule(
        "damaged_content",
        r"digest did not match|does not match (?:provided|selected) manifest digest|digest mismatch|digest \S+ does not match expected"
        r"|unexpected commit (?:digest|size)|failed size validation|unexpected digest|short read: expected|wrong diff ?id"
        r"|(?:layer|manifest|image config) verification failed"
        r"|mismatched image rootfs|don't match image configuration|invalid rootfs|diffids don't match|in header not a valid digest"
        r"|blob unknown|unknown blob|could not fetch content|content at \S+ not found"
        r"|no fslayers|unsupported schema version|history not equal to number of layers|missing signature key"
        r"|unimplemented manifest mime|unsupported manifest format|unsupported media ?type|unsupported (?:docker|oci)\S* media type"
        r"|media type \S+ is no longer supported|unexpected media type|ambiguous manifest|invalid digest spec|invalid checksum digest"
        r"|invalid tar header|gzip: invalid|flate: corrupt|zstd: |magic number mismatch|invalid mixed oci image"
        r"|(?:image from source|image configuration|manifest|content|index|list)\b[^:]*: (?:invalid character|unexpected end of json|json: )",
        _ANY,
        "writing blob: happened during read: Digest did not match, expected sha256:1111, got sha256:2222",
        "The node received content that does not match the image: it is damaged or incomplete, or has a format that the node cannot read",
        "Push the image again as an OCI image. If other nodes can pull it, check the proxy and the mirror in between",
    ),
    MessageRule(
        "signature_at_start",
        r"checking signature of ",
        ("cri-o",),
        'checking signature of "registry.example.com/app:1": verifying signatures: SignatureValidationFailed: '
        "A signature was required, but no signature exists",
        "The namespace has an ImagePolicy, so the node checks signatures again at every start of a container, and the copy of the image on "
        "the node has no signature that satisfies the policies",
        "Check ImagePolicy and ClusterImagePolicy. An image that was pulled before the policy existed has no signature on the node: remove "
        "it from the node, so that it is pulled again",
    ),
    MessageRule(
        "signature",
        r"signature was required|none of the signatures were accepted|signature for identity|source image rejected"
        r"|signature validation failed",
        ("cri-o",),
        "Source image rejected: A signature was required, but no signature exists",
        "The image's signature does not satisfy an image policy",
        "Check ClusterImagePolicy and ImagePolicy, and the signature that the registry stores",
    ),
    MessageRule(
        "volume_mount",
        r"imagevolumemountfailed",
        ("cri-o", "containerd"),
        'ImageVolumeMountFailed: sub path "data" does not exist in image volume "registry.example.com/model:1"',
        "The node has the image of the volume, but it cannot mount it",
        "Check subPath of the volume's mounts, and whether the image contains it. Another pull secret does not help",
    ),
    MessageRule(
        "not_an_image",
        r"image not known|unsupported image-specific operation on artifact",
        ("cri-o",),
        'reading image "1111": locating image with ID "1111": image not known',
        "This is no image that a container can run: it is an OCI artifact, such as a Helm chart, or it was removed from the node after the pull",
        "Correct the name of the image: only an image volume can mount an artifact. If it is an image, delete the pod, so that it is pulled again",
    ),
    MessageRule(
        OWN_LIMIT,
        r"pull qps exceeded",
        ("kubelet",),
        "pull QPS exceeded",
        "The kubelet's own limit of pulls per second was reached, not a limit of the registry",
        "Wait: the kubelet retries automatically. Older events show the cause of the previous attempt",
    ),
    MessageRule(
        "tls_http",
        r"server gave http response to https client|first record does not look like a tls handshake",
        _ANY,
        'Get "https://registry.example.com/v2/": http: server gave HTTP response to HTTPS client',
        "The registry uses HTTP, but the node requires HTTPS",
        "Add a certificate to the registry, or list the registry in registrySources.insecureRegistries of images.config.openshift.io/cluster. For "
        "a hosted cluster, list it in spec.configuration.image of the HostedCluster",
    ),
    MessageRule(
        "tls_expired",
        r"certificate has expired or is not yet valid",
        _ANY,
        "x509: certificate has expired or is not yet valid",
        "The certificate of the registry has expired or is not valid yet, or the node's clock is wrong",
        "Renew the certificate, or correct the node's clock",
    ),
    MessageRule(
        "tls_name",
        r"certificate is valid for|doesn't contain any ip sans|cannot validate certificate for"
        r"|certificate relies on legacy common name|certificate is not valid for any names",
        _ANY,
        "x509: certificate is valid for other.example.com, not registry.example.com",
        "The certificate of the registry is for another name",
        "Use the name in the certificate, or issue a certificate for this name",
    ),
    MessageRule(
        "tls_untrusted",
        r"x509: |failed to verify certificate",
        _ANY,
        "tls: failed to verify certificate: x509: certificate signed by unknown authority",
        "The node does not trust the certificate of the registry",
        "Add its certificate authority to the ConfigMap in additionalTrustedCA of images.config.openshift.io/cluster. For a hosted cluster, use "
        "spec.configuration.image of the HostedCluster",
    ),
    MessageRule(
        "tls_client",
        r"remote error: tls: (?:[a-z]+ certificate\b|certificate required|access denied)",
        _ANY,
        'Get "https://registry.example.com/v2/": remote error: tls: certificate required',
        "The registry requires a certificate of its clients, and the node sent none, or one that the registry does not accept",
        "Have the registry accept nodes without a certificate, or put the certificate and its key into /etc/containers/certs.d/HOST:PORT of the "
        "nodes with a MachineConfig. Another login does not help",
    ),
    MessageRule(
        "tls_version",
        r"tls: (?:protocol version not supported|handshake failure|insufficient security level|server selected unsupported protocol version)",
        _ANY,
        'Get "https://registry.example.com/v2/": remote error: tls: protocol version not supported',
        "The registry and the node have no TLS version or cipher in common, or the registry requires a certificate of its clients",
        "Enable TLS 1.2 or later at the registry, or at the proxy in between. Another login does not help",
    ),
    MessageRule(
        "redirects",
        r"stopped after \d+ redirects",
        _ANY,
        'Get "https://registry.example.com/v2/": stopped after 10 redirects',
        "The registry answers each request with another redirect",
        "Check the address of the registry, and any proxy in front of it: they may redirect to each other. Another login does not help",
    ),
    MessageRule(
        "too_large",
        r"exceeded maximum allowed size|rejecting \d+ byte ",
        ("cri-o", "containerd"),
        "initializing source docker://registry.example.com/app:1: exceeded maximum allowed size of 4194304 bytes",
        "The registry sent a manifest, or another document, that is larger than the node accepts",
        "Build the image with fewer layers, annotations and labels: a node accepts 4 MiB. If other nodes can pull it, check the proxy in between",
    ),
    MessageRule(
        "dns",
        r"no such host|server misbehaving|temporary failure in name resolution|dial tcp: lookup ",
        _ANY,
        "dial tcp: lookup nosuch.invalid on 192.0.2.53:53: no such host",
        "The node cannot resolve the name of the registry",
        "Correct the name, or the DNS of the nodes",
    ),
    MessageRule(
        "connection_refused",
        r"connection refused|no route to host|network is unreachable"
        # The system of the node refuses the connection: Go puts the name of the system call before its error.
        r"|\bdial (?:tcp|udp)[46]? .{0,200}?: (?:connect|socket|sendto): (?:permission denied|operation not permitted)",
        _ANY,
        "dial tcp 192.0.2.9:5999: connect: connection refused",
        "The node cannot connect to the registry",
        "Check that the registry is running, and check the port, the routes and the firewall",
    ),
    MessageRule(
        "timeout",
        r"i/o timeout|connection timed out|deadline ?exceeded|handshake timeout|client\.timeout|canceled while waiting",
        _ANY,
        "dial tcp 192.0.2.9:443: i/o timeout",
        "The registry did not answer in time",
        "Check the network between the nodes and the registry, and the proxy",
    ),
    MessageRule(
        "platform",
        r"no image found|choosing (?:an )?image|no match for platform|no matching manifest for",
        _ANY,
        'choosing an image from manifest list: no image found in manifest list for architecture "arm64", OS "linux"',
        "The image does not exist for the node's architecture",
        "Use an image for this architecture, or run the pod on other nodes",
    ),
    MessageRule(
        "registry_error",
        r"\b5\d\d (?:internal server|not implemented|bad gateway|service unavailable|gateway time)|http status: 5\d\d"
        r"|status ?code:? 5\d\d|unexpected status(?: code)?(?: from \w+ request to)?:? (?:\*:? )?5\d\d\b"
        r"|failed with status code \[[^]]*\]: 5\d\d|error parsing http 5\d\d"
        # A token service that does not exist or issues no token.
        r"|requesting bearer token: received unexpected http status: (?!40[13])\d|obtain access token: received unexpected"
        r"|failed to fetch (?:anonymous|oauth) token: .{0,80}\b(?:3\d\d|40[4-9]|41\d)\b|did not include a token"
        r"|pinging \*: statuscode: (?!40[13])\d"
        # A storage server behind the registry that refuses the request.
        r"|\"<\?xml|<error>"
        r"|unexpected eof|: eof$|-> eof$|connection reset by peer|broken pipe|goaway|stream error|server closed idle|malformed http",
        _ANY,
        "reading manifest v1: received unexpected HTTP status: 503 Service Unavailable",
        "The registry failed",
        "Check the registry, its token service, its storage, and any proxy in front of them. The kubelet retries automatically",
    ),
    MessageRule(
        "content_refused",
        CONTENT + r".{0,500}?"
        r"(?:(?<!permission )denied\b|not authorized|unauthorized\b|authentication required|insufficient_scope|: 40[13]\b)",
        ("cri-o", "containerd"),
        "reading blob sha256:1111: fetching blob: requested access to the resource is denied",
        "The node got the manifest of the image, but the registry refuses the content that the manifest names",
        "Check the storage of the registry, and any scanner or proxy that may block the content. Another login rarely helps, because the "
        "manifest needs the same right",
    ),
    MessageRule(
        "bad_credentials",
        r"(?:invalid|incorrect) username/password|(?:invalid|incorrect) username or password"
        r"|failed to fetch oauth token: .{0,80}\b40[013]\b|application not registered",
        _ANY,
        "unable to retrieve auth token: invalid username/password: unauthorized: authentication required",
        "A credential was sent, but the registry refused it",
        "Renew the login in the pull secret",
    ),
    MessageRule(
        "no_credentials",
        r"no basic auth credentials|missing username or secret|failed to fetch anonymous token: .{0,80}\b40[013]\b",
        _ANY,
        "pull access denied, repository does not exist or may require authorization: authorization failed: no basic auth credentials",
        "The pod has no credential for this image, but the registry requires one",
        "Add the registry to a pull secret that is linked to the service account",
    ),
    MessageRule(
        "denied",
        # «permission denied» is also an error of the node's system, which ends there and follows no error code of a registry.
        r"(?<!permission )denied\b|permission denied(?! ?(?:[:;,.)\]]|exit status\b|\Z))|(?:\*|forbidden|unknown): permission denied"
        r"|unauthorized: .{0,200}?permission denied"
        r"|not authorized|insufficient_scope|403 forbidden|statuscode: 403|error parsing http 403",
        _ANY,
        "reading manifest v1: requested access to the resource is denied",
        "The registry denies access, with or without a login, or it hides that the image does not exist",
        "Check which credential is for the image, its rights, and the image's name",
    ),
    MessageRule(
        "unauthorized",
        r"unauthorized|authentication required|\b401\b|error parsing http 401",
        _ANY,
        "reading manifest v1: unauthorized: authentication required",
        "The registry requires a login but did not get one, or does not accept the given one",
        "Check which credential is for the image, and whether it is still valid",
    ),
    MessageRule(
        "node_permission",
        r"\S: (?:permission denied|operation not permitted)",
        _ANY,
        "writing blob: storing blob to file: open /var/tmp/blob: permission denied",
        "The system of the node denies the pull access to a file. The registry did not refuse anything",
        "Check the permissions, the SELinux labels and the mount options of the node's storage. Another login does not help",
    ),
    MessageRule(
        "disk",
        r"no space left on device|disk quota exceeded|input/output error",
        _ANY,
        "writing blob: storing blob to file: no space left on device",
        "The node could not store the image",
        "Free space on the node",
    ),
    MessageRule(
        "not_found",
        r"manifest unknown|name unknown|not found|\b404\b|error parsing http 404",
        _ANY,
        "reading manifest v1: manifest unknown",
        "The registry reports that the image does not exist. Many registries do so when only the right is missing",
        "Check the image name and tag, and which credential is for the image",
    ),
)

#: Maximum number of characters that are searched: the time of some expressions is quadratic in the length.
_LONGEST = 16_384
_EXPRESSIONS = tuple((re.compile(rule.expression, re.IGNORECASE), rule) for rule in RULES)


def rule_for(text: str) -> MessageRule:
    """Return the first rule that matches a text, or `UNKNOWN`. The text contains `*` for each image and host, and `->` for each request."""
    start = text[:_LONGEST]
    return next((rule for expression, rule in _EXPRESSIONS if expression.search(start)), UNKNOWN)
