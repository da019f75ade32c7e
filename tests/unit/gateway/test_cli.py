"""`gateway`: documents from files, differences before changes, exit statuses that scripts can rely on."""

from __future__ import annotations

import getpass
import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from requests import Response
from requests.structures import CaseInsensitiveDict
from sqlalchemy import select
from structlog.testing import capture_logs

from chassis.sealing import KeyFile, Seal
from gateway.acme.store import SqlAcme
from gateway.admin_audit.store import record_change
from gateway.changes.store import changing
from gateway.cli.root import run
from gateway.kinds import KINDS as REAL_KINDS
from gateway.register.model import SigningAlg
from gateway.tables.configuration import admin_audit
from psd2.clock import FixedClock, SystemClock
from tests.support.admin import admin_client
from tests.support.jose import SCHEDULE, server_keys

if TYPE_CHECKING:
    from pathlib import Path

    from flask.testing import FlaskClient
    from sqlalchemy import Engine


ACME = """
[[plans.gold.entitlements]]
deployments = ["*"]
rate = { per_second = 5 }
[subscribers.acme]
plans = ["gold"]
"""


ORDERED = """
[acme-accounts.public]
directory = "https://acme.example/directory"
[acme-certificates.shop]
account = "public"
names = ["shop.example"]
"""


class WithoutSockets:
    """Carries requests to the application itself."""

    def __init__(self, client: FlaskClient) -> None:
        self._client = client

    def request(self, method: str, path: str, **options: Any) -> Response:
        # What the server logs is not what the command prints.
        with capture_logs():
            told = self._client.open(
                path, method=method, query_string=options["params"], headers=options["headers"], data=options.get("data")
            )
        answer = Response()
        answer.status_code, answer._content, answer.headers = told.status_code, told.data, CaseInsensitiveDict(told.headers)
        return answer


class Terminal:
    """A terminal of somebody who runs `gateway`."""

    def __init__(self, client: FlaskClient, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self._session = WithoutSockets(client)
        self._folder = folder
        self._capsys = capsys

    @property
    def session(self) -> WithoutSockets:
        """What carries the requests."""
        return self._session

    def file(self, text: str, name: str = "documents.toml") -> str:
        path = self._folder / name
        path.write_text(text)
        return str(path)

    def run(self, *arguments: str) -> tuple[int, str]:
        """Return the exit status and what was printed, errors too."""
        status = run(arguments, session=self._session)
        printed = self._capsys.readouterr()
        return status, printed.out + printed.err

    def json(self, *arguments: str) -> Any:
        return orjson.loads(self.run(*arguments, "--json")[1])


@pytest.fixture
def terminal(engine: Engine, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Terminal:
    return Terminal(admin_client(engine, tmp_path), tmp_path, capsys)


def test_a_subscribers_tokens_are_issued_listed_and_revoked(
    engine: Engine, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A token is printed alone, for scripts, and once; what is stored is its hash, and no command prints that."""
    terminal = Terminal(admin_client(engine, tmp_path, kinds=REAL_KINDS), tmp_path, capsys)
    assert terminal.run("apply", "-f", terminal.file(ACME))[0] == 0
    assert run(["token", "issue", "acme", "first"], session=terminal.session) == 0
    printed = capsys.readouterr()
    secret = printed.out.strip()
    assert (len(secret), secret in printed.err) == (52, False)
    second = terminal.json("token", "issue", "acme", "second", "--expires", "2027-12-31T00:00:00Z")
    assert (second["id"], second["token"] != secret) == ("second", True)

    listed = terminal.json("token", "list", "acme")
    assert [(each["id"], each["not_before"], each["expires"]) for each in listed] == [
        ("first", None, None),
        ("second", None, "2027-12-31T00:00:00Z"),
    ]
    said = terminal.run("token", "list", "acme")[1]
    assert ("first" in said, secret in said, hashlib.sha256(secret.encode()).hexdigest() in said) == (True, False, False)

    assert terminal.run("token", "revoke", "acme", "first")[0] == 0
    assert [each["id"] for each in terminal.json("token", "list", "acme")] == ["second"]
    for arguments in (("revoke", "acme", "first"), ("issue", "acme", "second"), ("list", "nobody")):
        status, said = terminal.run("token", *arguments)
        assert (status, said.startswith("gateway: ")) == (2, True), said
    with engine.connect() as connection:
        row = connection.execute(select(admin_audit).order_by(admin_audit.c.number.desc()).limit(1)).one()
    assert (row.object_name, row.on_behalf_of, secret in row.difference) == ("acme", getpass.getuser(), False)


def test_signing_keys_are_listed_and_changed_by_hand(terminal: Terminal, engine: Engine) -> None:
    """The next one signs once clients may know it; or at once, where others may have the present one. Both are recorded."""
    clock = SystemClock()
    with capture_logs():
        server_keys(engine, FixedClock(clock.now() - SCHEDULE.ahead)).keep_up([SigningAlg.ES256])
    present, following = [each["kid"] for each in terminal.json("key", "list")]

    assert terminal.json("key", "rotate", "ES256") == {"signs": following, "withdrawn": None}
    assert [(each["kid"], each["state"]) for each in terminal.json("key", "list")] == [
        (present, "retired"),
        (following, "signs"),
    ]
    status, said = terminal.run("key", "rotate", "ES256")
    assert (status, "no successor for ES256 yet" in said) == (2, True)

    with capture_logs():
        server_keys(engine, clock).keep_up([SigningAlg.ES256])
    status, said = terminal.run("key", "rotate", "ES256")
    assert (status, "If others have the present one, withdraw it" in said) == (2, True)
    assert f"{following} is withdrawn" in terminal.run("key", "rotate", "ES256", "--withdraw")[1]
    assert [each["state"] for each in terminal.json("key", "list")] == ["retired", "withdrawn", "signs"]
    assert "replaced" in terminal.run("audit", "list")[1]


def test_documents_are_applied_from_files_and_what_stands_is_left_alone(terminal: Terminal) -> None:
    """`diff` tells before; 1 where something differs, 0 where nothing does."""
    file = terminal.file('[plans.gold]\nrate = 10\n[shops.corner]\naddress = "/a"\nplan = "gold"\n')

    status, said = terminal.run("diff", "-f", file)
    assert (status, "+ plans/gold created" in said, "rate: (none) → 10" in said) == (1, True, True)
    assert terminal.run("apply", "-f", file, "--dry-run")[0] == 1
    assert terminal.run("get", "plans")[1].count("gold") == 0
    assert terminal.run("apply", "-f", file)[0] == 0
    assert terminal.run("diff", "-f", file) == (0, "nothing differs\n")
    assert terminal.run("apply", "-f", file) == (0, "nothing to do\n")
    terminal.file("[plans.gold]\nrate = 20\n")
    assert terminal.run("apply", "-f", file)[1] == "~ plans/gold replaced (version 2)\n    rate: 10 → 20\n"


def test_a_file_with_faults_changes_nothing_and_each_fault_is_a_line(terminal: Terminal) -> None:
    """2."""
    file = terminal.file('[plans.gold]\nrate = 0\n[shops.corner]\naddress = "a"\n[plans.silver]\nrate = 1\n')

    status, said = terminal.run("apply", "-f", file)

    assert status == 2
    assert [line.split(": ")[1:3] for line in said.splitlines()] == [["plans/gold", "rate"], ["shops/corner", "address"]]
    assert terminal.json("get", "plans") == []


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[plans", "is no TOML"),
        ("[plans.gold]\nrate = 2026-01-01\n", "holds what JSON can't say"),
        ("[plan.a]\n", "plan/a: kind"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused(terminal: Terminal, text: str, complaint: str) -> None:
    """With the reason."""
    status, said = terminal.run("apply", "-f", terminal.file(text))
    assert (status, complaint in said) == (2, True)


def test_what_is_printed_can_be_applied_again(terminal: Terminal) -> None:
    """Secrets are not printed, and stay what they were."""
    terminal.run("apply", "-f", terminal.file('[shops.corner]\naddress = "/a"\nsecret = "open sesame"\n'))
    printed = terminal.run("get", "shops", "corner")[1]
    assert "sesame" not in printed

    file = terminal.file(printed.replace('"/a"', '"/b"'), "corner.json")
    assert terminal.run("apply", "-f", file)[1] == '~ shops/corner replaced (version 2)\n    address: "/a" → "/b"\n'


def test_a_document_is_described_with_who_uses_it(terminal: Terminal) -> None:
    """In the words of its kind."""
    terminal.run("apply", "-f", terminal.file('[plans.gold]\nrate = 10\n[shops.corner]\naddress = "/a"\nplan = "gold"\n'))

    assert "used by:\n  -:\n    document: shops/corner" in terminal.run("describe", "plans", "gold")[1]
    assert "description:\n  rate: 10" in terminal.run("describe", "shops", "corner")[1]
    assert terminal.json("describe", "shops", "corner")["description"] == {"rate": 10}
    assert "plans  1" in terminal.run("get")[1]


def test_a_document_comes_back_from_its_history(terminal: Terminal) -> None:
    """Also one that was deleted; one in use is not deleted."""
    terminal.run("apply", "-f", terminal.file('[plans.gold]\nrate = 10\n[shops.corner]\naddress = "/a"\nplan = "gold"\n'))
    status, said = terminal.run("delete", "plans", "gold")
    assert (status, "used by shops/corner" in said) == (2, True)
    assert terminal.run("delete", "shops", "corner", "--dry-run")[0] == 1
    assert terminal.run("delete", "shops", "corner")[0] == 0
    assert terminal.run("delete", "shops", "corner")[0] == 2
    assert terminal.run("rollback", "shops", "corner", "--to", "1", "--dry-run")[0] == 1
    assert terminal.run("rollback", "shops", "corner", "--to", "1")[0] == 0
    assert terminal.run("rollback", "shops", "corner", "--to", "9")[0] == 2
    assert [each["version"] for each in terminal.json("history", "shops", "corner")] == [3, 2, 1]
    assert "version 2 deleted by operator" in terminal.run("history", "shops", "corner")[1]


def test_the_audit_is_listed_and_verified(terminal: Terminal, engine: Engine) -> None:
    """1 where it was tampered with; the head tells what was cut off."""
    for rate in (10, 20):
        terminal.run("apply", "-f", terminal.file(f"[plans.gold]\nrate = {rate}\n"))
    listed = terminal.run("audit", "list")[1]
    assert "by operator: replaced plans/gold\n    rate: 10 → 20" in listed
    verdict = terminal.json("audit", "verify")
    assert (verdict["intact"], verdict["records"]) == (True, 2)
    assert terminal.run("audit", "verify", "--head", verdict["head"])[0] == 0

    with engine.begin() as connection:
        connection.execute(admin_audit.delete().where(admin_audit.c.number == 2))
    assert terminal.run("audit", "verify")[0] == 0
    status, said = terminal.run("audit", "verify", "--head", verdict["head"])
    assert (status, "the end was cut off" in said) == (1, True)


@pytest.mark.parametrize("trick", ["\x1b[2J", "\x9b2J", "\r", "\x7f", "\u202e", "\u2028"], ids=ascii)
def test_nothing_that_is_printed_controls_the_terminal(terminal: Terminal, engine: Engine, trick: str) -> None:
    """A TPP chooses its own name, and whoever holds a name chooses what the operator's terminal reads."""
    with changing(engine) as connection:
        record_change(connection, f"k{trick}", f"n{trick}", before=None, after={f"f{trick}": trick}, at=datetime.now(UTC))

    for command in (["audit", "list"], ["audit", "list", "--json"], ["get", f"k{trick}", "x"]):
        printed = terminal.run(*command)[1]
        assert trick not in printed
        assert printed.replace("\n", "").isprintable()
    assert trick in orjson.loads(terminal.run("audit", "list", "--json")[1])["records"][0]["object_name"]


def test_wrong_usage_and_a_gateway_out_of_reach_are_told_apart(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], terminal: Terminal
) -> None:
    """2 and 3."""
    assert terminal.run("get", "plan")[0] == 2
    assert terminal.run("apply")[0] == 2
    assert terminal.run("audit", "verify", "--head", "x")[0] == 2
    assert run(["get", "--home", str(tmp_path)]) == 3
    assert "can't be reached" in capsys.readouterr().err


def test_orders_of_certificates_are_told_and_tried_again(
    engine: Engine, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the reason, and a status that a script can rely on."""
    terminal = Terminal(admin_client(engine, tmp_path, kinds=REAL_KINDS), tmp_path, capsys)
    assert terminal.run("apply", "-f", terminal.file(ORDERED))[0] == 0
    assert terminal.run("certificate", "orders")[0] == 0
    kept, now = SqlAcme(engine, Seal(KeyFile(tmp_path / "key"))), SystemClock().now()
    assert kept.is_leased("shop", until=now, now=now)
    kept.note(replace(kept.progress("shop"), failures=2, failure="no such name", next_try_at=now + timedelta(hours=6)))

    status, said = terminal.run("certificate", "orders")
    assert (status, "no such name (failed 2 times, next try" in said) == (1, True), said
    assert terminal.json("certificate", "orders")[0]["state"] == "failing"
    assert terminal.run("certificate", "try", "shop")[0] == 0
    assert "next try now" in terminal.run("certificate", "orders")[1]
    status, said = terminal.run("certificate", "try", "other")
    assert (status, said.startswith("gateway: ")) == (2, True), said
    assert terminal.json("certificate", "expiring", "--days", "1") == []
