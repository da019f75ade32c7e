"""`python -m bank_backend.ledger.reconcile [--json]`: whether the bank's books are right; status 0, or 1 and what is wrong."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Final

from sqlalchemy.exc import DBAPIError

from bank_backend.config import load_settings
from bank_backend.database import open_database
from bank_backend.ledger.payment_rules import payment_findings
from bank_backend.ledger.reconciliation import reconcile
from chassis.settings import SettingsRefused
from chassis.sql.database import EXIT_OK, EXIT_UNUSABLE, DatabaseProblem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bank_backend.database import Connection
    from bank_backend.ledger.reconciliation import Reconciliation

EXIT_WRONG: Final = 1
EXIT_MISUSED: Final = 2
_USAGE: Final = "usage: python -m bank_backend.ledger.reconcile [--json]"


def reconcile_bank(connection: Connection) -> Reconciliation:
    """Look through the ledger and through what payments say of it."""
    found = reconcile(connection)
    return replace(found, findings=[*found.findings, *payment_findings(connection)])


def main(arguments: Sequence[str]) -> int:
    """Reconcile the bank that the settings name; returns the exit status."""
    if not set(arguments) <= {"--json"}:
        sys.stderr.write(f"{_USAGE}\n")
        return EXIT_MISUSED
    try:
        database = open_database(load_settings())
        with database.reading() as connection:
            found = reconcile_bank(connection)
        database.engine.dispose()
    except (SettingsRefused, DatabaseProblem) as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_UNUSABLE
    except DBAPIError as error:
        sys.stderr.write(f"the bank's database can't be read: {error.orig}\n")
        return EXIT_UNUSABLE
    sys.stdout.write(_document(found) if "--json" in arguments else _text(found))
    return EXIT_OK if found.is_right else EXIT_WRONG


def _document(found: Reconciliation) -> str:
    return json.dumps({"right": found.is_right, **asdict(found)}) + "\n"


def _text(found: Reconciliation) -> str:
    lines = [f"{finding.rule}: {finding.subject}: {finding.text}" for finding in found.findings]
    verdict = "the books are right" if found.is_right else f"{len(lines)} findings"
    lines.append(f"{found.entries} entries, {found.postings} postings, {found.holds} holds: {verdict}")
    return "".join(f"{line}\n" for line in lines)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
