"""Roles of payment service providers and their ETSI object identifiers (TS 119 495 §5.1)."""

from __future__ import annotations

from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class UnknownRole(ValueError):
    """A text that names no PSP role."""


class PspRole(StrEnum):
    """A PSP role, by the name that TS 119 495 gives it on the wire."""

    AS = "PSP_AS"
    PI = "PSP_PI"
    AI = "PSP_AI"
    IC = "PSP_IC"

    @property
    def oid(self) -> str:
        """The role's object identifier, dotted."""
        return _OIDS[self]

    @property
    def licence(self) -> str:
        """What a firm with this role calls itself: `AISP`, `PISP`, `CBPII` or `ASPSP`."""
        return _LICENCES[self]

    @staticmethod
    def of_oid(oid: str) -> PspRole | None:
        """Return the role with this dotted object identifier, or None: newer revisions add roles."""
        return _ROLES_BY_OID.get(oid)


_OIDS = {
    PspRole.AS: "0.4.0.19495.1.1",
    PspRole.PI: "0.4.0.19495.1.2",
    PspRole.AI: "0.4.0.19495.1.3",
    PspRole.IC: "0.4.0.19495.1.4",
}
_ROLES_BY_OID = {oid: role for role, oid in _OIDS.items()}
_LICENCES = {PspRole.AS: "ASPSP", PspRole.PI: "PISP", PspRole.AI: "AISP", PspRole.IC: "CBPII"}
_ROLES_BY_NAME = {
    **{role.value: role for role in PspRole},
    **{licence: role for role, licence in _LICENCES.items()},
    "PIISP": PspRole.IC,
}


def parse_role(text: str) -> PspRole:
    """Read one role by its wire name or its licence, in any case; raises `UnknownRole`."""
    role = _ROLES_BY_NAME.get(text.strip().upper())
    if role is None:
        msg = f"{text.strip()[:40]!r} is no PSP role: write one of {', '.join(_ROLES_BY_NAME)}"
        raise UnknownRole(msg)
    return role


def parse_roles(text: str) -> frozenset[PspRole]:
    """Read comma- or space-separated roles, at least one; raises `UnknownRole`."""
    names = text.replace(",", " ").split()
    if not names:
        msg = f"no PSP role given: write one or more of {', '.join(_ROLES_BY_NAME)}"
        raise UnknownRole(msg)
    return frozenset(parse_role(name) for name in names)


def format_roles(roles: Iterable[PspRole]) -> str:
    """Write roles space-separated and sorted, by wire name."""
    return " ".join(sorted(role.value for role in roles))


@lru_cache(maxsize=64)
def read_roles(text: str) -> frozenset[PspRole]:
    """Read what `format_roles` wrote; the empty text is no role; raises `UnknownRole`."""
    return frozenset(parse_role(name) for name in text.split())
