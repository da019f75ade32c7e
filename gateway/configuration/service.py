"""The documents that stand, and how they are changed: a whole set of changes or none of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gateway.configuration.application import Application
from gateway.configuration.changes import WHATEVER_STANDS, Applied, Change, NoSuchDocument, Precondition
from gateway.configuration.snapshot import SnapshotReader
from gateway.configuration.versions import Origin, Version

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.configuration.keeping import ConfigurationStore
    from gateway.configuration.model import Kinds
    from gateway.configuration.snapshot import Snapshot
    from psd2.clock import Clock


_MOST_TRIES: Final = 3


class Configuration:
    """The documents that stand, and how they are changed."""

    def __init__(self, *, kinds: Kinds, store: ConfigurationStore, clock: Clock) -> None:
        self.kinds = kinds
        self._store = store
        self._clock = clock
        self._reader = SnapshotReader(kinds)

    def standing(self, kind: str) -> Sequence[Version]:
        """Return a kind's documents by name; raises `UnknownKind`."""
        name = self.kinds[kind].name
        return [version for version in self._store.standing() if version.kind == name]

    def all_standing(self) -> Sequence[Version]:
        """Return every document that stands, by kind and name."""
        return self._store.standing()

    def version(self, kind: str, name: str, number: int | None = None) -> Version:
        """Return a version of a document, or the one that stands; raises `UnknownKind`, `NoSuchDocument`."""
        version = self._store.version(self.kinds[kind].name, name, number)
        if version is None or version.is_deletion:
            raise NoSuchDocument(f"{kind}/{name}, version {number}" if number is not None else f"{kind}/{name}")
        return version

    def history(self, kind: str, name: str) -> Sequence[Version]:
        """Return the versions of a document, newest first; raises `UnknownKind`, `NoSuchDocument`."""
        versions = self._store.history(self.kinds[kind].name, name)
        if not versions:
            raise NoSuchDocument(f"{kind}/{name}")
        return versions

    def snapshot(self) -> Snapshot:
        """Return all that stands; raises `SetRefused` where it can't be in force together."""
        with self._store.reading() as state:
            return self._reader.read(state.standing(), state.delivered())

    def apply(self, changes: Sequence[Change], *, origin: Origin = Origin.OPERATOR, dry_run: bool = False) -> list[Applied]:
        """Make all the changes or none of them; a dry run answers the same and makes none.

        Raises `PreconditionFailed`, `NoSuchDocument`, `DocumentInUse`, `SetRefused`.
        """
        reader, at = self._reader.branch(), self._clock.now()
        for _ in range(_MOST_TRIES):
            with self._store.reading() as state:
                judged = Application(self.kinds, reader, state, at, origin).judged(changes)
            self._reader.learn(reader)
            with self._store.changing(dry_run=dry_run) as unit:
                if judged.holds(unit):
                    return judged.write(unit, self._clock.now())
        # Others were quicker each time: judged once more while they wait, by what is mostly known by now.
        with self._store.changing(dry_run=dry_run) as unit:
            return Application(self.kinds, reader, unit, at, origin).judged(changes).write(unit, self._clock.now())

    def roll_back(
        self, kind: str, name: str, *, to: int, precondition: Precondition = WHATEVER_STANDS, dry_run: bool = False
    ) -> Applied:
        """Make a document again what version `to` of it was; raises what `apply` does."""
        earlier = self.version(kind, name, to)
        change = Change(kind=kind, name=name, body=earlier.document.body, precondition=precondition)
        (applied,) = self.apply([change], dry_run=dry_run)
        return applied
