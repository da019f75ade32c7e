"""Whether a TPP and its client may ask for this: role, registered types, and the place that it is for (RFC 9396 §5, §10)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.oauth.rar.refusals import invalid_details

if TYPE_CHECKING:
    from collections.abc import Collection

    from gateway.oauth.rar.model import AuthorizationDetail
    from psd2.roles import PspRole


def require_allowed(detail: AuthorizationDetail, *, roles: Collection[PspRole], types: Collection[str], location: str) -> None:
    """Raise `OAuthRefused` unless TPP and client may ask for it, here.

    `types` are those that the client registered; none: all that the TPP has the role for. `location` is where the
    bank's interface is, which is the only place that tokens of this server open.
    """
    if types and detail.type not in types:
        raise invalid_details(
            "$[0].type",
            f"is {detail.type}, which this client is not registered for",
            reason="client.authorization_details_type",
            hint=f"the client is registered for {', '.join(sorted(types))}",
            clause="RFC 9396 §10",
        )
    if detail.type.service.role not in roles:
        raise invalid_details(
            "$[0].type",
            f"is {detail.type}, which needs the role {detail.type.service.role}, and the TPP does not hold it",
            reason="psd2.role",
            hint=f"the TPP is registered with the roles {' '.join(sorted(roles))}",
        )
    for place, named in enumerate(detail.told.get("locations") or ()):
        if named.removesuffix("/") != location:
            raise invalid_details(f"$[0].locations[{place}]", f"is not {location}, where the bank's interface is")
