"""Requests that change a grant: whether its client may, and what the PSU is asked for then (Grant Management §5.2, §5.4)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

from gateway.oauth.grant_management.merging import merged, require_mergeable
from gateway.oauth.grant_management.model import GrantAction

if TYPE_CHECKING:
    from gateway.oauth.grant_management.model import Grant, GrantWish
    from gateway.oauth.rar.asked import Asked


class Grants(Protocol):
    """Which grants clients have."""

    def owned(self, grant_id: str, client_id: str) -> Grant:
        """Return the client's grant, if it is in force; raises `OAuthRefused`."""

    def standing(self, grant: Grant) -> list[dict[str, Any]]:
        """Return what was granted, as it stands at the bank now; raises `OAuthRefused` while that can't be reached."""


def changed_grant(grants: Grants, wish: GrantWish | None, asked: Asked, *, client_id: str) -> Grant | None:
    """Return the grant that the request would change, None where it changes none; raises `OAuthRefused`."""
    if wish is None or wish.grant_id is None:
        return None
    grant = grants.owned(wish.grant_id, client_id)
    if wish.action is GrantAction.MERGE:
        require_mergeable(asked, grant)
    return grant


def whole_request(grants: Grants, wish: GrantWish, asked: Asked, *, client_id: str) -> tuple[GrantWish, Asked]:
    """Return all that the PSU is to decide on: where it merges, with what the grant holds already; raises `OAuthRefused`."""
    if wish.grant_id is None or wish.action is not GrantAction.MERGE:
        return wish, asked
    grant = grants.owned(wish.grant_id, client_id)
    (standing,) = grants.standing(grant)
    return replace(wish, merges=grant.scope), merged(asked, standing)
