"""When certificates are ordered: by what stands, by what was tried, and by what the CA suggests."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from gateway.acme.kind import parse_certificate
from gateway.acme.model import AcmeCertificate, KeyType, Progress
from gateway.acme.schedule import LONGEST_PAUSE, Step, key_type_of, next_step, pause_after, pause_after_success, renewal_time
from gateway.certificates.model import CertificateVersion, Stage
from tests.support.pki import DAY
from tests.support.stored_certificates import ISSUING, NOW, key_pem
from tests.unit.gateway.acme.test_documents import certificate_document

WANTED: AcmeCertificate = parse_certificate(certificate_document())
ISSUED = ISSUING.server(*WANTED.names, not_before=NOW, not_after=NOW + 90 * DAY)
STANDING = CertificateVersion(place=0, stage=Stage.CURRENT, chain=(ISSUED.certificate,), key_pem=key_pem(ISSUED))
END = STANDING.not_after
LIFE = END - ISSUED.certificate.not_valid_before_utc
HAD = Progress(name="shop", wanted=WANTED.fingerprint, sha256=STANDING.sha256)


def step(
    wanted: AcmeCertificate = WANTED,
    standing: CertificateVersion | None = STANDING,
    at: timedelta = -LIFE,
    **had: Any,
) -> Step:
    """Say what is to be done so long after the end of what stands."""
    return next_step(wanted, standing, replace(HAD, **had), END + at)


def test_what_stands_is_left_until_its_lead_time() -> None:
    assert step(at=-31 * DAY) is Step.NOTHING
    assert step(at=-29 * DAY) is Step.ORDER
    assert step(at=DAY) is Step.ORDER


def test_what_is_not_there_or_not_as_wanted_is_ordered_at_once() -> None:
    assert step(standing=None) is Step.ORDER
    assert step(standing=replace(STANDING, key_pem=None)) is Step.ORDER
    assert step(replace(WANTED, names=(*WANTED.names, "pay.shop.example"))) is Step.ORDER
    assert step(replace(WANTED, key_type=KeyType.RSA_2048)) is Step.ORDER
    assert key_type_of(ISSUED.certificate) is KeyType.EC_P256


def test_a_lead_longer_than_a_life_does_not_renew_without_end() -> None:
    """It is half of the life then."""
    eager = replace(WANTED, renew_before=LIFE * 2)
    assert renewal_time(eager, STANDING, HAD) == END - LIFE / 2
    assert step(eager, at=-LIFE * 0.51) is Step.NOTHING
    assert step(eager, at=-LIFE * 0.49) is Step.ORDER


def test_a_failure_is_not_tried_again_before_its_time_but_a_change_is() -> None:
    waiting: dict[str, Any] = {"failures": 3, "next_try_at": END - 20 * DAY}
    assert step(at=-25 * DAY, **waiting) is Step.NOTHING
    assert step(at=-20 * DAY, **waiting) is Step.ORDER
    assert step(replace(WANTED, names=("pay.shop.example",)), at=-25 * DAY, **waiting) is Step.ORDER


def test_who_has_taken_it_on_is_left_alone_with_it() -> None:
    assert step(standing=None, leased_until=END) is Step.NOTHING
    assert step(standing=None, at=timedelta(), leased_until=END) is Step.ORDER


def test_the_ca_is_asked_about_its_own_certificate_and_may_only_hasten() -> None:
    """RFC 9773: a CA that will revoke early says so there; one that says too late changes nothing."""
    assert step(at=-60 * DAY, ask_at=END) is Step.NOTHING
    assert step(at=-60 * DAY, ask_at=NOW) is Step.ASK
    assert step(replace(WANTED, asks_when=False), at=-60 * DAY, ask_at=NOW) is Step.NOTHING
    assert step(at=-60 * DAY, ask_at=NOW, sha256="another") is Step.NOTHING
    assert step(at=-60 * DAY, renew_at=END - 61 * DAY) is Step.ORDER
    assert step(at=-60 * DAY, renew_at=END - 61 * DAY, sha256="another") is Step.NOTHING
    assert renewal_time(WANTED, STANDING, replace(HAD, renew_at=END)) == END - 30 * DAY


@pytest.mark.parametrize(("failures", "minutes"), [(1, 5), (2, 10), (3, 20), (7, 320), (8, 360), (9_999, 360)])
def test_pauses_double_up_to_a_bound_a_quarter_more_or_less(failures: int, minutes: int) -> None:
    shortest, longest = (pause_after(failures, asked=None, random=lambda: at) for at in (0.0, 1.0))  # noqa: B023
    assert (shortest, longest) == (0.75 * timedelta(minutes=minutes), 1.25 * timedelta(minutes=minutes))
    assert longest <= LONGEST_PAUSE * 1.25


def test_a_ca_that_asks_for_time_gets_it_within_reason() -> None:
    assert pause_after(1, asked=timedelta(hours=3), random=lambda: 0) == timedelta(hours=3)
    assert pause_after(1, asked=timedelta(days=999), random=lambda: 0) == DAY


def test_a_certificate_that_comes_is_not_followed_by_the_next() -> None:
    """Though it be due at once, by a clock that is wrong or a CA that issues for minutes."""
    assert pause_after_success(STANDING) == timedelta(hours=1)
    assert step(at=DAY, next_try_at=END + DAY + timedelta(hours=1)) is Step.NOTHING
