"""A stage with a fake bank."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from psd2.certificates import parse_certificate
from psd2.clock import FixedClock
from tests.support.pki import NUMBER, Authority
from tests.unit.tpp_client.fake_bank import FakeBank
from tests.unit.tpp_client.fakes import EDGE, ISSUER
from tpp_client.bootstrap import headless_stage
from tpp_client.identity import Credential, TppIdentity
from tpp_client.journeys.narration import Recorder

if TYPE_CHECKING:
    from tpp_client.journeys.stage import Stage


@pytest.fixture(scope="package")
def identity() -> TppIdentity:
    """Lend an identity without files."""
    nowhere = Path("nowhere")
    return TppIdentity(
        name="acme",
        folder=nowhere,
        client_id=NUMBER,
        issuer=ISSUER,
        authorisation_number=NUMBER,
        redirect_uris=("https://localhost:8446/callback",),
        cafile=nowhere / "trust.pem",
        edge=EDGE,
        qwac=Credential(certificate=nowhere / "qwac.crt", key=nowhere / "qwac.key"),
        qseal=Credential(certificate=nowhere / "qseal.crt", key=nowhere / "qseal.key"),
        certificate=parse_certificate(Authority().qwac().der),
    )


@pytest.fixture
def bank(identity: TppIdentity) -> FakeBank:
    return FakeBank(identity.certificate.thumbprint)


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def stage(identity: TppIdentity, bank: FakeBank, recorder: Recorder) -> Stage:
    clock = FixedClock(dt.datetime(2026, 11, 22, tzinfo=dt.UTC))
    return headless_stage(identity, bank, psu="anna.weber", narrator=recorder, clock=clock, pause=lambda _: None)
