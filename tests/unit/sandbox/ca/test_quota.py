"""A TPP gets a bounded number of certificates, so that the revocation list stays one that the gateway takes."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta

import pytest

from sandbox.ca.errors import IssuingLimitReached
from sandbox.ca.model import Fault, RevocationReason, TppCertificateKind
from sandbox.ca.quota import IssuingLimits, Life, require_quota
from tests.support.certificate_authority import NOW, TPP, Setting

QWAC = TppCertificateKind.QWAC
DAY, KEEP = timedelta(days=1), timedelta(days=30)
LIMITS = IssuingLimits(per_day=2, unexpired=3)


def life(*, issued_hours_ago: float, ends_in_days: float = 365) -> Life:
    return Life(NOW - timedelta(hours=issued_hours_ago), NOW + timedelta(days=ends_in_days))


def refusal(*lives: Life) -> IssuingLimitReached:
    with pytest.raises(IssuingLimitReached) as caught:
        require_quota(lives, LIMITS, now=NOW, keep_expired=KEEP)
    return caught.value


def test_below_both_limits_there_is_room() -> None:
    lives = [life(issued_hours_ago=1), life(issued_hours_ago=30)]

    require_quota(lives, LIMITS, now=NOW, keep_expired=KEEP)


def test_a_day_has_its_limit_and_the_refusal_says_when_it_ends() -> None:
    """Room comes when the older of the two is a day old."""
    caught = refusal(life(issued_hours_ago=20), life(issued_hours_ago=1))

    assert caught.retry_at == NOW + timedelta(hours=4)
    assert f"{caught.retry_at:%Y-%m-%d %H:%M} UTC" in str(caught)


def test_an_overrun_waits_until_it_is_below_the_limit_again() -> None:
    """A limit that was lowered: two of the three must age out."""
    caught = refusal(life(issued_hours_ago=20), life(issued_hours_ago=10), life(issued_hours_ago=1))

    assert caught.retry_at == NOW + timedelta(hours=14)


def test_what_stands_on_a_list_counts_until_it_leaves_it() -> None:
    """A certificate that expired yesterday is still on the list for 29 days."""
    old = [life(issued_hours_ago=100, ends_in_days=days) for days in (-1, 20, 300)]

    assert refusal(*old).retry_at == NOW - DAY + KEEP
    require_quota([*old[1:], life(issued_hours_ago=9_000, ends_in_days=-31)], LIMITS, now=NOW, keep_expired=KEEP)


def test_revoking_makes_no_room(standing: Setting) -> None:
    """Issue and revoke in turn: the list would grow without end."""
    authority = standing.restarted(limits=IssuingLimits(per_day=2, unexpired=100))
    for _ in range(2):
        issued = authority.issue_tpp_certificate(tpp=TPP, kind=QWAC)
        authority.revoke(issued.serial, RevocationReason.SUPERSEDED)

    with pytest.raises(IssuingLimitReached, match="2 certificates were issued to this TPP"):
        authority.issue_tpp_certificate(tpp=TPP, kind=QWAC)

    standing.clock.advance(DAY + timedelta(seconds=1))
    authority.issue_tpp_certificate(tpp=TPP, kind=QWAC)


def test_renewed_and_faulty_certificates_count_too(standing: Setting) -> None:
    authority = standing.restarted(limits=IssuingLimits(per_day=3, unexpired=100))
    issued = authority.issue_tpp_certificate(tpp=TPP, kind=QWAC)
    authority.issue_tpp_certificate(tpp=TPP, kind=QWAC, fault=Fault.EXPIRED)
    authority.renew(serial=issued.serial, tpp=TPP)

    with pytest.raises(IssuingLimitReached):
        authority.issue_tpp_certificate(tpp=TPP, kind=QWAC, fault=Fault.REVOKED)


def test_a_new_short_name_is_no_way_round_the_limit(standing: Setting) -> None:
    """Who leaves and registers the same number under another name is the same firm; another firm has its own."""
    authority = standing.restarted(limits=IssuingLimits(per_day=1, unexpired=100))
    authority.issue_tpp_certificate(tpp=TPP, kind=QWAC)

    with pytest.raises(IssuingLimitReached):
        authority.issue_tpp_certificate(tpp=replace(TPP, name="other"), kind=QWAC)
    authority.issue_tpp_certificate(tpp=replace(TPP, name="other", authorisation_number="PSDDE-BAFIN-7"), kind=QWAC)


def test_many_at_the_same_moment_do_not_slip_past(standing: Setting) -> None:
    authority = standing.restarted(limits=IssuingLimits(per_day=3, unexpired=100))
    outcomes: list[str] = []

    def issue() -> None:
        try:
            outcomes.append(authority.issue_tpp_certificate(tpp=TPP, kind=QWAC).serial)
        except IssuingLimitReached:
            outcomes.append("refused")

    threads = [threading.Thread(target=issue) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)

    assert outcomes.count("refused") == 5
