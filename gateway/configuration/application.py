"""One set of changes on its way into the configuration: judged with everything else that stands, then written whole.

Judging takes as long as the set is large and needs no lock; writing needs the one that a block of a certificate waits for.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gateway.admin_audit.actor import current_actor
from gateway.admin_audit.record import Entry
from gateway.changes.kinds import EVERYTHING
from gateway.configuration.changes import Action, Applied, DocumentInUse, NoSuchDocument, PreconditionFailed
from gateway.configuration.difference import difference
from gateway.configuration.model import DocumentRefused, Fault, UnknownKind
from gateway.configuration.secrets import restored
from gateway.configuration.snapshot import SetRefused, require_consistent
from gateway.configuration.versions import MOST_DOCUMENTS, Version, canonical, require_name, require_shallow

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from gateway.configuration.changes import Change
    from gateway.configuration.difference import Difference
    from gateway.configuration.keeping import StandingChange, StandingState
    from gateway.configuration.model import Body, Kind, Kinds
    from gateway.configuration.snapshot import Delivered, Snapshot, SnapshotReader
    from gateway.configuration.versions import Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What a set of changes comes to, and what it was judged by."""

    applied: list[Applied]
    standing: Sequence[Version]
    delivered: Delivered
    numbers: Mapping[tuple[str, str], int]

    def holds(self, unit: StandingState) -> bool:
        """Tell whether nothing that it was judged by has changed since."""
        return (
            list(self.standing) == list(unit.standing())
            and self.delivered == unit.delivered()
            # Of a name that was used and given up again, what stands says nothing.
            and unit.newest_numbers(self.numbers) == self.numbers
        )

    def write(self, unit: StandingChange, at: datetime) -> list[Applied]:
        """Make it so, at this moment; returns what has been made."""
        applied = [each if each.action is Action.UNCHANGED else each.dated(at.timestamp()) for each in self.applied]
        made = [each for each in applied if each.action is not Action.UNCHANGED]
        if made:
            unit.write([each.version for each in made])
            unit.record([_entry(each) for each in made], at)
            unit.announce(made[0].version.place if len(made) == 1 else EVERYTHING, at)
        return applied


class Application:
    """One set of changes on its way."""

    def __init__(self, kinds: Kinds, reader: SnapshotReader, unit: StandingState, at: datetime, origin: Origin) -> None:
        self._kinds = kinds
        self._reader = reader
        self._unit = unit
        self._at = at
        self._origin = origin
        self._numbers: dict[tuple[str, str], int] = {}
        self._delivered = unit.delivered()
        self._standing = {(version.kind, version.name): version for version in unit.standing()}

    def judged(self, changes: Sequence[Change]) -> Judged:
        """Judge all; raises what `Configuration.apply` does."""
        _require_distinct(changes)
        for change in changes:
            self._require_precondition(change)
        applied = self._next_versions(changes)
        self._require_usable([each for each in applied if each.action is not Action.UNCHANGED])
        return Judged(applied=applied, standing=[*self._standing.values()], delivered=self._delivered, numbers=self._numbers)

    def _require_precondition(self, change: Change) -> None:
        standing = self._standing.get((change.kind, change.name))
        if not change.precondition.holds(standing):
            raise PreconditionFailed(change.place, standing.etag if standing else None)
        if change.body is None and standing is None:
            raise NoSuchDocument(change.place)

    def _next_versions(self, changes: Sequence[Change]) -> list[Applied]:
        applied, faults = [], []
        self._numbers = self._unit.newest_numbers({(change.kind, change.name) for change in changes})
        for change in changes:
            try:
                applied.append(self._applied(change))
            except DocumentRefused as refused:
                faults += [Fault(fault.field, fault.problem, change.place) for fault in refused.faults]
        if faults:
            raise SetRefused(faults)
        return applied

    def _applied(self, change: Change) -> Applied:
        standing = self._standing.get((change.kind, change.name))
        if change.body is None:
            return Applied(
                action=Action.DELETED, version=self._next(change, text=""), difference=self._deletion(change.kind, standing)
            )
        require_name(change.name)
        require_shallow(change.body)
        secrets = _known_kind(self._kinds, change.kind).secrets
        text = canonical(restored(change.body, secrets, self._earlier_bodies(change)))
        if standing is not None and text == standing.text:
            return Applied(action=Action.UNCHANGED, version=standing, difference=[])
        version = self._next(change, text=text)
        differing = difference(body_of(standing) if standing else None, body_of(version), secrets)
        return Applied(action=Action.REPLACED if standing else Action.CREATED, version=version, difference=differing)

    def _deletion(self, kind: str, standing: Version | None) -> Difference:
        if kind not in self._kinds or standing is None:
            return []  # of a kind that this gateway does not know, nobody can tell what is secret
        return difference(body_of(standing), None, self._kinds[kind].secrets)

    def _next(self, change: Change, *, text: str) -> Version:
        return Version(
            kind=change.kind,
            name=change.name,
            number=self._numbers[change.kind, change.name] + 1,
            text=text,
            origin=self._origin,
            actor=current_actor().name,
            at=self._at.timestamp(),
        )

    def _earlier_bodies(self, change: Change) -> Callable[[int], Body | None]:
        """Return what finds the body of an earlier version of the document."""

        def earlier(number: int) -> Body | None:
            versions = self._unit.history(change.kind, change.name)
            return next((body_of(version) for version in versions if version.number == number), None)

        return earlier

    def _require_usable(self, made: Sequence[Applied]) -> None:
        """Raise unless everything that will stand can be in force together."""
        coming = dict(self._standing)
        for each in made:
            coming.pop((each.version.kind, each.version.name), None)
            if not each.version.is_deletion:
                coming[each.version.kind, each.version.name] = each.version
        if len(coming) > max(MOST_DOCUMENTS, len(self._standing)):
            raise SetRefused([Fault("name", f"would be more than {MOST_DOCUMENTS} documents in all", made[-1].version.place)])
        snapshot = self._reader.parsed(coming.values(), self._delivered)
        self._require_timely(made, snapshot)
        for each in made:
            if each.version.is_deletion:
                self._require_unused(each.version, snapshot)
        require_consistent(self._kinds, snapshot)

    def _require_timely(self, made: Sequence[Applied], snapshot: Snapshot) -> None:
        written = [parsed for each in made if (parsed := snapshot.parsed(each.version.kind, each.version.name)) is not None]
        faults = [
            Fault(fault.field, fault.problem, each.document.place)
            for each in written
            for fault in self._kinds[each.document.kind].untimely(each.model, self._at)
        ]
        if faults:
            raise SetRefused(faults)

    def _require_unused(self, version: Version, snapshot: Snapshot) -> None:
        users = snapshot.users_of(self._kinds, version.kind, version.name)
        if users and not (version.kind in self._kinds and version.name in self._kinds[version.kind].built_in):
            raise DocumentInUse(version.place, [(user, reference.field) for user, reference in users])


def _require_distinct(changes: Sequence[Change]) -> None:
    counts = Counter(change.place for change in changes)
    twice = [
        Fault("name", "is changed twice in one batch: once is meant", place) for place, count in counts.items() if count > 1
    ]
    if twice:
        raise SetRefused(twice)


def _known_kind(kinds: Kinds, name: str) -> Kind[Any]:
    try:
        return kinds[name]
    except UnknownKind as error:
        raise DocumentRefused([Fault("kind", str(error))]) from error


def body_of(version: Version) -> Body | None:
    """Return what a version says; nothing where it can't be read, so that what somebody broke can be replaced."""
    try:
        return None if version.is_deletion else version.document.body
    except DocumentRefused:
        return None


def _entry(applied: Applied) -> Entry:
    version = applied.version
    return Entry(action=applied.action.value, object_kind=version.kind, object_name=version.name, difference=applied.difference)
