"""Certificates by server name, and the rules of each listener's TLS, in force in one worker as the configuration says."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

from gateway.certificates.handing_over import held_in_memory
from gateway.certificates.kind import CERTIFICATES
from gateway.certificates.listeners import rules_of
from gateway.certificates.server_names import shown_names
from gateway.edge.tls.contexts import apply_rules, listener_context
from gateway.edge.tls.stapling import Staple, StaplingUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from chassis.home import Home
    from gateway.certificates.listeners import TlsRules
    from gateway.certificates.model import CertificateVersion
    from gateway.configuration.snapshot import Snapshot
    from gateway.edge.tls.contexts import PublicTls
    from gateway.policies.model import Listener

    Contexts = dict[tuple[Listener, str], tuple[tuple[str, TlsRules], ssl.SSLContext]]


class ServerNames:
    """A part of the configuration, and the `Names` of a worker's TLS."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._rules: Mapping[Listener, TlsRules] | None = None
        self._names: Mapping[tuple[Listener, str], ssl.SSLContext] = {}
        # By listener and certificate: what it was made of, and the context.
        self._contexts: Contexts = {}
        self._tls: PublicTls | None = None
        # By chain: what is stapled to it.
        self._staples: Mapping[str, Staple] = {}

    def attach(self, tls: PublicTls) -> None:
        """Let this worker's listeners have what is in force, now and after each change."""
        self._tls = tls
        tls.follow(self)
        if self._rules is not None:
            tls.take_rules(self._rules)

    def context_of(self, listener: Listener, name: str) -> ssl.SSLContext | None:
        """Return what holds the name's certificate: by the whole name, else by a wildcard for its first label."""
        asked = name.lower()
        return self._names.get((listener, asked)) or self._names.get((listener, f"*.{asked.partition('.')[2]}"))

    def prepare(self, snapshot: Snapshot) -> Callable[[], None]:
        """Make the contexts that a snapshot needs; what is returned puts them in force. Raises `ssl.SSLError`, `OSError`."""
        rules = rules_of(snapshot)
        for each in set(rules.values()):
            apply_rules(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), each)  # what this OpenSSL can't is found out here
        staples = self._stapled(snapshot)
        contexts = self._made(snapshot, rules, staples)
        names = {
            (listener, host): contexts[listener, each.certificate][1]
            for each in shown_names(snapshot)
            for listener in each.listeners
            for host in each.names
        }

        def put_in_force() -> None:
            self._names, self._contexts, self._staples = names, contexts, staples
            if rules != self._rules and self._tls is not None:
                self._tls.take_rules(rules)
            self._rules = rules

        return put_in_force

    @property
    def staples(self) -> Mapping[str, Staple]:
        """What is sent along with each chain (PEM) in force, to be kept up by whoever asks responders."""
        return self._staples

    def _stapled(self, snapshot: Snapshot) -> dict[str, Staple]:
        """Return a staple for each chain, those that were there as they are; none where this Python has no stapling."""
        certificates = snapshot.of(CERTIFICATES)
        chains = {certificates[each.certificate].current.chain_pem for each in shown_names(snapshot)}
        try:
            return {chain: self._staples.get(chain) or Staple() for chain in chains}
        except StaplingUnavailable:
            return {}  # said at start, of the default certificate

    def _made(self, snapshot: Snapshot, rules: Mapping[Listener, TlsRules], staples: Mapping[str, Staple]) -> Contexts:
        """Return a context for each certificate on each listener, those that have not changed as they are."""
        certificates = snapshot.of(CERTIFICATES)
        wanted = {
            (listener, each.certificate): certificates[each.certificate].current
            for each in shown_names(snapshot)
            for listener in each.listeners
        }
        contexts: Contexts = {}
        for (listener, name), version in wanted.items():
            known = self._contexts.get((listener, name))
            if known is None or known[0] != (version.chain_pem, rules[listener]):
                known = (version.chain_pem, rules[listener]), self._context(listener, version, rules[listener])
                staple = staples.get(version.chain_pem)
                if staple is not None:
                    staple.attach(known[1])
            contexts[listener, name] = known
        return contexts

    def _context(self, listener: Listener, version: CertificateVersion, rules: TlsRules) -> ssl.SSLContext:
        with held_in_memory(version) as path:
            context = listener_context(self._home, listener, path)
        # OpenSSL looks for a suite in the context that it has changed to.
        apply_rules(context, rules)
        return context
