"""The authorization server's metadata."""

from __future__ import annotations

import pytest

from tests.unit.tpp_client.fakes import EDGE, ISSUER, METADATA, ScriptedTransport, answer
from tpp_client.discovery import discovery_request, process_discovery_response, well_known_url
from tpp_client.errors import UnexpectedResponse


def test_back_channel_endpoints_are_the_mutual_tls_ones() -> None:
    """RFC 8705 §5: a client that uses mutual TLS takes the aliases."""
    metadata = process_discovery_response(answer(200, METADATA), issuer=ISSUER)

    assert metadata.token_endpoint == f"{EDGE}/token"
    assert metadata.introspection_endpoint == f"{EDGE}/introspect"
    assert metadata.authorization_endpoint == f"{ISSUER}/authorize"


def test_without_aliases_the_ordinary_endpoints_serve() -> None:
    """A server with one listener has no aliases."""
    metadata = process_discovery_response(answer(200, METADATA | {"mtls_endpoint_aliases": {}}), issuer=ISSUER)

    assert metadata.token_endpoint == f"{ISSUER}/token"


def test_another_issuers_metadata_is_refused() -> None:
    """RFC 8414 §3.3: or a mix-up begins here."""
    with pytest.raises(UnexpectedResponse, match=r"attacker\.example"):
        process_discovery_response(answer(200, METADATA | {"issuer": "https://attacker.example"}), issuer=ISSUER)


def test_a_server_without_s256_is_refused() -> None:
    """RFC 9700 §2.1.1: plain protects nothing."""
    with pytest.raises(UnexpectedResponse, match="S256"):
        process_discovery_response(answer(200, METADATA | {"code_challenge_methods_supported": ["plain"]}), issuer=ISSUER)


def test_an_endpoint_in_the_clear_is_refused() -> None:
    """A code must not travel over plain HTTP."""
    clear = METADATA | {"mtls_endpoint_aliases": {"token_endpoint": "http://localhost:8443/token"}}
    with pytest.raises(UnexpectedResponse, match="not https"):
        process_discovery_response(answer(200, clear), issuer=ISSUER)


@pytest.mark.parametrize(
    ("issuer", "url"),
    [
        ("https://as.example", "https://as.example/.well-known/oauth-authorization-server"),
        ("https://as.example/tenant", "https://as.example/.well-known/oauth-authorization-server/tenant"),
    ],
)
def test_the_well_known_path_goes_between_host_and_path(issuer: str, url: str) -> None:
    """RFC 8414 §3.1."""
    transport = ScriptedTransport(answer(200, METADATA))

    discovery_request(transport, issuer)

    assert transport.requests[0].url == url == well_known_url(issuer)
