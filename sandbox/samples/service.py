"""Which first calls a TPP is shown: a way for each of its roles, each from its first block to its last."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from psd2.roles import PspRole
from sandbox.samples import curl

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sandbox.samples.curl import Step
    from sandbox.samples.model import SampleData


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """A way from nothing to what a role is for, step by step."""

    key: str
    title: str
    steps: Sequence[Step]


def opening(data: SampleData, *, root_fingerprint: str) -> Walk:
    """Return what comes before everything else, for every role."""
    steps = (curl.preparation(data, root_fingerprint=root_fingerprint), curl.personas())
    return Walk(key="start", title="Connect", steps=steps)


def walks(data: SampleData) -> list[Walk]:
    """Return one way for each role that the TPP holds."""
    found = []
    if data.may(PspRole.AI):
        found.append(_account_information(data))
    if data.may(PspRole.PI) and data.payment is not None:
        steps = (curl.payment(data.payment), *_decision(data, "PIS", "PAYMENT_ID"), curl.payment_status())
        found.append(Walk(key="payment", title="Make a payment", steps=steps))
    if data.may(PspRole.IC):
        found.append(_funds_confirmation(data))
    return found


def _account_information(data: SampleData) -> Walk:
    steps = (
        curl.consent(data),
        *_decision(data, "AIS", "CONSENT_ID"),
        curl.token(scope="AIS"),
        curl.accounts(),
        curl.balances(),
        curl.transactions(data),
    )
    return Walk(key="accounts", title="Read accounts", steps=steps)


def _funds_confirmation(data: SampleData) -> Walk:
    steps = (
        curl.funds_consent(data),
        *_decision(data, "PIIS", "CONSENT_ID"),
        curl.token(scope="PIIS"),
        curl.funds_confirmation(data),
    )
    return Walk(key="funds", title="Confirm funds", steps=steps)


def _decision(data: SampleData, scope: str, resource: str) -> tuple[Step, ...]:
    return (
        curl.authorization(data, scope=scope, resource=resource),
        curl.headless_psu(data, scope=scope),
        curl.browsing_psu(data, scope=scope),
    )
