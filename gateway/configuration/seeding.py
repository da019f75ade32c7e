"""Applies documents that come with the gateway, or from the operator's files, at each start; what people changed stays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from chassis.logs import get_logger
from gateway.configuration.changes import Change, DocumentInUse, NoSuchDocument, Precondition, PreconditionFailed
from gateway.configuration.model import DocumentRefused
from gateway.configuration.snapshot import SetRefused
from gateway.configuration.versions import Origin, canonical

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from gateway.configuration.model import Body, Document
    from gateway.configuration.service import Configuration
    from gateway.configuration.versions import Version

    Latest = Mapping[tuple[str, str], Version]

_MOST_TRIES: Final = 10


class LatestVersions(Protocol):
    """Where versions are read."""

    def latest(self, origin: Origin | None = None) -> Latest:
        """Return the newest version of each document, deletions included; only of `origin`, if given."""


def apply_seeds(configuration: Configuration, store: LatestVersions, documents: Sequence[Document]) -> None:
    """Make, renew and remove what comes with the gateway, unless a person has changed or deleted it.

    Where that does not fit what an operator has made since, all stays as it stands; with nothing there, raises `SetRefused`.
    """
    try:
        try:
            _apply(configuration, lambda: _seed_changes(store, documents), Origin.SEED)
        except DocumentInUse:
            # What a newer package leaves out stays as long as somebody refers to it.
            _apply(configuration, lambda: [c for c in _seed_changes(store, documents) if c.body is not None], Origin.SEED)
    except SetRefused as refused:
        if not store.latest():
            raise
        get_logger().error("configuration.seeds_refused", error=str(refused))


def apply_files(configuration: Configuration, store: LatestVersions, documents: Sequence[Document]) -> None:
    """Make these documents what stands; one that was changed otherwise since stays so until its file changes.

    Raises `SetRefused`.
    """
    _apply(configuration, lambda: _file_changes(store, documents), Origin.FILE)


def _apply(configuration: Configuration, changes_now: Callable[[], list[Change]], origin: Origin) -> None:
    """Apply what is to be changed; again where somebody else, another worker perhaps, was quicker."""
    for _ in range(_MOST_TRIES):
        changes = changes_now()
        if not changes:
            return
        try:
            configuration.apply(changes, origin=origin)
        except (PreconditionFailed, NoSuchDocument):
            continue
        return


def _seed_changes(store: LatestVersions, documents: Iterable[Document]) -> list[Change]:
    latest = store.latest()
    packaged = {(document.kind, document.name): document.body for document in documents}
    gone = [key for key, version in latest.items() if _is_untouched_seed(version) and key not in packaged]
    renewed = [key for key, body in packaged.items() if _is_outdated(latest.get(key), body)]
    return [_change(key, packaged.get(key), latest.get(key)) for key in (*renewed, *gone)]


def _is_untouched_seed(version: Version) -> bool:
    return version.origin is Origin.SEED and not version.is_deletion


def _is_outdated(version: Version | None, body: Body) -> bool:
    return version is None or (version.origin is Origin.SEED and not _says(version, body))


def _file_changes(store: LatestVersions, documents: Iterable[Document]) -> list[Change]:
    latest, applied = store.latest(), store.latest(Origin.FILE)
    changes = []
    for document in documents:
        key = (document.kind, document.name)
        earlier = applied.get(key)
        if earlier is None or not _says(earlier, document.body):
            changes.append(_change(key, document.body, latest.get(key)))
    return changes


def _says(version: Version, body: Body) -> bool:
    try:
        return version.text == canonical(body)
    except DocumentRefused:
        return False  # to be applied, and refused there with all other faults


def _change(key: tuple[str, str], body: Body | None, newest: Version | None) -> Change:
    stands = newest is not None and not newest.is_deletion
    seen = Precondition(etags=frozenset({newest.etag})) if newest is not None and stands else Precondition(absent=True)
    return Change(kind=key[0], name=key[1], body=body, precondition=seen)
