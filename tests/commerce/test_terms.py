"""Price and parts of a work, in whole numbers: who sets them, what they become."""

from __future__ import annotations

import pytest

from sishu.commerce import offers, terms
from sishu.content import coauthors
from sishu.content.models import ArticlePage
from sishu.core.errors import Invalid, NotAllowed
from tests.factories.commerce import make_offer, make_paid_work
from tests.factories.content import make_article, make_creator

pytestmark = [pytest.mark.django_db, pytest.mark.money]


@pytest.fixture
def work() -> ArticlePage:
    """Written by two."""
    page = make_paid_work(make_creator("lan"))
    he = make_creator("he")
    coauthors.invite(page, page.owner, he.username)
    coauthors.accept(he, he.invitations.get().pk)
    return page


def shares(page: ArticlePage) -> dict[str, int]:
    offer = offers.find_open(page)
    return dict(offer.shares.values_list("payee__username", "share_bps")) if offer else {}


def test_the_authors_share_what_the_platform_leaves(work, settings):
    settings.PLATFORM_SHARE_BPS = 1000
    lan, he = (part.user_id for part in work.authorships.order_by("pk"))
    assert terms.agree(work, work.owner, 990).amount == 990
    assert shares(work) == {"lan": 4500, "he": 4500}
    terms.agree(work, work.owner, None, {lan: 6667, he: 3333})
    assert shares(work) == {"lan": 6000, "he": 3000}
    assert [part.bps for part in terms.read(work).parts] == [6667, 3333]
    with pytest.raises(Invalid, match=r"99\.99"):
        terms.agree(work, work.owner, None, {lan: 6667, he: 3332})
    assert terms.agree(work, work.owner, 1990).amount == 1990
    assert shares(work) == {"lan": 6000, "he": 3000}


def test_only_who_leads_sets_the_price_and_takes_it_away(work):
    he = work.authorships.get(user__username="he").user
    make_offer(work, amount=990)
    for change in (lambda user: terms.agree(work, user, 100), lambda user: terms.close(work, user)):
        with pytest.raises(NotAllowed):
            change(he)
        assert offers.find_open(work)
        change(work.owner)
    assert offers.find_open(work) is None
    terms.close(work, he)  # nothing is for sale: nothing to refuse


def test_a_work_without_a_paywall_has_nothing_to_sell():
    page = make_article(make_paid_work().owner)
    with pytest.raises(Invalid) as refused:
        terms.agree(page, page.owner, 990)
    assert refused.value.code == "price"
    assert terms.agree(page, page.owner, None) is None
