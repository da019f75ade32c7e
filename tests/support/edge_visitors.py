"""TPPs of a single test, and connections to every worker of an edge."""

from __future__ import annotations

import secrets
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ssl

    from tests.support.edge import Answer, EdgeUnderTest
    from tests.support.pki import Issued


@dataclass(frozen=True)
class OwnTpp:
    """A TPP of one test: what happens to it touches no other test."""

    number: str
    client_id: str
    qwac: Issued

    @staticmethod
    def registered(edge: EdgeUnderTest) -> OwnTpp:
        """Register one, and a client of it."""
        number = f"PSDDE-BAFIN-{secrets.randbelow(900_000) + 100_000}"
        edge.register.tpp(number)
        edge.register.client(f"client-of-{number}", number)
        return OwnTpp(number, f"client-of-{number}", edge.authority.qwac(number=number))

    def token(self, edge: EdgeUnderTest) -> str:
        """Return a token that is bound to its certificate."""
        return edge.register.token(self.qwac, number=self.number, client_id=self.client_id)


def open_on_both_workers(
    edge: EdgeUnderTest, certificate: Issued, context: ssl.SSLContext | None = None
) -> list[ssl.SSLSocket]:
    """Open connections at the same time until each worker serves at least one, and use each."""
    opened: list[ssl.SSLSocket] = []
    context = context or edge.context(certificate)
    with ThreadPoolExecutor(8) as pool:
        while not _seen_by_both_workers(edge, certificate):
            assert len(opened) < 200, "one worker takes all connections"
            opened += pool.map(lambda _: edge.connect(context=context), range(8))
            assert {edge.over(connection).status for connection in opened} == {200}
    return opened


def answers_of_all_workers(edge: EdgeUnderTest, certificate: Issued) -> list[Answer]:
    """Ask over new connections until each worker has answered: whose an answer is, its audit file tells."""
    answers: list[Answer] = []
    context = edge.context(certificate)

    def asked(_: int) -> Answer:
        with edge.connect(context=context) as connection:
            return edge.over(connection)

    with ThreadPoolExecutor(8) as pool:
        while True:
            assert len(answers) < 200, "one worker takes all connections"
            answers += pool.map(asked, range(8))
            ids = [answer.headers["x-sandbox-request"] for answer in answers]
            logs = [log.read_text() for log in edge.home.log.glob("audit-*.jsonl")]
            if sum(any(each in log for each in ids) for log in logs) == len(edge.workers()):
                return answers


def _seen_by_both_workers(edge: EdgeUnderTest, certificate: Issued) -> bool:
    """Whether the certificate stands in the audit files of both."""
    return sum(certificate.sha256 in path.read_text() for path in edge.home.log.glob("audit-*.jsonl")) == 2
