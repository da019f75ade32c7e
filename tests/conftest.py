"""Fixtures that every kind of test may use."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from tests.support.compiled_templates import remember_templates
from tests.support.databases import ENGINES, Databases, PostgresStore, SqliteStore, Templates
from tests.support.failed_tests import FailedTests
from tests.support.garbage import keep_what_is_loaded
from tests.support.patient_looks import look_patiently
from tests.support.plain_logs import log_plainly
from tests.support.postgres import Postgres, running_postgres
from tests.support.shared import begin_sharing, end_sharing
from tests.support.url_rules import remember_url_rules

if TYPE_CHECKING:
    from collections.abc import Iterator


remember_url_rules()
remember_templates()
log_plainly()
look_patiently()
# How long an example takes says how busy the machine is.
settings.register_profile("tests", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("tests")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the unit tests run on the other engine: `pytest --engine postgresql tests/unit`."""
    parser.addoption("--engine", choices=ENGINES, default="sqlite", help="the database beneath the unit tests")


def pytest_configure(config: pytest.Config) -> None:
    """Make room for what the processes of this run share."""
    begin_sharing(config)
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(FailedTests())


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """Take it away when all is stopped."""
    end_sharing(config)


def pytest_collection_finish() -> None:
    """Begin the tests with what they share set aside."""
    keep_what_is_loaded()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """Lend a real PostgreSQL server; each process of the test run has one."""
    with running_postgres() as server:
        yield server


@pytest.fixture(scope="session")
def sqlite_templates(tmp_path_factory: pytest.TempPathFactory) -> Templates:
    """Keep the databases that are cloned on SQLite."""
    return Templates(SqliteStore(tmp_path_factory.mktemp("databases")))


@pytest.fixture(scope="session")
def postgresql_templates(postgres: Postgres) -> Templates:
    """Keep the databases that are cloned on PostgreSQL."""
    return Templates(PostgresStore(postgres))


@pytest.fixture(params=ENGINES)
def databases(request: pytest.FixtureRequest) -> Iterator[Databases]:
    """Lend databases of a test's own: the test runs once on each engine."""
    yield from _lend(request, request.param)


@pytest.fixture(scope="module", params=ENGINES)
def module_databases(request: pytest.FixtureRequest) -> Iterator[Databases]:
    """Lend databases that all tests of a module share: they run once on each engine."""
    yield from _lend(request, request.param)


@pytest.fixture
def unit_databases(request: pytest.FixtureRequest) -> Iterator[Databases]:
    """Lend a unit test its databases, on the engine of this run."""
    yield from _lend(request, request.config.getoption("engine"))


@pytest.fixture(scope="module")
def module_unit_databases(request: pytest.FixtureRequest) -> Iterator[Databases]:
    """Lend databases that unit tests of a module share, on the engine of this run."""
    yield from _lend(request, request.config.getoption("engine"))


@pytest.fixture
def database_url(databases: Databases) -> str:
    """Lend an empty database on each engine."""
    return databases.empty()


def _lend(request: pytest.FixtureRequest, engine: str) -> Iterator[Databases]:
    # By name, so that a run without PostgreSQL tests starts no server.
    templates: Templates = request.getfixturevalue(f"{engine}_templates")
    lent = Databases(templates)
    yield lent
    lent.close()
