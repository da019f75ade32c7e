"""HTTP to a CA: over https to its directory's origin alone, by the operator's CAs, so many bytes, in time."""

from __future__ import annotations

import io
import ssl
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any

import pytest
import requests
from requests.adapters import BaseAdapter
from urllib3 import HTTPResponse

from gateway.acme.network import CaSession, DirectoryRefused
from tests.support.pki import Authority

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DIRECTORY = "https://acme.example/directory"


class _Scripted(BaseAdapter):
    """Answers without a network."""

    def __init__(self, status: int = 200, headers: dict[str, str] | None = None, body: bytes = b"{}") -> None:
        super().__init__()
        self.asked: list[str] = []
        self._status, self._headers, self._body = status, headers or {}, body

    def send(self, request: requests.PreparedRequest, **_options: Any) -> requests.Response:  # type: ignore[override]
        self.asked.append(str(request.url))
        response = requests.Response()
        response.status_code, response.url, response.request = self._status, str(request.url), request
        response.headers.update(self._headers)
        response.raw = HTTPResponse(io.BytesIO(self._body), preload_content=False)
        return response

    def close(self) -> None:
        pass


def session(adapter: BaseAdapter | None = None, *, seconds_left: float = 10, **options: Any) -> CaSession:
    made = CaSession(DIRECTORY, deadline=seconds_left, **({"ca_bundle": None, "monotonic": lambda: 0} | options))
    if adapter is not None:
        for scheme in ("https://", "http://"):
            made.mount(scheme, adapter)
    return made


def test_a_ca_answers() -> None:
    adapter = _Scripted(body=b'{"newNonce": "x"}')
    assert session(adapter).get(DIRECTORY).json() == {"newNonce": "x"}
    assert adapter.asked == [DIRECTORY]


@pytest.mark.parametrize(
    "url",
    [
        "http://acme.example/new-order",
        "https://acme.example:8443/new-order",
        "https://10.0.0.1/new-order",
        "https://acme.example.evil.example/",
        "https://user@acme.example/",
        "file:///etc/passwd",
        "https://acme.example:port/",
    ],
)
def test_nothing_is_sent_to_where_a_ca_merely_leads(url: str) -> None:
    """A directory that names addresses inside, or plain HTTP, opens nothing."""
    adapter = _Scripted()
    with pytest.raises(DirectoryRefused, match=r"nothing is sent but over https to acme\.example:443"):
        session(adapter).post(url, data=b"{}")
    assert adapter.asked == []


@pytest.mark.parametrize("where", ["http://acme.example/", "https://10.0.0.1/", "/elsewhere"])
def test_no_redirect_is_followed(where: str) -> None:
    adapter = _Scripted(301, {"Location": where})
    with pytest.raises(DirectoryRefused, match="redirects to"):
        session(adapter).get(DIRECTORY)
    assert adapter.asked == [DIRECTORY]


def test_an_answer_has_a_size_and_a_time() -> None:
    with pytest.raises(DirectoryRefused, match="more than 1000000 bytes"):
        session(_Scripted(body=b"x" * 1_000_001)).get(DIRECTORY)
    with pytest.raises(requests.Timeout):
        session(_Scripted(), seconds_left=0).get(DIRECTORY)


_WISHES = [(429, "120", 120), (503, "7", 7), (429, "soon", None), (200, "9", None)]


class _Dripping(io.RawIOBase):
    """A body that comes a byte a second."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds = 0.0

    def read1(self, _most: int, **_options: Any) -> bytes:
        self.seconds += 1
        assert self.seconds < 100
        return b" "


def test_a_body_that_never_ends_is_broken_off() -> None:
    """Each byte comes in time, all of them together do not."""
    body, adapter = _Dripping(), _Scripted()
    send = adapter.send

    def slowly(request: requests.PreparedRequest, **options: Any) -> requests.Response:
        response = send(request, **options)
        response.raw = body
        return response

    adapter.send = slowly  # type: ignore[method-assign]
    asked = session(adapter, monotonic=lambda: body.seconds)
    with pytest.raises(requests.Timeout):
        asked.get(DIRECTORY)
    assert body.seconds == 11


@pytest.mark.parametrize(("status", "wish", "seconds"), _WISHES)
def test_a_ca_that_refuses_may_ask_for_time(status: int, wish: str, seconds: int | None) -> None:
    asked = session(_Scripted(status, {"Retry-After": wish}))
    asked.get(DIRECTORY)
    assert (asked.retry_after.total_seconds() if asked.retry_after else None) == seconds


class _Directory(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_args: object) -> None:
        pass


@contextmanager
def tls_server(folder: Path, authority: Authority) -> Iterator[str]:
    """Serve a directory on this machine."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.server("localhost").write(folder, "directory"))
    with HTTPServer(("127.0.0.1", 0), _Directory) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield f"https://localhost:{server.server_port}/directory"
        server.shutdown()


def test_the_operators_cas_vouch_for_the_directory_and_nobody_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the list that comes with the HTTP library, nor what the environment names."""
    authority, other = Authority("Directory CA"), Authority("Another CA")
    trusted = tmp_path / "trusted.pem"
    trusted.write_text(authority.pem)
    monkeypatch.setattr("requests.adapters.DEFAULT_CA_BUNDLE_PATH", str(trusted))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(trusted))
    with tls_server(tmp_path, authority) as url:
        assert CaSession(url, ca_bundle=authority.pem, deadline=1e9).get(url).ok
        with pytest.raises(requests.exceptions.SSLError):
            CaSession(url, ca_bundle=other.pem, deadline=1e9).get(url)
        with pytest.raises(requests.exceptions.SSLError):
            CaSession(url, ca_bundle=None, deadline=1e9).get(url)
