"""Fixtures: an authority whose hierarchy stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.certificate_authority import Setting, setting

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.ca.service import CertificateAuthority


@pytest.fixture
def standing(tmp_path: Path) -> Setting:
    """Lend an authority in a home of its own, its hierarchy made."""
    made = setting(tmp_path)
    made.authority.ensure_hierarchy()
    return made


@pytest.fixture
def authority(standing: Setting) -> CertificateAuthority:
    """Lend the authority alone."""
    return standing.authority
