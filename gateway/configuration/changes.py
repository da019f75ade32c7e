"""Changes of documents: what is asked, what has to stand for it, what became of it, and why not."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gateway.configuration.model import Body, Document
    from gateway.configuration.versions import Version


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
        return self.holds_for(standing.etag if standing is not None else None)

    def holds_for(self, etag: str | None) -> bool:
        """Tell whether it is so where what stands has this tag; None where nothing stands."""
        if self.absent:
            return etag is None
        return self.etags is None or (etag is not None and ("*" in self.etags or etag in self.etags))


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

    def dated(self, at: float) -> Applied:
        """Return the same, made at another moment."""
        return replace(self, version=replace(self.version, at=at))


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
