"""Calling another internal server: mutual TLS, the peer verified by its service name, deadlines on everything."""

from __future__ import annotations

import json as json_module
import ssl
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypedDict
from urllib.parse import urlencode

from urllib3 import HTTPSConnectionPool, Timeout
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError, ProtocolError, SSLError
from urllib3.exceptions import TimeoutError as NoAnswerInTime

from chassis.serving.listener import TLS12_CIPHERS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Unpack

    from chassis.addresses import Address
    from chassis.home import Home

_CONNECT_SECONDS, _READ_SECONDS = 5.0, 10.0
_POOL = 16
_JSON: Final = {"Content-Type": "application/json"}
_FORM: Final = {"Content-Type": "application/x-www-form-urlencoded"}


class PeerUnavailable(RuntimeError):
    """A peer that could not be reached or gave no whole answer in time."""

    def __init__(self, name: str, detail: str, *, address: str | None = None) -> None:
        """Name the peer (`bank`) and what happened; `address` is for the operator's logs and terminal."""
        self.public_text = f"the {name} service can't be reached: {detail}"
        super().__init__(f"{self.public_text} ({address})" if address else self.public_text)
        self.name = name
        self.detail = detail


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """An internal server to call: its service name, where it listens, and as whom we call."""

    name: str
    address: Address
    home: Home
    caller: str


@dataclass(frozen=True, slots=True)
class PeerAnswer:
    """What a peer answered; names of headers are looked up in any case."""

    status_code: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def text(self) -> str:
        """The body, to be quoted."""
        return self.content.decode("utf-8", "replace")

    def json(self) -> Any:  # noqa: ANN401 - any document
        """Return the document that the body holds; raises `ValueError`."""
        return json_module.loads(self.content)


class Sent(TypedDict, total=False):
    """What goes with a request; `timeout` in seconds, of connecting and of each wait for the answer."""

    params: Mapping[str, object] | None
    headers: Mapping[str, str] | None
    json: object
    data: bytes | Mapping[str, str] | None
    timeout: float | tuple[float, float]


class PeerSession:
    """HTTP to one peer over kept-alive mutual-TLS connections; safe to share between threads.

    On urllib3 itself: requests takes three times as long for the same call. Nothing from the environment has a say.
    """

    def __init__(self, peer: Peer) -> None:
        """Open no connection yet."""
        self._peer = peer
        self._pair = peer.home.internal(peer.caller)
        self._lock = threading.Lock()
        self._stamp: tuple[int, int] | None = None
        self._pool: HTTPSConnectionPool | None = None

    def get(self, path: str, **sent: Unpack[Sent]) -> PeerAnswer:
        """Send GET; raises `PeerUnavailable`."""
        return self.request("GET", path, **sent)

    def post(self, path: str, **sent: Unpack[Sent]) -> PeerAnswer:
        """Send POST; raises `PeerUnavailable`."""
        return self.request("POST", path, **sent)

    def put(self, path: str, **sent: Unpack[Sent]) -> PeerAnswer:
        """Send PUT; raises `PeerUnavailable`."""
        return self.request("PUT", path, **sent)

    def delete(self, path: str, **sent: Unpack[Sent]) -> PeerAnswer:
        """Send DELETE; raises `PeerUnavailable`."""
        return self.request("DELETE", path, **sent)

    def request(self, method: str, path: str, **sent: Unpack[Sent]) -> PeerAnswer:
        """Send a request to `path` on the peer and return whatever it answers; raises `PeerUnavailable`."""
        body, headers = _body(sent)
        try:
            # Sent once: what may be sent twice, the caller knows.
            answer = self._current().urlopen(
                method, _target(path, sent), body=body, headers=headers, timeout=_timeout(sent), retries=False, redirect=False
            )
        except (HTTPError, OSError) as error:
            raise PeerUnavailable(self._peer.name, _in_words(error), address=str(self._peer.address)) from error
        return PeerAnswer(answer.status, answer.headers, answer.data)

    def close(self) -> None:
        """Let go of the connections that nobody uses just now; the next request opens one anew."""
        with self._lock:
            if self._pool is not None:
                self._pool.close()
                self._pool = None

    def _current(self) -> HTTPSConnectionPool:
        stamp = (self._pair.certificate.stat().st_mtime_ns, self._pair.key.stat().st_mtime_ns)
        with self._lock:
            if self._pool is None or stamp != self._stamp:
                self._pool, self._stamp = _pool(self._peer), stamp
            return self._pool


# The first that fits says it: several are of more than one of these classes.
_WORDS: tuple[tuple[type[Exception], str], ...] = (
    (NewConnectionError, "the connection was refused or broke off"),
    (ConnectTimeoutError, "nobody answers there"),
    (NoAnswerInTime, "it did not answer in time"),
    (SSLError, "no TLS connection was agreed on"),
    (ProtocolError, "the connection was refused or broke off"),
    (HTTPError, "what it answered could not be read"),
    (OSError, "this side's certificate or key can't be used"),
)


def _in_words(error: Exception) -> str:
    """Say what happened as people would; the library's own words stay with the exception's cause, for logs."""
    return next(words for kind, words in _WORDS if isinstance(error, kind))


def _body(sent: Sent) -> tuple[bytes | None, dict[str, str]]:
    """Return the body and the headers."""
    said, data = dict(sent.get("headers") or {}), sent.get("data")
    if sent.get("json") is not None:
        return json_module.dumps(sent["json"]).encode(), _JSON | said
    if data is None or isinstance(data, bytes):
        return data, said
    return urlencode(data).encode(), _FORM | said


def _target(path: str, sent: Sent) -> str:
    query = {name: value for name, value in (sent.get("params") or {}).items() if value is not None}
    return f"{path}?{urlencode(query, doseq=True)}" if query else path


def _timeout(sent: Sent) -> Timeout:
    seconds = sent.get("timeout", (_CONNECT_SECONDS, _READ_SECONDS))
    connect, read = seconds if isinstance(seconds, tuple) else (seconds, seconds)
    return Timeout(connect=connect, read=read)


def _pool(peer: Peer) -> HTTPSConnectionPool:
    # OpenSSL holds the certificate to the service name, wherever the connection goes to.
    return HTTPSConnectionPool(
        peer.address.host,
        peer.address.port,
        maxsize=_POOL,
        cert_reqs=ssl.CERT_REQUIRED,
        ssl_context=client_context(peer.home, peer.caller),
        server_hostname=f"{peer.name}.internal",
    )


def client_context(home: Home, caller: str) -> ssl.SSLContext:
    """Return the TLS set-up with which `caller` calls internal servers; raises `OSError` where its files are missing."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(TLS12_CIPHERS)
    context.load_verify_locations(cafile=str(home.ca("internal").certificate))
    pair = home.internal(caller)
    context.load_cert_chain(str(pair.certificate), str(pair.key))
    return context
