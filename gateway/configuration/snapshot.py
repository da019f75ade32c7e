"""One consistent state of the whole configuration, parsed: what a worker decides by until the next one takes its place."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

from gateway.configuration.model import DocumentRefused, Fault, UnknownKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gateway.configuration.model import Document, Kind, Kinds, Reference
    from gateway.configuration.versions import Version

Model = TypeVar("Model")
Delivered = Mapping[str, tuple[str, ...]]
"""CAs (PEM) by trust store that are kept beside the documents: the portal delivers those of TPPs."""

_NONE: Mapping[str, Any] = MappingProxyType({})


class SetRefused(ValueError):
    """Documents that can't be in force together; every fault names its document."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(f"{fault.document}: {fault.field}: {fault.problem}" for fault in self.faults))


@dataclass(frozen=True, slots=True)
class Parsed:
    """A document beside what it means."""

    document: Document
    model: Any


class Snapshot:
    """All documents by kind and name, and what has been delivered beside them; immutable."""

    def __init__(self, parsed: Iterable[Parsed] = (), delivered: Delivered = _NONE) -> None:
        self.delivered = delivered
        by_kind: dict[str, dict[str, Parsed]] = defaultdict(dict)
        for each in parsed:
            by_kind[each.document.kind][each.document.name] = each
        self._parsed: Mapping[str, Mapping[str, Parsed]] = by_kind
        self._models = {
            kind: MappingProxyType({name: each.model for name, each in names.items()}) for kind, names in by_kind.items()
        }

    def of(self, kind: Kind[Model]) -> Mapping[str, Model]:
        """Return what the kind's documents mean, by name."""
        return self._models.get(kind.name, _NONE)

    def parsed(self, kind: str, name: str) -> Parsed | None:
        """Return one document."""
        return self._parsed.get(kind, _NONE).get(name)

    def __iter__(self) -> Iterator[Parsed]:
        """Give every document."""
        for names in self._parsed.values():
            yield from names.values()

    def users_of(self, kinds: Kinds, kind: str, name: str) -> list[tuple[Document, Reference]]:
        """Return the documents that refer to this one, each with the reference."""
        return [
            (each.document, reference)
            for each in self
            for reference in kinds[each.document.kind].references(each.model)
            if (reference.kind, reference.name) == (kind, name)
        ]


class SnapshotReader:
    """Makes snapshots of stored documents; what stood in the one before is not parsed again."""

    def __init__(self, kinds: Kinds) -> None:
        self._kinds = kinds
        self._known: dict[tuple[str, str], tuple[str, Parsed]] = {}

    def branch(self) -> SnapshotReader:
        """Return one that knows the same and goes on by itself: what others read meanwhile makes it forget nothing."""
        other = SnapshotReader(self._kinds)
        other._known = self._known
        return other

    def learn(self, branch: SnapshotReader) -> None:
        """Know what a branch has read."""
        self._known = branch._known

    def read(self, versions: Iterable[Version], delivered: Delivered = _NONE) -> Snapshot:
        """Return the snapshot of these documents; raises `SetRefused` with all that is wrong."""
        snapshot = self.parsed(versions, delivered)
        require_consistent(self._kinds, snapshot)
        return snapshot

    def parsed(self, versions: Iterable[Version], delivered: Delivered = _NONE) -> Snapshot:
        """Return the documents without asking whether they fit together; raises `SetRefused` with all that is wrong."""
        known: dict[tuple[str, str], tuple[str, Parsed]] = {}
        faults: list[Fault] = []
        for version in versions:
            try:
                known[version.kind, version.name] = (version.text, self._parsed(version))
            except DocumentRefused as refused:
                faults += [Fault(fault.field, fault.problem, version.place) for fault in refused.faults]
        # Of a set that is refused the rest is kept too: the next one will hold most of it.
        self._known = known
        if faults:
            raise SetRefused(faults)
        return Snapshot((parsed for _, parsed in known.values()), delivered)

    def _parsed(self, version: Version) -> Parsed:
        text, parsed = self._known.get((version.kind, version.name), ("", None))
        if parsed is not None and text == version.text:
            return parsed
        return parsed_document(self._kinds, version.document)


def parsed_document(kinds: Kinds, document: Document) -> Parsed:
    """Return what the document means; raises `DocumentRefused`."""
    try:
        kind = kinds[document.kind]
    except UnknownKind as error:
        raise DocumentRefused([Fault("kind", str(error))]) from error
    return Parsed(document, kind.parse(document))


def require_consistent(kinds: Kinds, snapshot: Snapshot) -> None:
    """Raise `SetRefused` where a reference leads nowhere, or documents contradict each other."""
    faults = list(_broken_references(kinds, snapshot))
    for kind in kinds:
        faults += kind.conflicts(snapshot)
    if faults:
        raise SetRefused(faults)


def _broken_references(kinds: Kinds, snapshot: Snapshot) -> Iterator[Fault]:
    for each in snapshot:
        for reference in kinds[each.document.kind].references(each.model):
            problem = _problem_of(kinds, snapshot, reference)
            if problem is not None:
                yield Fault(reference.field, problem, each.document.place)


def _problem_of(kinds: Kinds, snapshot: Snapshot, reference: Reference) -> str | None:
    if reference.kind not in kinds:
        return f"{reference.kind} is no kind of document"
    if reference.name in kinds[reference.kind].built_in or snapshot.parsed(reference.kind, reference.name) is not None:
        return None
    if reference.or_kind is not None and snapshot.parsed(reference.or_kind, reference.name) is not None:
        return None
    return f"there is no {reference.kind}/{reference.name}: make it first, or in the same batch"
