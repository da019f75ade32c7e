"""What the control API is given: built once by `gateway.bootstrap`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from chassis.home import Home
    from gateway.admin.acme_api import Keeping
    from gateway.admin.servers_api import Neighbour
    from gateway.admin_audit.store import SqlAdminAudit
    from gateway.audit.reader import ShippedRecords
    from gateway.certificates.expiry import Watched
    from gateway.configuration.service import Configuration
    from gateway.explain.desk import ExplainDesk
    from gateway.limits.blocks import Blocks
    from gateway.oauth.jose.administration import KeyAdministration
    from gateway.register.service import Register
    from gateway.trust.crl_points import SqlCrlPoints
    from gateway.trust.service import Trust
    from psd2.clock import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """The gateway's own parts, as its resources use them; `neighbours` are servers that answer to the gateway alone."""

    register: Register
    trust: Trust
    crl_points: SqlCrlPoints
    configuration: Configuration
    acme: Keeping
    watched: Callable[[], Sequence[Watched]]
    admin_audit: SqlAdminAudit
    blocks: Blocks
    audit_folder: Path
    audit_records: ShippedRecords
    metrics_folder: Path
    unshipped_bytes: Callable[[], int]
    explain_desk: ExplainDesk
    home: Home
    clock: Clock
    signing_keys: KeyAdministration
    neighbours: Sequence[Neighbour] = ()
