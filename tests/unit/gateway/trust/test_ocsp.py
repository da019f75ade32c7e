"""OCSP answers: believed when every word of them can be, and refused for each that can't."""

from __future__ import annotations

import asyncio
import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from gateway.admission.memory import NotLoaded
from gateway.admission.statuses import Statuses, _Entry
from gateway.trust.fetching import Fetched, FetchFailed
from gateway.trust.judgement import Judge
from gateway.trust.ocsp import OcspFault, ask, read_answer
from gateway.trust.ocsp_client import OcspClient
from gateway.trust.ocsp_status import Answer, OcspStatus, Question
from gateway.trust.ocsp_store import SqlOcspAnswers
from gateway.trust.rules import Method, Nonce, OcspRules, RevocationRules, Scope, StoreRules, UnknownStatus
from gateway.trust.snapshot import CrlInForce, TrustSnapshot
from gateway.trust.verdict import Distrust, Distrusted
from psd2.clock import FixedClock
from psd2.thumbprints import sha256_hex
from tests.support.ocsp import HOUR, Responder, signer_of
from tests.support.pki import DAY, Authority

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Container

    from sqlalchemy import Engine

    from gateway.trust.fetching import Order
    from tests.support.pki import Issued

NOW = dt.datetime.now(dt.UTC).replace(microsecond=0)
ROOT = Authority("Root")
ISSUING = Authority("Issuing", parent=ROOT)
LEAF = ISSUING.qwac()
QUESTION = Question("tpp", LEAF.certificate, ISSUING.certificate)
RULES = OcspRules()


def responding(authority: Authority, signer: Issued | None = None, **options: Any) -> Responder:
    """Answer at the moment that the tests judge at, however long the other tests take before them."""
    return Responder(authority, signer, **({"this_update": NOW} | options))


def read(
    responder: Responder,
    *,
    nonce: Nonce = Nonce.OFF,
    about: Issued | None = None,
    at: dt.datetime = NOW,
    listed: tuple[int, ...] = (),
    damage: Callable[[bytes], bytes] = bytes,
) -> OcspStatus:
    asked = ask(QUESTION, nonce)
    der = damage(responder.answer(asked.der, about=about))
    return read_answer(der, asked, rules=replace(RULES, nonce=nonce), responder="http://ocsp", revoked=listed, now=at)


@pytest.mark.parametrize("signer", [None, signer_of(ISSUING)], ids=["by the issuer", "delegated"])
def test_a_right_answer_is_believed(signer: Issued | None) -> None:
    """Good, revoked and unknown, until its nextUpdate."""
    responder = responding(ISSUING, signer)
    good = read(responder)
    assert (good.verdict, good.known_until) == (Answer.GOOD, pytest.approx((NOW + HOUR).timestamp(), abs=60))
    assert good.refresh_at < good.known_until

    serial = LEAF.certificate.serial_number
    assert read(replace(responder, revoked={serial})).verdict is Answer.REVOKED
    assert read(replace(responder, unknown={serial})).verdict is Answer.UNKNOWN


def flipped(der: bytes) -> bytes:
    """Change the last octet, which is the signature's where no certificate follows it."""
    return der[:-1] + bytes([der[-1] ^ 1])


def unsuccessful(_der: bytes) -> bytes:
    return ocsp.OCSPResponseBuilder.build_unsuccessful(ocsp.OCSPResponseStatus.TRY_LATER).public_bytes(Encoding.DER)


UNBELIEVED = [
    pytest.param(lambda: read(responding(ISSUING), damage=lambda _: b"no DER"), "no readable", id="garbage"),
    pytest.param(lambda: read(responding(ISSUING), damage=unsuccessful), "try_later", id="try later"),
    pytest.param(lambda: read(responding(ISSUING), damage=lambda der: der + bytes(65_536)), "at most 65536", id="huge"),
    pytest.param(lambda: read(responding(ISSUING, attached=()), damage=flipped), "signature does not verify", id="forged"),
    pytest.param(lambda: read(responding(ISSUING), about=ISSUING.qwac()), "about other certificates", id="other certificate"),
    pytest.param(lambda: read(responding(ISSUING, signer_of(ROOT))), "not issued by the CA", id="another CA's signer"),
    pytest.param(lambda: read(responding(ISSUING, signer_of(ISSUING, usages=()))), "lacks OCSPSigning", id="no usage"),
    pytest.param(
        lambda: read(responding(ISSUING, signer_of(ISSUING, usages=[ExtendedKeyUsageOID.CLIENT_AUTH]))),
        "lacks OCSPSigning",
        id="other usage",
    ),
    pytest.param(
        lambda: read(responding(ISSUING, signer_of(ISSUING, not_after=NOW - DAY))), "not valid now", id="expired signer"
    ),
    pytest.param(
        lambda: read(responding(ISSUING, signer_of(ISSUING), attached=())), "does not hold the certificate", id="no signer"
    ),
    pytest.param(lambda: read(responding(ISSUING), at=NOW + 2 * HOUR), "ran out", id="run out"),
    pytest.param(lambda: read(responding(ISSUING), at=NOW - HOUR), "lies in the future", id="future"),
    pytest.param(lambda: read(responding(ISSUING, life=None, this_update=NOW - HOUR)), "ran out", id="old without nextUpdate"),
    pytest.param(
        lambda: read(responding(ISSUING, repeats_nonce=False), nonce=Nonce.REQUIRED), "not repeat the nonce", id="no nonce"
    ),
]


@pytest.mark.parametrize(("reading", "said"), UNBELIEVED)
def test_a_wrong_answer_is_not_believed(reading: Callable[[], OcspStatus], said: str) -> None:
    """Each is wrong in one way."""
    with pytest.raises(OcspFault, match=said):
        reading()


def test_a_responder_whose_certificate_is_revoked_is_not_believed() -> None:
    """Nor one with ocsp-nocheck: that nobody need ask (RFC 6960 §4.2.2.2.1) does not unsay what the list says."""
    for signer in (signer_of(ISSUING, no_check=False), signer_of(ISSUING, no_check=True)):
        with pytest.raises(OcspFault, match="has been revoked"):
            read(responding(ISSUING, signer), listed=(signer.certificate.serial_number,))


def test_an_answer_to_another_request_is_a_replay() -> None:
    """Its nonce is another's; a responder that knows no nonces is one that they are optional for."""
    responder = responding(ISSUING)
    earlier = responder.answer(ask(QUESTION, Nonce.OPTIONAL).der)
    with pytest.raises(OcspFault, match="another nonce"):
        read(responder, nonce=Nonce.OPTIONAL, damage=lambda _: earlier)

    assert read(replace(responder, repeats_nonce=False), nonce=Nonce.OPTIONAL).verdict is Answer.GOOD


# --- the client


class Wire:
    """Fetches from a responder in this process; down where it is None."""

    def __init__(self, responder: Responder | None) -> None:
        self.responder = responder
        self.replayed: bytes | None = None
        self.waiting: Callable[[], None] = lambda: None

    def fetch(self, order: Order) -> Fetched:
        self.waiting()
        if self.responder is None:
            raise FetchFailed(f"{order.url}: nobody listens")
        assert order.body is not None
        return Fetched(self.replayed or self.responder.answer(order.body), None)


def client_of(engine: Engine, wire: Wire, clock: FixedClock, listed: Collection[int] = (), **ocsp_rules: float) -> OcspClient:
    rules = OcspRules(responder="http://ocsp.example/", **ocsp_rules)  # type: ignore[arg-type]
    store = StoreRules(revocation=RevocationRules(method=Method.OCSP, ocsp=rules))
    return OcspClient(
        answers=SqlOcspAnswers(engine),
        fetcher=wire,
        clock=clock,
        rules_of=lambda _store: store,
        revoked_by=lambda _store, _issuer: listed,
    )


def test_one_worker_asks_for_all(engine: Engine) -> None:
    """The answer is kept, and asked for anew when it is no longer young."""
    responder, clock = responding(ISSUING), FixedClock(NOW)
    asking, other = (client_of(engine, Wire(responder), clock, refresh_seconds=60) for _ in range(2))

    first = asking.answer(QUESTION)
    assert (other.answer(QUESTION), responder.asked) == (first, 1)
    clock.advance(dt.timedelta(seconds=61))
    other.answer(QUESTION)
    assert responder.asked == 2


def test_an_answer_holds_while_its_responder_is_silent_and_no_longer_than_it_says(engine: Engine) -> None:
    """Then there is none, with the reason."""
    wire, clock = Wire(responding(ISSUING)), FixedClock(NOW)
    client = client_of(engine, wire, clock, refresh_seconds=60)
    client.answer(QUESTION)
    wire.responder = None

    clock.advance(dt.timedelta(minutes=30))
    assert client.answer(QUESTION).verdict is Answer.GOOD
    clock.advance(dt.timedelta(minutes=31))
    silent = client.answer(QUESTION)
    assert (silent.verdict, "nobody listens" in silent.detail) == (Answer.NONE, True)


def test_a_revocation_stays_when_its_responder_falls_silent(engine: Engine) -> None:
    """Whoever stops the responder must not come in by soft fail."""
    wire, clock = Wire(responding(ISSUING, revoked={LEAF.certificate.serial_number})), FixedClock(NOW)
    client = client_of(engine, wire, clock)
    client.answer(QUESTION)
    wire.responder = None

    clock.advance(dt.timedelta(days=3))
    assert client.answer(QUESTION).verdict is Answer.REVOKED


def test_a_responder_is_asked_again_a_while_after_it_was_given_up(engine: Engine) -> None:
    """However long it was waited for: whoever waited is judged without it rather than sent to wait once more."""
    clock, wire = FixedClock(NOW), Wire(None)
    wire.waiting = lambda: clock.advance(dt.timedelta(seconds=4))
    unanswered = client_of(engine, wire, clock, retry_seconds=1).answer(QUESTION)
    assert (unanswered.verdict, unanswered.known_until) == (Answer.NONE, clock.now().timestamp() + 1)


def test_a_responder_that_was_silent_once_is_asked_again_for_who_is_in_use() -> None:
    """The seconds for which it was waited don't count as disuse; a minute does."""
    asked, taken = NOW.timestamp(), NOW.timestamp() + 7
    good = OcspStatus(verdict=Answer.GOOD, as_of=asked, known_until=taken + 3_600, refresh_at=taken + 1)
    assert _Entry(QUESTION, good, taken, asked).is_in_use
    assert not _Entry(QUESTION, good, taken, asked - 60).is_in_use


def test_an_answer_from_before_the_revocation_is_no_answer_after_it(engine: Engine) -> None:
    """Its signature still holds: plain HTTP lets anybody on the way send it once more."""
    clock = FixedClock(NOW)
    responder = responding(ISSUING, this_update=NOW - HOUR / 2)
    wire = Wire(responder)
    client = client_of(engine, wire, clock, refresh_seconds=60)
    old = responder.answer(ask(QUESTION, Nonce.OFF).der)
    wire.responder = replace(responder, this_update=NOW, revoked={LEAF.certificate.serial_number})
    assert client.answer(QUESTION).verdict is Answer.REVOKED

    wire.replayed = old
    clock.advance(dt.timedelta(seconds=61))
    assert client.answer(QUESTION).verdict is Answer.REVOKED


def test_an_answer_is_believed_no_longer_once_its_signer_is_revoked(engine: Engine) -> None:
    """Whoever stole the key may have dated it far ahead; another signer's word is asked for at once, and counts."""
    stolen, listed, clock = signer_of(ISSUING), set[int](), FixedClock(NOW)
    wire = Wire(responding(ISSUING, stolen, life=30 * DAY))
    client = client_of(engine, wire, clock, listed)
    assert client.answer(QUESTION).verdict is Answer.GOOD

    listed.add(stolen.certificate.serial_number)
    refused = client.answer(QUESTION)
    assert (refused.verdict, "has been revoked" in refused.detail) == (Answer.NONE, True)
    wire.responder = responding(ISSUING, signer_of(ISSUING))
    assert client.answer(QUESTION).verdict is Answer.GOOD


def test_a_revocation_stays_though_its_signer_is_revoked(engine: Engine) -> None:
    """Nobody comes in because the list names whoever spoke against him."""
    signer, listed = signer_of(ISSUING), set[int]()
    wire = Wire(responding(ISSUING, signer, revoked={LEAF.certificate.serial_number}))
    client = client_of(engine, wire, FixedClock(NOW), listed)
    client.answer(QUESTION)

    listed.add(signer.certificate.serial_number)
    wire.responder = None
    assert client.answer(QUESTION).verdict is Answer.REVOKED


def test_a_worker_asks_anew_once_the_signer_of_what_it_remembers_is_revoked() -> None:
    """At the next request, not when the answer has grown old."""
    later = NOW.timestamp() + 3_600
    good = OcspStatus(verdict=Answer.GOOD, as_of=NOW.timestamp(), known_until=later, refresh_at=later, signer="2a")

    async def run() -> None:
        statuses = Statuses(lambda _question: good, clock=FixedClock(NOW), on_refusal=lambda: None, kept=lambda _question: None)
        with pytest.raises(NotLoaded) as missing:
            statuses.status(QUESTION, NOW.timestamp(), ())
        await missing.value.load()
        assert statuses.status(QUESTION, NOW.timestamp(), {0x2B}) is good
        with pytest.raises(NotLoaded):
            statuses.status(QUESTION, NOW.timestamp(), {0x2A})
        statuses.stop()

    asyncio.run(run())


# --- judging by it


class Told:
    """`OcspStatuses` by hand."""

    def __init__(self, **verdicts: Answer) -> None:
        self.verdicts = verdicts
        self.seconds = NOW.timestamp()

    def status(self, question: Question, now: float, revoked: Container[int]) -> OcspStatus:  # noqa: ARG002 - the protocol's
        name = question.certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value
        verdict = self.verdicts["leaf" if name == "tpp.example" else "issuing"]
        until = now + 60
        return OcspStatus(verdict=verdict, as_of=self.seconds, known_until=until, refresh_at=until, revoked_at=self.seconds)


def judged(told: Told, *, method: Method, unknown: UnknownStatus, scope: Scope = Scope.LEAF, crl: bool = False) -> str:
    """Return the method that tells the leaf's status, or the reason of the refusal."""
    in_force = CrlInForce(number=1, this_update=0, next_update=(NOW + DAY).timestamp(), revoked=())
    snapshot = TrustSnapshot(
        anchors=(ROOT.certificate,),
        intermediates=(ISSUING.certificate,),
        crls={sha256_hex(ISSUING.name.public_bytes()): in_force} if crl else {},
    )
    rules = StoreRules(revocation=RevocationRules(method=method, unknown=unknown, scope=scope))
    try:
        trusted = Judge(snapshot, rules, ocsp=told).require_trusted(LEAF.der, digest=b"", now=NOW.timestamp())
    except Distrusted as distrusted:
        return distrusted.distrust.value
    return trusted.status.method if trusted.status else "none"


HARD, SOFT = UnknownStatus.HARD, UnknownStatus.SOFT
REVOKED, UNKNOWN = Distrust.REVOKED.value, Distrust.REVOCATION_UNKNOWN.value


@pytest.mark.parametrize(
    ("answer", "method", "unknown", "crl", "verdict"),
    [
        (Answer.GOOD, Method.OCSP, HARD, False, "ocsp"),
        (Answer.REVOKED, Method.OCSP, SOFT, False, REVOKED),
        (Answer.NONE, Method.OCSP, HARD, True, UNKNOWN),
        (Answer.NONE, Method.OCSP, SOFT, False, "none"),
        (Answer.UNKNOWN, Method.OCSP, SOFT, False, UNKNOWN),
        (Answer.NONE, Method.BOTH, HARD, True, "crl"),
        (Answer.GOOD, Method.BOTH, HARD, False, "ocsp"),
        (Answer.NONE, Method.BOTH, HARD, False, UNKNOWN),
        (Answer.REVOKED, Method.BOTH, HARD, True, REVOKED),
        (Answer.REVOKED, Method.CRL, HARD, True, "crl"),
        (Answer.REVOKED, Method.NONE, HARD, False, "none"),
    ],
)
def test_method_and_failure_decide_together(
    *, answer: Answer, method: Method, unknown: UnknownStatus, crl: bool, verdict: str
) -> None:
    """Each row is one answer under one rule; `crl` says whether the issuer's list is in force too."""
    assert judged(Told(leaf=answer), method=method, unknown=unknown, crl=crl) == verdict


def test_the_whole_chain_is_asked_about_where_the_store_says_so() -> None:
    """The issuing CA's own status is asked of its root."""
    told = Told(leaf=Answer.GOOD, issuing=Answer.REVOKED)
    assert judged(told, method=Method.OCSP, unknown=HARD) == "ocsp"
    assert judged(told, method=Method.OCSP, unknown=HARD, scope=Scope.CHAIN) == REVOKED
    silent = Told(leaf=Answer.GOOD, issuing=Answer.NONE)
    assert judged(silent, method=Method.OCSP, unknown=HARD, scope=Scope.CHAIN) == UNKNOWN
