"""Changes the configuration: a whole set of changes or none of it, judged against everything else that stands."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

from gateway.admin_audit.actor import current_actor
from gateway.admin_audit.record import Entry
from gateway.changes.kinds import EVERYTHING
from gateway.configuration.difference import difference
from gateway.configuration.model import DocumentRefused, Fault, UnknownKind
from gateway.configuration.secrets import restored
from gateway.configuration.snapshot import SetRefused, SnapshotReader, require_consistent
from gateway.configuration.versions import Origin, Version, canonical, require_name

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime

    from gateway.configuration.difference import Difference
    from gateway.configuration.model import Body, Document, Kind, Kinds
    from gateway.configuration.snapshot import Snapshot
    from psd2.clock import Clock


class Action(StrEnum):
    """What became of a document."""

    CREATED = "created"
    REPLACED = "replaced"
    DELETED = "deleted"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True, kw_only=True)
class Precondition:
    """What must stand for a change to be made: nothing (`absent`), or a version with one of these entity tags."""

    absent: bool = False
    etags: frozenset[str] | None = None

    def holds(self, standing: Version | None) -> bool:
        """Tell whether it is so."""
        if self.absent:
            return standing is None
        return self.etags is None or (standing is not None and ("*" in self.etags or standing.etag in self.etags))


WHATEVER_STANDS = Precondition()


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """That a document be as `body` says, or be gone where that is None."""

    kind: str
    name: str
    body: Body | None
    precondition: Precondition = WHATEVER_STANDS

    @property
    def place(self) -> str:
        """Return which document."""
        return f"{self.kind}/{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """What became of one document; `version` is the one that stands now, or the deletion."""

    action: Action
    version: Version
    difference: Sequence[Mapping[str, Any]]


class PreconditionFailed(Exception):
    """Another version stands than whoever wrote the change had seen; `etag` is of what stands."""

    def __init__(self, place: str, etag: str | None) -> None:
        self.place = place
        self.etag = etag
        now = f"its present version is {etag}" if etag else "it does not exist"
        super().__init__(f"{place} is not as this change expects it: {now}. Read it, and decide again")


class DocumentInUse(Exception):
    """A document that others refer to."""

    def __init__(self, place: str, users: Sequence[tuple[Document, str]]) -> None:
        self.place = place
        self.users = users
        by = ", ".join(f"{user.place} ({field})" for user, field in users)
        super().__init__(f"{place} is used by {by}: change those first, or in the same batch")


class NoSuchDocument(LookupError):
    """Nothing by that name, or no such version of it."""


class StandingChange(Protocol):
    """A transaction that changes the configuration."""

    def standing(self) -> Sequence[Version]:
        """Return every document that stands."""

    def history(self, kind: str, name: str) -> Sequence[Version]:
        """Return the versions of a document, newest first."""

    def newest_number(self, kind: str, name: str) -> int:
        """Return the number of the newest version, 0 where the name was never used."""

    def write(self, version: Version) -> None:
        """Make this the newest version of its document."""

    def record(self, entry: Entry, at: datetime) -> None:
        """Put this into the audit of administrators."""

    def announce(self, key: str, at: datetime) -> None:
        """Tell every edge worker. Best last."""


class ConfigurationStore(Protocol):
    """Where documents are kept."""

    def changing(self, *, dry_run: bool) -> AbstractContextManager[StandingChange]:
        """Give a change; there is one at a time. A dry run leaves nothing."""

    def standing(self) -> Sequence[Version]:
        """Return every document that stands, by kind and name."""

    def history(self, kind: str, name: str) -> Sequence[Version]:
        """Return the versions of a document, newest first."""


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

    def version(self, kind: str, name: str, number: int | None = None) -> Version:
        """Return a version of a document, or the one that stands; raises `UnknownKind`, `NoSuchDocument`."""
        return _version(self.history(kind, name), f"{kind}/{name}", number)

    def history(self, kind: str, name: str) -> Sequence[Version]:
        """Return the versions of a document, newest first; raises `UnknownKind`, `NoSuchDocument`."""
        versions = self._store.history(self.kinds[kind].name, name)
        if not versions:
            raise NoSuchDocument(f"{kind}/{name}")
        return versions

    def snapshot(self) -> Snapshot:
        """Return all that stands; raises `SetRefused` where it can't be in force together."""
        return self._reader.read(self._store.standing())

    def apply(self, changes: Sequence[Change], *, origin: Origin = Origin.OPERATOR, dry_run: bool = False) -> list[Applied]:
        """Make all the changes or none of them; a dry run answers the same and makes none.

        Raises `PreconditionFailed`, `NoSuchDocument`, `DocumentInUse`, `SetRefused`.
        """
        with self._store.changing(dry_run=dry_run) as unit:
            return _Application(self.kinds, self._reader, unit, self._clock.now(), origin).apply(changes)

    def roll_back(
        self, kind: str, name: str, *, to: int, precondition: Precondition = WHATEVER_STANDS, dry_run: bool = False
    ) -> Applied:
        """Make a document again what version `to` of it was; raises what `apply` does."""
        earlier = self.version(kind, name, to)
        change = Change(kind=kind, name=name, body=earlier.document.body, precondition=precondition)
        (applied,) = self.apply([change], dry_run=dry_run)
        return applied


class _Application:
    """One set of changes on its way."""

    def __init__(self, kinds: Kinds, reader: SnapshotReader, unit: StandingChange, at: datetime, origin: Origin) -> None:
        self._kinds = kinds
        self._reader = reader
        self._unit = unit
        self._at = at
        self._origin = origin
        self._standing = {(version.kind, version.name): version for version in unit.standing()}

    def apply(self, changes: Sequence[Change]) -> list[Applied]:
        """Judge all, then write all."""
        _require_distinct(changes)
        for change in changes:
            self._require_precondition(change)
        applied = self._next_versions(changes)
        made = [each for each in applied if each.action is not Action.UNCHANGED]
        self._require_usable(made)
        for each in made:
            self._unit.write(each.version)
            self._unit.record(_entry(each), self._at)
        if made:
            self._unit.announce(made[0].version.place if len(made) == 1 else EVERYTHING, self._at)
        return applied

    def _require_precondition(self, change: Change) -> None:
        standing = self._standing.get((change.kind, change.name))
        if not change.precondition.holds(standing):
            raise PreconditionFailed(change.place, standing.etag if standing else None)
        if change.body is None and standing is None:
            raise NoSuchDocument(change.place)

    def _next_versions(self, changes: Iterable[Change]) -> list[Applied]:
        applied, faults = [], []
        for change in changes:
            try:
                applied.append(self._applied(change))
            except DocumentRefused as refused:
                faults += [Fault(fault.field, fault.problem, change.place) for fault in refused.faults]
        if faults:
            raise SetRefused(faults)
        return applied

    def _applied(self, change: Change) -> Applied:
        require_name(change.name)
        secrets = _known_kind(self._kinds, change.kind).secrets
        standing = self._standing.get((change.kind, change.name))
        text = canonical(restored(change.body, secrets, self._body_of(change))) if change.body is not None else ""
        if standing is not None and text == standing.text:
            return Applied(action=Action.UNCHANGED, version=standing, difference=[])
        version = Version(
            kind=change.kind,
            name=change.name,
            number=self._unit.newest_number(change.kind, change.name) + 1,
            text=text,
            origin=self._origin,
            actor=current_actor().name,
            at=self._at.timestamp(),
        )
        return Applied(action=_action(standing, version), version=version, difference=_differing(standing, version, secrets))

    def _body_of(self, change: Change) -> Callable[[int], Body | None]:
        """Return what finds the body of an earlier version of the document."""

        def body_of(number: int) -> Body | None:
            versions = self._unit.history(change.kind, change.name)
            return next((_body(version) for version in versions if version.number == number), None)

        return body_of

    def _require_usable(self, made: Sequence[Applied]) -> None:
        """Raise unless everything that will stand can be in force together."""
        coming = dict(self._standing)
        for each in made:
            coming.pop((each.version.kind, each.version.name), None)
            if not each.version.is_deletion:
                coming[each.version.kind, each.version.name] = each.version
        snapshot = self._reader.parsed(coming.values())
        for each in made:
            if each.version.is_deletion:
                self._require_unused(each.version, snapshot)
        require_consistent(self._kinds, snapshot)

    def _require_unused(self, version: Version, snapshot: Snapshot) -> None:
        users = snapshot.users_of(self._kinds, version.kind, version.name)
        if users and version.name not in self._kinds[version.kind].built_in:
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


def _version(versions: Sequence[Version], place: str, number: int | None) -> Version:
    wanted = versions[0].number if number is None else number
    version = next((version for version in versions if version.number == wanted and not version.is_deletion), None)
    if version is None:
        raise NoSuchDocument(f"{place}, version {number}" if number is not None else place)
    return version


def _action(standing: Version | None, version: Version) -> Action:
    if version.is_deletion:
        return Action.DELETED
    return Action.REPLACED if standing else Action.CREATED


def _differing(standing: Version | None, version: Version, secrets: Collection[str]) -> Difference:
    return difference(_body(standing) if standing else None, _body(version), secrets)


def _body(version: Version) -> Body | None:
    """Return what a version says; nothing where it can't be read, so that what somebody broke can be replaced."""
    try:
        return None if version.is_deletion else version.document.body
    except DocumentRefused:
        return None


def _entry(applied: Applied) -> Entry:
    version = applied.version
    return Entry(action=applied.action.value, object_kind=version.kind, object_name=version.name, difference=applied.difference)
