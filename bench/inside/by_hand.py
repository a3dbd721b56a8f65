"""An order's rows in eight plain INSERTs and UPDATEs: what the service layer is compared with."""

from __future__ import annotations

import secrets
from typing import Any

NOW = "2026-11-22 12:00:00+00"


def order_of(cursor: Any, user_id: int, offer_id: int, accounts: list[int]) -> None:
    """Order, line, payment, capture, entitlement, journal, three transfers, fact. `accounts` are four ids."""
    key = secrets.token_hex(12)
    psp, clearing, income, creator = accounts[:4]
    cursor.execute(
        "INSERT INTO commerce_order (number, user_id, status, amount, currency, language, return_path, expires_at, paid_at,"
        " open_key, created_at, updated_at) VALUES (%s, %s, 'paid', 990, 'CNY', 'en', '', %s, %s, NULL, %s, %s) RETURNING id",
        (key[:20], user_id, NOW, NOW, NOW, NOW),
    )
    order_id = cursor.fetchone()[0]
    cursor.execute(
        "INSERT INTO commerce_orderline (order_id, offer_id, title, amount, split) VALUES (%s, %s, 'A work', 990, '[[1, 9000]]')"
        " RETURNING id",
        (order_id, offer_id),
    )
    line_id = cursor.fetchone()[0]
    cursor.execute(
        "INSERT INTO commerce_payment (order_id, gateway, book, reference, status, amount, currency, captured_amount,"
        " captured_currency, captured_at, provider_reference, is_applied, open_key, next_poll_at, poll_count, created_at,"
        " updated_at) VALUES (%s, 'sandbox', 'sandbox', %s, 'pending', 990, 'CNY', 0, '', NULL, '', false, NULL, NULL, 0, %s, %s)"
        " RETURNING id",
        (order_id, key, NOW, NOW),
    )
    payment_id = cursor.fetchone()[0]
    cursor.execute(
        "UPDATE commerce_payment SET status = 'captured', captured_amount = 990, captured_at = %s WHERE id = %s AND status ="
        " 'pending'",
        (NOW, payment_id),
    )
    cursor.execute(
        "INSERT INTO commerce_entitlement (user_id, page_id, starts_at, ends_at, revoked_at, source, owned_key, created_at,"
        " updated_at) SELECT %s, page_id, %s, NULL, NULL, %s, %s, %s, %s FROM commerce_offer WHERE id = %s",
        (user_id, NOW, f"line:{line_id}", f"{user_id}:{offer_id}", NOW, NOW, offer_id),
    )
    cursor.execute(
        "INSERT INTO ledger_journal (key, kind, ref, book, period, digest, reverses_id, actor, posted_at)"
        " VALUES (%s, 'sale', %s, 'sandbox', '2026-11', %s, NULL, '', %s) RETURNING id",
        (f"sale:{key}", f"order:{order_id}", "0" * 64, NOW),
    )
    journal_id = cursor.fetchone()[0]
    cursor.execute(
        "INSERT INTO ledger_transfer (journal_id, line, debit_id, credit_id, currency, amount, code) VALUES"
        " (%s, 1, %s, %s, 'CNY', 990, 'capture'), (%s, 2, %s, %s, 'CNY', 99, 'platform'), (%s, 3, %s, %s, 'CNY', 891, 'creator')",
        (journal_id, psp, clearing, journal_id, clearing, income, journal_id, clearing, creator),
    )
    cursor.execute(
        "INSERT INTO outbox_fact (name, body, created_at, delivered_at, next_attempt_at) VALUES ('OrderPaid', %s, %s, %s, %s)",
        (f'{{"order_id": {order_id}, "user_id": {user_id}}}', NOW, NOW, NOW),
    )
