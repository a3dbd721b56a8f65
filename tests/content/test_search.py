"""The contract of our search backend, on whatever database the suite runs."""

from __future__ import annotations

import pytest
from modelsearch.query import MATCH_ALL, Not, Phrase, PlainText
from wagtail.models import Page
from wagtail.search.backends import get_search_backend

from sishu.content import selectors
from sishu.content.models import ArticlePage, Category
from sishu.content.search import index_terms, query_terms
from sishu.jobs import runner
from tests.factories import content as make

pytestmark = [pytest.mark.django_db, pytest.mark.full_text]


@pytest.fixture
def shelf(db: None) -> dict[str, ArticlePage]:
    make.make_house()
    author = make.make_creator("shen")
    other = make.make_creator("zhou")
    works = {
        "ledger": make.make_article(
            author, title="从零记一本账", body=[make.prose("复式记账法不需要会计师。")], summary="写给程序员的账本"
        ),
        "python": make.make_article(author, title="用Python3写爬虫", body=[make.prose("异步、协程与 AI 时代的 Go。")]),
        "english": make.make_article(
            other, title="How to blame nobody", body=[make.prose("Post-mortems about the café.")], locale="en"
        ),
        "paid": make.make_article(other, title="密室", body=[make.prose("门外"), make.paywall(), make.prose("宝藏")]),
        "draft": make.make_article(author, title="未完成的记账稿", live=False),
    }
    runner.run_due()  # Wagtail writes its index in jobs
    return works


# query → the works that answer it
WORDS = [
    ("记账", {"ledger"}),
    ("账", {"ledger"}),
    ("账本", {"ledger"}),
    ("会计师", {"ledger"}),
    ("计师会", set()),
    ("一本账 记账法", {"ledger"}),
    ("一本账 爬虫", set()),
    ("python3", {"python"}),
    ("ＰＹＴＨＯＮ３", {"python"}),
    ("Python3写", {"python"}),
    ("AI", {"python"}),
    ("go", {"python"}),
    ("协程 AI", {"python"}),
    ("how to", {"english"}),
    ("post-mortems", {"english"}),
    ("café", {"english"}),
    ("密室", {"paid"}),
    ("门外", {"paid"}),
    ("宝藏", set()),
    ("《从零记一本账》", {"ledger"}),
    ('"记账" AND (', set()),
    ("%s", set()),
    ("'; --", set()),
    ("…。！", set()),
    ("\0", set()),
    ("未完成", set()),
    ("a" * 5000, set()),
    ("账" * 5000, set()),
]


def test_words_find_works(shelf):
    names_of = {work.pk: name for name, work in shelf.items()}
    answers = [(query, {names_of[work.pk] for work in selectors.find_works(query).works}) for query, _names in WORDS]
    assert answers == WORDS
    assert [selectors.find_works(query).total for query, _names in WORDS] == [len(names) for _query, names in WORDS]


def test_the_studio_search_goes_the_same_way(shelf):
    pages = [page.pk for page in Page.objects.autocomplete("记账稿")]
    assert pages == [shelf["draft"].pk]
    assert shelf["python"].pk in [page.pk for page in Page.objects.autocomplete("Pyth")]
    backend = get_search_backend()
    for query in (PlainText("记账", operator="or"), Phrase("记账法"), PlainText("记账") | PlainText("爬虫")):
        assert shelf["ledger"] in list(backend.search(query, ArticlePage.objects.all()))
    assert shelf["ledger"] not in list(backend.search(Not(PlainText("记账")), ArticlePage.objects.all()))
    assert len(backend.search(MATCH_ALL, ArticlePage.objects.all())) == 5


def test_an_edit_is_found_once_it_is_published(shelf):
    page = shelf["ledger"]
    page.title = "钱从哪里来"
    draft = page.save_revision()
    runner.run_due()
    assert selectors.find_works("哪里").total == 0
    draft.publish()
    runner.run_due()
    assert [work.pk for work in selectors.find_works("哪里").works] == [page.pk]
    assert selectors.find_works("从零").total == 0


def test_terms():
    assert query_terms("记账") == ["z8bb08d26"]
    assert query_terms("账") == ["z8d26"]
    assert set(query_terms("学 Go 写账")) == {"z5b66", "zwgo", "z51998d26"}
    assert set(query_terms("记账法 go")) <= set(index_terms("复式记账法，Go！"))
    assert len(query_terms("一二三四五六七八九十" * 9)) <= 24


def test_filters_and_bounds(shelf):
    branch = Category.add_root(slug="money", name_zh="钱", name_en="Money")
    twig = branch.add_child(slug="books", name_zh="账", name_en="Books")
    ArticlePage.objects.filter(pk=shelf["ledger"].pk).update(category=twig)
    shelf["python"].tags.add("爬虫")
    shelf["python"].save()

    def keys(**filters):
        return {work.pk for work in selectors.find_works(**filters).works}

    assert keys(category=branch) == {shelf["ledger"].pk}
    assert keys(tag="爬虫") == {shelf["python"].pk}
    assert keys(locale="en") == {shelf["english"].pk}
    assert keys(author_id=shelf["paid"].owner_id) == {shelf["english"].pk, shelf["paid"].pk}
    assert keys(query="记账", locale="en") == set()
    assert keys(query="记账", category=branch) == {shelf["ledger"].pk}
    assert keys(start=-5, size=10**12) == {work.pk for name, work in shelf.items() if name != "draft"}
    assert keys(start=10**30) == set()


def test_lists_carry_no_bodies(shelf, django_assert_max_num_queries):
    with django_assert_max_num_queries(4):
        works = selectors.find_works().works
        credits = selectors.credits_of(work.pk for work in works)
        for work in works:
            assert credits[work.pk]
            assert work.category is None
            assert "body" in work.get_deferred_fields()
