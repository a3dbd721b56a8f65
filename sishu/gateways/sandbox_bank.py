"""The provider's side of the sandbox: a bank in one SQLite file that holds play money and sends notices about it.

It stands apart from the house's database as a real provider does: what it knows survives a rollback of ours.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from threading import local
from typing import Any

from sishu.core import clock

# Seconds after which an unanswered notice is sent again.
RETRY_AFTER = (2, 5, 15, 60, 300, 1800, 7200)

_SCHEMA = """
CREATE TABLE IF NOT EXISTS charge (
    reference TEXT PRIMARY KEY, amount INTEGER NOT NULL, currency TEXT NOT NULL, title TEXT NOT NULL,
    notify_url TEXT NOT NULL, return_url TEXT NOT NULL, expires_at TEXT NOT NULL,
    outcome TEXT NOT NULL DEFAULT 'pending', captured INTEGER NOT NULL DEFAULT 0, captured_at TEXT
);
CREATE TABLE IF NOT EXISTS refund (
    reference TEXT PRIMARY KEY, charge TEXT NOT NULL REFERENCES charge, amount INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS entry (
    id INTEGER PRIMARY KEY AUTOINCREMENT, charge TEXT NOT NULL REFERENCES charge, refund TEXT NOT NULL DEFAULT '',
    amount INTEGER NOT NULL, at TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS notice (
    id INTEGER PRIMARY KEY AUTOINCREMENT, charge TEXT NOT NULL REFERENCES charge,
    tries INTEGER NOT NULL DEFAULT 0, due_at TEXT, answered INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS notice_due ON notice (due_at) WHERE due_at IS NOT NULL;
"""


@dataclass(frozen=True, slots=True)
class Charge:
    """A payment as the bank sees it; amounts in minor units."""

    reference: str
    amount: int
    currency: str
    title: str
    notify_url: str
    return_url: str
    expires_at: datetime
    outcome: str
    captured: int
    captured_at: datetime | None


class Refused(Exception):
    """The bank does not do that."""


class SandboxBank:
    """Charges, refunds and the notices about them. Safe to use from several processes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._mine = local()

    def open_charge(
        self, *, reference: str, amount: int, currency: str, title: str, notify_url: str, return_url: str,
        expires_at: datetime,
    ) -> None:  # fmt: skip
        """Accept a request to collect. The same reference with another amount is refused."""
        with self._open() as db:
            db.execute(
                "INSERT OR IGNORE INTO charge (reference, amount, currency, title, notify_url, return_url, expires_at)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                (reference, amount, currency, title, notify_url, return_url, expires_at.isoformat()),
            )
            kept = db.execute("SELECT amount, currency FROM charge WHERE reference = ?", (reference,)).fetchone()
            if tuple(kept) != (amount, currency):
                raise Refused(f"Charge {reference} exists with another amount.")

    def find(self, reference: str) -> Charge | None:
        """The charge, or None."""
        with self._open() as db:
            row = db.execute("SELECT * FROM charge WHERE reference = ?", (reference,)).fetchone()
        return _charge(row) if row else None

    def refunds(self, reference: str) -> list[tuple[str, int]]:
        """(refund reference, amount) of a charge, oldest first."""
        with self._open() as db:
            rows = db.execute("SELECT reference, amount FROM refund WHERE charge = ? ORDER BY rowid", (reference,))
            return [tuple(row) for row in rows]

    def pay(self, reference: str, *, times: int = 1, at: datetime | None = None, amount: int | None = None) -> None:
        """The buyer pays: the bank captures `times` the amount (or another one) and owes the house a notice."""
        with self._open() as db:
            charge = self._pending(db, reference)
            captured = (charge.amount if amount is None else amount) * times
            db.execute(
                "UPDATE charge SET outcome = 'captured', captured = captured + ?, captured_at = ? WHERE reference = ?",
                (captured, (at or clock.now()).isoformat(), reference),
            )
            for _ in range(times):
                self._write_entry(db, reference, captured // times)
                self._owe_notice(db, reference)

    def fail(self, reference: str) -> None:
        """The buyer's card is declined."""
        with self._open() as db:
            self._pending(db, reference)
            db.execute("UPDATE charge SET outcome = 'failed' WHERE reference = ?", (reference,))
            self._owe_notice(db, reference)

    def close(self, reference: str) -> None:
        """Take no more money for this charge. One already paid stays paid."""
        with self._open() as db:
            db.execute("UPDATE charge SET outcome = 'closed' WHERE reference = ? AND outcome = 'pending'", (reference,))

    def refund(self, *, reference: str, charge: str, amount: int) -> None:
        """Give money back once per refund reference. Refused when the charge does not hold that much."""
        with self._open() as db:
            if db.execute("SELECT 1 FROM refund WHERE reference = ?", (reference,)).fetchone():
                return
            held = db.execute(
                "SELECT captured - COALESCE((SELECT SUM(amount) FROM refund WHERE charge = c.reference), 0)"
                " FROM charge c WHERE reference = ?",
                (charge,),
            ).fetchone()
            if held is None or held[0] < amount:
                raise Refused(f"Charge {charge} does not hold {amount}.")
            db.execute("INSERT INTO refund (reference, charge, amount) VALUES (?, ?, ?)", (reference, charge, amount))
            self._write_entry(db, charge, -amount, refund=reference)
            self._owe_notice(db, charge)

    def send_notices(self, send: Callable[[int, Charge], bool], *, limit: int = 50) -> int:
        """Hand due notices to `send(notice id, charge)`, which answers whether the house took it. Returns how many."""
        with self._open() as db:
            rows = db.execute(
                "SELECT id, charge, tries FROM notice WHERE due_at <= ? ORDER BY id LIMIT ?",
                (clock.now().isoformat(), limit),
            ).fetchall()
        for notice_id, reference, tries in rows:
            charge = self.find(reference)
            taken = charge is not None and send(notice_id, charge)
            later = None
            if not taken and tries < len(RETRY_AFTER):
                later = (clock.now() + timedelta(seconds=RETRY_AFTER[tries])).isoformat()
            with self._open() as db:
                db.execute(
                    "UPDATE notice SET tries = tries + 1, answered = ?, due_at = ? WHERE id = ?",
                    (taken, later, notice_id),
                )
        return len(rows)

    def entries(self, day: date) -> list[tuple[str, str, int, str, datetime]]:
        """(charge, refund or "", amount, currency, moment) of all that moved on a day, UTC: the bank's bill."""
        with self._open() as db:
            rows = db.execute(
                "SELECT e.charge, e.refund, e.amount, c.currency, e.at FROM entry e JOIN charge c ON c.reference = e.charge"
                " WHERE e.at >= ? AND e.at < ? ORDER BY e.id",
                (_start_of(day), _start_of(day + timedelta(days=1))),
            )
            return [(*row[:4], datetime.fromisoformat(row[4])) for row in rows]

    def totals(self, *, until: date | None = None) -> dict[str, int]:
        """Minor units captured less refunded, by currency, by the end of a day: what the house's books must say too."""
        end = _start_of(until + timedelta(days=1)) if until else "9999"
        with self._open() as db:
            rows = db.execute(
                "SELECT c.currency, SUM(e.amount) FROM entry e JOIN charge c ON c.reference = e.charge"
                " WHERE e.at < ? GROUP BY c.currency",
                (end,),
            ).fetchall()
        return dict(rows)

    def _pending(self, db: sqlite3.Connection, reference: str) -> Charge:
        row = db.execute("SELECT * FROM charge WHERE reference = ?", (reference,)).fetchone()
        if row is None:
            raise Refused(f"No charge {reference}.")
        if (charge := _charge(row)).outcome != "pending":
            raise Refused(f"Charge {reference} is {charge.outcome}.")
        return charge

    def _owe_notice(self, db: sqlite3.Connection, reference: str) -> None:
        db.execute("INSERT INTO notice (charge, due_at) VALUES (?, ?)", (reference, clock.now().isoformat()))

    def _write_entry(self, db: sqlite3.Connection, reference: str, amount: int, *, refund: str = "") -> None:
        db.execute(
            "INSERT INTO entry (charge, refund, amount, at) VALUES (?, ?, ?, ?)",
            (reference, refund, amount, clock.now().isoformat()),
        )

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        db = self._connection()
        db.execute("BEGIN IMMEDIATE")
        try:
            yield db
        except BaseException:
            db.execute("ROLLBACK")
            raise
        db.execute("COMMIT")

    def _connection(self) -> sqlite3.Connection:
        """One a thread, kept: opening takes longer than what is done with it. A forked process has none of its parent's."""
        mine = self._mine
        if getattr(mine, "pid", None) != os.getpid():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            mine.db, mine.pid = sqlite3.connect(self.path, timeout=30, isolation_level=None), os.getpid()
            mine.db.row_factory = sqlite3.Row
            mine.db.execute("PRAGMA journal_mode=WAL")
            if not mine.db.execute("SELECT 1 FROM sqlite_master WHERE name = 'entry'").fetchone():
                mine.db.executescript(_SCHEMA)
        db: sqlite3.Connection = mine.db
        return db


def notice_body(notice_id: int, charge: Charge, refunds: list[tuple[str, int]], merchant: str) -> bytes:
    """What the bank writes to the house, in bytes to be signed."""
    body: dict[str, Any] = {
        "id": str(notice_id),
        "merchant": merchant,
        "reference": charge.reference,
        "outcome": charge.outcome,
        "captured": charge.captured,
        "currency": charge.currency,
        "captured_at": charge.captured_at.isoformat() if charge.captured_at else None,
        "refunds": [{"reference": reference, "amount": amount} for reference, amount in refunds],
    }
    return json.dumps(body, ensure_ascii=False).encode()


def _start_of(day: date) -> str:
    return datetime.combine(day, time(), UTC).isoformat()


def _charge(row: sqlite3.Row) -> Charge:
    values = dict(row)
    values["expires_at"] = datetime.fromisoformat(values["expires_at"])
    values["captured_at"] = datetime.fromisoformat(values["captured_at"]) if values["captured_at"] else None
    return Charge(**values)
