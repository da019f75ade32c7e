"""Which self-signed certificates a client is to be let in by (RFC 8705 §2.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gateway.register.key_certificates import self_signed_certificates
from gateway.register.model import AuthMethod, Client, ClientRefused, Fault

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

_METHOD: Final = AuthMethod.SELF_SIGNED_TLS_CLIENT_AUTH


def registered_certificates(client: Client) -> frozenset[str]:
    """Return the certificates that the client's registration itself holds, as SHA-256 in hex."""
    return frozenset(sha256 for _place, sha256 in _placed(client))


def is_same_address(client: Client, standing: Client | None) -> bool:
    """Answer whether the client goes on publishing its certificates where it did: they are known already."""
    return (
        standing is not None
        and client.jwks_uri is not None
        and client.jwks_uri == standing.jwks_uri
        and client.token_endpoint_auth_method is standing.token_endpoint_auth_method is _METHOD
    )


def require_own_certificates(client: Client, taken: Callable[[Collection[str]], Collection[str]]) -> None:
    """Raise `ClientRefused` where a client of another TPP has registered one of them: it would say that both are calling."""
    placed = tuple(_placed(client))
    others = taken([sha256 for _place, sha256 in placed]) if placed else ()
    reason = "is the certificate of another TPP's client: make one of your own, with a key of its own (RFC 8705 §2.2.2)"
    faults = tuple(Fault(f"jwks.keys.{place}.x5c", reason) for place, sha256 in placed if sha256 in others)
    if faults:
        raise ClientRefused(faults)


def _placed(client: Client) -> Iterable[tuple[int, str]]:
    if client.token_endpoint_auth_method is not _METHOD or client.jwks is None:
        return ()
    return self_signed_certificates(client.jwks)
