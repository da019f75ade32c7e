"""A dry run of a TPP's request: what is asked of the gateway, and its answer, check by check (docs/evidence.md)."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Document = dict[str, Any]


class Verdict(StrEnum):
    """What became of a check."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_REACHED = "not_reached"
    NOT_ASKED = "not_asked"
    WITHHELD = "withheld"


@dataclass(frozen=True, slots=True, kw_only=True)
class DescribedRequest:
    """A request that would come from `address`. `token` is the SHA-256 of the access token, or its beginning; never itself."""

    method: str
    path: str
    address: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    certificate: str | None = None
    token: str | None = None

    def question(self, authorisation_number: str) -> Document:
        """Return the question of the TPP with this number."""
        asked = {
            "tpp": authorisation_number,
            "address": self.address,
            "method": self.method,
            "path": self.path,
            "headers": dict(self.headers),
            "body": self.body,
            "certificate": self.certificate,
            "token": self.token,
        }
        return {name: value for name, value in asked.items() if value is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One check: `text` and `hint` where it failed, `note` where there is more to say."""

    label: str
    verdict: Verdict
    clause: str
    seen: Sequence[tuple[str, str]]
    text: str | None
    hint: str | None
    note: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DryRun:
    """What the gateway would answer: `status`, `reason` and `text` where it would refuse."""

    is_admitted: bool
    status: int | None
    reason: str | None
    text: str | None
    checks: Sequence[Check]


def dry_run_of(document: Document) -> DryRun:
    """Read the gateway's answer."""
    answer = document["answer"] or {}
    return DryRun(
        is_admitted=document["verdict"] == "admitted",
        status=answer.get("status"),
        reason=answer.get("reason"),
        text=answer.get("text"),
        checks=[_check(each) for each in document["checks"]],
    )


def _check(document: Document) -> Check:
    return Check(
        label=document["label"],
        verdict=Verdict(document["verdict"]),
        clause=document["clause"],
        seen=[(fact["what"], fact["value"]) for fact in document["seen"]],
        text=document.get("text"),
        hint=document.get("hint"),
        note=document.get("note"),
    )
