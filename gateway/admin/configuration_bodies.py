"""What the configuration's resources take and answer, as JSON; secrets are shown only as notes of where they stand."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from gateway.configuration.changes import Change, Precondition
from gateway.configuration.secrets import redacted

if TYPE_CHECKING:
    from gateway.configuration.changes import Applied
    from gateway.configuration.model import Kind
    from gateway.configuration.versions import Version

MOST_CHANGES: Final = 1_000
MOST_LISTED: Final = 1_000


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ChangeBody(_Body):
    """One change of a batch: the document as it shall be, or null to delete it."""

    kind: Annotated[str, Field(max_length=100)]
    name: Annotated[str, Field(max_length=200)]
    document: dict[str, Any] | None
    if_match: Annotated[
        str | None, Field(max_length=200, description='entity tag of the version that must stand; `""` where none may stand')
    ] = None

    @property
    def change(self) -> Change:
        """Return the change."""
        return Change(kind=self.kind, name=self.name, body=self.document, precondition=self._precondition)

    @property
    def _precondition(self) -> Precondition:
        if self.if_match is None:
            return Precondition()
        return Precondition(etags=frozenset({self.if_match})) if self.if_match else Precondition(absent=True)


class BatchBody(_Body):
    """`POST /config`."""

    changes: Annotated[list[ChangeBody], Field(max_length=MOST_CHANGES)]


class RollBackBody(_Body):
    """`POST /config/{kind}/{name}/rollback`."""

    version: Annotated[int, Field(ge=1, le=2**31 - 1, strict=True)]


def _truth(value: object) -> object:
    if value not in {"true", "false"}:
        raise ValueError("write true or false")
    return value == "true"


class ChangeQuery(_Body):
    """The query of every change. Anything else in it is refused: a misspelt dry run must not be the real one."""

    dry_run: Annotated[bool, BeforeValidator(_truth)] = False


class ListQuery(_Body):
    """The query of `GET /config/{kind}`."""

    after: Annotated[str | None, Field(max_length=200, description="the last name of the page before")] = None
    limit: Annotated[int, Field(ge=1, le=MOST_LISTED)] = MOST_LISTED


class VersionQuery(_Body):
    """The query of `GET /config/{kind}/{name}`."""

    version: Annotated[int | None, Field(ge=1, le=2**31 - 1)] = None


class NoQuery(_Body):
    """The query of what takes none."""


class AppliedAnswer(_Body):
    """What became of one document."""

    kind: str
    name: str
    action: Literal["created", "replaced", "deleted", "unchanged"]
    version: int
    etag: str | None
    difference: list[dict[str, Any]]


class BatchAnswer(_Body):
    """What became of a batch."""

    changes: list[AppliedAnswer]


def applied_json(applied: Applied) -> dict[str, object]:
    """Return what became of a document."""
    version = applied.version
    return {
        "kind": version.kind,
        "name": version.name,
        "action": applied.action.value,
        "version": version.number,
        "etag": None if version.is_deletion else version.etag,
        "difference": list(applied.difference),
    }


def version_json(version: Version) -> dict[str, object]:
    """Return a version without what it says."""
    return {
        "kind": version.kind,
        "name": version.name,
        "version": version.number,
        "etag": None if version.is_deletion else version.etag,
        "deleted": version.is_deletion,
        "origin": version.origin.value,
        "actor": version.actor,
        "at": datetime.fromtimestamp(version.at, UTC).isoformat(),
    }


def document_json(kind: Kind[Any], version: Version) -> dict[str, object]:
    """Return a version with what it says; raises `DocumentRefused` where that can't be read."""
    return version_json(version) | {"document": redacted(version.document.body, kind.secrets, version=version.number)}
