"""`grant_management_action` and `grant_id` of an authorization request, judged (Grant Management §5.2, §5.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.oauth.grant_management.model import GrantAction, GrantWish
from gateway.oauth.refusals import OAuthRefused, Refusal, invalid_request, shown

if TYPE_CHECKING:
    from gateway.oauth.parameters import Parameters

_CLAUSE = "Grant Management §5.2"


def read_grant_wish(parameters: Parameters) -> GrantWish | None:
    """Return what is asked for, None where nothing is; raises `OAuthRefused` (invalid_request)."""
    action, grant_id = parameters.get("grant_management_action"), parameters.get("grant_id")
    if action is None:
        if grant_id is not None:
            raise invalid_request("grant_id", "means nothing without grant_management_action: replace or merge", clause=_CLAUSE)
        return None
    if action not in set(GrantAction):
        rule = f"{shown(action)} is not offered: write {' or '.join(GrantAction)}"
        raise invalid_request("grant_management_action", rule, clause="Grant Management §5.4")
    wish = GrantWish(GrantAction(action), grant_id)
    if (wish.action is GrantAction.CREATE) != (grant_id is None):
        rule = f"is missing: {action} needs it" if grant_id is None else "is not taken with create, which makes a new one"
        raise invalid_request("grant_id", rule, clause=_CLAUSE)
    return wish


def unknown_grant() -> OAuthRefused:
    """Return the refusal of a grant that the client does not have (any more); another client's is as unknown."""
    return OAuthRefused(
        Refusal(
            error="invalid_grant_id",
            description="grant_id: names no grant of this client that is in force",
            reason="grant.unknown",
            hint="take grant_id from the token response; one that was revoked can't be replaced",
            clause="Grant Management §5.4",
        )
    )
