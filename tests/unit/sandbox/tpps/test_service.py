"""Letting a TPP in: the steps, what happens when one fails, and who may do what afterwards."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from chassis.peers import PeerUnavailable
from sandbox.answers import PeerRefused
from sandbox.ca.errors import CsrRefused, NotRevocable, UnknownCertificate
from sandbox.ca.model import CertificateStatus, Fault, RevocationReason, TppCertificateKind
from sandbox.tpps.errors import (
    AccessDenied,
    RegisterFull,
    RegistrationConflict,
    RegistrationInterrupted,
    TppBlocked,
    UnknownTpp,
)
from sandbox.tpps.model import TppStatus
from sandbox.tpps.service import Holdings
from tests.support.register import NUMBER, RegisterWorld, registration

if TYPE_CHECKING:
    from sandbox.ca.model import CertificateRecord
    from sandbox.tpps.model import Tpp

EVERYTHING = ["tenant acme", "tpp acme active", f"client {NUMBER}", "issue qwac", "issue qseal"]


def test_the_steps_in_their_order() -> None:
    """What can fail far away comes before any key is made."""
    world = RegisterWorld()

    registered = world.register.register_new(registration())

    assert world.calls == EVERYTHING
    assert registered.tpp.status is TppStatus.ACTIVE
    assert set(registered.certificates) == set(TppCertificateKind)
    assert registered.personas[0]["psu"] == "anna.weber"


def test_a_client_that_the_gateway_refuses_leaves_nothing_behind() -> None:
    """The same number may come again, with data that are right."""
    world = RegisterWorld()
    world.gateway.refuses_clients = True
    with pytest.raises(PeerRefused, match="jwks_uri"):
        world.register.register_new(registration(client_metadata={"jwks_uri": "http://x"}))
    world.gateway.refuses_clients = False

    registered = world.register.register_new(registration())

    assert registered.tpp.client_metadata == {}


def test_the_access_token_is_kept_as_a_hash_only() -> None:
    """Who reads the database can't manage anybody's registration."""
    world = RegisterWorld()

    registered = world.register.register_new(registration())

    assert world.store.tokens[NUMBER] == hashlib.sha256(registered.access_token.encode()).hexdigest()
    assert registered.access_token not in repr(registered)


@pytest.mark.parametrize(
    ("down", "done"),
    [("bank", ()), ("gateway", ("bank tenant",))],
)
def test_a_service_out_of_reach_is_named_and_running_again_continues(down: str, done: tuple[str, ...]) -> None:
    """The message says which service, and what needs no repetition; the second run finishes."""
    world = RegisterWorld()
    peer = {"bank": world.bank, "gateway": world.gateway}[down]
    peer.is_down = True

    with pytest.raises(RegistrationInterrupted) as interruption:
        world.register.register_new(registration())
    assert interruption.value.done == done
    assert "Run the same registration again" in str(interruption.value)
    assert not any(call.startswith("issue") for call in world.calls)
    peer.is_down = False
    registered = world.register.register_new(registration())

    assert registered.tpp.status is TppStatus.ACTIVE
    assert len(world.store.tpps) == 1


def test_a_finished_registration_is_not_handed_out_again() -> None:
    """Whoever knows a TPP's data must not get certificates in its name."""
    world = RegisterWorld()
    world.register.register_new(registration())
    world.calls.clear()

    with pytest.raises(RegistrationConflict):
        world.register.register_new(registration())

    assert world.calls == []


def test_of_two_that_finish_the_same_registration_one_gets_certificates() -> None:
    """Whoever sends a firm's data at the same moment must not get a certificate in its name."""
    world = RegisterWorld()
    put_client, rivals = world.gateway.put_client, []

    def put_client_while_a_rival_finishes(tpp: Tpp) -> None:
        put_client(tpp)
        if not rivals:
            rivals.append(None)
            rivals.append(world.register.register_new(registration()))

    world.gateway.put_client = put_client_while_a_rival_finishes  # type: ignore[method-assign]

    with pytest.raises(RegistrationConflict):
        world.register.register_new(registration())

    assert world.calls.count("issue qwac") == 1


def test_a_registration_whose_signing_request_was_refused_can_be_continued() -> None:
    """With a better one: the first attempt gave nothing away."""
    world = RegisterWorld()
    world.authority.refusal = CsrRefused("csr.weak_key", "1024 bits are too few")

    with pytest.raises(CsrRefused):
        world.register.register_new(registration(), csrs={TppCertificateKind.QWAC: b"weak"})
    world.authority.refusal = None
    registered = world.register.register_new(registration())

    assert registered.tpp.status is TppStatus.ACTIVE
    assert world.register.require("acme").status is TppStatus.ACTIVE


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "other"},
        {"authorisation_number": "PSDDE-BAFIN-999"},
        {"redirect_uris": ["https://evil.example/cb"]},
        {"roles": ["AISP", "PISP", "CBPII"]},
    ],
)
def test_a_name_or_number_belongs_to_one_tpp(changes: dict[str, object]) -> None:
    """Neither may be registered again with other data, not by the operator's mistake either."""
    world = RegisterWorld()
    world.register.register_new(registration())
    world.calls.clear()

    with pytest.raises(RegistrationConflict):
        world.register.register_new(registration(**changes))
    with pytest.raises(RegistrationConflict):
        world.register.ensure_registered(registration(**changes), holdings=Holdings())

    assert world.calls == []


def test_the_register_has_a_limit() -> None:
    """Registration is open to everybody, so it ends somewhere."""
    world = RegisterWorld(max_tpps=1)
    world.register.register_new(registration())

    with pytest.raises(RegisterFull):
        world.register.register_new(registration(name="other", authorisation_number="PSDDE-BAFIN-2"))


def test_the_operator_puts_right_what_is_missing() -> None:
    """What the applicant holds is kept: only the lost certificate is issued anew."""
    world = RegisterWorld()
    first = world.register.register_new(registration())
    world.calls.clear()

    again = world.register.ensure_registered(
        registration(), holdings=Holdings(kinds=frozenset({TppCertificateKind.QWAC}), access_token=first.access_token)
    )

    assert world.calls == ["tenant acme", "tpp acme active", f"client {NUMBER}", "issue qseal"]
    assert again.access_token == first.access_token


def test_a_blocked_tpp_stays_blocked_when_registered_again() -> None:
    """Registering again is no way around the operator's decision."""
    world = RegisterWorld()
    registered = world.register.register_new(registration())
    world.register.set_blocked(registered.tpp, blocked=True)
    world.calls.clear()

    again = world.register.ensure_registered(registration(), holdings=Holdings())

    assert again.tpp.status is TppStatus.BLOCKED
    assert "tpp acme blocked" in world.calls


def test_blocking_is_recorded_only_when_the_gateway_knows() -> None:
    """A register that says blocked while the gateway lets in would lie."""
    world = RegisterWorld()
    registered = world.register.register_new(registration())
    world.gateway.is_down = True

    with pytest.raises(PeerUnavailable):
        world.register.set_blocked(registered.tpp, blocked=True)

    assert world.register.require("acme").status is TppStatus.ACTIVE


def test_access_needs_the_token_of_this_very_tpp() -> None:
    """Another TPP's token, a wrong one and an unknown TPP are refused alike."""
    world = RegisterWorld()
    mine = world.register.register_new(registration())
    other = world.register.register_new(registration(name="other", authorisation_number="PSDDE-BAFIN-2"))

    assert world.register.require_access(NUMBER, mine.access_token) == mine.tpp
    for number, token in ((NUMBER, other.access_token), (NUMBER, "guess"), (NUMBER, ""), ("PSDDE-BAFIN-3", mine.access_token)):
        with pytest.raises(AccessDenied):
            world.register.require_access(number, token)


def test_a_tpp_revokes_its_own_certificates_only() -> None:
    """Another TPP's serial number is as unknown as one that was never issued."""
    world = RegisterWorld()
    mine = world.register.register_new(registration())
    other = world.register.register_new(registration(name="other", authorisation_number="PSDDE-BAFIN-2"))
    serial = other.certificates[TppCertificateKind.QWAC].serial

    with pytest.raises(UnknownCertificate):
        world.register.revoke(mine.tpp, serial, RevocationReason.KEY_COMPROMISE)

    assert world.authority.certificate(serial).status is CertificateStatus.VALID
    record = world.register.revoke(other.tpp, serial, RevocationReason.KEY_COMPROMISE)
    assert record.status is CertificateStatus.REVOKED


def test_a_removed_tpp_leaves_nothing_that_opens_anything() -> None:
    """Client, access and certificates end; name and number are free again, with a clean record."""
    world = RegisterWorld()
    registered = world.register.register_new(registration())
    world.calls.clear()

    world.register.remove(registered.tpp)

    reason = RevocationReason.CESSATION_OF_OPERATION
    assert world.calls == [f"no client {NUMBER}", "tpp acme blocked", f"revoke {reason}", f"revoke {reason}"]
    with pytest.raises(UnknownTpp):
        world.register.require("acme")
    namesake = world.register.register_new(registration(authorisation_number="PSDDE-BAFIN-2"))
    assert len(world.register.certificates(namesake.tpp)) == 2


@pytest.mark.parametrize("fault", [Fault.FLAT_ENCODED, Fault.NOT_YET_VALID])
def test_a_removed_tpps_faulty_certificates_end_too(fault: Fault) -> None:
    """One that is read in spite of its fault, or begins next week, would speak for whoever registers the number next."""
    world = RegisterWorld()
    registered = world.register.register_new(registration())
    faulty = world.register.issue(registered.tpp, TppCertificateKind.QWAC, fault=fault)

    world.register.remove(registered.tpp)

    assert world.authority.certificate(faulty.serial).status is CertificateStatus.REVOKED


def test_a_certificate_that_nobody_revokes_is_no_obstacle_to_removal() -> None:
    """One of an authority that nobody trusts opens nothing anyway."""
    world = RegisterWorld()
    registered = world.register.register_new(registration())
    world.authority.revoke = _not_revocable  # type: ignore[method-assign]

    world.register.remove(registered.tpp)

    with pytest.raises(UnknownTpp):
        world.register.require("acme")


def _not_revocable(serial: str, reason: RevocationReason) -> CertificateRecord:  # noqa: ARG001 - the authority's signature
    raise NotRevocable(f"{serial}: its issuer publishes no revocations")


def test_leaving_is_no_way_out_of_a_block() -> None:
    """A TPP that left and registered again would be let in again."""
    world = RegisterWorld()
    registered = world.register.register_new(registration())
    blocked = world.register.set_blocked(registered.tpp, blocked=True)
    world.calls.clear()

    with pytest.raises(TppBlocked):
        world.register.leave(blocked)

    assert world.calls == []
    assert world.register.require("acme").status is TppStatus.BLOCKED


def test_a_fapi_client_has_an_id_that_nobody_guesses() -> None:
    """A Berlin Group client is known by its number (BG IG 1.3.8 §13), a FAPI one is not."""
    world = RegisterWorld()

    registered = world.register.register_new(registration(profile="fapi2"))

    assert registered.tpp.client_id.startswith("acme-")
    assert len(registered.tpp.client_id) >= 17
