"""Routes of the PSU's pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from bank_backend.services import Services


def register(app: Flask, services: Services) -> None:
    """Add the routes."""
