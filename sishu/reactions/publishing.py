"""After a work was handed in, judged, published or withdrawn, or somebody was asked to write it and came."""

from __future__ import annotations

from sishu.commerce import offers
from sishu.content import generation, review_mail
from sishu.content.facts import (
    CoauthorInvited,
    CoauthorJoined,
    PagePublished,
    PageUnpublished,
    WorkApproved,
    WorkRejected,
    WorkWaits,
    WorkWithdrawn,
)


def call_reviewers(fact: WorkWaits) -> None:
    for user in review_mail.reviewers():
        review_mail.send_waiting.enqueue(fact.page_id, user.pk)


def tell_accepted(fact: WorkApproved) -> None:
    for user in review_mail.authors_of(fact.page_id):
        review_mail.send_accepted.enqueue(fact.page_id, user.pk)


def tell_reasons(fact: WorkRejected) -> None:
    for user in review_mail.authors_of(fact.page_id):
        review_mail.send_needs_changes.enqueue(fact.page_id, user.pk, fact.task_state_id)


def tell_invited(fact: CoauthorInvited) -> None:
    review_mail.send_invitation.enqueue(fact.invitation_id)


def tell_joined(fact: CoauthorJoined) -> None:
    review_mail.send_joined.enqueue(fact.invitation_id)


def forget_pages(fact: PagePublished | PageUnpublished | WorkWithdrawn) -> None:
    """What was kept in memory of live pages is made anew. The fact's own change is committed long ago."""
    generation.touch()


def stop_selling_nothing(fact: PagePublished) -> None:
    """A version without a paywall for those who paid went live: nobody is to pay for it."""
    offers.close_empty(fact.page_id)


def stop_selling_unpublished(fact: PageUnpublished) -> None:
    """A work that readers find no more in any language is sold no more. Whoever publishes it again prices it again."""
    offers.close_unpublished(fact.page_id)
