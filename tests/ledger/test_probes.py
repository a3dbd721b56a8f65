"""Twenty-one attempts to break the books by plain SQL, on whichever database the suite runs: the database refuses.

What a database cannot refuse is said where it stands: PostgreSQL and MariaDB round 9.99 by the column's type, which is
why `journal.post` takes ints only; MariaDB's TRUNCATE passes triggers, which is why the docs withhold DROP from the
application's user.
"""

from __future__ import annotations

import pytest
from django.db import DatabaseError, connection, transaction

from sishu.ledger import check, journal, triggers
from sishu.ledger.journal import Move
from sishu.ledger.models import Account, Book, Journal, PeriodLock

pytestmark = [pytest.mark.django_db, pytest.mark.broken_books]


@pytest.fixture
def books():
    """Two journals in two currencies and both books, a guarded purse holding 500, one reversal, one closed month."""
    for key, book, currency in [("a", Book.LIVE, "CNY"), ("b", Book.LIVE, "USD"), ("c", Book.SANDBOX, "CNY")]:
        with transaction.atomic():
            made = journal.post(
                key=key, kind="topup", ref="order:1", book=book, currency=currency,
                moves=[Move("asset:psp:sandbox", "liability:purse:1", 500, "topup")],
            )  # fmt: skip
    with transaction.atomic():
        journal.reverse(made, key="c-back", kind="refund")
    PeriodLock.objects.create(period="2020-01", closed_at="2020-02-02T00:00:00Z", closed_by="finance")
    return {
        **{f"{a.code}/{a.currency}/{a.book}": a.pk for a in Account.objects.all()},
        **{j.key: j.pk for j in Journal.objects.all()},
    }


def run(sql: str, *values: object) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, values)
        connection.check_constraints()  # foreign keys are deferred to the commit, which a test never reaches


def refused(sql: str, *values: object) -> None:
    with pytest.raises(DatabaseError):
        run(sql, *values)


def transfer(journal_id, line, debit, credit, currency, amount):
    return (
        "INSERT INTO ledger_transfer (journal_id, line, debit_id, credit_id, currency, amount, code)"
        " VALUES (%s, %s, %s, %s, %s, %s, 'probe')",
        journal_id, line, debit, credit, currency, amount,
    )  # fmt: skip


CNY_PSP, CNY_PURSE = "asset:psp:sandbox/CNY/live", "liability:purse:1/CNY/live"


def test_01_a_right_transfer_is_taken(books):
    run(*transfer(books["a"], 2, books[CNY_PSP], books[CNY_PURSE], "CNY", 1))


@pytest.mark.parametrize("amount", [0, -1], ids=["02_zero", "03_negative"])
def test_amount_is_positive(books, amount):
    refused(*transfer(books["a"], 2, books[CNY_PSP], books[CNY_PURSE], "CNY", amount))


def test_04_text_is_not_an_amount(books):
    refused(*transfer(books["a"], 2, books[CNY_PSP], books[CNY_PURSE], "CNY", "abc"))


def test_05_a_fraction_is_never_stored_as_one(books):
    statement = transfer(books["a"], 2, books[CNY_PSP], books[CNY_PURSE], "CNY", 9.99)
    if connection.vendor == "sqlite":
        refused(*statement)
        return
    run(*statement)
    with connection.cursor() as cursor:
        cursor.execute("SELECT amount FROM ledger_transfer WHERE code = 'probe'")
        assert [row[0] for row in cursor.fetchall()] == [10]


def test_06_both_sides_share_the_currency(books):
    refused(*transfer(books["a"], 2, books[CNY_PSP], books["liability:purse:1/USD/live"], "CNY", 1))


def test_07_the_transfer_names_its_accounts_currency(books):
    refused(*transfer(books["a"], 2, books[CNY_PSP], books[CNY_PURSE], "USD", 1))


def test_08_books_never_mix(books):
    refused(*transfer(books["a"], 2, books[CNY_PSP], books["liability:purse:1/CNY/sandbox"], "CNY", 1))


def test_09_a_journal_stays_in_its_book(books):
    refused(*transfer(books["c"], 2, books[CNY_PSP], books[CNY_PURSE], "CNY", 1))


def test_10_an_account_must_exist(books):
    refused(*transfer(books["a"], 2, 10**9, books[CNY_PURSE], "CNY", 1))


def test_11_a_journal_must_exist(books):
    refused(*transfer(10**9, 1, books[CNY_PSP], books[CNY_PURSE], "CNY", 1))


def test_12_debit_and_credit_differ(books):
    refused(*transfer(books["a"], 2, books[CNY_PSP], books[CNY_PSP], "CNY", 1))


def test_13_a_line_comes_once(books):
    refused(*transfer(books["a"], 1, books[CNY_PSP], books[CNY_PURSE], "CNY", 1))


JOURNAL = (
    "INSERT INTO ledger_journal ({key}, kind, ref, book, period, digest, reverses_id, actor, posted_at)"
    " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)"
)


def insert_journal(key, *, period="2026-11", reverses=None, book="live"):
    sql = JOURNAL.format(key=connection.ops.quote_name("key"))
    return (sql, key, "probe", "order:1", book, period, "x" * 64, reverses, "", "2026-11-01 00:00:00")


def test_14_a_business_fact_comes_once(books):
    refused(*insert_journal("a"))


def test_15_one_reversal_a_journal(books):
    run(*insert_journal("first", reverses=books["a"]))
    refused(*insert_journal("again", reverses=books["c"], book="sandbox"))


def test_16_a_reversal_keeps_its_book(books):
    refused(*insert_journal("other", reverses=books["b"], book="sandbox"))


def test_17_a_closed_period_takes_nothing(books):
    refused(*insert_journal("late", period="2020-01"))


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE ledger_transfer SET amount = 1",
        "DELETE FROM ledger_transfer",
        "UPDATE ledger_journal SET kind = 'x'",
        "DELETE FROM ledger_journal WHERE reverses_id IS NOT NULL",
        "UPDATE ledger_account SET currency = 'USD'",
        "DELETE FROM ledger_periodlock",
    ],
    ids=["18_transfer_update", "18_transfer_delete", "18_journal_update", "18_journal_delete", "18_account_update",
         "18_reopen"],
)  # fmt: skip
def test_the_books_are_append_only(books, sql):
    refused(sql)


def test_19_emptying_a_table_is_refused_where_the_database_can(books):
    if connection.vendor == "mysql":
        pytest.skip("TRUNCATE passes triggers on MySQL and MariaDB; the application's user gets no DROP privilege.")
    refused("TRUNCATE ledger_transfer CASCADE" if connection.vendor == "postgresql" else "DELETE FROM ledger_transfer")


def test_20_a_purse_never_passes_its_floor(books):
    refused("UPDATE ledger_balance SET posted = posted - 501 WHERE account_id = %s", books[CNY_PURSE])
    run("UPDATE ledger_balance SET posted = posted - 500 WHERE account_id = %s", books[CNY_PURSE])
    assert [fault.row for fault in check.faults()] == [f"balance {books[CNY_PURSE]}"]


def test_21_a_change_behind_the_triggers_is_found_by_the_check(transactional_db, books):
    assert list(check.faults()) == []
    triggers.drop()
    run("UPDATE ledger_transfer SET amount = amount + 1 WHERE journal_id = %s", books["b"])
    triggers.create()
    found = [str(fault) for fault in check.faults()]
    assert found[0].startswith(f"journal {books['b']} (b): does not match its digest")


def test_every_trigger_is_in_the_database():
    assert triggers.missing() == []
    assert len(triggers.expected(connection.vendor)) >= len(triggers.RULES)
