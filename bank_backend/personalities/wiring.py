"""Builds the bank's personalities from the shipped files and those of the home."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bank_backend.personalities.profiles import load_profiles
from bank_backend.personalities.service import Personalities
from bank_backend.personalities.store import SqlPersonalityStore

if TYPE_CHECKING:
    from bank_backend.config import BankSettings
    from bank_backend.database import Database


def create_personalities(settings: BankSettings, database: Database) -> Personalities:
    """Read `HOME/personalities/*.toml` beside the shipped ones; raises `ProfileRefused`."""
    return Personalities(store=SqlPersonalityStore(database), known=load_profiles(settings.home_path / "personalities"))
