"""Which methods a PSU is offered, and approving in the bank app: bound to what was shown, answered once, for its PSU only."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bank_backend.errors import PsuLocked, ScaMethodUnknown
from bank_backend.sca.errors import CodeExpired, NoCodeTaken, PushOver, PushUnknown, StatementChanged, TooManyCodes
from bank_backend.sca.model import (
    CODE_LOCK,
    MOST_CHALLENGES,
    PUSH_LIFETIME,
    ChallengeStatus,
    MethodType,
    WrongCodes,
)
from psd2.ids import PsuId, TenantId
from tests.support.sca import NO_CONNECTION, NOW, RECIPIENT, STATEMENT, ScaDesk, method


@pytest.fixture
def desk() -> ScaDesk:
    return ScaDesk()


def offered(desk: ScaDesk) -> list[MethodType]:
    return [each.type for each in desk.sca.offered(NO_CONNECTION, RECIPIENT.tenant, RECIPIENT.psu)]


def test_only_what_the_personality_allows_is_offered(desk: ScaDesk) -> None:
    """In the PSU's order; a method that is not offered can't be chosen either."""
    desk.allowed = ("push", "sms")

    assert offered(desk) == [MethodType.SMS, MethodType.PUSH]
    with pytest.raises(ScaMethodUnknown):
        desk.start(MethodType.EMAIL)


def test_a_method_that_is_being_set_up_is_not_offered(desk: ScaDesk) -> None:
    """Until its enrolment is finished."""
    desk.methods.add(NO_CONNECTION, [method(MethodType.PASSKEY, is_enrolled=False)])

    assert MethodType.PASSKEY not in offered(desk)


def test_another_psus_method_can_not_be_chosen(desk: ScaDesk) -> None:
    """It is as unknown as none."""
    desk.methods.add(NO_CONNECTION, [method(MethodType.SMS, id="jonas' phone", psu=PsuId("jonas.brandt"))])

    with pytest.raises(ScaMethodUnknown):
        desk.sca.start(NO_CONNECTION, RECIPIENT, method="jonas' phone", statement=STATEMENT, now=NOW)


def test_where_codes_go_is_masked(desk: ScaDesk) -> None:
    """Enough to recognise, too little to learn."""
    names = [each.name for each in desk.sca.offered(NO_CONNECTION, RECIPIENT.tenant, RECIPIENT.psu)]

    assert names == ["Text message to ••• 123", "E-mail to a•••@example.org", "Authenticator app", "Bank app"]


def test_methods_go_by_the_standards_names() -> None:
    """BG IG §14.16; a passkey has none, for no TPP can carry it."""
    assert [kind.authentication_type for kind in MethodType] == ["SMS_OTP", "SMTP_OTP", "CHIP_OTP", "PUSH_OTP", None]


def test_a_push_is_approved_once(desk: ScaDesk) -> None:
    """It shows a number to compare and takes no code; a second yes finds it answered."""
    push = desk.start(MethodType.PUSH)
    assert push.number.isdecimal()
    assert isinstance(desk.judge("000001").refusal, NoCodeTaken)

    assert desk.approve(push.id).refusal is None
    with pytest.raises(PushOver, match="passed already"):
        desk.approve(push.id)


def test_a_rejected_push_can_not_be_approved(desk: ScaDesk) -> None:
    """The PSU's no stays."""
    push = desk.start(MethodType.PUSH)
    desk.sca.reject_push(NO_CONNECTION, push.id, tenant=RECIPIENT.tenant, psu=RECIPIENT.psu)

    with pytest.raises(PushOver, match="rejected already"):
        desk.approve(push.id)


def test_a_push_approves_nothing_but_what_was_shown(desk: ScaDesk) -> None:
    """Dynamic linking: another amount fails the push for good (RTS Art. 5 (1)(d))."""
    push = desk.start(MethodType.PUSH)

    verdict = desk.approve(push.id, statement=STATEMENT.replace("123.50", "923.50"))

    assert isinstance(verdict.refusal, StatementChanged)
    assert desk.store.kept[push.id].status is ChallengeStatus.FAILED


def test_a_push_expires(desk: ScaDesk) -> None:
    """By the tenant's time, to the moment; it is no longer listed then."""
    push = desk.start(MethodType.PUSH)

    def waiting(at: Any) -> list[str]:
        found = desk.sca.waiting(NO_CONNECTION, RECIPIENT.tenant, RECIPIENT.psu, at)
        return [each.id for each in found]

    assert waiting(NOW + PUSH_LIFETIME - timedelta(seconds=1)) == [push.id]
    assert waiting(NOW + PUSH_LIFETIME) == []
    assert isinstance(desk.approve(push.id, at=NOW + PUSH_LIFETIME).refusal, CodeExpired)


@pytest.mark.parametrize(
    ("tenant", "psu"),
    [("PSDDE-BAFIN-100001", "jonas.brandt"), ("PSDFR-ACPR-100002", "anna.weber")],
)
def test_a_push_is_its_own_psus_only(desk: ScaDesk, tenant: str, psu: str) -> None:
    """Another PSU's, or the same login's at another TPP's bank, is as unknown as none."""
    push = desk.start(MethodType.PUSH)

    with pytest.raises(PushUnknown):
        desk.sca.approve_push(NO_CONNECTION, push.id, tenant=TenantId(tenant), psu=PsuId(psu), statement=STATEMENT, now=NOW)
    with pytest.raises(PushUnknown):
        desk.sca.reject_push(NO_CONNECTION, push.id, tenant=TenantId(tenant), psu=PsuId(psu))


def test_a_code_is_no_push(desk: ScaDesk) -> None:
    """A text message's challenge can't be approved in the app without its code."""
    code = desk.start(MethodType.SMS)

    with pytest.raises(PushUnknown):
        desk.approve(code.id)


def test_who_is_locked_approves_no_push(desk: ScaDesk) -> None:
    """The lock is on the PSU, not on a method; it ends by the tenant's time."""
    push = desk.start(MethodType.PUSH)
    desk.wrong_codes.counted = WrongCodes(0, NOW + CODE_LOCK)

    with pytest.raises(PsuLocked):
        desk.approve(push.id)
    with pytest.raises(PsuLocked):
        desk.start(MethodType.PUSH)


def test_another_method_takes_over_with_the_attempts_that_are_left(desk: ScaDesk) -> None:
    """Two wrong codes, then the authenticator: one attempt; the push that waited is over."""
    desk.start()
    desk.judge("999999")
    desk.judge("999999")
    push = desk.start(MethodType.PUSH)
    desk.start(MethodType.TOTP)

    with pytest.raises(PushOver, match="replaced already"):
        desk.approve(push.id)
    assert desk.judge("000000" if desk.shown_by_authenticator() != "000000" else "111111").is_final


def test_a_phone_is_not_flooded_with_pushes(desk: ScaDesk) -> None:
    """So many challenges for one request, whatever their kind."""
    for _ in range(MOST_CHALLENGES):
        desk.start(MethodType.PUSH)

    with pytest.raises(TooManyCodes):
        desk.start(MethodType.PUSH)
