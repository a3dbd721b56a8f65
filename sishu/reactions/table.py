"""WHEN a fact, THEN these reactions: the whole answer to "what happens after …?".

Every fact of the house has a row; `()` means that nobody reacts to it yet. A reaction runs at least once and its effect
is kept once; it is known to the database by its function's name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sishu.commerce.facts import MoneySetApart, OrderPaid, OrderRefunded
from sishu.content.facts import (
    CoauthorInvited,
    CoauthorJoined,
    PagePublished,
    PageUnpublished,
    WorkApproved,
    WorkRejected,
    WorkSubmitted,
    WorkWaits,
    WorkWithdrawn,
)
from sishu.payouts.facts import PayeeChanged, PayoutPaid, PayoutReleased, PayoutRequested
from sishu.reactions import paying, publishing, selling

Reaction = Callable[[Any], None]
Table = Mapping[type, tuple[Reaction, ...]]

TABLE: Table = {
    OrderPaid: (selling.send_receipt,),
    OrderRefunded: (selling.send_refund_notice,),
    MoneySetApart: (selling.give_back,),
    WorkSubmitted: (),
    WorkWaits: (publishing.call_reviewers,),
    WorkApproved: (publishing.tell_accepted,),
    WorkRejected: (publishing.tell_reasons,),
    PagePublished: (publishing.forget_pages, publishing.stop_selling_nothing),
    PageUnpublished: (publishing.forget_pages, publishing.stop_selling_unpublished),
    WorkWithdrawn: (publishing.forget_pages,),
    CoauthorInvited: (publishing.tell_invited,),
    CoauthorJoined: (publishing.tell_joined,),
    PayeeChanged: (paying.tell_payee_changed,),
    PayoutRequested: (paying.tell_payout_requested,),
    PayoutPaid: (paying.tell_payout_paid,),
    PayoutReleased: (paying.tell_payout_released,),
}
