"""One work on sale, and many readers."""

from __future__ import annotations

from wagtail.models import Page

from sishu.accounts.models import User
from sishu.commerce import offers
from sishu.core.money import Money


def fill(*, readers: int, price: int = 990) -> tuple[int, list[int]]:
    """One work on sale at `price` minor units and so many readers: (offer id, reader ids)."""
    names = [f"reader{n}" for n in range(readers)]
    User.objects.bulk_create(
        [User(username=n, username_key=n, email=f"{n}@example.org", password="!") for n in names], batch_size=500
    )
    author = User.objects.create_user("author", "author@example.org", password=None)
    page = Page.get_first_root_node().add_child(instance=Page(title="A work", slug="a-work"))
    offer = offers.price(page, Money(price, "CNY"), shares={author.pk: 9000})
    return offer.pk, list(
        User.objects.filter(username__startswith="reader").order_by("id").values_list("id", flat=True)
    )
