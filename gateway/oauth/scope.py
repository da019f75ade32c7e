"""The scope of the Berlin Group's OAuth approach: one resource, `AIS:<consentId>` (BG IG 1.3.8 §13.1)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from gateway.oauth.refusals import invalid_scope, shown
from psd2.roles import PspRole

# The PSU picks the accounts on the bank's page, and the consent is made there.
ACCOUNTS_SCOPE: Final = "accounts"
_SCOPE = re.compile(r"(?P<service>AIS|PIS|PIIS):(?P<resource>[A-Za-z0-9_-]{1,100})", re.ASCII)


class Service(StrEnum):
    """What a TPP does with a scope."""

    AIS = "AIS"
    PIS = "PIS"
    PIIS = "PIIS"

    @property
    def role(self) -> PspRole:
        """The role that a TPP needs for it."""
        return _ROLES[self]

    @property
    def kind(self) -> str:
        """What the bank calls it: `ais`, `pis`, `piis`."""
        return self.value.lower()


_ROLES = {Service.AIS: PspRole.AI, Service.PIS: PspRole.PI, Service.PIIS: PspRole.IC}


@dataclass(frozen=True, slots=True)
class BerlinScope:
    """One service on one consent or payment."""

    service: Service
    resource: str

    def __str__(self) -> str:
        """Write the scope as it stands on the wire."""
        return f"{self.service}:{self.resource}"


def resource_of(granted: str) -> BerlinScope:
    """Return the one resource that a granted scope is about; it stands first, beside it may stand what narrows or adds."""
    return parse_scope(granted.partition(" ")[0])


def narrower_scope(granted: str, asked: str | None) -> str:
    """Return the scope of a new token: what was granted, or less where less is asked for; raises `OAuthRefused` for more."""
    if not asked:
        return granted
    of_grant = granted.split(" ")
    # Clients ask again by what they have asked for first: `accounts` is the consent that was made of it.
    named = {ACCOUNTS_SCOPE: of_grant[0]} if resource_of(granted).service is Service.AIS else {}
    values = [named.get(value, value) for value in scope_values(asked)]
    if not set(values) <= set(of_grant):
        raise invalid_scope(
            f"scope: is wider than what was granted, {shown(granted)}",
            reason="oauth.scope",
            hint="leave scope out, or ask for what was granted; anything else takes a new authorization (RFC 6749 §6)",
        )
    if of_grant[0] not in values:
        raise invalid_scope(
            f"scope: leaves out {shown(of_grant[0])}, which the grant is about",
            reason="oauth.scope",
            hint="ask for it, too: for a token that is for the grants API alone, use grant_type=client_credentials",
        )
    return " ".join(value for value in of_grant if value in values)


def scope_values(text: str) -> list[str]:
    """Return the values of a scope, none for an empty one; raises `OAuthRefused` (invalid_scope) for a malformed one."""
    values = text.split(" ") if text else []
    if "" in values or len(set(values)) < len(values):
        raise invalid_scope(
            "scope: holds values that are not separated by one blank, or one of them twice",
            reason="oauth.scope",
            hint="write each value once, with one blank between two",
            clause="RFC 6749 §3.3",
        )
    return values


def parse_scope(text: str) -> BerlinScope:
    """Read a scope; raises `OAuthRefused` (invalid_scope) unless it names exactly one resource."""
    match = _SCOPE.fullmatch(text)
    if match is None:
        raise invalid_scope(
            f"scope: {shown(text)} is not exactly one of AIS:<consentId>, PIS:<paymentId>, PIIS:<consentId>",
            reason="oauth.scope",
            hint="make the consent or payment first, then ask for the scope that its scaOAuth answer belongs to",
            quoted=shown(text),
        )
    return BerlinScope(Service(match["service"]), match["resource"])
