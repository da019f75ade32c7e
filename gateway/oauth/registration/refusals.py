"""What registration refuses, each fault of a client's metadata with its field (RFC 7591 §3.2.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.oauth.refusals import OAuthRefused, Refusal, shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.register.model import Fault


def metadata_refused(faults: Sequence[Fault]) -> OAuthRefused:
    """Return the refusal of metadata with these faults, one at least, the first of which its description tells."""
    first = faults[0]
    more = f" (and {len(faults) - 1} more: see errors)" if len(faults) > 1 else ""
    is_redirect = first.field.startswith("redirect_uris")
    text = shown(f"{first.field}: {first.reason}")
    refusal = Refusal(
        error="invalid_redirect_uri" if is_redirect else "invalid_client_metadata",
        description=f"{text}{more}",
        reason="registration.redirect_uri" if is_redirect else "registration.metadata",
        hint="correct what errors names, and register again: nothing was kept",
        clause="RFC 7591 §3.2.2",
        quoted=text,
        errors=tuple({"field": fault.field, "problem": fault.reason} for fault in faults),
    )
    return OAuthRefused(refusal)


def changed_meanwhile() -> OAuthRefused:
    """Return the refusal of an update of what somebody else has changed since it was read."""
    return OAuthRefused(
        Refusal(
            error="invalid_request",
            description="the registration was changed by somebody else at the same moment",
            reason="registration.changed",
            hint="read the registration again, and decide anew",
            clause="RFC 9110 §15.5.10",
            status=409,
        )
    )


def too_many_clients(most: int) -> OAuthRefused:
    """Return the refusal of one client more than a TPP may have."""
    return OAuthRefused(
        Refusal(
            error="invalid_client_metadata",
            description=f"the TPP has {most} clients, and no more are taken",
            reason="registration.too_many",
            hint="delete a client that is no longer used: DELETE at its registration_client_uri",
            clause="RFC 7591 §3.2.2",
        )
    )
