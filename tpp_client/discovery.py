"""The authorization server's metadata (RFC 8414), with its mutual-TLS aliases (RFC 8705 §5)."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from tpp_client.documents import Document, document_of
from tpp_client.errors import UnexpectedResponse
from tpp_client.refusals import require_status
from tpp_client.wire import HttpRequest

if TYPE_CHECKING:
    from tpp_client.wire import HttpResponse, Transport

WELL_KNOWN = "/.well-known/oauth-authorization-server"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerMetadata:
    """What a TPP needs of the metadata; the back-channel endpoints are those for mutual TLS."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    introspection_endpoint: str
    revocation_endpoint: str
    names_issuer_in_responses: bool
    grant_management_endpoint: str = ""
    pushed_authorization_request_endpoint: str = ""
    backchannel_authentication_endpoint: str = ""
    jwks_uri: str = ""


def well_known_url(issuer: str) -> str:
    """Return where an issuer's metadata lives: the well-known path goes between host and path (RFC 8414 §3.1)."""
    parts = urlsplit(issuer)
    return urlunsplit((parts.scheme, parts.netloc, WELL_KNOWN + parts.path.rstrip("/"), "", ""))


def discovery_request(transport: Transport, issuer: str) -> HttpResponse:
    """Ask the issuer for its metadata."""
    return transport.send(HttpRequest(method="GET", url=well_known_url(issuer), headers={"Accept": "application/json"}))


def process_discovery_response(response: HttpResponse, *, issuer: str) -> ServerMetadata:
    """Judge the metadata; another issuer's is refused (RFC 8414 §3.3), and so is a server without S256."""
    require_status(response, HTTPStatus.OK)
    document = document_of(response)
    _require_issuer(document, issuer)
    _require_s256(document)
    aliases = document.optional_child("mtls_endpoint_aliases")
    return ServerMetadata(
        issuer=issuer,
        authorization_endpoint=_endpoint(document, document, "authorization_endpoint"),
        token_endpoint=_endpoint(document, aliases, "token_endpoint"),
        introspection_endpoint=_endpoint(document, aliases, "introspection_endpoint"),
        revocation_endpoint=_endpoint(document, aliases, "revocation_endpoint"),
        names_issuer_in_responses=document.optional_flag("authorization_response_iss_parameter_supported"),
        grant_management_endpoint=_optional_endpoint(document, aliases, "grant_management_endpoint"),
        pushed_authorization_request_endpoint=_optional_endpoint(document, aliases, "pushed_authorization_request_endpoint"),
        backchannel_authentication_endpoint=_optional_endpoint(document, aliases, "backchannel_authentication_endpoint"),
        jwks_uri=_optional_endpoint(document, document, "jwks_uri"),
    )


def _require_issuer(document: Document, issuer: str) -> None:
    claimed = document.text("issuer")
    if claimed != issuer:
        msg = f"{document.where} is the metadata of {claimed}, not of {issuer}: it is not used (RFC 8414 §3.3)"
        raise UnexpectedResponse(msg)


def _require_s256(document: Document) -> None:
    if "S256" not in document.texts("code_challenge_methods_supported"):
        msg = f"{document.where}: the server offers no PKCE with S256, without which codes can be stolen (RFC 9700 §2.1.1)"
        raise UnexpectedResponse(msg)


def _optional_endpoint(document: Document, aliases: Document, name: str) -> str:
    return _endpoint(document, aliases, name) if name in aliases or name in document else ""


def _endpoint(document: Document, aliases: Document, name: str) -> str:
    url = (aliases if name in aliases else document).text(name)
    if urlsplit(url).scheme != "https":
        msg = f"{document.where}: {name} {url} is not https: codes and tokens don't travel in the clear"
        raise UnexpectedResponse(msg)
    return url
