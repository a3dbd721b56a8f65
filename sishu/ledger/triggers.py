"""Rules that a model cannot state, kept by the database itself: append-only, one book, one currency, whole numbers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

# name → (table, event, refusal, condition under which the row is refused)
Rule = tuple[str, str, str, str]

_ACCOUNTS_AGREE = (
    "NOT EXISTS (SELECT 1 FROM ledger_account d, ledger_account c, ledger_journal j"
    " WHERE d.id = NEW.debit_id AND c.id = NEW.credit_id AND j.id = NEW.journal_id"
    " AND d.currency = NEW.currency AND c.currency = NEW.currency AND d.book = j.book AND c.book = j.book)"
)
_MIRRORS_SAME_BOOK = (
    "NEW.reverses_id IS NOT NULL AND NOT EXISTS"
    " (SELECT 1 FROM ledger_journal r WHERE r.id = NEW.reverses_id AND r.book = NEW.book)"
)
RULES: dict[str, Rule] = {
    "ledger_transfer_agrees": ("ledger_transfer", "INSERT", "accounts of another currency or book", _ACCOUNTS_AGREE),
    "ledger_transfer_kept": ("ledger_transfer", "UPDATE", "transfers are never changed", "TRUE"),
    "ledger_transfer_stays": ("ledger_transfer", "DELETE", "transfers are never deleted", "TRUE"),
    "ledger_journal_open": (
        "ledger_journal", "INSERT", "the period is closed",
        "EXISTS (SELECT 1 FROM ledger_periodlock p WHERE p.period = NEW.period)",
    ),
    "ledger_journal_same_book": (
        "ledger_journal", "INSERT", "a reversal stays in the book of what it reverses", _MIRRORS_SAME_BOOK,
    ),
    "ledger_journal_kept": ("ledger_journal", "UPDATE", "journals are never changed", "TRUE"),
    "ledger_journal_stays": ("ledger_journal", "DELETE", "journals are never deleted", "TRUE"),
    "ledger_account_kept": ("ledger_account", "UPDATE", "accounts are never changed", "TRUE"),
    "ledger_account_stays": ("ledger_account", "DELETE", "accounts are never deleted", "TRUE"),
    "ledger_periodlock_kept": ("ledger_periodlock", "UPDATE", "a closed period stays closed", "TRUE"),
    "ledger_periodlock_stays": ("ledger_periodlock", "DELETE", "a closed period stays closed", "TRUE"),
}  # fmt: skip
# SQLite stores whatever it is given; the others convert by column type.
SQLITE_RULES: dict[str, Rule] = {
    "ledger_transfer_whole": (
        "ledger_transfer", "INSERT", "amounts are whole numbers", "typeof(NEW.amount) <> 'integer'",
    ),
    "ledger_balance_whole_new": (
        "ledger_balance", "INSERT", "amounts are whole numbers", "typeof(NEW.posted) <> 'integer'",
    ),
    "ledger_balance_whole": (
        "ledger_balance", "UPDATE", "amounts are whole numbers", "typeof(NEW.posted) <> 'integer'",
    ),
}  # fmt: skip
# PostgreSQL empties a table without visiting its rows.
_PG_TRUNCATED = ("ledger_transfer", "ledger_journal", "ledger_account")


def rules(vendor: str) -> dict[str, Rule]:
    """The rules that this vendor's database keeps by trigger."""
    return RULES | (SQLITE_RULES if vendor == "sqlite" else {})


def expected(vendor: str) -> set[str]:
    """Names of the triggers that must exist."""
    return set(rules(vendor)) | ({f"{table}_full" for table in _PG_TRUNCATED} if vendor == "postgresql" else set())


def create(*, using: str = "default", **_kwargs: Any) -> None:
    """Make every trigger anew. Called after each migrate; idempotent."""
    connection = connections[using]
    if "ledger_transfer" not in connection.introspection.table_names():
        return
    drop(using=using)
    with connection.cursor() as cursor:
        for statement in _statements(connection.vendor):
            cursor.execute(statement)


def drop(*, using: str = "default") -> None:
    """Remove the triggers: for `create`, and for test fixtures that empty tables."""
    connection = connections[using]
    tables = {name: rule[0] for name, rule in rules(connection.vendor).items()}
    with connection.cursor() as cursor:
        for name in expected(connection.vendor):
            table = tables.get(name, name.removesuffix("_full"))
            on_table = f" ON {table}" if connection.vendor == "postgresql" else ""
            cursor.execute(f"DROP TRIGGER IF EXISTS {name}{on_table}")


def missing(*, using: str = "default") -> list[str]:
    """Names of triggers that should be in the database and are not."""
    return sorted(expected(connections[using].vendor) - _present(connections[using]))


def _present(connection: BaseDatabaseWrapper) -> set[str]:
    query = {
        "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger'",
        "postgresql": "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled <> 'D'",
        "mysql": "SELECT trigger_name FROM information_schema.triggers WHERE trigger_schema = DATABASE()",
    }[connection.vendor]
    with connection.cursor() as cursor:
        cursor.execute(query)
        return {row[0] for row in cursor.fetchall()}


def _statements(vendor: str) -> Iterator[str]:
    for name, (table, event, refusal, condition) in rules(vendor).items():
        yield from _DIALECTS[vendor](name, table, event, f"ledger: {refusal}", condition)
    if vendor == "postgresql":
        for table in _PG_TRUNCATED:
            yield (
                f"CREATE TRIGGER {table}_full BEFORE TRUNCATE ON {table}"
                f" FOR EACH STATEMENT EXECUTE FUNCTION {table}_stays()"
            )


def _sqlite(name: str, table: str, event: str, refusal: str, condition: str) -> Iterator[str]:
    yield (
        f"CREATE TRIGGER {name} BEFORE {event} ON {table} WHEN {condition} BEGIN SELECT RAISE(ABORT, '{refusal}'); END"
    )


def _postgresql(name: str, table: str, event: str, refusal: str, condition: str) -> Iterator[str]:
    result = "OLD" if event == "DELETE" else "NEW"
    yield (
        f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        f" IF {condition} THEN RAISE EXCEPTION '{refusal}' USING ERRCODE = 'integrity_constraint_violation'; END IF;"
        f" RETURN {result}; END $$"
    )
    yield f"CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()"


def _mysql(name: str, table: str, event: str, refusal: str, condition: str) -> Iterator[str]:
    yield (
        f"CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH ROW BEGIN"
        f" IF {condition} THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = '{refusal}'; END IF; END"
    )


_DIALECTS = {"sqlite": _sqlite, "postgresql": _postgresql, "mysql": _mysql}
