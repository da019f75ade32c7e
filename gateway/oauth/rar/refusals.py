"""The refusal of `authorization_details`: where in the JSON it lies, and which rule it breaks (RFC 9396 §5)."""

from __future__ import annotations

from gateway.oauth.refusals import OAuthRefused, Refusal

PARAMETER = "authorization_details"


def invalid_details(
    path: str,
    rule: str,
    *,
    reason: str = "oauth.authorization_details",
    hint: str = "correct the field that the path names and send the request again",
    clause: str = "RFC 9396 §5",
    quoted: str = "",
) -> OAuthRefused:
    """Return the refusal of the place that the JSON `path` names, from `$`, the array, on."""
    return OAuthRefused(
        Refusal(
            error="invalid_authorization_details",
            description=f"{PARAMETER}: {path} {rule}",
            reason=reason,
            hint=hint,
            clause=clause,
            quoted=quoted,
        )
    )
