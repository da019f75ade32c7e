"""All upstreams of one worker: the built-in ones, those of documents, and how a new configuration takes their place."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gateway.certificates.kind import CERTIFICATES
from gateway.edge.upstream.balanced_pool import BalancedPool
from gateway.edge.upstream.pool import PoolLimits, UpstreamPool
from gateway.policies.model import Upstream as Service
from gateway.upstreams.kind import UPSTREAMS
from gateway.upstreams.model import Upstream
from gateway.upstreams.shown import ShownFiles, ShownVersion
from gateway.upstreams.tls import CallerTls, ForeignTls, InternalTls

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from chassis.addresses import Address
    from gateway.certificates.model import CertificateVersion, StoredCertificate
    from gateway.config import GatewaySettings
    from gateway.configuration.snapshot import Snapshot
    from gateway.edge.deadlines import Deadlines
    from gateway.edge.upstream.pool import Pool
    from gateway.upstreams.health import Condition
    from gateway.upstreams.shown import Shown
    from gateway.upstreams.tls import TargetTls


@dataclass(frozen=True, slots=True)
class _Wanted:
    """An upstream, and by target the stored certificate that it is shown; `chains` tells whether that is another one."""

    upstream: Upstream
    chains: tuple[str, ...] = ()
    versions: tuple[CertificateVersion | None, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class _Entry:
    wanted: _Wanted
    pool: Pool


class Upstreams:
    """The pools by the names of their upstreams: a part of the live configuration. Made on the event loop."""

    def __init__(self, settings: GatewaySettings, deadlines: Deadlines) -> None:
        """Know the built-in ones; raises `OSError`, `ssl.SSLError` for internal certificates that can't be used."""
        self._settings = settings
        self._deadlines = deadlines
        self._caller = CallerTls(settings.home)
        self._loop = asyncio.get_running_loop()
        self._built_in = {name: _Wanted(each) for name, each in built_in_upstreams(settings).items()}
        self._entries: Mapping[str, _Entry] = {}
        self._take(self._built_in, {})

    def pool_of(self, name: str) -> Pool | None:
        """Return the pool of an upstream, None where it is not there any more."""
        entry = self._entries.get(name)
        return entry.pool if entry else None

    def prepare(self, snapshot: Snapshot) -> Callable[[], None]:
        """Read what a snapshot's upstreams need; what is returned puts them in force."""
        certificates = snapshot.of(CERTIFICATES)
        described = {name: _wanted(each, certificates) for name, each in snapshot.of(UPSTREAMS).items()}
        wanted = self._built_in | described
        known = self._entries
        new = {name: each for name, each in wanted.items() if name not in known or known[name].wanted != each}
        tls = {name: self._secured(each) for name, each in new.items()}
        return lambda: self._take(wanted, tls)

    def tidy(self) -> None:
        """Close what has been idle too long, follow renewed files; to be called every second."""
        self._caller.reload_if_rotated()
        for entry in self._entries.values():
            entry.pool.tidy()

    def counts(self) -> dict[str, dict[str, int]]:
        """Return each upstream's connections, open and idle, and the requests that wait for one."""
        return {name: entry.pool.counts() for name, entry in self._entries.items()}

    def conditions(self) -> dict[str, dict[str, Condition]]:
        """Return how each target does, by upstream and address."""
        return {name: entry.pool.conditions() for name, entry in self._entries.items()}

    def stop(self) -> None:
        """Close what is open."""
        for entry in self._entries.values():
            entry.pool.retire()

    def _take(self, wanted: Mapping[str, _Wanted], tls: Mapping[str, list[TargetTls]]) -> None:
        """Change to these upstreams; who has stayed the same keeps its connections, requests under way keep theirs."""
        before = self._entries
        entries: dict[str, _Entry] = {}
        for name, each in wanted.items():
            known = before.get(name)
            if known is not None and known.wanted == each:
                entries[name] = known
            else:
                entries[name] = _Entry(each, self._pool(each.upstream, tls.get(name) or self._secured(each)))
        self._entries = entries
        for name, entry in before.items():
            if entries.get(name) is not entry:
                entry.pool.retire()

    def _secured(self, wanted: _Wanted) -> list[TargetTls]:
        """Return how each target is spoken with."""
        upstream = wanted.upstream
        if upstream.proof is None or upstream.service is not None:
            return [InternalTls(upstream.service or upstream.name, self._caller) for _ in upstream.targets]
        return [
            ForeignTls(target, upstream.proof, self._shown(upstream, target, version))
            for target, version in zip(upstream.targets, wanted.versions, strict=True)
        ]

    def _shown(self, upstream: Upstream, target: Address, version: CertificateVersion | None) -> Shown | None:
        if version is not None:
            return ShownVersion(version)
        named = upstream.certificate_for(target)
        return ShownFiles(self._settings.home.upstream(named.name)) if named else None

    def _pool(self, upstream: Upstream, secured: list[TargetTls]) -> Pool:
        limits = self._limits(upstream)
        pools = [
            UpstreamPool(upstream, target, tls, deadlines=self._deadlines, limits=limits)
            for target, tls in zip(upstream.targets, secured, strict=True)
        ]
        return pools[0] if len(pools) == 1 else BalancedPool(upstream, pools, self._loop.time)

    def _limits(self, upstream: Upstream) -> PoolLimits:
        settings, times = self._settings, upstream.times
        return PoolLimits(
            connections=upstream.connections or settings.upstream_connections,
            waiting=settings.upstream_waiting,
            connect_seconds=times.connect or settings.upstream_connect_seconds,
            head_seconds=times.head or settings.upstream_head_seconds,
            stall_seconds=times.stall or settings.upstream_stall_seconds,
            idle_seconds=times.idle or settings.upstream_idle_seconds,
        )


def _wanted(upstream: Upstream, certificates: Mapping[str, StoredCertificate]) -> _Wanted:
    named = [upstream.certificate_for(target) for target in upstream.targets]
    versions = tuple(certificates[each.name].current if each and each.is_stored else None for each in named)
    return _Wanted(upstream, tuple(version.chain_pem if version else "" for version in versions), versions)


def built_in_upstreams(settings: GatewaySettings) -> dict[str, Upstream]:
    """Return the internal services at the addresses of the settings."""
    addresses = {
        Service.BANK: settings.bank_address,
        Service.AUTHORIZATION: settings.authorization_address,
        Service.PORTAL: settings.portal_address,
        Service.DEMO: settings.demo_address,
    }
    return {
        service.value: Upstream(name=service.value, targets=(address,), service=service, passes_identity=True)
        for service, address in addresses.items()
    }
