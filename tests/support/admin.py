"""The control API as one of its accepted callers reaches it, without sockets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chassis.home import Home
from chassis.sealing import KeyFile, Seal
from gateway.acme.store import SqlAcme
from gateway.admin.app import create_app
from gateway.admin.services import Services
from gateway.admin_audit.store import SqlAdminAudit
from gateway.admission.store import SqlKnowledgeSource
from gateway.audit.store import SqlAuditRecords
from gateway.config import load_settings
from gateway.configuration.service import Configuration
from gateway.configuration.store import SqlConfigurationStore
from gateway.explain.desk import ExplainDesk
from gateway.explain.standing_knowledge import StandingKnowledge
from gateway.limits.blocks import Blocks
from gateway.oauth.jose.administration import KeyAdministration
from gateway.oauth.jose.key_store import SqlSigningKeys
from gateway.register.service import Register
from gateway.register.store import SqlRegisterStore
from gateway.relays.delivery import RelaysApart
from gateway.trust.crl_points import SqlCrlPoints
from gateway.trust.fetching import Fetcher
from gateway.trust.ocsp_store import SqlOcspAnswers
from gateway.trust.service import Trust
from gateway.trust.store import SqlTrustStore
from psd2.clock import SystemClock
from tests.support.configured import KINDS
from tests.support.jose import SCHEDULE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from flask.testing import FlaskClient
    from sqlalchemy import Engine
    from werkzeug.test import TestResponse

    from gateway.certificates.expiry import Watched
    from gateway.configuration.model import Kinds
    from psd2.clock import Clock


def admin_client(
    engine: Engine,
    audit_folder: Path,
    *,
    kinds: Kinds = KINDS,
    clock: Clock | None = None,
    caller: str | None = "operator",
    watched: Callable[[], Sequence[Watched]] = tuple,
    home: Home | None = None,
    metrics_folder: Path | None = None,
) -> FlaskClient:
    """Return a client that calls as `caller`."""
    clock = clock or SystemClock()
    configuration = Configuration(kinds=kinds, store=SqlConfigurationStore(engine), clock=clock)
    services = Services(
        register=Register(store=SqlRegisterStore(engine), clock=clock),
        trust=Trust(store=SqlTrustStore(engine, RelaysApart().require), clock=clock),
        crl_points=SqlCrlPoints(engine),
        acme=SqlAcme(engine, Seal(KeyFile(audit_folder / "documents.key"))),
        watched=watched,
        configuration=configuration,
        admin_audit=SqlAdminAudit(engine),
        blocks=Blocks(engine, clock, block_seconds=60),
        audit_folder=audit_folder,
        audit_records=SqlAuditRecords(engine),
        metrics_folder=metrics_folder or audit_folder / "metrics",
        unshipped_bytes=lambda: 17,
        explain_desk=explain_desk(engine, configuration, clock),
        home=home or Home(audit_folder),
        clock=clock,
        signing_keys=KeyAdministration(store=SqlSigningKeys(engine), ahead=SCHEDULE.ahead, clock=clock),
    )
    client = create_app(services).test_client()
    if caller is not None:
        client.environ_base["chassis.caller"] = caller
    return client


def explain_desk(engine: Engine, configuration: Configuration, clock: Clock, host: str = "localhost:8443") -> ExplainDesk:
    """Return who explains at the control API."""
    standing = StandingKnowledge(
        load_settings(),
        SqlKnowledgeSource(engine),
        configuration.snapshot,
        answers=SqlOcspAnswers(engine),
        fetcher=Fetcher(),
        clock=clock,
    )
    return ExplainDesk(standing, clock, host=host, signature_seconds=300)


def problem_of(answer: TestResponse, status: int) -> dict[str, Any]:
    """Return the problem document of a refusal; it has this status, and says what every one says."""
    assert answer.status_code == status, answer.text
    assert answer.mimetype == "application/problem+json"
    body: dict[str, Any] = answer.get_json()
    assert {"type", "status", "code", "title", "detail"} <= set(body)
    return body


def fields_of(answer: TestResponse) -> list[str]:
    """Return the fields that a refused body's faults are in."""
    return [entry["field"] for entry in problem_of(answer, 422)["errors"]]
