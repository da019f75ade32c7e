"""Documents of kinds with secrets are sealed in the database; whoever reads it, or a copy of it, learns nothing of them."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Final, Protocol

from chassis.sealing import SealBroken
from gateway.configuration.versions import SEALED

if TYPE_CHECKING:
    from collections.abc import Collection

    from chassis.sealing import Seal
    from gateway.configuration.versions import Version


class Sealing(Protocol):
    """What stands in the database for a document's text."""

    def stored(self, version: Version) -> str:
        """Return what to write for a version's text."""

    def text_of(self, kind: str, name: str, number: int, stored: str) -> str:
        """Return the text of what was written; what can't be opened is returned as it is, and is no document then."""


class _NothingSealed:
    def stored(self, version: Version) -> str:
        return version.text

    def text_of(self, kind: str, name: str, number: int, stored: str) -> str:  # noqa: ARG002 - as the protocol has it
        return stored


NOTHING_SEALED: Final[Sealing] = _NothingSealed()


class SealedKinds:
    """Seals whole documents of some kinds, each for its own version: none can be put into another's place."""

    def __init__(self, seal: Seal, kinds: Collection[str]) -> None:
        self._seal = seal
        self._kinds = frozenset(kinds)

    def stored(self, version: Version) -> str:
        """Return the version's text, sealed if its kind has secrets; a deletion says nothing and is seen to be one."""
        if version.kind not in self._kinds or version.is_deletion:
            return version.text
        sealed = self._seal.close(version.text.encode(), owner=_owner(version.kind, version.name, version.number))
        return SEALED + base64.b64encode(sealed).decode("ascii")

    def text_of(self, kind: str, name: str, number: int, stored: str) -> str:
        """Return the text, or what stands there where it can't be opened: `Version.document` refuses that."""
        if not stored.startswith(SEALED):
            return stored
        try:
            sealed = base64.b64decode(stored.removeprefix(SEALED), validate=True)
            return self._seal.open(sealed, owner=_owner(kind, name, number)).decode()
        except (SealBroken, binascii.Error, ValueError):
            return stored


def _owner(kind: str, name: str, number: int) -> str:
    return f"{kind}/{name}/{number}"
