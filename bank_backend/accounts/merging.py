"""Pages of one account's movements, or of all sub-accounts of a collection merged into one list (BG IG 1.3.8 §6.2)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING

from bank_backend.accounts.model import Account, PageDirection, PageRef
from bank_backend.ledger.statements import LARGEST_NUMBER, PAGE_LINES, Place, UnknownPlace, page_of, place_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bank_backend.database import Connection
    from bank_backend.ledger.statements import StatementLine, StatementPage, StatementQuery, Statements


@dataclass(frozen=True, slots=True)
class ReportPage:
    """Up to a page of movements, newest first, and the pages beside it; `is_last` where no older one follows."""

    lines: Sequence[StatementLine]
    next: PageRef | None
    previous: PageRef | None

    @property
    def is_last(self) -> bool:
        """Whether the list ends here."""
        return self.next is None


def collection_page(
    statements: Statements,
    connection: Connection,
    members: Sequence[Account],
    query: StatementQuery,
    *,
    page: PageRef | None,
) -> ReportPage:
    """Return a page of the accounts' movements; raises `UnknownPlace` for a page that no page led to."""
    if len(members) == 1:
        return _single(statements, connection, members[0], query, page)
    return _Merge(statements, connection, members, page).page(query)


def _single(
    statements: Statements, connection: Connection, account: Account, query: StatementQuery, page: PageRef | None
) -> ReportPage:
    if page is not None and page.currency:
        raise UnknownPlace(str(page))
    found = statements.page(connection, account.tenant, account.id, directed(query, page))
    return ReportPage(
        found.lines,
        None if found.older_than is None else PageRef(PageDirection.OLDER, found.older_than),
        None if found.newer_than is None else PageRef(PageDirection.NEWER, found.newer_than),
    )


def directed(query: StatementQuery, page: PageRef | None) -> StatementQuery:
    """Return the query for a page of its list."""
    if page is None:
        return query
    if page.direction is PageDirection.LAST:
        return replace(query, is_last=True)
    if page.direction is PageDirection.OLDER:
        return replace(query, older_than=page.place)
    return replace(query, newer_than=page.place)


class _Merge:
    """The lists of several accounts as one: by day, within a day by currency, within a currency newest first."""

    def __init__(
        self, statements: Statements, connection: Connection, members: Sequence[Account], page: PageRef | None
    ) -> None:
        self._statements, self._connection = statements, connection
        self._members = sorted(members, key=lambda member: member.currency)
        self._page = page

    def page(self, query: StatementQuery) -> ReportPage:
        self._require_place(query)
        asked = directed(query, self._page)
        found = [line for member in self._members for line in self._of_member(member, asked)]
        found.sort(key=_newest_first, reverse=asked.is_from_oldest)
        page = page_of(found[: PAGE_LINES + 1], asked)
        return ReportPage(page.lines, self._ref(page, PageDirection.OLDER), self._ref(page, PageDirection.NEWER))

    def _of_member(self, member: Account, asked: StatementQuery) -> Sequence[StatementLine]:
        return self._statements.lines(
            self._connection, member.tenant, member.id, self._from_here(member, asked), limit=PAGE_LINES + 1
        )

    def _from_here(self, member: Account, asked: StatementQuery) -> StatementQuery:
        """Return the query with the merged list's place as this member's list sees it."""
        if self._page is None or self._page.place is None or member.currency == self._page.currency:
            return asked
        # Currencies before the place's stand before it with their whole day, those after it behind it.
        number = 0 if member.currency < self._page.currency else LARGEST_NUMBER
        place = Place(self._page.place.booking_date, number)
        if asked.older_than is not None:
            return replace(asked, older_than=place)
        return replace(asked, newer_than=place)

    def _require_place(self, query: StatementQuery) -> None:
        if self._page is None or self._page.place is None:
            return
        place, currency = self._page.place, self._page.currency
        member = next((member for member in self._members if member.currency == currency), None)
        is_known = member is not None and self._statements.has(self._connection, member.tenant, member.id, place)
        if not (is_known and query.holds(place)):
            raise UnknownPlace(str(self._page))

    def _ref(self, page: StatementPage, direction: PageDirection) -> PageRef | None:
        is_older = direction is PageDirection.OLDER
        if (page.older_than if is_older else page.newer_than) is None:
            return None
        edge = page.lines[-1] if is_older else page.lines[0]
        return PageRef(direction, place_of(edge), edge.currency)


def _newest_first(line: StatementLine) -> tuple[int, str, int]:
    day = line.booking_date or date.min
    return (-day.toordinal(), line.currency, -(line.number or 0))
