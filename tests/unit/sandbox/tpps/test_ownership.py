"""TPPs in the hands of organisations: enrolled, changed, claimed, left; a number stays with whoever had it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

import pytest

from sandbox.ca.errors import UnknownCertificate
from sandbox.ca.model import RevocationReason, TppCertificateKind
from sandbox.tpps.errors import (
    AccessDenied,
    RegisterFull,
    RegistrationConflict,
    RegistrationInterrupted,
    TppBlocked,
    UnknownTpp,
)
from sandbox.tpps.model import Amendment, Tpp, TppStatus
from sandbox.tpps.service import Holdings
from tests.support.register import NUMBER, RegisterWorld, registration

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.tpps.service import Register

OURS, THEIRS = "organisation-1", "organisation-2"
OTHER = {"name": "other", "authorisation_number": "PSDDE-BAFIN-2"}


@pytest.fixture
def world() -> RegisterWorld:
    return RegisterWorld()


def enrolled(world: RegisterWorld, organisation_id: str = OURS, **changes: object) -> Tpp:
    return world.register.ownership.enrol(registration(**changes), organisation_id=organisation_id)


def test_an_enrolled_tpp_is_its_organisations_and_has_no_certificates_yet(world: RegisterWorld) -> None:
    """They are asked for one by one, in whichever of the three ways."""
    tpp = enrolled(world)

    assert world.calls == ["tenant acme", "tpp acme active", f"client {NUMBER}"]
    assert (tpp.status, tpp.organisation_id) == (TppStatus.ACTIVE, OURS)
    assert world.register.certificates(tpp) == []
    assert world.store.tokens == {}


def blocked(register: Register) -> None:
    register.set_blocked(register.require(NUMBER), blocked=True, reason="fraud")


def taken_out(register: Register) -> None:
    register.remove(register.require(NUMBER))


@pytest.mark.parametrize("meanwhile", [blocked, taken_out])
@pytest.mark.parametrize("way", ["portal", "api", "command"])
def test_what_the_operator_does_during_a_registration_stands(
    world: RegisterWorld, monkeypatch: pytest.MonkeyPatch, meanwhile: Callable[[Register], None], way: str
) -> None:
    """It was the last to be asked, but the first whom the gateway heard: that must not let the TPP in after all."""
    tell = world.gateway.put_tpp

    def told_late(tpp: Tpp, *, blocked: bool) -> None:
        monkeypatch.setattr(world.gateway, "put_tpp", tell)
        meanwhile(world.register)
        tell(tpp, blocked=blocked)

    monkeypatch.setattr(world.gateway, "put_tpp", told_late)
    if way == "portal":
        enrolled(world)
    elif way == "api":
        with pytest.raises(RegistrationConflict):
            world.register.register_new(registration())
    else:
        world.register.ensure_registered(registration(), holdings=Holdings())

    assert [call for call in world.calls if call.startswith("tpp ")][-1] == "tpp acme blocked"
    standing = world.store.find(NUMBER)
    assert standing is None or standing.status is TppStatus.BLOCKED


def test_a_registration_that_is_taken_back_does_not_take_back_a_block(
    world: RegisterWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**_: object) -> None:
        blocked(world.register)
        raise RuntimeError("the authority is out of order")

    monkeypatch.setattr(world.authority, "issue_tpp_certificate", fail)
    with pytest.raises(RuntimeError, match="out of order"):
        world.register.register_new(registration())

    assert cast("Tpp", world.store.find(NUMBER)).status is TppStatus.BLOCKED


def test_whoever_was_blocked_since_its_page_was_opened_does_not_leave(world: RegisterWorld) -> None:
    """Nor change anything once it has left: the gateway would hear of it again."""
    before = enrolled(world)
    blocked(world.register)

    with pytest.raises(TppBlocked):
        world.register.leave(before)

    taken_out(world.register)
    told = list(world.calls)
    with pytest.raises(UnknownTpp):
        world.register.ownership.amend(before, Amendment(organisation="Other", redirect_uris=before.redirect_uris))
    assert world.calls == told


@pytest.mark.parametrize(("down", "done"), [("bank", ()), ("gateway", ("bank tenant",))])
def test_an_enrolment_that_broke_off_says_where_and_continues(world: RegisterWorld, down: str, done: tuple[str, ...]) -> None:
    peer = {"bank": world.bank, "gateway": world.gateway}[down]
    peer.is_down = True

    with pytest.raises(RegistrationInterrupted) as interruption:
        enrolled(world)
    assert interruption.value.done == done
    peer.is_down = False

    assert enrolled(world).status is TppStatus.ACTIVE
    assert enrolled(world).status is TppStatus.ACTIVE, "once more, and nothing happens"
    assert len(world.store.tpps) == 1


def test_nobody_continues_the_enrolment_of_another_organisation(world: RegisterWorld) -> None:
    """Not even with the very same data; neither does the API, and the refusal tells nothing of who began it."""
    world.bank.is_down = True
    with pytest.raises(RegistrationInterrupted):
        enrolled(world)
    world.bank.is_down = False

    with pytest.raises(RegistrationConflict) as by_another:
        enrolled(world, THEIRS)
    with pytest.raises(RegistrationConflict):
        world.register.register_new(registration())

    assert str(by_another.value) == f"{NUMBER} is registered already"
    assert world.calls == []


def test_what_is_taken_is_said_without_telling_by_whom(world: RegisterWorld) -> None:
    """The name of its holder would be a directory of who tests here."""
    enrolled(world, THEIRS, organisation="Secret GmbH")

    with pytest.raises(RegistrationConflict) as number_taken:
        enrolled(world, name="mine")
    with pytest.raises(RegistrationConflict) as name_taken:
        enrolled(world, authorisation_number="PSDDE-BAFIN-2")

    assert (number_taken.value.field, str(number_taken.value)) == ("authorisation_number", f"{NUMBER} is registered already")
    assert (name_taken.value.field, str(name_taken.value)) == ("name", "the name acme is taken: choose another")


def test_an_organisation_has_room_for_so_many(world: RegisterWorld) -> None:
    """Those it has left count: their banks are still there."""
    few = RegisterWorld(per_organisation=2)
    enrolled(few)
    few.register.leave(enrolled(few, **OTHER))

    with pytest.raises(RegisterFull, match="your organisation has registered 2"):
        enrolled(few, name="third", authorisation_number="PSDDE-BAFIN-3")

    assert enrolled(few, **OTHER).status is TppStatus.ACTIVE, "its own number is no new one"
    enrolled(few, THEIRS, name="third", authorisation_number="PSDDE-BAFIN-3")
    assert len(world.store.tpps) == 0


# --- numbers that were left -------------------------------------------------------------------------------------------


def test_a_number_that_was_left_waits_for_the_organisation_that_had_it(world: RegisterWorld) -> None:
    """Its tenant at the bank and its requests in the log are still there: nobody else may read them."""
    world.register.leave(enrolled(world))

    with pytest.raises(RegistrationConflict) as refusal:
        enrolled(world, THEIRS)
    with pytest.raises(RegistrationConflict):
        world.register.register_new(registration())

    assert str(refusal.value) == f"{NUMBER} is registered already", "the same as of one that is registered"
    assert enrolled(world).organisation_id == OURS
    assert world.store.formers == {}


def test_a_number_left_without_an_organisation_waits_for_its_last_token(world: RegisterWorld) -> None:
    """Who registered over the API proves by the token that it was theirs; the operator needs no proof."""
    first = world.register.register_new(registration())
    world.register.leave(first.tpp)

    for token in (None, "guess", ""):
        with pytest.raises(RegistrationConflict):
            world.register.register_new(registration(), access_token=token)
    with pytest.raises(RegistrationConflict):
        enrolled(world)
    again = world.register.register_new(registration(), access_token=first.access_token)

    world.register.leave(again.tpp)
    world.register.ensure_registered(registration(), holdings=Holdings())


# --- changes ----------------------------------------------------------------------------------------------------------


def amendment(**changes: object) -> Amendment:
    given = Amendment(organisation="Acme Payments GmbH", redirect_uris=("https://acme.example/callback",))
    return replace(given, **changes)  # type: ignore[arg-type]


def test_a_change_reaches_the_gateway_and_the_bank(world: RegisterWorld) -> None:
    tpp = enrolled(world)
    world.calls.clear()

    changed = world.register.ownership.amend(tpp, amendment(organisation="Acme SE", redirect_uris=("https://acme.test/cb",)))

    assert world.calls == ["tenant acme", "tpp acme active", f"client {NUMBER}"]
    assert world.register.require(NUMBER) == changed
    assert (changed.organisation, changed.redirect_uris) == ("Acme SE", ("https://acme.test/cb",))


def test_what_does_not_change_is_told_nobody(world: RegisterWorld) -> None:
    tpp = enrolled(world)
    world.calls.clear()

    world.register.ownership.amend(tpp, amendment())

    assert world.calls == []


def test_a_change_is_on_record_only_when_it_is_in_force(world: RegisterWorld) -> None:
    tpp = enrolled(world)
    world.gateway.is_down = True

    with pytest.raises(RegistrationInterrupted):
        world.register.ownership.amend(tpp, amendment(organisation="Acme SE"))

    assert world.register.require(NUMBER).organisation == "Acme Payments GmbH"


def test_a_change_does_not_unblock(world: RegisterWorld) -> None:
    """Not even one that was begun before the operator blocked."""
    before = enrolled(world)
    world.register.set_blocked(before, blocked=True)
    world.calls.clear()

    world.register.ownership.amend(before, amendment(organisation="Acme SE"))

    assert "tpp acme blocked" in world.calls
    assert world.register.require(NUMBER).status is TppStatus.BLOCKED


# --- claims -----------------------------------------------------------------------------------------------------------


def test_a_tpp_is_claimed_with_its_access_token(world: RegisterWorld) -> None:
    token = world.register.register_new(registration()).access_token

    claimed = world.register.ownership.claim(NUMBER, token, organisation_id=OURS)

    assert claimed.organisation_id == OURS
    assert world.register.require(NUMBER).organisation_id == OURS
    assert world.register.ownership.claim(NUMBER, token, organisation_id=OURS) == claimed


def test_a_claim_without_the_right_token_learns_nothing(world: RegisterWorld) -> None:
    """Wrong, of another TPP, of one that is claimed already, unknown: one refusal."""
    token = world.register.register_new(registration()).access_token
    other = world.register.register_new(registration(**OTHER)).access_token
    enrolled(world, THEIRS, name="theirs", authorisation_number="PSDDE-BAFIN-3")
    attempts = [(NUMBER, "guess"), (NUMBER, other), (NUMBER, ""), ("PSDDE-BAFIN-9", token), ("PSDDE-BAFIN-3", token)]

    texts = set()
    for number, tried in attempts:
        with pytest.raises(AccessDenied) as denied:
            world.register.ownership.claim(number, tried, organisation_id=OURS)
        texts.add(str(denied.value))
    world.register.ownership.claim(NUMBER, token, organisation_id=THEIRS)
    with pytest.raises(AccessDenied) as denied:
        world.register.ownership.claim(NUMBER, token, organisation_id=OURS)

    assert {str(denied.value)} == texts
    assert world.register.require(NUMBER).organisation_id == THEIRS


def test_claims_fill_an_organisations_room_too() -> None:
    world = RegisterWorld(per_organisation=1)
    enrolled(world)
    token = world.register.register_new(registration(**OTHER)).access_token

    with pytest.raises(RegisterFull):
        world.register.ownership.claim("PSDDE-BAFIN-2", token, organisation_id=OURS)


def test_a_new_access_token_replaces_the_one_before(world: RegisterWorld) -> None:
    first = world.register.register_new(registration())

    token = world.register.ownership.new_access_token(first.tpp)

    assert world.register.require_access(NUMBER, token) == first.tpp
    with pytest.raises(AccessDenied):
        world.register.require_access(NUMBER, first.access_token)


def test_a_tpp_that_is_not_registered_yet_gets_no_access_token(world: RegisterWorld) -> None:
    """Over the API it would get certificates before the bank knows it."""
    world.bank.is_down = True
    with pytest.raises(RegistrationInterrupted):
        enrolled(world)

    with pytest.raises(TppBlocked):
        world.register.ownership.new_access_token(world.register.require(NUMBER))


# --- certificates -----------------------------------------------------------------------------------------------------


def test_a_serial_number_of_another_tpp_is_unknown_under_ones_own(world: RegisterWorld) -> None:
    """Shown, renewed, revoked: as if it had never been issued."""
    mine, other = enrolled(world), enrolled(world, THEIRS, **OTHER)
    serial = world.register.issue(other, TppCertificateKind.QWAC).serial

    for attempt in (
        lambda: world.register.certificate(mine, serial),
        lambda: world.register.renew(mine, serial),
        lambda: world.register.revoke(mine, serial, RevocationReason.SUPERSEDED),
    ):
        with pytest.raises(UnknownCertificate):
            attempt()
