"""Request targets: plain ones pass, whatever could be read in two ways does not, and reading them takes no time."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.admission.refusal import Refusal
from gateway.admission.targets import require_plain_target


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/v1/accounts",
        "/v1/accounts/3f2504e0-4f89-11d3-9a0c-0305e82c3301/transactions",
        "/static/app.min.css",
        "/.well-known/oauth-authorization-server",
        "/a/...",
        "/v1/accounts/DE89%203704",
        "/caf%C3%A9",
        "/v1/a:b@c",
        "/trailing/",
    ],
)
def test_plain_paths_pass(path: str) -> None:
    """Among them what browsers and TPPs really ask for."""
    require_plain_target(path, b"")


def test_an_ocsp_request_by_get_passes() -> None:
    """Base64 may hold slashes, next to each other and encoded (RFC 6960 appendix A.1)."""
    require_plain_target("/pki/ocsp/tpp-issuing/MFQwUjBQME4wTDAJ//BgUrDgMCGg%2F%2B+x%3D=", b"")


@pytest.mark.parametrize(
    "path", ["/pki/ocsp/x/a/../b", "/pki/ocsp/x/%2e%2e%2f", "/pki/ocsp/../x//", "/pki/ocsp/x/a;b", "/pki//ocsp/x/a"]
)
def test_nothing_else_passes_for_one(path: str) -> None:
    """No way out of the OCSP path."""
    with pytest.raises(Refusal):
        require_plain_target(path, b"")


@pytest.mark.parametrize("query", [b"", b"a=b&c=d", b"dateFrom=2026-01-01", b"scope=AIS%3Aid&x=/y?z", b"a[]=1&b={x}"])
def test_ordinary_queries_pass(query: bytes) -> None:
    """Sloppily encoded ones too: nobody routes by them."""
    require_plain_target("/", query)


@pytest.mark.parametrize("query", [b"a=%", b"a=%2", b"a=%zz", b"a=\xff", b"a=<b>", b"a\\b", b'a="b"', b"a b"])
def test_broken_queries_do_not(query: bytes) -> None:
    """Bytes that no URI has."""
    with pytest.raises(Refusal, match="query"):
        require_plain_target("/", query)


@pytest.mark.parametrize("byte", [*range(0x20), *b"%/\\;-._~AZaz09", 0x7F])
@pytest.mark.parametrize("form", ["/v1/x%{:02X}y", "/v1/x%{:02x}y"])
def test_what_separates_or_needs_no_encoding_does_not_pass_encoded(byte: int, form: str) -> None:
    """In upper and in lower case: a server behind might decode it before it splits the path."""
    with pytest.raises(Refusal):
        require_plain_target(form.format(byte), b"")


@given(st.text(st.characters(max_codepoint=255), max_size=60))
def test_what_passes_means_one_thing_only(text: str) -> None:
    """No dot segment, empty segment, separator or control survives decoding it once or twice."""
    from urllib.parse import unquote

    path = f"/{text}"
    try:
        require_plain_target(path, b"")
    except Refusal:
        return
    decoded = unquote(unquote(path, "latin-1"), "latin-1")
    assert decoded.count("/") == path.count("/")
    segments = decoded.split("/")[1:]
    assert not {".", ".."} & set(segments)
    assert "" not in segments[:-1]
    assert not set(decoded) & set("\\;\x00\r\n")


def test_a_hostile_path_is_refused_quickly() -> None:
    """No pattern here can be made to try again and again."""
    began = time.process_time()
    for path in ("/" + "a" * 7_900 + ";", "/" + "%41" * 2_600, "/a" * 3_900 + "/;", "/" + "%20" * 2_600 + "%"):
        with pytest.raises(Refusal):
            require_plain_target(path, b"")
    assert time.process_time() - began < 5  # it takes milliseconds; a pattern that tries again takes for ever


def test_a_target_has_a_limit() -> None:
    """Eight thousand characters, path and query together."""
    with pytest.raises(Refusal, match="8001 characters"):
        require_plain_target("/" + "a" * 4_000, b"b" * 4_000)
