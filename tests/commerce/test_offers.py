"""Open offers, found by the works they sell."""

from __future__ import annotations

import pytest

from sishu.commerce import offers
from sishu.commerce.models import Offer
from tests.factories.commerce import make_offer, make_plan

pytestmark = pytest.mark.django_db
ONCE, MONTH = Offer.Interval.ONCE, Offer.Interval.MONTH


def test_open_offers_of_many_works_are_found_in_one_query(django_assert_num_queries) -> None:
    plan, single, closed = make_plan(), make_offer(), make_offer()
    offers.close(closed.page)
    house, work, gone = (offer.page.translation_key for offer in (plan, single, closed))
    with django_assert_num_queries(1):
        found = offers.find_open_all([(house, MONTH), (work, ONCE), (work, MONTH), (gone, ONCE)])
    assert found == {(house, MONTH): plan, (work, ONCE): single}
