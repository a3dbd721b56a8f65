"""Writing down what the bank did: a transfer that arrived, and one that was sent back."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils.timezone import localdate
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from wagtail.admin.widgets.button import HeaderButton

from sishu.accounts import roles
from sishu.accounts.models import User
from sishu.commerce import transfers
from sishu.commerce.models import Payment, Refund
from sishu.core import clock
from sishu.core.money import Money, parse_decimal
from sishu.web.studio.actions import Action
from sishu.web.studio.lists import Facts

# A refund that somebody is to send.
WAITS = (Refund.Status.REQUESTED, Refund.Status.PROCESSING)


class BankLineForm(forms.Form):
    """What identifies a line of the bank's statement."""

    booked_on = forms.DateField(
        label=_("Booked on"),
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        help_text=_("The day on which the bank booked it."),
    )
    bank_reference = forms.CharField(
        label=_("Bank’s reference"),
        max_length=64,
        help_text=_("The bank’s own number of this transfer, as its statement has it. Each is recorded once."),
    )


class ArrivedForm(BankLineForm):
    """A transfer that arrived."""

    field_order = ("amount", "booked_on", "bank_reference")
    amount = forms.CharField(label=_("Amount as it arrived"), max_length=24)

    def __init__(self, *args: Any, currency: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.currency = currency
        self.fields["amount"].help_text = gettext("In %(currency)s, after what banks on the way took.") % {
            "currency": currency
        }

    def clean_amount(self) -> Money:
        try:
            money = Money(parse_decimal(self.cleaned_data["amount"], self.currency), self.currency)
        except ValueError:
            money = None
        if not money:
            raise ValidationError(gettext("Write an amount above zero, such as 9.90."))
        return money


class RecordTransfer(Action):
    """A transfer arrived for a payment: the order is settled, or the money waits for a decision."""

    model = Payment
    permission_required = roles.RECORD_TRANSFER
    form_class = ArrivedForm
    url_namespace = "payments"
    page_title = _("Record a transfer")
    button = _("Record it")
    is_serious = True
    needs_reauthentication = True

    def get_question(self) -> str:
        if self.object.gateway != transfers.GATEWAY:
            return gettext(
                "Payment %(reference)s came by %(gateway)s, which tells of it itself. Only bank transfers are recorded."
            ) % {"reference": self.object.reference, "gateway": self.object.gateway_label}
        return gettext(
            "Write down what the bank’s statement says of this transfer. What was due, or more, settles the order and opens "
            "what was bought. What is too much, too little or too late is set apart and opens a case. A record is not "
            "edited afterwards."
        )

    def get_facts(self) -> Facts:
        payment = self.object
        return [
            (_("Transfer code"), payment.provider_reference),
            (_("Due"), payment.due),
            (_("Arrived before"), payment.captured if payment.captured_at else ""),
            (_("Order number"), payment.order.number),
            (_("Order status"), payment.order.get_status_display()),
            (_("To be paid by"), payment.expires_at),
            (_("Buyer"), payment.order.user.name),
        ]

    def get_form_kwargs(self) -> dict[str, Any]:
        return super().get_form_kwargs() | {"currency": self.object.currency}

    def get_initial(self) -> dict[str, Any]:
        return {"booked_on": localdate(clock.now())} | self.initial

    def act(self, **said: Any) -> str:
        payment = transfers.record(
            self.object.pk,
            said["amount"],
            booked_on=said["booked_on"],
            bank_reference=said["bank_reference"],
            by=self.person,
        )
        facts = {"money": said["amount"], "number": payment.order.number, "buyer": payment.order.user.name}
        if payment.is_applied and payment.captured == payment.due:
            return gettext("%(money)s recorded. Order %(number)s is paid, and %(buyer)s has what was bought.") % facts
        if payment.is_applied:
            return (
                gettext(
                    "%(money)s recorded. Order %(number)s is paid; what is too much is set apart, and a case is open about it."
                )
                % facts
            )
        return gettext("%(money)s recorded. It buys nothing and is set apart; a case is open about it.") % facts


class RefundSent(Action):
    """The house has transferred the money back."""

    model = Refund
    permission_required = roles.RECORD_TRANSFER
    form_class = BankLineForm
    url_namespace = "refunds"
    page_title = _("It was sent")
    button = _("Record it")
    is_serious = True
    needs_reauthentication = True

    def get_question(self) -> str:
        refund = self.object
        if refund.payment.gateway != transfers.GATEWAY:
            return gettext(
                "Payment %(reference)s came by %(gateway)s, which tells of it itself. Only bank transfers are recorded."
            ) % {"reference": refund.payment.reference, "gateway": refund.payment.gateway_label}
        return gettext(
            "%(money)s were transferred back to %(buyer)s from the house’s account. With that the refund has gone, and the buyer "
            "has a mail. Record it only once the bank has booked it."
        ) % {"money": refund.money, "buyer": refund.payment.order.user.name}

    def get_facts(self) -> Facts:
        arrived = self.object.payment.bank_entries.filter(refund=None)
        return [
            (_("Amount"), self.object.money),
            (_("Order number"), self.object.payment.order.number),
            *((_("Came by transfer"), f"{entry.bank_reference} · {entry.money}") for entry in arrived),
        ]

    def get_initial(self) -> dict[str, Any]:
        return {"booked_on": localdate(clock.now())} | self.initial

    def act(self, **said: Any) -> str:
        refund = transfers.record_refund(self.object.pk, by=self.person, **said)
        return gettext("%(money)s went back.") % {"money": refund.money}


def arrived_button(payment: Payment, person: User) -> list[HeaderButton]:
    """The way to record a transfer, where one may come and the person may record it."""
    if payment.gateway != transfers.GATEWAY or not person.has_perm(roles.RECORD_TRANSFER):
        return []
    url = reverse("payments:record", args=(payment.pk,))
    return [HeaderButton(gettext("Record a transfer"), url=url, icon_name="plus")]


def sent_button(refund: Refund, person: User) -> list[HeaderButton]:
    """The way to say that a refund was sent, while it waits for that."""
    waits = refund.payment.gateway == transfers.GATEWAY and refund.status in WAITS
    if not waits or not person.has_perm(roles.RECORD_TRANSFER):
        return []
    return [HeaderButton(gettext("It was sent"), url=reverse("refunds:sent", args=(refund.pk,)), icon_name="check")]
