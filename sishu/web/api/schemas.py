"""What the API hears and says. Whatever else a client sends is not heard."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from django.conf import settings
from django.utils.translation import gettext_noop as _
from ninja import Schema
from pydantic import Field, StringConstraints

from sishu.accounts import names
from sishu.commerce import offers
from sishu.content.drafts import MAX_MARKDOWN_BYTES, MAX_TAG_LENGTH, MAX_TAGS, MAX_TITLE_LENGTH
from sishu.content.models.work import MAX_SUMMARY_LENGTH
from sishu.content.paywall import Level
from sishu.core.ids import MAX_ID

# No database stores NUL.
STORABLE = r"^[^\u0000]*$"

Id = Annotated[int, Field(ge=1, le=MAX_ID)]  # in an address, where all is text
Key = Annotated[int, Field(ge=1, le=MAX_ID, strict=True)]  # in a body, where true is not 1
Word = Annotated[str, StringConstraints(max_length=80, pattern=STORABLE)]
Query = Annotated[str, StringConstraints(max_length=100, pattern=STORABLE)]
Number = Annotated[str, StringConstraints(max_length=24, pattern=STORABLE)]
Title = Annotated[str, StringConstraints(max_length=MAX_TITLE_LENGTH, pattern=STORABLE)]
Summary = Annotated[str, StringConstraints(max_length=MAX_SUMMARY_LENGTH, pattern=STORABLE)]
Tag = Annotated[str, StringConstraints(max_length=MAX_TAG_LENGTH, pattern=STORABLE)]
Markdown = Annotated[str, StringConstraints(max_length=MAX_MARKDOWN_BYTES, pattern=STORABLE)]
Login = Annotated[str, StringConstraints(min_length=1, max_length=254, pattern=STORABLE)]
Username = Annotated[str, StringConstraints(max_length=names.MAX_LENGTH, pattern=STORABLE)]
Password = Annotated[str, StringConstraints(min_length=1, max_length=256, pattern=STORABLE)]
TokenName = Annotated[str, StringConstraints(min_length=1, max_length=60, pattern=STORABLE)]

Language = Literal["zh-hans", "en"]
LevelName = Literal["public", "signed_in", "paid"]
Scope = Literal["read", "write"]


def level_name(level: int) -> LevelName:
    """How the API writes a level."""
    written: dict[int, LevelName] = {Level.PUBLIC: "public", Level.SIGNED_IN: "signed_in", Level.PAID: "paid"}
    return written[level]


class Listed(Schema):
    """One page of a list."""

    total: int
    page: int
    per_page: int


class Money(Schema):
    amount: int = Field(description=_("An integer of minor units: 990 is nine yuan ninety."))
    currency: str


class Offer(Schema):
    id: int
    title: str
    price: Money
    interval: Literal["once", "month"]
    work_id: int | None = Field(description=_("The work that it opens; null for the plan, which opens all of them."))
    checkout_url: str = Field(description=_("Where a person can buy it in a browser."))


class OfferList(Listed):
    items: list[Offer]


class Author(Schema):
    name: str
    url: str | None


class Category(Schema):
    slug: str
    name: str


class CategoryList(Schema):
    items: list[Category]


class WorkRow(Schema):
    id: int
    title: str
    summary: str
    language: str
    url: str
    cover_url: str
    published_at: datetime | None
    category: Category | None
    tags: list[str]
    authors: list[Author]
    reading_minutes: int
    level: LevelName = Field(description=_("The level that opens the whole of it."))
    price: Money | None = Field(description=_("What the work costs by itself; null when it is not sold by itself."))


class WorkList(Listed):
    items: list[WorkRow]


class Section(Schema):
    heading: str
    words: int


class Translation(Schema):
    id: int
    language: str
    title: str
    url: str


class Work(WorkRow):
    reader_level: LevelName = Field(description=_("How far you may read."))
    next_level: LevelName | None = Field(description=_("What the next part asks for; null when you have all of it."))
    body_html: str = Field(description=_("The text as far as you may read it."))
    body_markdown: str = Field(description=_("The same text in the dialect of this house."))
    remaining: list[Section] = Field(description=_("The sections that are still closed, with their numbers of words."))
    offers: list[Offer] = Field(description=_("What would open it."))
    translations: list[Translation]


class PlaceOrder(Schema):
    offer: Key = Field(description=_("What to buy. Its price is the server's."))
    gateway: Word = Field("", description=_("A payment provider of this house; the first one if you name none."))
    device: Literal["desktop", "mobile", "weixin"] = Field(
        "desktop", description=_("What the buyer holds: it decides how some providers let them pay.")
    )


class OrderLine(Schema):
    offer_id: int
    title: str
    price: Money


class Order(Schema):
    number: str
    status: Literal["awaiting_payment", "paid", "expired", "cancelled", "refunded"]
    total: Money
    lines: list[OrderLine]
    created_at: datetime
    expires_at: datetime = Field(
        description=_("When it ends unless money comes: later than at first while a bank transfer is waited for.")
    )
    paid_at: datetime | None


class OrderList(Listed):
    items: list[Order]


class GoThere(Schema):
    kind: Literal["redirect"]
    url: str


class ScanCode(Schema):
    kind: Literal["scan_code"]
    text: str = Field(description=_("What a QR code for the provider’s app says."))


class WeixinBridge(Schema):
    kind: Literal["weixin_bridge"]
    parameters: dict[str, str] = Field(description=_("What getBrandWCPayRequest is called with."))


class BankTransfer(Schema):
    kind: Literal["bank_transfer"]
    payee: str
    account: str
    bank: str
    code: str = Field(
        description=_("What the buyer writes as the reason for payment, so that the money is recognised.")
    )


class PlacedOrder(Schema):
    order: Order
    payment_url: str | None = Field(description=_("Where the buyer pays; null when nothing is due."))
    instruction: GoThere | ScanCode | WeixinBridge | BankTransfer | None = Field(
        description=_(
            "What the buyer does next, for a program that shows it itself; null when the provider must first learn at "
            "`payment_url` who pays."
        )
    )
    payment_expires_at: datetime | None = Field(
        description=_("Until when money buys the order by the way that was begun; null when none was.")
    )


class Entitlement(Schema):
    id: int
    title: str
    url: str
    work_id: int | None = Field(description=_("The work that it opens; null for the plan, which opens all of them."))
    starts_at: datetime
    ends_at: datetime | None = Field(description=_("Null: for good."))


class EntitlementList(Listed):
    items: list[Entitlement]


class Me(Schema):
    id: int
    username: str
    name: str
    email: str
    is_email_verified: bool
    language: str
    may_publish: bool


class Registration(Schema):
    username: Username
    email: Login
    password: Password


class Registered(Schema):
    message: str
    username: str


class AskToken(Schema):
    login: Login = Field(description=_("User name or e-mail address."))
    password: Password
    name: TokenName = Field(description=_("What the token is for."))
    scope: Scope = "read"
    days: Annotated[int, Field(ge=1, le=3650, strict=True)] | None = Field(
        None, description=_("How long it lives; null: until revoked.")
    )


class Token(Schema):
    id: int
    name: str
    prefix: str
    scope: Scope
    created_at: datetime
    last_used_at: datetime | None
    expires_at: datetime | None
    revoked_at: datetime | None


class IssuedToken(Token):
    secret: str = Field(description=_("Shown this once and kept nowhere."))


class TokenList(Schema):
    items: list[Token]


class DraftFields(Schema):
    title: Title
    summary: Summary = ""
    category: Word | None = Field(None, description=_("A category's slug."))
    tags: Annotated[list[Tag], Field(max_length=MAX_TAGS)] = []
    cover_id: Key | None = Field(None, description=_("One of your uploaded pictures; null: drawn from the title."))
    markdown: Markdown = Field("", description=_("The whole text in the dialect of this house."))


class NewDraft(DraftFields):
    language: Language = Field(settings.LANGUAGE_CODE)  # type: ignore[arg-type]


class ChangedDraft(DraftFields):
    version: Key = Field(description=_("The version that you began from."))


class Review(Schema):
    status: Literal["draft", "in_review", "needs_changes", "scheduled", "live", "withdrawn"]
    is_live: bool
    has_unpublished_changes: bool
    reasons: str
    since: datetime | None


class Draft(Schema):
    id: int
    version: int = Field(description=_("Send it back with your changes."))
    language: str
    title: str
    summary: str
    category: str | None
    tags: list[str]
    cover_id: int | None
    markdown: str
    review: Review
    offer: Offer | None


class DraftRow(Schema):
    id: int
    language: str
    title: str
    is_live: bool
    has_unpublished_changes: bool
    is_withdrawn: bool
    changed_at: datetime | None


class DraftList(Listed):
    items: list[DraftRow]


class Price(Schema):
    amount: Annotated[int, Field(ge=0, le=offers.MAX_PRICE, strict=True)] = Field(
        description=_("An integer of minor units: 990 is nine yuan ninety.")
    )
