"""Calling another internal server: mutual TLS, the peer verified by its service name, deadlines on everything."""

from __future__ import annotations

import ssl
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import requests
from requests.adapters import HTTPAdapter

from chassis.listener import TLS12_CIPHERS

if TYPE_CHECKING:
    from chassis.addresses import Address
    from chassis.home import Home

_CONNECT_SECONDS, _READ_SECONDS = 5.0, 10.0
_POOL = 16


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


class PeerSession:
    """HTTP to one peer over kept-alive mutual-TLS connections; safe to share between threads."""

    def __init__(self, peer: Peer) -> None:
        """Open no connection yet."""
        self._peer = peer
        self._lock = threading.Lock()
        self._stamp: tuple[int, int] | None = None
        self._session: requests.Session | None = None

    def get(self, path: str, **options: Any) -> requests.Response:  # noqa: ANN401 - handed to requests
        """Send GET; raises `PeerUnavailable`."""
        return self.request("GET", path, **options)

    def post(self, path: str, **options: Any) -> requests.Response:  # noqa: ANN401 - handed to requests
        """Send POST; raises `PeerUnavailable`."""
        return self.request("POST", path, **options)

    def put(self, path: str, **options: Any) -> requests.Response:  # noqa: ANN401 - handed to requests
        """Send PUT; raises `PeerUnavailable`."""
        return self.request("PUT", path, **options)

    def delete(self, path: str, **options: Any) -> requests.Response:  # noqa: ANN401 - handed to requests
        """Send DELETE; raises `PeerUnavailable`."""
        return self.request("DELETE", path, **options)

    def request(self, method: str, path: str, **options: Any) -> requests.Response:  # noqa: ANN401 - handed to requests
        """Send a request to `path` on the peer and return whatever it answers; raises `PeerUnavailable`."""
        options.setdefault("timeout", (_CONNECT_SECONDS, _READ_SECONDS))
        options.setdefault("allow_redirects", False)
        try:
            return self._current().request(method, f"https://{self._peer.address}{path}", **options)
        except (requests.RequestException, OSError) as error:
            raise PeerUnavailable(self._peer.name, _in_words(error), address=str(self._peer.address)) from error

    def close(self) -> None:
        """Let go of the connections that nobody uses just now; the next request opens one anew."""
        with self._lock:
            if self._session is not None:
                self._session.close()

    def _current(self) -> requests.Session:
        pair = self._peer.home.internal(self._peer.caller)
        stamp = (pair.certificate.stat().st_mtime_ns, pair.key.stat().st_mtime_ns)
        with self._lock:
            if self._session is None or stamp != self._stamp:
                self._session, self._stamp = _session(self._peer), stamp
            return self._session


# The first that fits says it: a time-out while connecting is of both its classes.
_WORDS: tuple[tuple[type[Exception], str], ...] = (
    (requests.ConnectTimeout, "nobody answers there"),
    (requests.Timeout, "it did not answer in time"),
    (requests.exceptions.SSLError, "no TLS connection was agreed on"),
    (requests.ConnectionError, "the connection was refused or broke off"),
    (requests.RequestException, "what it answered could not be read"),
    (OSError, "this side's certificate or key can't be used"),
)


def _in_words(error: Exception) -> str:
    """Say what happened as people would; the library's own words stay with the exception's cause, for logs."""
    return next(words for kind, words in _WORDS if isinstance(error, kind))


class _ServiceNameAdapter(HTTPAdapter):
    """Verifies the service name, wherever the connection goes to."""

    def __init__(self, *, context: ssl.SSLContext, name: str) -> None:
        self._context = context
        self._name = name
        super().__init__(pool_maxsize=_POOL)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - the signature of requests
        kwargs |= {"ssl_context": self._context, "server_hostname": self._name, "assert_hostname": self._name}
        super().init_poolmanager(*args, **kwargs)


def _session(peer: Peer) -> requests.Session:
    session = requests.Session()
    # Otherwise REQUESTS_CA_BUNDLE and proxies from the environment silently override what is set here.
    session.trust_env = False
    session.verify = str(peer.home.ca("internal").certificate)
    session.mount("https://", _ServiceNameAdapter(context=client_context(peer.home, peer.caller), name=f"{peer.name}.internal"))
    return session


def client_context(home: Home, caller: str) -> ssl.SSLContext:
    """Return the TLS set-up with which `caller` calls internal servers; raises `OSError` where its files are missing."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(TLS12_CIPHERS)
    context.load_verify_locations(cafile=str(home.ca("internal").certificate))
    pair = home.internal(caller)
    context.load_cert_chain(str(pair.certificate), str(pair.key))
    return context
