"""The `sandbox` command. Each group of commands is imported when it is used: starting Python is what costs time here."""

from sandbox.cli.root import main

__all__ = ["main"]
