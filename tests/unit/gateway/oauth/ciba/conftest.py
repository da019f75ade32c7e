"""A world whose client asks PSUs without a browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.backchannel import register_for_ciba

if TYPE_CHECKING:
    from tests.support.authorization import AuthorizationWorld


@pytest.fixture
def asking(world: AuthorizationWorld) -> AuthorizationWorld:
    """Lend a world whose client has registered for backchannel authentication, and polls."""
    register_for_ciba(world)
    return world
