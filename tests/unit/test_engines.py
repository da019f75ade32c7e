"""Integration tests run on SQLite and on PostgreSQL: who gets past the two-engine fixtures is listed here, with the reason."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.support.databases import ENGINES

TESTS = Path(__file__).parents[1]
INTEGRATION = TESTS / "integration"

# What opens a service's database, or starts a server on one, wherever its URL comes from. A whole platform is another matter:
# by default it is as `sandbox up` makes it, on SQLite, and test_platform_on_postgresql has one on PostgreSQL.
OPENERS = frozenset(
    {
        "open_engine",
        "create_engine",
        "migrate",
        "migrated",
        "open_database",
        "open_gateway_engine",
        "open_sandbox_engine",
        "database_command",
        "build_services",
        "build_doctor",
        "create_services",
        "seed_bank",
        "open_bank",
        "copy_of",
        "sqlite3",
        "running_edge",
        "running_front",
    }
)
LENDERS = frozenset({"databases", "module_databases", "database_url"})

_EDGE = "the edge's HTTP and TLS, which meet no database; what it reads from one: test_edge_databases"
EXCEPTIONS = {
    "test_container_databases": "rights of users on a PostgreSQL server: SQLite has neither",
    "test_edge_acme": "the edge's answers to a CA; accounts, orders and challenges as they are stored: test_acme",
    "test_edge_basics": _EDGE,
    "test_edge_certificates": "what is shown in handshakes; how documents and their keys are kept: test_kind of certificates",
    "test_edge_deadlines": _EDGE,
    "test_edge_deployments": "how the edge decides by deployments; how they are stored and judged: test_configuration_races",
    "test_edge_evidence": _EDGE,
    "test_edge_http2": _EDGE,
    "test_edge_message_signatures": "what the edge judges and signs; its keys, and passing once: test_edge_databases",
    "test_edge_plans": "what clients meet of plans and limits; the stores that count: test_limits_exactness",
    "test_edge_refusals": _EDGE,
    "test_edge_tokens": _EDGE,
    "test_edge_tls": _EDGE,
    "test_edge_registered_certificates": _EDGE,
    "test_edge_relays": "who stands before the edge and is believed; how the documents are stored: test_configuration_races",
    "test_edge_request_log": _EDGE,
    "test_edge_requests": _EDGE,
    "test_edge_forwarding": _EDGE,
    "test_edge_revocation": "the edge's judgement by responders and documents; what is kept of them: test_trust_store",
    "test_edge_signatures": _EDGE,
    "test_edge_upstream": _EDGE,
    "test_edge_upstream_deadlines": _EDGE,
    "test_edge_upstreams": "whom the edge calls and how; the documents that say so are stored as all: test_configuration_races",
    "test_edge_changes": "the feed's timing in one worker, by what its source tells; the source itself: test_edge_databases",
    "test_edge_configuration": "how workers take a new set; how a set is stored and judged: test_configuration_races",
    "test_platform_refusals": "homes and their files, SQLite's among them",
}
# These use the fixtures, and open something past them too.
BESIDE = {
    "test_bank_account_migration": {"open_engine", "migrate"},  # one revision to the next, on URLs that the fixture lent
    "test_cert_explain": {"build_services", "open_sandbox_engine"},  # the command's own way to the URL that the fixture lent
    "test_trust_migration": {"open_engine", "migrate"},  # one revision to the next, on URLs that the fixture lent
    # They are what it tests, on URLs lent and on files that only SQLite has.
    "test_chassis_database": {"open_engine", "migrate", "database_command", "sqlite3"},
    "test_single_statements": {"open_engine"},  # a table of its own, on the URL that the fixture lent
    "test_statements": {"open_engine", "sqlite3"},  # the same, and what only SQLite is given ready-made
    "test_developer_command": {"build_services"},  # the command's own way to the URL that the fixture lent
    "test_edge_databases": {"running_edge"},  # on the URL that the fixture lent
}


def named(source: str) -> set[str]:
    """Return every name that a module uses: what it imports, calls, and takes as a fixture."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Name(id=name) | ast.arg(arg=name) | ast.Attribute(attr=name):
                names.add(name)
            case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
                names |= {alias.name for alias in aliases}
            case ast.Constant(value=str(text)) if "sqlite://" in text:
                names.add("sqlite3")
    return names


def complaint(module: str, source: str) -> str | None:
    """Return what is wrong with an integration test module, or None."""
    names = named(source)
    opened = (names & OPENERS) - BESIDE.get(module, set())
    if not opened or module in EXCEPTIONS:
        return None
    lent = " as well as through the fixture" if names & LENDERS else ""
    return (
        f"tests/integration/{module}.py opens a database by {', '.join(sorted(opened))}{lent}: take it from `databases` or "
        "`module_databases` (tests/support/databases.py), which run the test on both engines, or give the reason here"
    )


@pytest.mark.parametrize("path", sorted(INTEGRATION.glob("*.py")), ids=lambda path: path.stem)
def test_an_integration_test_gets_its_database_from_the_two_engine_fixtures(path: Path) -> None:
    assert complaint(path.stem, path.read_text("utf-8")) is None


@pytest.mark.parametrize("module", sorted(EXCEPTIONS | dict.fromkeys(BESIDE, "")))
def test_an_exception_is_still_one(module: str) -> None:
    """A list that names what is no longer there would hide the next one."""
    names = named((INTEGRATION / f"{module}.py").read_text("utf-8"))

    assert names & OPENERS >= BESIDE.get(module, set())
    assert names & OPENERS


@pytest.mark.parametrize(
    "source",
    [
        "from chassis.sql.database import open_engine\nengine = open_engine('postgresql://x')",
        "from tests.support import bank_core\nbank = bank_core.seed_bank(url)",
        "import sqlite3",
        "URL = f'sqlite:///{folder}/x'",
        "def test_x(databases, tmp_path):\n    with running_edge(tmp_path) as edge: ...",
    ],
)
def test_whoever_goes_past_them_is_found(source: str) -> None:
    assert "tests/integration/test_new.py opens a database by" in str(complaint("test_new", source))


def test_whoever_takes_them_is_not() -> None:
    assert complaint("test_new", "def test_x(databases):\n    with databases.opened('bank_backend') as engine: ...") is None


def test_the_fixtures_run_on_every_engine() -> None:
    """Both are parametrised with all of them."""
    assert ENGINES == ("sqlite", "postgresql")
    fixtures = [
        node for node in ast.parse((TESTS / "conftest.py").read_text("utf-8")).body if isinstance(node, ast.FunctionDef)
    ]
    decorated = {node.name: ast.unparse(node.decorator_list[0]) for node in fixtures if node.decorator_list}
    for name in ("databases", "module_databases"):
        assert "params=ENGINES" in decorated[name]
    assert "databases" in {argument.arg for node in fixtures if node.name == "database_url" for argument in node.args.args}
