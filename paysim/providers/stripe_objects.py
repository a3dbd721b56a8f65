"""What the bank knows, in the shapes of Stripe's API objects. Field by field compared with its SDK's typed classes by a test."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from paysim.bank import Capture, Charge, Dispute, DisputeStatus, Refund, RefundStatus, Status
from paysim.providers.stripe_bill import of_capture, of_dispute, of_refund
from paysim.providers.stripe_wire import Json, unix

REFUND_STATES = {
    RefundStatus.PENDING: "pending", RefundStatus.SUCCEEDED: "succeeded", RefundStatus.FAILED: "failed",
}  # fmt: skip
DISPUTE_STATES = {
    DisputeStatus.OPEN: "needs_response", DisputeStatus.WON: "won", DisputeStatus.LOST: "lost",
}  # fmt: skip
EVIDENCE_DAYS = 7


def session(charge: Charge) -> Json:
    """A Checkout Session. Complete once the buyer submitted, paid once the money is there: not the same moment."""
    is_complete = charge.extra["is_submitted"]
    status = "complete" if is_complete else "expired" if charge.status == Status.CLOSED else "open"
    return {
        "id": charge.provider_reference, "object": "checkout.session", "adaptive_pricing": None,
        "after_expiration": None, "allow_promotion_codes": None, "amount_subtotal": charge.amount,
        "amount_total": charge.amount, "automatic_tax": {"enabled": False, "liability": None, "status": None},
        "billing_address_collection": None, "cancel_url": charge.extra["cancel_url"],
        "client_reference_id": charge.extra["client_reference_id"], "client_secret": None, "consent": None,
        "created": unix(charge.created_at), "currency": charge.currency.lower(), "custom_fields": [],
        "custom_text": {"after_submit": None, "shipping_address": None, "submit": None,
                        "terms_of_service_acceptance": None},
        "customer": None, "customer_creation": "if_required",
        "customer_details": _buyer() if is_complete else None, "customer_email": None, "discounts": [],
        "expires_at": unix(charge.expires_at) if charge.expires_at else 0, "invoice": None, "livemode": False,
        "locale": None, "metadata": charge.extra["metadata"], "mode": "payment",
        "payment_intent": charge.extra["payment_intent"], "payment_link": None,
        "payment_method_collection": "if_required", "payment_method_types": ["card", "alipay"],
        "payment_status": "paid" if charge.captures else "unpaid", "permissions": None, "recovered_from": None,
        "setup_intent": None, "shipping_address_collection": None, "shipping_cost": None, "shipping_options": [],
        "status": status, "submit_type": None, "subscription": None, "success_url": charge.extra["success_url"],
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0}, "ui_mode": "hosted_page",
        "url": charge.extra["url"] if status == "open" else None,
    }  # fmt: skip


def payment_intent(charge: Charge) -> Json:
    """A PaymentIntent. A declined card leaves it open; several captures are the simulator's fault, not Stripe's."""
    latest = charge_ids(charge)
    failed = bool(charge.extra["declines"]) or charge.status == Status.FAILED
    if charge.captures:
        status = "succeeded"
    elif charge.status == Status.CLOSED:
        status = "canceled"
    else:
        is_processing = charge.extra["is_submitted"] and charge.status == Status.WAITING
        status = "processing" if is_processing else "requires_payment_method"
    error = {"code": "card_declined", "decline_code": "generic_decline", "message": "Your card was declined.",
             "type": "card_error"} if failed and not charge.captures else None  # fmt: skip
    return {
        "id": charge.extra["payment_intent"], "object": "payment_intent", "amount": charge.amount,
        "amount_capturable": 0, "amount_received": charge.captured, "application": None,
        "application_fee_amount": None, "automatic_payment_methods": None,
        "canceled_at": unix(charge.created_at) if status == "canceled" else None, "cancellation_reason": None,
        "capture_method": "automatic_async", "client_secret": None, "confirmation_method": "automatic",
        "created": unix(charge.extra["attempted_at"]), "currency": currency_of(charge).lower(), "customer": None,
        "description": charge.extra["description"], "last_payment_error": error,
        "latest_charge": latest[-1] if latest else None, "livemode": False,
        "metadata": charge.extra["intent_metadata"], "next_action": None, "on_behalf_of": None,
        "payment_method": "pm_simulated", "payment_method_types": ["card", "alipay"], "processing": None,
        "receipt_email": None, "review": None, "setup_future_usage": None, "shipping": None, "source": None,
        "statement_descriptor": None, "statement_descriptor_suffix": None, "status": status, "transfer_data": None,
        "transfer_group": None,
    }  # fmt: skip


def currency_of(charge: Charge) -> str:
    """That of the money which came, or that which was asked for."""
    return charge.captures[-1].currency if charge.captures else charge.currency


def charge_ids(charge: Charge) -> list[str]:
    """All attempts on the buyer's money, the latest last."""
    return [*charge.extra["declines"], *(f"ch_{capture.provider_reference}" for capture in charge.captures)]


def attempt(charge: Charge, key: str) -> Json:
    """A Charge: money that came, or a card that was declined."""
    if key in charge.extra["declines"]:
        return _charge_object(charge, key, None)
    return _charge_object(charge, key, next(one for one in charge.captures if f"ch_{one.provider_reference}" == key))


def _charge_object(charge: Charge, key: str, capture: Capture | None) -> Json:
    refunded = charge.refunded if capture else 0
    amount = capture.amount if capture else charge.amount
    return {
        "id": key, "object": "charge", "amount": amount, "amount_captured": amount if capture else 0,
        "amount_refunded": refunded, "application": None, "application_fee": None, "application_fee_amount": None,
        "balance_transaction": of_capture(charge, capture)["id"] if capture else None,
        "billing_details": _buyer() | {"address": _address()}, "calculated_statement_descriptor": "SIMULATED",
        "captured": capture is not None, "created": unix(capture.at if capture else charge.extra["declines"][key]),
        "currency": (capture.currency if capture else charge.currency).lower(), "customer": None,
        "description": charge.extra["description"], "disputed": bool(charge.disputes and capture),
        "failure_balance_transaction": None, "failure_code": None if capture else "card_declined",
        "failure_message": None if capture else "Your card was declined.", "fraud_details": {}, "livemode": False,
        "metadata": charge.extra["intent_metadata"], "on_behalf_of": None, "outcome": None,
        "paid": capture is not None, "payment_intent": charge.extra["payment_intent"], "payment_method": "pm_simulated",
        "payment_method_details": {"type": "card", "card": {"brand": "visa", "last4": "4242"}}, "receipt_email": None,
        "receipt_number": None, "receipt_url": None, "refunded": bool(capture) and refunded >= amount, "review": None,
        "shipping": None, "source": None, "source_transfer": None, "statement_descriptor": None,
        "statement_descriptor_suffix": None, "status": "succeeded" if capture else "failed", "transfer_data": None,
        "transfer_group": None,
    }  # fmt: skip


def refund(charge: Charge, one: Refund) -> Json:
    """A Refund. One from the provider's console has no metadata of the merchant's."""
    known: dict[str, Any] = charge.extra["refunds"].get(one.reference, {})
    pending = known.get("pending_reason", "processing") if one.status == RefundStatus.PENDING else None
    rows = of_refund(charge, one)
    return {
        "id": f"re_{one.provider_reference}", "object": "refund", "amount": one.amount,
        "balance_transaction": rows[0]["id"], "charge": charge_ids(charge)[-1], "created": unix(one.at),
        "currency": currency_of(charge).lower(), "destination_details": {"type": "card"},
        "failure_balance_transaction": rows[1]["id"] if len(rows) > 1 else None,
        "failure_reason": "lost_or_stolen_card" if one.status == RefundStatus.FAILED else None,
        "metadata": known.get("metadata", {}), "payment_intent": charge.extra["payment_intent"],
        "pending_reason": pending, "reason": one.reason or None, "receipt_number": None,
        "source_transfer_reversal": None, "status": REFUND_STATES[one.status], "transfer_reversal": None,
    }  # fmt: skip


def dispute(charge: Charge, one: Dispute) -> Json:
    """A Dispute, with the balance transactions that took the money away and perhaps brought it back."""
    return {
        "id": f"du_{one.provider_reference}", "object": "dispute", "amount": one.amount,
        "balance_transactions": of_dispute(charge, one), "charge": charge_ids(charge)[-1], "created": unix(one.at),
        "currency": currency_of(charge).lower(), "enhanced_eligibility_types": [], "evidence": {},
        "evidence_details": {
            "due_by": unix(one.at + timedelta(days=EVIDENCE_DAYS)), "has_evidence": False, "past_due": False,
            "submission_count": 0, "enhanced_eligibility": {},
        },
        "is_charge_refundable": False, "livemode": False, "metadata": {},
        "payment_intent": charge.extra["payment_intent"], "reason": "fraudulent", "status": DISPUTE_STATES[one.status],
    }  # fmt: skip


def _buyer() -> Json:
    return {"email": "buyer@example.org", "name": "A. Buyer", "phone": None, "tax_id": None}


def _address() -> Json:
    return dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state"))
