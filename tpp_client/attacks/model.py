"""What an attack is, what it must be answered with, and how its outcome is judged."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from tpp_client.errors import TppClientError, TransportFailed
from tpp_client.readable import readable_url, unverified_claims
from tpp_client.refusals import refusal_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from tpp_client.attacks.field import AttackField
    from tpp_client.wire import HttpResponse


class NotTried(TppClientError):
    """What the attack needs is not there; the message says how to get it."""


class Verdict(StrEnum):
    """How an attack ended."""

    HELD = "held"
    BROKEN = "BROKEN"
    UNCLEAR = "UNCLEAR"
    NOT_TRIED = "not tried"


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """The answers with which a gateway holds: any of the statuses with any of the codes."""

    statuses: frozenset[int]
    codes: frozenset[str]

    def is_met_by(self, status: int, code: str) -> bool:
        """Tell whether an answer is among them."""
        return status in self.statuses and code in self.codes

    def __str__(self) -> str:
        statuses = " or ".join(str(status) for status in sorted(self.statuses))
        return f"{statuses} {' or '.join(sorted(self.codes))}"


def expect(status: int, *codes: str) -> Expectation:
    """Return the expectation of one status with any of the codes."""
    return Expectation(statuses=frozenset({status}), codes=frozenset(codes))


def read_refusal(response: HttpResponse) -> tuple[str, str]:
    """Read an answer from its body: its code, and a sentence about it; a success has no code."""
    if response.status < HTTPStatus.BAD_REQUEST:
        return "", f"{response.status}: the gateway let it through"
    refusal = refusal_of(response)
    return refusal.code, str(refusal)


def read_redirect(response: HttpResponse) -> tuple[str, str]:
    """Read an authorization endpoint's answer: an error goes back in the redirect (RFC 6749 §4.1.2.1) or is shown."""
    location = response.headers.get("location")
    if location is None:
        return read_refusal(response)
    query = parse_qs(urlsplit(location).query)
    code = query.get("error", [""])[0] or _signed_error(query.get("response", [""])[0])
    return code, f"{response.status} redirect with error={code}" if code else f"{response.status}: the gateway went along"


def _signed_error(compact: str) -> str:
    """Return the error in a signed answer (JARM); what it is signed by is no matter of a refusal's."""
    claims = unverified_claims(compact)
    return str(claims.get("error", ""))


def read_page(response: HttpResponse) -> tuple[str, str]:
    """Read an answer that only a person is to see: a page that sends the browser nowhere."""
    location = response.headers.get("location")
    if location is not None:
        return "redirect", f"{response.status} redirect to {readable_url(location)}"
    if response.headers.get("content-type", "").startswith("application/json"):
        return read_refusal(response)
    return "page", f"{response.status}: a page for the person, and the browser goes nowhere"


def read_answer(response: HttpResponse) -> tuple[str, str]:
    """Read what a browser is answered: an error in a redirect, a page for the person, or neither."""
    if "location" in response.headers:
        return read_redirect(response)
    return read_page(response)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attack:
    """One attack: `strike` makes it and returns the answer that decides."""

    name: str
    title: str
    clause: str
    expected: Expectation
    strike: Callable[[AttackField], HttpResponse]
    read: Callable[[HttpResponse], tuple[str, str]] = read_refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What the gateway answered, in a sentence, and whether it held."""

    attack: Attack
    verdict: Verdict
    answered: str

    @property
    def is_bad(self) -> bool:
        """Whether somebody should look: broken, or not answered over HTTP."""
        return self.verdict in {Verdict.BROKEN, Verdict.UNCLEAR}

    def as_json(self) -> dict[str, object]:
        """Return it for `--json`."""
        return {
            "attack": self.attack.name,
            "title": self.attack.title,
            "clause": self.attack.clause,
            "expected": str(self.attack.expected),
            "verdict": self.verdict.value,
            "answered": self.answered,
        }


def run_attack(attack: Attack, field: AttackField) -> Outcome:
    """Strike and judge; only what the attack itself does is an outcome, its preparation may raise."""
    try:
        response = attack.strike(field)
    except NotTried as missing:
        return Outcome(attack=attack, verdict=Verdict.NOT_TRIED, answered=str(missing))
    except TransportFailed as failure:
        return Outcome(attack=attack, verdict=Verdict.UNCLEAR, answered=str(failure))
    code, answered = attack.read(response)
    held = attack.expected.is_met_by(response.status, code)
    return Outcome(attack=attack, verdict=Verdict.HELD if held else Verdict.BROKEN, answered=answered)
