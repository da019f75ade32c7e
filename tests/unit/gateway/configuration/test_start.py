"""What a process brings into force when it starts: the gateway's own documents, then the operator's files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gateway.config import GatewaySettings
from gateway.configuration.files import FileRefused
from gateway.configuration.snapshot import SnapshotReader
from gateway.configuration.store import SqlConfigurationStore
from gateway.configuration.versions import Origin
from gateway.kinds import KINDS
from gateway.seeds import apply_documents_of_start, packaged_documents

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Engine

DEPLOYMENT = """
[deployments.demo]
listener = "demo"
upstream = "demo"
mtls = "off"
errors = "problem"

[[deployments.demo.routes]]
path = "/greeting"
methods = ["GET"]
"""


def test_what_comes_with_the_gateway_can_be_in_force_and_the_operators_files_go_before_it(
    engine: Engine, tmp_path: Path
) -> None:
    """A second start changes nothing."""
    tmp_path.joinpath("own.toml").write_text(DEPLOYMENT)
    store = SqlConfigurationStore(engine)
    for _ in range(2):
        apply_documents_of_start(engine, GatewaySettings(configuration=tmp_path))

    standing = {(version.kind, version.name): version for version in store.standing()}
    assert set(standing) == {(document.kind, document.name) for document in packaged_documents()}
    assert standing.pop(("deployments", "demo")).origin is Origin.FILE
    assert {version.origin for version in standing.values()} == {Origin.SEED}
    assert {version.number for version in standing.values()} == {1}
    assert len(store.history("deployments", "demo")) == 2
    SnapshotReader(KINDS).read(store.standing())


def test_a_place_without_files_is_refused(engine: Engine, tmp_path: Path) -> None:
    """Rather than taken for one that says nothing."""
    with pytest.raises(FileRefused, match="can't be read"):
        apply_documents_of_start(engine, GatewaySettings(configuration=tmp_path / "none.toml"))
