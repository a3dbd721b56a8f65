"""Who may open which page of the back office. A page of ours, or one of Wagtail's lists, that has no row here fails."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from wagtail.permissions import policy_registry

from sishu.accounts import roles
from sishu.accounts.roles import CREATOR, FINANCE, OWNER, REVIEWER, SUPPORT
from sishu.commerce import unwinding
from sishu.commerce.models import Order, ProviderBill, ReceivedNotice, Refund
from sishu.core import clock
from sishu.jobs.models import JobRun
from sishu.ledger.models import Journal
from sishu.moderation import cases
from sishu.moderation.models import Case
from sishu.outbox.models import Delivery, Fact
from sishu.payouts.models import Payout
from sishu.web.studio import own_pages
from tests.factories.accounts import make_user
from tests.factories.commerce import buy, make_offer, pay, start
from tests.factories.content import make_house
from tests.payouts.desk import ask, earn, make_payee

pytestmark = [pytest.mark.django_db, pytest.mark.money]

NOBODY: frozenset[str] = frozenset()
STUDIO = frozenset({OWNER, REVIEWER, CREATOR, FINANCE, SUPPORT})

# Pages of our own: name → who may. Those about one row take it from the fixture `rows`.
OURS: dict[str, set[str] | frozenset[str]] = {
    "orders:index": {OWNER, FINANCE},
    "orders:index_results": {OWNER, FINANCE},
    "orders:inspect": {OWNER, FINANCE},
    "orders:refund": {OWNER, FINANCE},
    "payments:index": {OWNER, FINANCE},
    "payments:index_results": {OWNER, FINANCE},
    "payments:inspect": {OWNER, FINANCE},
    "payments:refresh": {OWNER, FINANCE},
    "payments:record": {OWNER, FINANCE},
    "notices:index": {OWNER, FINANCE},
    "notices:index_results": {OWNER, FINANCE},
    "notices:inspect": {OWNER, FINANCE},
    "refunds:index": {OWNER, FINANCE},
    "refunds:index_results": {OWNER, FINANCE},
    "refunds:inspect": {OWNER, FINANCE},
    "refunds:approve": {OWNER, FINANCE},
    "refunds:reject": {OWNER, FINANCE},
    "refunds:sent": {OWNER, FINANCE},
    "cases:index": {OWNER, REVIEWER, FINANCE},
    "cases:index_results": {OWNER, REVIEWER, FINANCE},
    "cases:inspect": {OWNER, FINANCE},  # a case about money; reviews are tested in test_cases.py
    "cases:decide": {OWNER, FINANCE},
    "cases:take": {OWNER, FINANCE},
    "cases:give_back": {OWNER, FINANCE},
    "payable:index": {OWNER, FINANCE},
    "payable:request": {OWNER, FINANCE},
    "payouts:index": {OWNER, FINANCE},
    "payouts:index_results": {OWNER, FINANCE},
    "payouts:inspect": {OWNER, FINANCE},
    "payouts:approve": {OWNER, FINANCE},
    "payouts:settle": {OWNER, FINANCE},
    "payouts:reject": {OWNER, FINANCE},
    "payouts:fail": {OWNER, FINANCE},
    "bills:index": {OWNER, FINANCE},
    "bills:index_results": {OWNER, FINANCE},
    "bills:inspect": {OWNER, FINANCE},
    "bills:compare": {OWNER, FINANCE},
    "journals:index": {OWNER, FINANCE},
    "journals:index_results": {OWNER, FINANCE},
    "journals:inspect": {OWNER, FINANCE},
    "offers:index": {OWNER},
    "offers:index_results": {OWNER},
    "offers:inspect": {OWNER},
    "plan:index": {OWNER},
    "merchants:index": {OWNER},
    "merchants:keys": {OWNER},
    "merchants:trial": {OWNER},
    "works:withdraw": {OWNER, REVIEWER},
    "works:restore": {OWNER, REVIEWER},
    "access:index": {OWNER, FINANCE, SUPPORT},
    "jobs:index": {OWNER},
    "jobs:index_results": {OWNER},
    "jobs:inspect": {OWNER},
    "deliveries:index": {OWNER},
    "deliveries:index_results": {OWNER},
    "deliveries:inspect": {OWNER},
}
# Wagtail's pages without arguments; the fragment NAME_results of a list has the row of its NAME. What the pages that
# are open to all of the studio show is cut down to what each may see: tests/content holds them to it.
BY_ROLES = (
    (
        STUDIO,
        """
        wagtailadmin_home
        wagtailadmin_api:pages:listing
        wagtailadmin_api:documents:listing
        wagtailadmin_api:images:listing
        wagtailadmin_choose_page
        wagtailadmin_choose_page_search
        wagtailadmin_choose_page_chosen_multiple
        wagtailadmin_choose_page_external_link
        wagtailadmin_choose_page_email_link
        wagtailadmin_choose_page_phone_link
        wagtailadmin_choose_page_anchor_link
        wagtailadmin_tag_autocomplete
        wagtailadmin_workflows:task_chooser
        wagtailadmin_workflows:task_chooser_create
        wagtailadmin_reports:site_history
        wagtailadmin_account
        wagtailembeds:chooser
        wagtailembeds:chooser_upload
        wagtailsnippetchoosers_content_category:choose
        wagtailsnippetchoosers_content_category:chosen_multiple
        wagtaildocs_chooser:choose
        wagtaildocs_chooser:chosen_multiple
        wagtailimages_chooser:choose
        wagtailimages_chooser:chosen_multiple
        """,
    ),
    (
        frozenset({OWNER, REVIEWER, CREATOR}),
        """
        wagtailadmin_explore_root
        wagtailadmin_pages:search
        wagtailadmin_reports:workflow
        wagtailadmin_reports:workflow_tasks
        wagtailadmin_reports:aging_pages
        """,
    ),
    (
        NOBODY,
        """
        wagtailadmin_collections:index
        wagtailadmin_collections:add
        """,
    ),
    (
        frozenset({OWNER}),
        """
        wagtailadmin_workflows:index
        wagtailadmin_workflows:add
        wagtailadmin_workflows:select_task_type
        wagtailadmin_workflows:task_index
        wagtailsnippets:index
        wagtailsnippets_content_category:list
        wagtailsnippets_content_category:add
        wagtailsnippetchoosers_content_category:create
        wagtailsites:index
        wagtailsites:add
        wagtailusers_users:index
        wagtailusers_users:add
        wagtailusers_groups:index
        wagtailusers_groups:add
        """,
    ),
    (
        frozenset({OWNER, REVIEWER}),
        """
        wagtailadmin_reports:locked_pages
        wagtailadmin_reports:page_types_usage
        """,
    ),
    (
        frozenset({OWNER, CREATOR}),
        """
        wagtaildocs:index
        wagtaildocs:add
        wagtaildocs:add_multiple
        wagtailimages:index
        wagtailimages:add
        wagtailimages:add_multiple
        wagtaildocs_chooser:create
        wagtailimages_chooser:create
        """,
    ),
)
WAGTAILS = {name: allowed for allowed, names in BY_ROLES for name in names.split()}
# Open before signing in, or to everybody in the studio, and showing nothing of anybody's.
HARMLESS = {
    "wagtailadmin_login",
    "wagtailadmin_logout",
    "wagtailadmin_password_reset",
    "wagtailadmin_password_reset_done",
    "wagtailadmin_password_reset_complete",
    "wagtailadmin_javascript_catalog",
    "wagtailadmin_sprite",
    "wagtailadmin_error_test",
    "wagtailadmin_dismissibles",
    "wagtailadmin_block_preview",
    # Redirect to one row that is asked for by a query.
    "wagtailadmin_api:pages:find",
    "wagtailadmin_api:documents:find",
    "wagtailadmin_api:images:find",
}


def studio_urls() -> Iterator[tuple[str, URLPattern, bool]]:
    """(name, pattern, whether it takes arguments) of everything under /studio/ that has a name."""

    def walk(resolver: URLResolver, route: str, spaces: tuple[str, ...], takes: bool) -> Iterator:
        for pattern in resolver.url_patterns:
            here = route + str(pattern.pattern)
            takes_here = takes or bool(pattern.pattern.converters) or pattern.pattern.regex.groups > 0
            if isinstance(pattern, URLResolver):
                inner = (*spaces, pattern.namespace) if pattern.namespace else spaces
                yield from walk(pattern, here, inner, takes_here)
            elif here.startswith("studio/") and pattern.name:
                yield ":".join((*spaces, pattern.name)), pattern, takes_here

    return walk(get_resolver(), "", (), False)


def row_of(name: str) -> str:
    return name.removesuffix("_results")


def is_ours(pattern: URLPattern) -> bool:
    # What stands in own_pages are Wagtail's own lists, cut down.
    module = pattern.callback.__module__
    return module.startswith("sishu.web") and module != own_pages.__name__


def test_every_page_of_ours_has_a_row():
    assert {name for name, pattern, _takes in studio_urls() if is_ours(pattern)} == set(OURS)


def test_every_list_of_wagtails_has_a_row():
    found = {name for name, pattern, takes in studio_urls() if not takes and not is_ours(pattern)}
    assert {row_of(name) for name in found} - HARMLESS == set(WAGTAILS)


@pytest.fixture
def rows() -> dict[str, int | str]:
    """One row of each kind that a page can be about."""
    make_house()
    order = buy(make_user(), make_offer())
    twice = pay(start(make_user(), make_offer()), times=2)
    cases.open(ref="page:1", kind="review")
    delivery = Delivery.objects.create(fact=Fact.objects.first(), reaction="send_receipt")
    refund = Refund.objects.create(
        payment=twice, part=Refund.Part.UNAPPLIED, reference="r1", amount=1, currency="CNY", status="proposed",
        requested_by=make_user(), open_key=unwinding.open_key(twice, Refund.Part.UNAPPLIED),
    )  # fmt: skip
    payee = make_payee()
    earn(payee, 100)
    notice = ReceivedNotice.objects.create(
        gateway="sandbox", notice_id="n1", subject="house", sealed=b"", received_at=clock.now()
    )
    bill = ProviderBill.objects.create(gateway="sandbox", book="sandbox", day=clock.now().date(), sealed=b"")
    return {
        "payable": payee.pk,
        "payouts": ask(payee, 100, payee).pk,
        "bills": bill.pk,
        "notices": notice.pk,
        "orders": order.pk,
        "payments": twice.pk,
        "refunds": refund.pk,
        "cases": Case.objects.get(kind="unapplied").pk,
        "journals": Journal.objects.first().pk,
        "offers": Order.objects.first().lines.get().offer_id,
        "works": Order.objects.first().lines.get().offer.page_id,
        "jobs": JobRun.objects.create(task="x").pk,
        "deliveries": delivery.pk,
        "merchants": "sandbox",
    }


def who_may_open(name: str, args: tuple[int | str, ...], people: dict[str, Client]) -> set[str]:
    return {role for role, client in people.items() if client.get(reverse(name, args=args)).status_code == 200}


@pytest.fixture
def people() -> dict[str, Client]:
    """A signed-in client for each role, and one of a stranger."""
    make_house()
    clients = {"": Client()}
    for role in roles.ROLES:
        clients[role] = Client()
        clients[role].force_login(make_user(f"the-{role}", role, verified=True))
    return clients


def test_the_table_of_our_pages(rows, people):
    takes_row = {name: takes for name, _pattern, takes in studio_urls()}
    found = {
        name: who_may_open(name, (rows[name.partition(":")[0]],) if takes_row[name] else (), people) for name in OURS
    }
    assert found == {name: set(allowed) for name, allowed in OURS.items()}


@pytest.mark.slow
def test_the_table_of_wagtails_pages(people):
    names = [name for name, pattern, takes in studio_urls() if not takes and not is_ours(pattern)]
    wanted = {name: set(WAGTAILS[row_of(name)]) for name in names if name not in HARMLESS}
    assert {name: who_may_open(name, (), people) for name in wanted} == wanted


@pytest.mark.parametrize(
    "name",
    [
        "orders:refund",
        "payments:refresh",
        "refunds:approve",
        "refunds:reject",
        "cases:decide",
        "cases:take",
        "cases:give_back",
        "bills:compare",
        "payable:request",
        "payouts:approve",
        "payouts:settle",
        "payouts:reject",
        "payouts:fail",
    ],
)
def test_an_action_is_refused_by_post_too(rows, people, name):
    url = reverse(name, args=(rows[name.partition(":")[0]],))
    for role in (REVIEWER, CREATOR, SUPPORT, roles.MEMBER, ""):
        assert people[role].post(url, {"reason": "because"}).status_code in {302, 403}
    assert Order.objects.filter(status="refunded").count() == 0
    assert Refund.objects.count() == 1
    assert Case.objects.filter(status="decided").count() == 0
    assert [payout.status for payout in Payout.objects.all()] == ["requested"]


@pytest.mark.parametrize("action", ["add", "edit", "delete", "copy", "history", "usage"])
def test_no_row_of_the_books_has_a_page_to_change_it(action):
    names = {name for name, _pattern, _takes in studio_urls()}
    spaces = {name.partition(":")[0] for name in OURS}
    assert not {f"{space}:{action}" for space in spaces} & names


def test_not_even_a_superuser_changes_a_row_of_the_books():
    master = make_user("master", is_superuser=True)
    for model in (Order, Refund, Payout, Journal, Case, JobRun, Delivery):
        policy = policy_registry.get_by_type(model)
        assert policy.user_has_permission(master, "view")
        assert not policy.user_has_any_permission(master, {"add", "change", "delete", "publish"})
        assert not policy.instances_user_has_any_permission_for(master, {"change", "delete"}).exists()
