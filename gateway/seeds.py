"""The documents that come with the gateway: packages and their files; and how they come into force when a process starts."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING, Final

from gateway.configuration.files import parse_documents, read_documents
from gateway.configuration.seeding import apply_files, apply_seeds
from gateway.configuration.service import Configuration
from gateway.documents import document_store
from gateway.kinds import KINDS
from psd2.clock import SystemClock

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from gateway.config import GatewaySettings
    from gateway.configuration.model import Document

SEEDS: Final[tuple[tuple[str, str], ...]] = (
    ("gateway.policies", "deployments.toml"),
    ("gateway.plans", "plans.toml"),
)


def packaged_documents() -> list[Document]:
    """Return the documents of all packages."""
    return [
        document
        for package, file in SEEDS
        for document in parse_documents((files(package) / file).read_text("utf-8"), where=f"{package}/{file}")
    ]


def apply_documents_of_start(engine: Engine, settings: GatewaySettings) -> None:
    """Bring into force what comes with the gateway, then what the operator's files say; raises `SetRefused`, `FileRefused`."""
    store = document_store(engine, settings)
    configuration = Configuration(kinds=KINDS, store=store, clock=SystemClock())
    apply_seeds(configuration, store, packaged_documents())
    if settings.configuration is not None:
        apply_files(configuration, store, read_documents([settings.configuration]))
