"""What is remembered of browsers: sealed, bounded, each its own."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from chassis.sql.database import open_engine
from psd2.ids import new_secret
from tests.unit.tpp_client.web.conftest import NOW
from tpp_client.web.visits.model import (
    ATTEMPT_SECONDS,
    MOST_PAYMENTS,
    MOST_SPENT,
    MOST_UNSEEN_CALLS,
    Attempt,
    Connection,
    PaymentRecord,
    Purpose,
    Visit,
    WireCall,
)
from tpp_client.web.visits.sealing import row_name, seal, unseal
from tpp_client.web.visits.store import VisitStore

if TYPE_CHECKING:
    from pathlib import Path

    from psd2.clock import FixedClock

CONNECTION = Connection(
    consent_id="c1", access_token="acc3ss-t0ken", refresh_token="r3fresh-t0ken", expires_at=NOW.timestamp(), since=0.0
)
CONNECTED = Visit().connected(CONNECTION)


def store_in(folder: Path, clock: FixedClock, *, most: int = 10, lifetime_seconds: float = 3600) -> VisitStore:
    engine = open_engine(f"sqlite:///{folder / 'visits.sqlite'}")
    return VisitStore(engine, clock=clock, most=most, lifetime_seconds=lifetime_seconds)


def attempt(state: str = "st4te") -> Attempt:
    return Attempt(
        purpose=Purpose.ACCOUNTS,
        resource="c1",
        client_id="x",
        redirect_uri="https://localhost:8446/callback",
        scope="AIS:c1",
        state=state,
        verifier="v3rifier",
        begun_at=NOW.timestamp(),
    )


def test_a_visit_is_found_by_its_own_secret_only(tmp_path: Path, clock: FixedClock) -> None:
    """As it was written."""
    visits, secret = store_in(tmp_path, clock), new_secret()
    visits.change(secret, lambda _: CONNECTED.began(attempt()))

    assert visits.find(secret) == CONNECTED.began(attempt())
    assert visits.find(new_secret()) is None


def test_the_database_holds_neither_tokens_nor_cookies(tmp_path: Path, clock: FixedClock) -> None:
    """Whoever steals the file has nothing: the key is the cookie."""
    visits, secret = store_in(tmp_path, clock), new_secret()
    visits.change(secret, lambda _: CONNECTED)
    content = b"".join(file.read_bytes() for file in tmp_path.iterdir())

    assert row_name(secret).encode() in content
    for private in (secret, "acc3ss-t0ken", "r3fresh-t0ken", 'c1"'):
        assert private.encode() not in content


def test_a_sealed_visit_opens_for_nobody_else() -> None:
    """Another secret, a flipped bit, a cut: nothing, and no crash."""
    secret, sealed = "s" * 43, seal(CONNECTED, "s" * 43)

    assert unseal(sealed, secret) == CONNECTED
    assert unseal(sealed, "t" * 43) is None
    assert unseal(sealed[:-1] + bytes([sealed[-1] ^ 1]), secret) is None
    assert unseal(sealed[:5], secret) is None


def test_rows_can_not_be_swapped(tmp_path: Path, clock: FixedClock) -> None:
    """What is sealed opens under its own name only."""
    visits = store_in(tmp_path, clock)
    mine, yours = new_secret(), new_secret()
    visits.change(mine, lambda _: CONNECTED)
    visits.change(yours, lambda _: Visit())
    with open_engine(f"sqlite:///{tmp_path / 'visits.sqlite'}").begin() as connection:
        swap = "UPDATE visits_1 SET sealed = (SELECT sealed FROM visits_1 WHERE name = :mine) WHERE name = :yours"
        connection.execute(text(swap), {"mine": row_name(mine), "yours": row_name(yours)})

    assert visits.find(yours) is None


def test_an_unused_visit_is_forgotten(tmp_path: Path, clock: FixedClock) -> None:
    """After its lifetime; each change begins it anew."""
    visits, secret = store_in(tmp_path, clock, lifetime_seconds=3600), new_secret()
    visits.change(secret, lambda _: CONNECTED)
    clock.advance(dt.timedelta(minutes=59))
    visits.change(secret, lambda visit: visit)
    clock.advance(dt.timedelta(minutes=59))
    assert visits.find(secret) is not None
    clock.advance(dt.timedelta(minutes=2))
    assert visits.find(secret) is None


def test_beyond_the_limit_the_idlest_goes(tmp_path: Path, clock: FixedClock) -> None:
    """Never more rows than allowed, and the active stay."""
    visits, secrets = store_in(tmp_path, clock, most=3), [new_secret() for _ in range(4)]
    for secret in secrets[:3]:
        visits.change(secret, lambda _: CONNECTED)
        clock.advance(dt.timedelta(seconds=1))
    visits.change(secrets[0], lambda visit: visit)
    clock.advance(dt.timedelta(seconds=1))
    visits.change(secrets[3], lambda _: CONNECTED)

    assert visits.count() == 3
    assert visits.find(secrets[0]) is not None
    assert visits.find(secrets[1]) is None


def test_a_moved_visit_is_no_longer_under_the_old_secret(tmp_path: Path, clock: FixedClock) -> None:
    """All of it, at the new one."""
    visits, old, new = store_in(tmp_path, clock), new_secret(), new_secret()
    visits.change(old, lambda _: CONNECTED)
    visits.move(old, to=new)

    assert visits.find(old) is None
    assert visits.find(new) == CONNECTED


def test_a_visit_of_another_release_is_forgotten_not_misread(tmp_path: Path, clock: FixedClock) -> None:
    """Content that does not fit any more is none."""
    visits, secret = store_in(tmp_path, clock), new_secret()
    with pytest.warns(UserWarning, match="Expected `PaymentRecord`"):
        visits.change(secret, lambda _: replace(CONNECTED, payments=(1,)))  # type: ignore[arg-type]

    assert visits.find(secret) is None


def test_secrets_stay_out_of_what_is_printed() -> None:
    """In logs and traces, if ever."""
    shown = repr(CONNECTED.began(attempt()))

    assert not [secret for secret in ("acc3ss", "r3fresh", "st4te", "v3rifier") if secret in shown]


def test_a_visit_has_bounds() -> None:
    """Payments, calls and spent states are kept to a number."""
    visit = Visit()
    for number in range(50):
        call = WireCall(method="GET", url=f"https://localhost/{number}", status=200, milliseconds=1)
        visit = visit.began(attempt(f"state {number}")).spent_attempt()
        visit = visit.with_payment(_payment(str(number))).with_unseen((call,))

    assert (len(visit.payments), len(visit.spent), len(visit.unseen_calls)) == (MOST_PAYMENTS, MOST_SPENT, MOST_UNSEEN_CALLS)
    assert visit.has_spent("state 49")
    assert not visit.has_spent("state 50")


def test_an_attempt_is_over_after_its_time() -> None:
    """As long as the bank lets a PSU decide."""
    begun = attempt()

    assert not begun.is_over(begun.begun_at + ATTEMPT_SECONDS)
    assert begun.is_over(begun.begun_at + ATTEMPT_SECONDS + 1)


def _payment(payment_id: str) -> PaymentRecord:
    return PaymentRecord(
        payment_id=payment_id,
        debtor_iban="DE1",
        creditor_iban="DE2",
        creditor_name="Max",
        amount="1.00",
        currency="EUR",
        remittance="",
        request_id="r",
        status="RCVD",
        made_at=0.0,
    )
