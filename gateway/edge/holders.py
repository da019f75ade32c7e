"""Whose a connection is: to part with it once its certificate is not let in any more, and whose log shows what was refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.admission.memory import NotLoaded
from gateway.admission.registered_certificates import registrant_of
from gateway.edge.upstream.head import Identity
from gateway.trust.verdict import Distrust, Distrusted

if TYPE_CHECKING:
    from gateway.admission.knowledge import Knowledge
    from gateway.admission.request import Connection, Leaf


def holder_of(connection: Connection, knowledge: Knowledge, now: float) -> str | None:
    """Return the TPP whose certificate a connection shows, empty for a partner's; None once it is not let in."""
    leaf = connection.leaf
    if leaf is None:
        return None
    certificate = knowledge.judges.still_trusted(leaf.der, digest=leaf.digest, now=now)
    if certificate is not None:
        return certificate.authorisation_number or ""
    if not _was_let_in_as_registered(connection):
        return None
    try:
        return _registered_holder(leaf, knowledge, now)
    except NotLoaded:
        return ""  # the next request will wait for what is missing, and be judged by it


def attributed_to(connection: Connection, knowledge: Knowledge, now: float) -> str | None:
    """Return whose log shows a refusal: the TPP that a trusted authority, or the register, says the certificate's holder is.

    A number that a certificate merely claims is nobody's: otherwise anybody could write into another's log.
    """
    leaf = connection.leaf
    if leaf is None:
        return None
    try:
        judged = knowledge.judge.require_trusted(leaf.der, digest=leaf.digest, now=now)
    except Distrusted as distrusted:
        return distrusted.authorisation_number or _known_registrant(leaf, knowledge)
    except NotLoaded:
        return None
    return judged.certificate.authorisation_number


def _was_let_in_as_registered(connection: Connection) -> bool:
    """Whether what was told of the connection's holder leaned on a client's registration."""
    identity = connection.memory.get(Identity)
    return isinstance(identity, Identity) and identity.trusted is not None and identity.trusted.registrant is not None


def _registered_holder(leaf: Leaf, knowledge: Knowledge, now: float) -> str | None:
    """Return the TPP whose client has registered a certificate that only lacks an authority; raises `NotLoaded`."""
    try:
        knowledge.judge.require_trusted(leaf.der, digest=leaf.digest, now=now)
    except Distrusted as distrusted:
        return registrant_of(leaf, knowledge) if distrusted.distrust is Distrust.UNTRUSTED else None
    return None


def _known_registrant(leaf: Leaf, knowledge: Knowledge) -> str | None:
    """Return the TPP whose client has registered the certificate, as far as that was looked up."""
    try:
        return registrant_of(leaf, knowledge)
    except NotLoaded:
        return None
