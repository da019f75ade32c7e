"""HTTP to one CA: its directory's origin alone, over TLS that the operator trusts, no redirect, so many bytes, in time."""

from __future__ import annotations

import io
import ssl
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter

if TYPE_CHECKING:
    from collections.abc import Callable

_MOST_BYTES: Final = 1_000_000
_READ_SECONDS: Final = 30.0
_PIECE: Final = 16_384
_DEFAULT_PORT: Final = 443


class DirectoryRefused(requests.RequestException):
    """The CA led to where nothing is sent, or answered what nothing is made of; the message says what and why."""


class _TrustingAdapter(HTTPAdapter):
    """Verifies by one TLS set-up and nothing beside it."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        super().__init__(pool_maxsize=1)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - the signature of requests
        super().init_poolmanager(*args, **(kwargs | {"ssl_context": self._context}))

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:  # noqa: ANN401 - the signature of requests
        """Add nobody: requests would let every CA of its own list vouch for the directory too."""
        del url, verify, cert
        conn.cert_reqs = "CERT_REQUIRED"


class CaSession(requests.Session):
    """A session that speaks to the origin of `directory` until `deadline` (of `monotonic`)."""

    def __init__(
        self, directory: str, *, ca_bundle: str | None, deadline: float, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__()
        # Otherwise REQUESTS_CA_BUNDLE and proxies from the environment silently override what is set here.
        self.trust_env = False
        self.retry_after: timedelta | None = None
        self._origin = _origin(directory)
        self._deadline = deadline
        self._monotonic = monotonic
        self.mount("https://", _TrustingAdapter(client_context(ca_bundle)))

    def request(self, method: str | bytes, url: str | bytes, *args: Any, **kwargs: Any) -> requests.Response:  # noqa: ANN401 - handed to requests
        """Send a request; raises `requests.RequestException`, of which `DirectoryRefused` is one."""
        self._require_origin(str(url))
        left = self._deadline - self._monotonic()
        if left <= 0:
            raise requests.Timeout("the CA has not come to an end in time")
        kwargs |= {"allow_redirects": False, "stream": True, "timeout": min(left, _READ_SECONDS)}
        response = super().request(method, url, *args, **kwargs)
        self._note_wish(response)
        if response.is_redirect:
            where = response.headers.get("Location", "")
            raise DirectoryRefused(f"{str(url)[:200]} redirects to {where[:200]!r}: that is not followed, name that address")
        response.raw = io.BytesIO(self._body(response))
        return response

    def resolve_redirects(self, *_args: Any, **_kwargs: Any) -> Any:  # noqa: ANN401 - the signature of requests
        """Look at none: requests would read a redirect's body, of whatever size, to say where it leads."""
        return iter(())

    def _require_origin(self, url: str) -> None:
        try:
            asked = _origin(url)
        except ValueError:
            asked = None
        if asked != self._origin:
            host, port = self._origin
            raise DirectoryRefused(
                f"the CA names {url[:200]!r}: nothing is sent but over https to {host}:{port}, where its directory is"
            )

    def _body(self, response: requests.Response) -> bytes:
        """Read the body, however slowly it comes; raises `requests.RequestException`."""
        body = bytearray()
        while piece := response.raw.read1(_PIECE, decode_content=True):
            body += piece
            if len(body) > _MOST_BYTES:
                raise DirectoryRefused(f"the CA answered more than {_MOST_BYTES} bytes")
            if self._monotonic() > self._deadline:
                raise requests.Timeout("the CA has not come to an end in time")
        return bytes(body)

    def _note_wish(self, response: requests.Response) -> None:
        """Remember how long a CA that refuses asks to be left alone (RFC 8555 §6.6)."""
        wish = response.headers.get("Retry-After", "")
        if not response.ok and wish.isascii() and wish.isdigit():
            self.retry_after = timedelta(seconds=min(int(wish[:9]), 10**6))


def client_context(ca_bundle: str | None) -> ssl.SSLContext:
    """Return the TLS set-up that verifies a directory: by the operator's CAs alone, or by the operating system's."""
    context = ssl.create_default_context(cadata=ca_bundle)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _origin(url: str) -> tuple[str, int]:
    """Return host and port of an https address; raises `ValueError`."""
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname or parts.username is not None:
        raise ValueError("is no https address")
    return parts.hostname.lower(), parts.port or _DEFAULT_PORT
