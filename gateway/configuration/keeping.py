"""Where documents are kept, as the configuration sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime

    from gateway.admin_audit.record import Entry
    from gateway.configuration.snapshot import Delivered
    from gateway.configuration.versions import Version


class StandingState(Protocol):
    """What a transaction sees of the configuration."""

    def standing(self) -> Sequence[Version]:
        """Return every document that stands."""

    def history(self, kind: str, name: str) -> Sequence[Version]:
        """Return the versions of a document, newest first."""

    def newest_numbers(self, places: Collection[tuple[str, str]]) -> dict[tuple[str, str], int]:
        """Return the number of each document's newest version, 0 where the name was never used."""

    def delivered(self) -> Delivered:
        """Return the CAs that came in beside the documents."""


class StandingChange(StandingState, Protocol):
    """A transaction that changes the configuration."""

    def write(self, versions: Sequence[Version]) -> None:
        """Make each of these the newest version of its document."""

    def record(self, entries: Sequence[Entry], at: datetime) -> None:
        """Put these into the audit of administrators, in this order."""

    def announce(self, key: str, at: datetime) -> None:
        """Tell every edge worker. Best last."""


class ConfigurationStore(Protocol):
    """Where documents are kept."""

    def changing(self, *, dry_run: bool) -> AbstractContextManager[StandingChange]:
        """Give a change; there is one at a time. A dry run leaves nothing."""

    def reading(self) -> AbstractContextManager[StandingState]:
        """Give what stands at one moment; nobody waits for who looks at it."""

    def standing(self) -> Sequence[Version]:
        """Return every document that stands, by kind and name."""

    def version(self, kind: str, name: str, number: int | None = None) -> Version | None:
        """Return a version of a document, or the one that stands; None where there is no such."""

    def history(self, kind: str, name: str) -> Sequence[Version]:
        """Return the versions of a document, newest first."""
