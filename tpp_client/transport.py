"""The real transport: `requests` over mutual TLS, trusting only the bundle it is given.

`trust_env` is off: REQUESTS_CA_BUNDLE in the environment would silently replace `verify` otherwise.
"""

from __future__ import annotations

import ssl
from http.cookiejar import DefaultCookiePolicy
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit, urlunsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import NewConnectionError
from urllib3.util.retry import Retry

from tpp_client.errors import IdentityUnusable, TransportFailed
from tpp_client.wire import HttpRequest, HttpResponse

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from types import TracebackType

    from chassis.addresses import Address
    from tpp_client.identity import Credential, TppIdentity

CONNECT_TIMEOUT_SECONDS = 5.0
READ_TIMEOUT_SECONDS = 30.0
MOST_BODY_BYTES = 8 * 1024 * 1024
_CHUNK_BYTES = 64 * 1024
_NO_DETOURS: Mapping[str, Address] = MappingProxyType({})
_NO_OTHERS: Mapping[str, Credential] = MappingProxyType({})
# Where a client says who it is; everything else takes the QWAC (RTS (EU) 2018/389 Art. 34).
_CLIENT_PATHS = ("/token", "/par", "/introspect", "/revoke", "/bc-authorize")
# A server may close an idle connection just as we use it; only a GET is safe to send once more (RFC 9110 §9.2.2).
_ONE_FRESH_TRY = Retry(total=1, connect=0, read=1, redirect=0, status=0, other=0, allowed_methods=frozenset({"GET"}))


class MutualTlsTransport:
    """Sends requests over kept-alive connections as one party, or as nobody when `credential` is None."""

    def __init__(
        self,
        *,
        cafile: Path,
        credential: Credential | None,
        tls: ssl.TLSVersion | None = None,
        detours: Mapping[str, Address] = _NO_DETOURS,
        others: Mapping[str, Credential] = _NO_OTHERS,
    ) -> None:
        """Open nothing yet; raises `IdentityUnusable` for unfit files.

        `tls` pins one version, else TLS 1.2 or newer. `detours` says for an origin (`https://localhost:8443`) where its
        server is reached instead; TLS, Host and all that is verified stay those of the origin. `others` says at which
        addresses another certificate is presented.
        """
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.verify = str(cafile)
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))  # a TPP is no browser
        context = _context(credential, tls)
        self._session.mount("https://", _ContextAdapter(context))
        for origin, address in detours.items():
            self._session.mount(origin, _DetourAdapter(context, origin=origin, address=address))
        for place, other in others.items():
            self._session.mount(place, _ContextAdapter(_context(other, tls)))

    def send(self, request: HttpRequest) -> HttpResponse:
        """Send it and return the answer, whatever its status; redirects are answers, never followed."""
        try:
            with self._session.request(
                request.method,
                request.url,
                headers=dict(request.headers),
                data=request.body,
                timeout=(CONNECT_TIMEOUT_SECONDS, READ_TIMEOUT_SECONDS),
                allow_redirects=False,
                stream=True,
            ) as answer:
                return HttpResponse(request=request, status=answer.status_code, headers=_lowered(answer), body=_body(answer))
        except requests.RequestException as error:
            msg = f"no answer to {request.method} {request.url}: {_cause(error)}"
            raise TransportFailed(msg) from error

    def close(self) -> None:
        """Close every connection."""
        self._session.close()

    def __enter__(self) -> Self:
        """Return itself, to be closed at the end of the block."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Close every connection."""
        self.close()


def transport_for(
    identity: TppIdentity, *, tls: ssl.TLSVersion | None = None, detours: Mapping[str, Address] = _NO_DETOURS
) -> MutualTlsTransport:
    """Return a transport that presents the TPP's own QWAC, and its client's own certificate where it authenticates by that."""
    paths = _CLIENT_PATHS if identity.client.has_own_certificate else ()
    others = {f"{identity.edge}{path}": identity.client_certificate for path in paths}
    return MutualTlsTransport(cafile=identity.cafile, credential=identity.qwac, tls=tls, detours=detours, others=others)


class _ContextAdapter(HTTPAdapter):
    """An adapter whose connections share one TLS context: certificate, key and versions are set in it once."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        super().__init__(max_retries=_ONE_FRESH_TRY)

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **more: Any) -> None:  # noqa: ANN401, FBT001, FBT002 - the signature is requests' own
        super().init_poolmanager(connections, maxsize, block, **more, ssl_context=self._context)


class _DetourAdapter(_ContextAdapter):
    """Reaches one origin's server at another address, as where a public name leads nowhere inside a container."""

    def __init__(self, context: ssl.SSLContext, *, origin: str, address: Address) -> None:
        self._origin = urlsplit(origin)
        self._address = address
        super().__init__(context)

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **more: Any) -> None:  # noqa: ANN401, FBT001, FBT002 - the signature is requests' own
        name = self._origin.hostname
        super().init_poolmanager(connections, maxsize, block, **more, server_hostname=name, assert_hostname=name)

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:  # type: ignore[override]  # noqa: ANN401 - handed on to requests
        if urlsplit(str(request.url))[:2] != self._origin[:2]:  # requests mounts by prefix: :844 is one of :8443
            return super().send(request, **options)
        request.headers["Host"] = self._origin.netloc
        request.url = urlunsplit(urlsplit(str(request.url))._replace(netloc=str(self._address)))
        return super().send(request, **options)


def _context(credential: Credential | None, tls: ssl.TLSVersion | None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = tls or ssl.TLSVersion.TLSv1_2
    if tls is not None:
        context.maximum_version = tls
    if credential is not None:
        _load(context, credential)
    return context


def _load(context: ssl.SSLContext, credential: Credential) -> None:
    try:
        context.load_cert_chain(credential.certificate, credential.key)
    except OSError as error:  # ssl.SSLError is one: a key that does not belong to the certificate
        msg = f"{credential.certificate} and {credential.key} can't be used together: {error}"
        raise IdentityUnusable(msg) from error


def _lowered(answer: requests.Response) -> dict[str, str]:
    return {name.lower(): value for name, value in answer.headers.items()}


def _body(answer: requests.Response) -> bytes:
    body = bytearray()
    for chunk in answer.iter_content(_CHUNK_BYTES):
        body += chunk
        if len(body) > MOST_BODY_BYTES:
            msg = f"the answer from {answer.url} is longer than {MOST_BODY_BYTES} bytes: it is not read further"
            raise TransportFailed(msg)
    return bytes(body)


def _cause(error: BaseException) -> str:
    """Return the innermost cause in words: `requests` wraps what happened three times over."""
    reason = getattr(error, "reason", None) or (error.args[0] if error.args else None)
    if isinstance(reason, BaseException):
        return _cause(reason)
    if isinstance(error, NewConnectionError):
        return "nobody listens there; `sandbox status` tells whether the platform is up"
    return f"{type(error).__name__}: {error}"
