"""What buyers and the back office call the ways to pay. A gateway that has no words here goes by its own name."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

# name → (what it is called, what one does there)
WORDS: dict[str, tuple[str | Promise, str | Promise]] = {
    "alipay": (_("Alipay"), _("Goes on at Alipay: scan the code there, or open the app.")),
    "wechat": (_("WeChat Pay"), _("At a desk you scan a code; on a telephone WeChat opens.")),
    "stripe": (_("Bank card (Stripe)"), _("Visa, Mastercard and others. The card’s number is typed at Stripe, not here.")),
    "offline": (_("Bank transfer"), _("You transfer the money yourself. The work opens once it has arrived, mostly in one to three working days.")),
    "sandbox": (_("Sandbox"), _("Play money: the whole way of a payment, and nothing is charged.")),
}  # fmt: skip


def label_of(name: str) -> str:
    """What a gateway is called, in the language of the moment."""
    return str(WORDS[name][0]) if name in WORDS else name
