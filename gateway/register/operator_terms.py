"""What an operator has made stricter of a client that registered by itself: its own updates (RFC 7592) undo none of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gateway.register.model import AuthMethod, Client, ClientProfile, Fault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

# How strict a client is in each member that knows more and less.
_STRICTNESS: Final[Mapping[str, Callable[[Client], int]]] = {
    "profile": lambda client: list(ClientProfile).index(client.profile),
    "token_endpoint_auth_method": lambda client: client.token_endpoint_auth_method is AuthMethod.PRIVATE_KEY_JWT,
    "require_signed_request_object": lambda client: client.require_signed_request_object,
    "backchannel_authentication_request_signing_alg": lambda client: (
        client.backchannel_authentication_request_signing_alg is not None
    ),
    "dpop_bound_access_tokens": lambda client: client.dpop_bound_access_tokens,
}


def held_terms(standing: Client | None, wanted: Client) -> tuple[str, ...]:
    """Return what the operator holds once he has made a client `wanted`: what he makes stricter, and what he leaves held."""
    if standing is None or standing.registration_access_token_sha256 is None:
        return ()  # nobody but the operator changes it
    return tuple(
        field
        for field, strictness in _STRICTNESS.items()
        if strictness(wanted) > strictness(standing)
        or (field in standing.held_by_operator and strictness(wanted) == strictness(standing))
    )


def faults_of_loosening(standing: Client, wanted: Client) -> Iterator[Fault]:
    """Give what a client's own update may not make less strict: its profile, and whatever the operator holds."""
    for field, strictness in _STRICTNESS.items():
        if strictness(wanted) >= strictness(standing):
            continue
        is_held = field in standing.held_by_operator
        before, after = (_word(getattr(client, field)) for client in (standing, wanted))
        if is_held:
            yield Fault(field, f"was set to {before} by the operator, and {after} asks for less: keep it, or ask the operator")
        elif field == "profile":
            yield Fault(field, f"is {before}, and {after} asks for less: keep it, or register another client")


def _word(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
