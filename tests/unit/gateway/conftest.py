from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.authorization import AuthorizationWorld

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine

    from tests.support.databases import Databases


@pytest.fixture
def engine(unit_databases: Databases) -> Iterator[Engine]:
    """Lend an empty gateway database."""
    with unit_databases.opened("gateway") as engine:
        yield engine


@pytest.fixture
def world(engine: Engine) -> AuthorizationWorld:
    """Lend an authorization server with two TPPs, a browser, and a bank played by hand."""
    return AuthorizationWorld(engine)
