"""Rotation: what is current, and the way back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from gateway.certificates.kind import CERTIFICATES
from gateway.certificates.model import Stage
from gateway.certificates.rotation import add_version, make_current
from gateway.configuration.changes import NoSuchDocument
from gateway.configuration.model import Kinds
from gateway.configuration.service import Configuration
from gateway.configuration.snapshot import SetRefused
from gateway.configuration.store import SqlConfigurationStore
from psd2.clock import FixedClock
from tests.support.pki import DAY, Issued
from tests.support.stored_certificates import ISSUING, NOW, key_pem

if TYPE_CHECKING:
    from sqlalchemy import Engine


@pytest.fixture
def configuration(engine: Engine) -> Configuration:
    return Configuration(kinds=Kinds((CERTIFICATES,)), store=SqlConfigurationStore(engine), clock=FixedClock(NOW))


def sent(issued: Issued) -> dict[str, Any]:
    return {"chain": issued.pem, "key": key_pem(issued)}


def stages(configuration: Configuration) -> list[tuple[str, str]]:
    model = configuration.snapshot().of(CERTIFICATES)["shop"]
    return [(each.stage.value, each.sha256) for each in model.versions]


def test_a_new_version_waits_becomes_current_and_leaves_a_way_back(configuration: Configuration) -> None:
    """Who refers to the name edits nothing."""
    first, second, third = (ISSUING.server("shop.example") for _ in range(3))
    add_version(configuration, "shop", sent(first), stage=Stage.PENDING)  # the first has none to wait for
    add_version(configuration, "shop", sent(second), stage=Stage.PENDING)
    assert stages(configuration) == [("pending", second.sha256), ("current", first.sha256)]

    make_current(configuration, "shop", second.sha256)
    assert stages(configuration) == [("current", second.sha256), ("previous", first.sha256)]
    make_current(configuration, "shop", first.sha256)
    assert stages(configuration) == [("previous", second.sha256), ("current", first.sha256)]
    add_version(configuration, "shop", sent(third), stage=Stage.CURRENT)
    assert stages(configuration) == [("current", third.sha256), ("deprecated", second.sha256), ("previous", first.sha256)]


def test_a_pending_version_is_replaced_by_the_next(configuration: Configuration) -> None:
    """One at a time."""
    first, second, third = (ISSUING.server("shop.example") for _ in range(3))
    for each in (first, second, third):
        add_version(configuration, "shop", sent(each), stage=Stage.PENDING)

    assert stages(configuration) == [("pending", third.sha256), ("current", first.sha256)]


def test_one_that_has_expired_can_be_replaced_and_not_come_back(configuration: Configuration) -> None:
    """The way back leads only to what is valid."""
    old = ISSUING.qwac(not_before=NOW - 9 * DAY, not_after=NOW + DAY)
    add_version(configuration, "shop", sent(old), stage=Stage.CURRENT)
    configuration._clock = FixedClock(NOW + 2 * DAY)
    add_version(configuration, "shop", sent(ISSUING.server("shop.example")), stage=Stage.CURRENT)
    with pytest.raises(SetRefused, match="expired"):
        make_current(configuration, "shop", old.sha256)


def test_what_is_not_there_can_not_become_current(configuration: Configuration) -> None:
    """Neither the certificate nor the version."""
    with pytest.raises(NoSuchDocument):
        make_current(configuration, "shop", "0" * 64)
    add_version(configuration, "shop", sent(ISSUING.server("shop.example")), stage=Stage.CURRENT)
    with pytest.raises(NoSuchDocument, match="version 0000"):
        make_current(configuration, "shop", "0" * 64)


def test_old_versions_are_let_go_when_there_are_too_many(configuration: Configuration) -> None:
    """A yearly rotation never comes to an end by itself."""
    issued = [ISSUING.server("shop.example") for _ in range(12)]
    for each in issued:
        add_version(configuration, "shop", sent(each), stage=Stage.CURRENT)

    found = stages(configuration)
    assert len(found) == 10
    assert [sha256 for _, sha256 in found] == [each.sha256 for each in reversed(issued[2:])]
