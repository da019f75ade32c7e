"""Lean push through a whole platform: the TPP listens with its QWAC, and is told what becomes of its payment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.notification_receiver import Receiver
from tests.support.ports import wait_until
from tests.support.tpps import open_stage, registered
from tpp_client.consents import consent_deletion_request
from tpp_client.documents import document_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psd2.ids import ConsentId
    from tests.support.platform import RunningPlatform
    from tpp_client.identity import TppIdentity
    from tpp_client.wire import HttpResponse
    from tpp_client.xs2a import Xs2a

CONSENT = {
    "access": {"availableAccounts": "allAccounts"},
    "recurringIndicator": False,
    "validUntil": "9999-12-31",
    "frequencyPerDay": 1,
    "combinedServiceIndicator": False,
}


@pytest.fixture(scope="module")
def identity(platform: RunningPlatform) -> TppIdentity:
    return registered(platform)


@pytest.fixture
def receiver(identity: TppIdentity) -> Iterator[Receiver]:
    """Lend the TPP's own endpoint, secured by its QWAC as the specification wants it."""
    started = Receiver().listen(str(identity.qwac.certificate), str(identity.qwac.key))
    yield started
    started.stop()


def ask(xs2a: Xs2a, uri: str) -> HttpResponse:
    return xs2a.post("/v1/consents", CONSENT, headers={"TPP-Notification-URI": uri})


def test_a_tpp_is_told_over_its_own_qwac(identity: TppIdentity, receiver: Receiver) -> None:
    """The gateway passes the certificate on, the bank compares the domain, trusts the platform's authority, and tells."""
    with open_stage(identity) as stage:
        answer = ask(stage.xs2a, f"https://{identity.name}.tpp.example:{receiver.port}/lean-push")
        consent_id: ConsentId = document_of(answer).text("consentId")  # type: ignore[assignment]
        consent_deletion_request(stage.xs2a, consent_id)
        wait_until(lambda: "terminatedByTpp" in receiver.told, seconds=30, what="the notification of the consent's end")
        listed: Any = stage.xs2a.get("/sandbox/v1/notifications").body

    assert answer.headers["aspsp-notification-support"] == "true"
    assert receiver.told[0] == "received"
    assert {each.path for each in receiver.received} == {"/lean-push"}
    assert {each.body["consentId"] for each in receiver.received} == {consent_id}
    assert b'"terminatedByTpp"' in listed


def test_the_platforms_own_ports_are_not_called(identity: TppIdentity, platform: RunningPlatform) -> None:
    """The bank itself listens on one of them, for the gateway."""
    with open_stage(identity) as stage:
        port = platform.ports.bank
        answer = ask(stage.xs2a, f"https://{identity.name}.tpp.example:{port}/health")
        listed = stage.xs2a.get("/sandbox/v1/notifications").body.decode()

    assert answer.headers["aspsp-notification-support"] == "false"
    assert f"port {port} of this machine is the platform's own" in listed
