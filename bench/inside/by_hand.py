"""An order's rows in plain INSERTs and UPDATEs: what the service layer is compared with."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from typing import Any

NOW = "2026-11-22 12:00:00+00"
RETURNED = re.compile(r" RETURNING id AS (\w+)")

# Order, line, payment, capture, entitlement, journal, three transfers, fact.
ORDER = (
    "INSERT INTO commerce_order (number, user_id, status, amount, currency, language, return_path, expires_at, paid_at,"
    " open_key, created_at, updated_at) VALUES (%(key)s, %(user_id)s, 'paid', 990, 'CNY', 'en', '', %(now)s, %(now)s,"
    " NULL, %(now)s, %(now)s) RETURNING id AS order_id",
    "INSERT INTO commerce_orderline (order_id, offer_id, title, amount, split, refund_days, refunded_amount) VALUES"
    " (%(order_id)s, %(offer_id)s, 'A work', 990, '[[1, 9000]]', 7, 0) RETURNING id AS line_id",
    "INSERT INTO commerce_payment (order_id, gateway, product, book, reference, status, amount, currency,"
    " expires_at, captured_amount, captured_currency, captured_at, provider_reference, is_applied, open_key, next_poll_at,"
    " poll_count, created_at, updated_at) VALUES (%(order_id)s, 'sandbox', '', 'sandbox', %(key)s, 'pending', 990,"
    " 'CNY', %(now)s, 0, '', NULL, '', false, NULL, NULL, 0, %(now)s, %(now)s) RETURNING id AS payment_id",
    "UPDATE commerce_payment SET status = 'captured', captured_amount = 990, captured_at = %(now)s"
    " WHERE id = %(payment_id)s AND status = 'pending'",
    "INSERT INTO commerce_entitlement (user_id, page_id, starts_at, ends_at, revoked_at, source, owned_key, created_at,"
    " updated_at) SELECT %(user_id)s, page_id, %(now)s, NULL, NULL, 'line:' || %(line_id)s, %(key)s, %(now)s, %(now)s"
    " FROM commerce_offer WHERE id = %(offer_id)s",
    "INSERT INTO ledger_journal (key, kind, ref, book, period, digest, reverses_id, actor, posted_at) VALUES"
    " ('sale:' || %(key)s, 'sale', 'order:' || %(order_id)s, 'sandbox', '2026-11', %(key)s, NULL, '', %(now)s)"
    " RETURNING id AS journal_id",
    "INSERT INTO ledger_transfer (journal_id, line, debit_id, credit_id, currency, amount, code) VALUES"
    " (%(journal_id)s, 1, %(psp)s, %(clearing)s, 'CNY', 990, 'capture'),"
    " (%(journal_id)s, 2, %(clearing)s, %(income)s, 'CNY', 99, 'platform'),"
    " (%(journal_id)s, 3, %(clearing)s, %(creator)s, 'CNY', 891, 'creator')",
    "INSERT INTO outbox_fact (name, body, created_at, delivered_at, next_attempt_at) VALUES"
    " ('OrderPaid', '{\"order_id\": 1, \"user_id\": 1}', %(now)s, %(now)s, %(now)s)",
)
# The buyer's key, and the notice as it is kept: sealed, then marked as applied.
NOTICE = (
    "INSERT INTO core_subjectkey (subject, kek_version, wrapped, created_at) VALUES"
    " ('user:' || %(key)s, 1, %(wrapped)s, %(now)s)",
    "INSERT INTO commerce_receivednotice (gateway, notice_id, reference, subject, sealed, count, received_at, applied_at)"
    " VALUES ('sandbox', %(key)s, %(key)s, 'user:' || %(key)s, %(sealed)s, 1, %(now)s, NULL) RETURNING id AS notice_id",
    "UPDATE commerce_receivednotice SET applied_at = %(now)s WHERE id = %(notice_id)s AND applied_at IS NULL",
)


def order_of(cursor: Any, user_id: int, offer_id: int, accounts: list[int]) -> None:
    """The rows of one paid order. `accounts` are four ids."""
    _write(cursor, ORDER, {"user_id": user_id, "offer_id": offer_id, **_of_accounts(accounts)})


def order_and_notice_of(cursor: Any, user_id: int, offer_id: int, accounts: list[int]) -> None:
    """The rows of one paid order, and of the notice that said so."""
    values = {"user_id": user_id, "offer_id": offer_id, "wrapped": bytes(60), "sealed": bytes(600)}
    _write(cursor, ORDER + NOTICE, {**values, **_of_accounts(accounts)})


def pgbench_script(offer_id: int, accounts: list[int], user_ids: range) -> str:
    """`order_and_notice_of`, by another client each time, as `pgbench -f` reads it."""
    values = {
        "key": "'k:number'", "now": f"'{NOW}'", "offer_id": str(offer_id), "wrapped": "decode(repeat('ab', 60), 'hex')",
        "sealed": "decode(repeat('ab', 600), 'hex')", **{name: str(pk) for name, pk in _of_accounts(accounts).items()},
    }  # fmt: skip
    lines = [
        rf"\set user_id random({user_ids.start}, {user_ids.stop - 1})",
        r"\set number random(1, 1000000000000000000)",
    ]
    lines += ["BEGIN;"]
    for statement in ORDER + NOTICE:
        said = re.sub(r"%\((\w+)\)s", lambda found: values.get(found[1], f":{found[1]}"), statement)
        lines.append(said + (r" \gset" if RETURNED.search(said) else ";"))
    return "\n".join([*lines, "COMMIT;", ""])


def _write(cursor: Any, statements: tuple[str, ...], values: Mapping[str, object]) -> None:
    known = {"key": secrets.token_hex(10), "now": NOW, **values}
    for statement in statements:
        cursor.execute(statement, known)
        if found := RETURNED.search(statement):
            known[found[1]] = cursor.fetchone()[0]


def _of_accounts(accounts: list[int]) -> dict[str, int]:
    return dict(zip(("psp", "clearing", "income", "creator"), accounts, strict=False))
