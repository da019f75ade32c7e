"""Identifiers that tell their moment (RFC 9562 §5.7)."""

from __future__ import annotations

import uuid

from psd2.ids import TimeOrderedUuids, new_time_ordered_uuid

MOMENT = 1_800_000_000_123


def test_a_time_ordered_uuid_tells_its_moment_and_its_version() -> None:
    """48 bits of milliseconds first, then version and variant where they belong."""
    ids = TimeOrderedUuids()
    for text in (new_time_ordered_uuid(MOMENT), ids.new(MOMENT), ids.new(MOMENT)):
        read = uuid.UUID(text)
        assert str(read) == text
        assert (read.version, read.variant, read.int >> 80) == (7, uuid.RFC_4122, MOMENT)


def test_none_comes_twice_and_all_their_bits_vary() -> None:
    """Over several blocks of randomness."""
    ids = TimeOrderedUuids()
    made = [uuid.UUID(ids.new(0)).int for _ in range(1_000)]
    assert len(set(made)) == len(made)
    ever_set, always_set = 0, (1 << 128) - 1
    for each in made:
        ever_set |= each
        always_set &= each
    assert ever_set.bit_count() == 74 + 3 + 1  # what is random, and the ones of version and variant
    assert always_set.bit_count() == 3 + 1


def test_processes_that_are_forked_share_none() -> None:
    """Nothing is drawn before the first is asked for."""
    assert TimeOrderedUuids()._block == []
