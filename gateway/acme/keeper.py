"""Orders and renews each certificate of the kind `acme-certificates`; where that fails, the old one stays in force.

A thread of the control API's process; of several processes one works on a certificate at a time.
"""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Protocol

from chassis.logs import get_logger
from chassis.sealing import SealBroken
from gateway.acme.kind import ACME_ACCOUNTS, ACME_CERTIFICATES
from gateway.acme.model import OrderFailed
from gateway.acme.ordering import ORDER_SECONDS
from gateway.acme.schedule import Step, next_step, pause_after, pause_after_success, reason_to_order
from gateway.certificates.checks import fault_of_key
from gateway.certificates.kind import CERTIFICATES
from gateway.certificates.model import Stage
from gateway.certificates.rotation import add_version
from gateway.configuration.changes import PreconditionFailed
from gateway.configuration.snapshot import SetRefused, SnapshotReader

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from datetime import datetime

    from gateway.acme.model import AcmeAccount, AcmeCertificate, Obtained, OpenOrder, Progress
    from gateway.certificates.model import CertificateVersion, StoredCertificate
    from gateway.configuration.service import Configuration
    from gateway.configuration.snapshot import Snapshot
    from psd2.clock import Clock

_LOOK_SECONDS: Final = 5.0
_READ: Final = frozenset({ACME_ACCOUNTS.name, ACME_CERTIFICATES.name, CERTIFICATES.name})
LEASE: Final = timedelta(seconds=ORDER_SECONDS + 60)
"""Longer than an order may take: whoever comes next finds it ended, or its process gone."""
_ASK_AGAIN: Final = timedelta(hours=6)


class Ordering(Protocol):
    """Speaks to CAs."""

    def obtain(self, account: AcmeAccount, wanted: AcmeCertificate) -> Obtained:
        """Return a new chain with its key; raises `OrderFailed`."""

    def renewal(self, account: AcmeAccount, leaf_pem: str) -> tuple[datetime | None, datetime]:
        """Return when the CA suggests to renew, and when to ask again; raises `OrderFailed`."""


class Keeping(Protocol):
    """Where the progress of certificates is kept."""

    def progress(self, name: str) -> Progress:
        """Return how far a certificate has come."""

    def is_leased(self, name: str, *, until: datetime, now: datetime) -> bool:
        """Take a certificate on; tells whether nobody else has."""

    def note(self, progress: Progress) -> None:
        """Put down how far it has come, and leave it to whoever comes next."""

    def open_order(self, name: str) -> OpenOrder | None:
        """Return the order that was not brought to its end."""

    def keep_order(self, name: str, order: OpenOrder | None) -> None:
        """Keep an order, or none."""

    def forget(self, names_kept: Collection[str]) -> None:
        """Forget certificates that are wanted no more."""


class AcmeKeeper:
    """Looks every few seconds at what is due."""

    def __init__(
        self,
        *,
        configuration: Configuration,
        keeping: Keeping,
        ordering: Ordering,
        clock: Clock,
        random: Callable[[], float],
    ) -> None:
        """`random` gives numbers from 0 to 1, for pauses that don't coincide."""
        self._configuration = configuration
        self._reader = SnapshotReader(configuration.kinds)
        self._keeping = keeping
        self._ordering = ordering
        self._clock = clock
        self._random = random

    def start(self) -> None:
        """Work in the background for as long as the process lives."""
        threading.Thread(target=self._run, name="acme-keeper", daemon=True).start()

    def keep_due(self) -> int:
        """Do what is due for each certificate; returns how many new ones came into force."""
        snapshot = self._snapshot()
        wanted = snapshot.of(ACME_CERTIFICATES)
        self._keeping.forget(wanted.keys())
        return sum(self._is_renewed(each, snapshot) for each in wanted.values())

    def _run(self) -> None:
        pause = threading.Event()
        while not pause.wait(_LOOK_SECONDS):
            try:
                self.keep_due()
            except Exception as error:  # noqa: BLE001 - the next turn tries again; a dead keeper would never
                get_logger().error("acme.keeper_failed", error=repr(error))

    def _snapshot(self) -> Snapshot:
        """Return what stands of these kinds; thousands of others are neither parsed nor judged every few seconds."""
        return self._reader.parsed(each for each in self._configuration.all_standing() if each.kind in _READ)

    def _is_renewed(self, wanted: AcmeCertificate, snapshot: Snapshot) -> bool:
        stored = snapshot.of(CERTIFICATES).get(wanted.name)
        standing = stored.current if stored else None
        now = self._clock.now()
        if next_step(wanted, standing, self._keeping.progress(wanted.name), now) is Step.NOTHING:
            return False
        if not self._keeping.is_leased(wanted.name, until=now + LEASE, now=now):
            return False
        # Whoever had it before has noted what came of it, and may have put a version in force.
        progress = replace(self._keeping.progress(wanted.name), leased_until=None)
        stored = self._snapshot().of(CERTIFICATES).get(wanted.name)
        after = self._worked_on(wanted, snapshot.of(ACME_ACCOUNTS)[wanted.account], stored, progress)
        self._keeping.note(after)
        return after.sha256 != progress.sha256

    def _worked_on(
        self, wanted: AcmeCertificate, account: AcmeAccount, stored: StoredCertificate | None, progress: Progress
    ) -> Progress:
        """Do what is to be done and return how far it has come then."""
        standing = stored.current if stored else None
        now = self._clock.now()
        match next_step(wanted, standing, progress, now):
            case Step.ORDER:
                return self._ordered(wanted, account, stored, replace(progress, tried_at=now))
            case Step.ASK if standing is not None:
                return self._asked(account, standing, progress)
            case _:
                return progress

    def _ordered(
        self, wanted: AcmeCertificate, account: AcmeAccount, stored: StoredCertificate | None, progress: Progress
    ) -> Progress:
        reason = reason_to_order(wanted, stored.current if stored else None, progress, self._clock.now())
        get_logger().info("acme.ordering", certificate=wanted.name, directory=account.directory, reason=reason)
        try:
            self._drop_finished(wanted.name, stored)
            version = self._put_in_force(wanted, self._ordering.obtain(account, wanted))
        except OrderFailed as failure:
            return self._failed(wanted, progress, str(failure), retry_after=failure.retry_after)
        except (SetRefused, PreconditionFailed) as refused:
            return self._failed(wanted, progress, f"what the CA issued can't be put in force: {refused}")
        except SealBroken as broken:
            return self._failed(wanted, progress, str(broken))
        except Exception as error:  # noqa: BLE001 - whatever it was, the next try has to wait its time
            return self._failed(wanted, progress, f"failed: {error!r}")
        get_logger().info("acme.obtained", certificate=wanted.name, sha256=version.sha256, directory=account.directory)
        return self._succeeded(wanted, progress, version)

    def _succeeded(self, wanted: AcmeCertificate, progress: Progress, version: CertificateVersion) -> Progress:
        now = self._clock.now()
        return replace(
            progress,
            wanted=wanted.fingerprint,
            failures=0,
            failure=None,
            next_try_at=now + pause_after_success(version),
            obtained_at=now,
            sha256=version.sha256,
            renew_at=None,
            ask_at=now,
        )

    def _drop_finished(self, name: str, stored: StoredCertificate | None) -> None:
        """Forget an order whose certificate is here already: going on with it would bring the old one back as new."""
        order = self._keeping.open_order(name)
        versions = stored.versions if stored else ()
        if order is not None and any(fault_of_key(order.key_pem, each.leaf) is None for each in versions):
            self._keeping.keep_order(name, None)

    def _put_in_force(self, wanted: AcmeCertificate, obtained: Obtained) -> CertificateVersion:
        entry = {"chain": obtained.chain_pem, "key": obtained.key_pem}
        applied = add_version(self._configuration, wanted.name, entry, stage=Stage.CURRENT)
        self._keeping.keep_order(wanted.name, None)
        return CERTIFICATES.parse(applied.version.document).current

    def _failed(
        self, wanted: AcmeCertificate, progress: Progress, failure: str, *, retry_after: timedelta | None = None
    ) -> Progress:
        failures = progress.failures + 1 if progress.wanted == wanted.fingerprint else 1
        next_try_at = self._clock.now() + pause_after(failures, asked=retry_after, random=self._random)
        get_logger().error(
            "acme.failed",
            certificate=wanted.name,
            error=failure,
            failures=failures,
            next_try_at=next_try_at.isoformat(),
            effect="the version in force stays",
        )
        return replace(progress, wanted=wanted.fingerprint, failures=failures, failure=failure, next_try_at=next_try_at)

    def _asked(self, account: AcmeAccount, standing: CertificateVersion, progress: Progress) -> Progress:
        try:
            renew_at, ask_at = self._ordering.renewal(account, standing.chain_pem)
        except Exception as error:  # noqa: BLE001 - a suggestion that does not come changes nothing: the lead time holds
            get_logger().warning("acme.no_renewal_information", certificate=progress.name, error=str(error))
            return replace(progress, ask_at=self._clock.now() + _ASK_AGAIN)
        return replace(progress, renew_at=renew_at, ask_at=ask_at)
