"""Rotation: a new version comes in beside the others, one becomes current, the one before stays as the way back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from gateway.certificates.bodies import MOST_VERSIONS
from gateway.certificates.kind import CERTIFICATES
from gateway.certificates.model import Stage
from gateway.configuration.changes import Change, NoSuchDocument, Precondition, PreconditionFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gateway.certificates.model import StoredCertificate
    from gateway.configuration.changes import Applied
    from gateway.configuration.service import Configuration

_MOST_TRIES: Final = 5
Entries = list[dict[str, Any]]


def add_version(configuration: Configuration, name: str, entry: Mapping[str, Any], *, stage: Stage) -> Applied:
    """Add a version, pending or current at once; the certificate is made where there is none.

    Raises `SetRefused`, `PreconditionFailed` where others change it all the time.
    """
    return _changed(configuration, name, lambda entries, _known: with_version(entries, dict(entry), stage))


def make_current(configuration: Configuration, name: str, sha256: str) -> Applied:
    """Put a version in use, the pending one or an earlier one; raises `NoSuchDocument`, `SetRefused`."""

    def change(entries: Entries, known: StoredCertificate | None) -> Entries:
        if known is None:
            raise NoSuchDocument(f"{CERTIFICATES.name}/{name}")
        places = [each.place for each in known.versions if each.sha256 == sha256]
        if not places:
            raise NoSuchDocument(f"{CERTIFICATES.name}/{name}, version {sha256}")
        return with_current(entries, places[0])

    return _changed(configuration, name, change)


def with_version(entries: Entries, entry: dict[str, Any], stage: Stage) -> Entries:
    """Return the versions with a new one in front; it takes the place of a pending one."""
    kept = [each for each in entries if stage is Stage.CURRENT or each["stage"] != Stage.PENDING]
    added = [entry | {"stage": Stage.PENDING.value}, *kept]
    return _bounded(with_current(added, 0) if stage is Stage.CURRENT or not entries else added)


def with_current(entries: Entries, place: int) -> Entries:
    """Return the versions with the one at `place` current: the current one becomes previous, the previous one deprecated."""
    if entries[place]["stage"] == Stage.CURRENT:
        return entries
    after = {Stage.CURRENT: Stage.PREVIOUS, Stage.PREVIOUS: Stage.DEPRECATED}
    return [
        each | {"stage": (Stage.CURRENT if number == place else after.get(each["stage"], Stage(each["stage"]))).value}
        for number, each in enumerate(entries)
    ]


def _bounded(entries: Entries) -> Entries:
    """Let go of the oldest that nothing leads back to."""
    spare = [number for number, each in enumerate(entries) if each["stage"] == Stage.DEPRECATED]
    gone = set(spare[len(spare) - max(0, len(entries) - MOST_VERSIONS) :])
    return [each for number, each in enumerate(entries) if number not in gone]


def _changed(
    configuration: Configuration, name: str, change: Callable[[Entries, StoredCertificate | None], Entries]
) -> Applied:
    """Change the versions of the document that stands; again where somebody else was quicker."""
    failure: PreconditionFailed | None = None
    for _ in range(_MOST_TRIES):
        try:
            standing = configuration.version(CERTIFICATES.name, name)
        except NoSuchDocument:
            standing = None
        body: dict[str, Any] = dict(standing.document.body) if standing else {}
        known = CERTIFICATES.parse(standing.document) if standing else None
        body["versions"] = change(list(body.get("versions", [])), known)
        seen = Precondition(etags=frozenset({standing.etag})) if standing else Precondition(absent=True)
        try:
            (applied,) = configuration.apply([Change(kind=CERTIFICATES.name, name=name, body=body, precondition=seen)])
        except PreconditionFailed as error:
            failure = error
        else:
            return applied
    raise failure or NoSuchDocument(f"{CERTIFICATES.name}/{name}")
