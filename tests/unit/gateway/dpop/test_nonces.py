"""Nonces: taken by every process of the gateway, for a short time, and never made by anybody else."""

from __future__ import annotations

import base64
from dataclasses import replace

import pytest

from gateway.dpop.faults import ProofFault
from gateway.dpop.nonces import NONCE_SECONDS, Nonces
from gateway.dpop.proof import Proof

NOW = 1.8e9
PROOF = Proof(jkt="k", jti="j", htm="GET", htu="https://bank.example/", iat=NOW, ath=None, nonce=None)


def is_good(nonce: str | None, now: float = NOW, nonces: Nonces | None = None) -> bool:
    return reason_of(nonce, now, nonces or Nonces(lambda: b"s" * 32)) is None


def reason_of(nonce: str | None, now: float, nonces: Nonces) -> str | None:
    try:
        nonces.require_good(replace(PROOF, nonce=nonce), now)
    except ProofFault as fault:
        return fault.reason
    return None


def test_another_process_with_the_same_key_takes_it() -> None:
    """Nothing of it is kept anywhere."""
    assert is_good(Nonces(lambda: b"s" * 32).fresh(NOW))


def test_it_is_good_for_a_short_time() -> None:
    """RFC 9449 §8: the server decides how long."""
    nonce = Nonces(lambda: b"s" * 32).fresh(NOW)
    assert is_good(nonce, NOW + NONCE_SECONDS - 2)
    assert not is_good(nonce, NOW + NONCE_SECONDS + 2)
    assert not is_good(nonce, NOW - 10)


@pytest.mark.parametrize("nonce", [None, "", "ä", "AAAA", "A" * 32, base64.urlsafe_b64encode(b"\0" * 24).decode()])
def test_what_nobody_gave_is_refused(nonce: str | None) -> None:
    """Guessed, cut off, or none at all."""
    assert reason_of(nonce, NOW, Nonces(lambda: b"s" * 32)) == "dpop.nonce"


def test_a_moment_can_not_be_exchanged() -> None:
    """The seal is over it, and by the gateway's key."""
    assert not is_good(Nonces(lambda: b"t" * 32).fresh(NOW))
    old = base64.urlsafe_b64decode(Nonces(lambda: b"s" * 32).fresh(NOW - 1000))
    new = base64.urlsafe_b64decode(Nonces(lambda: b"s" * 32).fresh(NOW))
    assert not is_good(base64.urlsafe_b64encode(new[:8] + old[8:]).decode())
