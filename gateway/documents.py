"""The gateway's documents as all its processes read and write them: those with secrets sealed with the key of the home."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chassis.sealing import KeyFile, Seal
from gateway.configuration.sealing import SealedKinds
from gateway.configuration.store import SqlConfigurationStore
from gateway.kinds import KINDS

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from gateway.config import GatewaySettings


def document_store(engine: Engine, settings: GatewaySettings) -> SqlConfigurationStore:
    """Return the store; the key is made when the first secret is written."""
    secretive = [kind.name for kind in KINDS if kind.secrets]
    return SqlConfigurationStore(engine, SealedKinds(document_seal(settings), secretive))


def document_seal(settings: GatewaySettings) -> Seal:
    """Return what seals secrets in the gateway's database."""
    return Seal(KeyFile(settings.home.document_key))
