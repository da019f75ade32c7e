from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from chassis.database import open_engine
from gateway.database import metadata
from tests.support.authorization import AuthorizationWorld

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make an empty gateway database once; tests take copies."""
    file = tmp_path_factory.mktemp("gateway") / "empty.sqlite"
    engine = open_engine(f"sqlite:///{file}")
    metadata.create_all(engine)
    engine.dispose()
    return file


@pytest.fixture
def engine(empty_database: Path, tmp_path: Path) -> Iterator[Engine]:
    """Lend an empty gateway database."""
    file = Path(shutil.copy(empty_database, tmp_path / "gateway.sqlite"))
    engine = open_engine(f"sqlite:///{file}")
    yield engine
    engine.dispose()


@pytest.fixture
def world(engine: Engine) -> AuthorizationWorld:
    """Lend an authorization server with two TPPs, a browser, and a bank played by hand."""
    return AuthorizationWorld(engine)
