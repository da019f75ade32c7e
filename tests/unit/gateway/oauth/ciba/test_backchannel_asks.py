"""How often a PSU is asked: who does not say yes is not asked over and over (CIBA Core §13)."""

from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor

from gateway.oauth.ciba.bank import AskStatus
from psd2.roles import PspRole
from tests.support.authorization import CLIENT, AuthorizationWorld, tpp
from tests.support.backchannel import begin, begun, poll, refusal_of, register_for_ciba
from tests.support.pki import ALL_ROLES


def another_client(world: AuthorizationWorld, client_id: str) -> None:
    """Register a further client of the TPP."""
    register_for_ciba(world, client_id=client_id)


def test_a_psu_is_not_asked_over_and_over_until_it_says_yes(asking: AuthorizationWorld) -> None:
    """Five times, then once a minute, whatever became of the requests; the refusal says how long to wait."""
    for _ in range(5):
        begun(asking)
        asking.bank.decide_ask(AskStatus.REJECTED)
    answer = begin(asking)
    assert refusal_of(answer, 403) == ("access_denied", "ciba.too_many_asks")
    assert "asked 5 times" in answer.get_json()["error_description"]
    assert "wait 60 s" in answer.get_json()["hint"]
    assert len(asking.bank.asks) == 5

    asking.clock.advance(dt.timedelta(seconds=60))
    begun(asking)
    assert refusal_of(begin(asking), 403)[1] == "ciba.too_many_asks"


def test_another_psu_is_asked_all_the_same(asking: AuthorizationWorld) -> None:
    asking.bank.psus |= {"petra.hofmann"}
    for _ in range(5):
        begun(asking)
    begun(asking, login_hint="petra.hofmann")


def test_a_tpp_gains_little_by_further_clients(asking: AuthorizationWorld) -> None:
    """All of its clients together ask a PSU twice as often as one."""
    names = [CLIENT, "client-3", "client-4"]
    for name in names[1:]:
        another_client(asking, name)
    asked = {name: [begin(asking, client_id=name).status_code for _ in range(7)] for name in names}
    # What one is refused is taken from no other.
    assert asked == dict.fromkeys(names[:2], [200] * 5 + [403] * 2) | {names[2]: [403] * 7}
    assert len(asking.bank.asks) == 10


def test_a_yes_is_counted_out_again_once(asking: AuthorizationWorld) -> None:
    """Whoever is expected may ask as often as it needs to; a request that gives tokens twice at one moment counts once."""
    for _ in range(7):
        auth_req_id = begun(asking)
        asking.bank.decide_ask(AskStatus.APPROVED)
        assert poll(asking, auth_req_id, wait=0).status_code == 200
        assert refusal_of(poll(asking, auth_req_id, wait=0))[1] in {"ciba.slow_down", "ciba.redeemed"}


def test_an_approval_that_gives_no_tokens_is_counted(asking: AuthorizationWorld) -> None:
    """Polls that fail pay nothing back, however many there are."""
    auth_req_id = begun(asking)
    asking.bank.decide_ask(AskStatus.APPROVED)
    for _ in range(4):
        begun(asking)
    asking.register.save_tpp(tpp(roles=ALL_ROLES - {PspRole.AI}))
    asking.bank.decide_ask(AskStatus.APPROVED)
    for wait in (0, 5):
        assert refusal_of(poll(asking, auth_req_id, wait=wait)) == ("invalid_grant", "psd2.role")
    asking.register.save_tpp(tpp())
    assert refusal_of(begin(asking), 403)[1] == "ciba.too_many_asks"


def test_who_was_never_asked_is_not_counted(asking: AuthorizationWorld) -> None:
    """A request that the bank refuses bothers nobody."""
    for _ in range(6):
        assert refusal_of(begin(asking, scope="AIS:unknown"))[0] == "invalid_scope"
    begun(asking)


def test_of_asks_at_the_same_instant_so_many_get_through(asking: AuthorizationWorld) -> None:
    """Over threads, and so over processes: the database decides."""
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda _: begin(asking).status_code, range(12)))
    assert sorted(answers) == [200] * 5 + [403] * 7
    assert len(asking.bank.asks) == 5
