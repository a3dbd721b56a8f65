"""The writer's verbs."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from sishu.content import dialect, selectors, uploads, writing
from sishu.content.models import ArticlePage, Authorship, Category, MediaUse
from sishu.content.writing import DraftValues
from sishu.core.errors import DomainError, Invalid, Missing, NotAllowed
from sishu.outbox.models import Fact
from tests.factories import content as make

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("house")]


def save(page, user, **changes) -> int:
    values, version = writing.latest_values(page)
    return writing.save_draft(page, user, replace(values, **changes), version)


def test_beginning_a_work_makes_room_and_author(draft, shen):
    assert (draft.live, draft.owner, draft.slug) == (False, shen, "复盘")
    assert Authorship.objects.get(page=draft).user == shen
    assert draft.get_parent().specific.user == shen
    assert draft.latest_revision_id


def test_only_the_invited_with_a_verified_address_begin(shen):
    stranger = make.make_person()
    with pytest.raises(NotAllowed):
        writing.create(stranger, "zh-hans", DraftValues(title="x"))
    shen.emailaddress_set.update(verified=False)
    with pytest.raises(NotAllowed):
        writing.create(shen, "zh-hans", DraftValues(title="x"))


def test_every_value_comes_back(draft, shen):
    shelf = Category.add_root(slug="money", name_zh="钱", name_en="Money")
    cover, picture, file = make.make_picture(shen), make.make_picture(shen), make.make_attachment(shen)
    body = [
        make.prose("开头"),
        {"type": "code", "value": {"language": "python", "code": "    indented()"}},
        {"type": "callout", "value": {"kind": "tip", "title": "今天就做", "text": "**看**一遍"}},
        make.paywall("SIGNED_IN"),
        {"type": "image", "value": {"image": picture.pk, "alt": "图", "caption": ""}},
        make.paywall("PAID"),
        {"type": "file", "value": {"document": file.pk, "title": "附表"}},
        {"type": "embed", "value": {"url": "https://www.bilibili.com/video/BV1", "caption": "讲座"}},
    ]
    markdown = dialect.to_markdown(body)
    version = save(
        draft,
        shen,
        summary="一句话",
        category_id=shelf.pk,
        tags=("账", "复盘"),
        cover_id=cover.pk,
        markdown=markdown,
    )
    values, latest = writing.latest_values(draft)
    assert latest == version
    assert values == DraftValues("复盘", "一句话", shelf.pk, ("复盘", "账"), cover.pk, markdown)
    row = ArticlePage.objects.get(pk=draft.pk)
    assert row.summary == ""  # a draft changes nothing for readers
    page = row.get_latest_revision_as_object()
    html = page.body_html(2)
    assert "    indented()" in html
    assert "<strong>看</strong>" in html
    assert 'id="gate-paid"' in html
    assert f'href="/files/{file.pk}"' in html
    assert "哔哩哔哩" in html


def test_the_same_again_is_no_new_version(draft, shen):
    values, version = writing.latest_values(draft)
    assert writing.save_draft(draft, shen, values, version) == version
    assert draft.revisions.count() == 1


def test_a_change_made_elsewhere_is_named_and_kept(draft, shen):
    friend = make.make_creator("friend")
    Authorship.objects.create(page=draft, user=friend, role=Authorship.Role.COAUTHOR)
    values, version = writing.latest_values(draft)
    theirs = writing.save_draft(draft, friend, replace(values, title="她的标题"), version)
    with pytest.raises(writing.ChangedElsewhere) as refusal:
        writing.save_draft(draft, shen, replace(values, title="我的标题"), version)
    assert (refusal.value.status, refusal.value.who, refusal.value.version) == (409, "friend", theirs)
    assert refusal.value.when is not None
    assert writing.latest_values(draft)[0].title == "她的标题"
    writing.save_draft(draft, shen, replace(values, title="我的标题"), theirs)


def test_a_strangers_work_does_not_exist(draft):
    stranger = make.make_creator()
    values, version = writing.latest_values(draft)
    for attempt in (
        lambda: writing.find_own(stranger, draft.pk),
        lambda: writing.save_draft(draft, stranger, values, version),
        lambda: writing.submit(draft, stranger),
        lambda: writing.take_back(draft, stranger),
        lambda: writing.withdraw(draft, stranger),
        lambda: writing.restore(draft, stranger),
        lambda: writing.add_translation(draft, stranger),
    ):
        with pytest.raises(Missing):
            attempt()
    for wrong in (0, -1, 2**63, 10**30):
        with pytest.raises(Missing):
            writing.find_own(draft.owner, wrong)
    assert writing.find_own(draft.owner, draft.pk) == draft
    assert list(writing.own_works(stranger)) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"title": ""},
        {"title": " \0\n "},
        {"title": "长" * 121},
        {"summary": "长" * 301},
        {"category_id": 10**9},
        {"tags": tuple(str(n) for n in range(11))},
        {"tags": ("t" * 31,)},
        {"cover_id": 10**9},
        {"markdown": "长" * 170_000},
        {"markdown": dialect.to_markdown([make.paywall("PAID"), make.paywall("SIGNED_IN")])},
        {"markdown": dialect.to_markdown([make.paywall("PAID"), make.prose("x"), make.paywall("PAID")])},
        {"markdown": dialect.to_markdown([make.paywall("FREE")])},
        {
            "markdown": dialect.to_markdown(
                [{"type": "embed", "value": {"url": "https://evil.example/x", "caption": ""}}]
            )
        },
        {"markdown": dialect.to_markdown([{"type": "embed", "value": {"url": "javascript:alert(1)", "caption": ""}}])},
        {"markdown": dialect.to_markdown([{"type": "image", "value": {"image": 2**63 - 1, "alt": "", "caption": ""}}])},
        {"markdown": dialect.to_markdown([{"type": "mystery", "value": {"a": 1}}])},
    ],
)
def test_what_cannot_be_kept_is_refused_in_a_sentence(draft, shen, changes):
    with pytest.raises(Invalid) as refusal:
        save(draft, shen, **changes)
    assert len(str(refusal.value)) > 10
    assert draft.revisions.count() == 1


def test_texts_are_settled_not_refused(draft, shen):
    save(draft, shen, title="  a\0b \n c ", tags=(" #账 ", "账", "", "a,b"), markdown="x\0y\r\nz")
    values, _version = writing.latest_values(draft)
    assert (values.title, values.tags, values.markdown) == ("ab c", ("a b", "账"), "xy\nz")


def test_an_address_follows_the_title_until_it_is_public(draft, shen):
    save(draft, shen, title="另一个名字")
    assert ArticlePage.objects.get(pk=draft.pk).get_latest_revision_as_object().slug == "另一个名字"


def test_a_title_or_a_name_without_letters_has_an_address_too():
    nameless = make.make_creator("...")
    first, second = (writing.create(nameless, "en", DraftValues(title=title)) for title in ("？！", "🎉"))
    assert (first.slug, second.slug, first.get_parent().slug) == ("work", "work-2", "room")


def test_uploads_must_be_the_authors_own(draft, shen):
    theirs = make.make_picture(make.make_creator())
    with pytest.raises(Invalid):
        save(draft, shen, cover_id=theirs.pk)
    with pytest.raises(Invalid):
        save(draft, shen, markdown=dialect.to_markdown([{"type": "image", "value": {"image": theirs.pk}}]))
    Authorship.objects.create(page=draft, user=theirs.uploaded_by_user, role=Authorship.Role.COAUTHOR)
    with pytest.raises(Invalid):
        save(draft, shen, cover_id=theirs.pk)  # a co-author puts in their own
    save(draft, theirs.uploaded_by_user, cover_id=theirs.pk)
    Authorship.objects.filter(user=theirs.uploaded_by_user).delete()
    save(draft, shen, title="after they left")  # what stands there stays
    ArticlePage.objects.get(pk=draft.pk).latest_revision.publish()
    assert MediaUse.objects.filter(page=draft, picture=theirs).exists()


def test_a_locked_block_survives_and_comes_back_by_undo(draft, shen):
    locked = {"type": "mystery", "value": {"deep": [1, {"x": None}]}, "id": "m1"}
    page = ArticlePage.objects.get(pk=draft.pk)
    page.body = [make.prose("a"), locked]
    page.save_revision()
    with_it = writing.latest_values(draft)[0].markdown
    save(draft, shen, markdown="a, b\n\n" + with_it)
    stored = ArticlePage.objects.get(pk=draft.pk).get_latest_revision_as_object().body.raw_data
    assert locked in list(stored)
    save(draft, shen, markdown="without")
    save(draft, shen, markdown=with_it)
    page = ArticlePage.objects.get(pk=draft.pk).get_latest_revision_as_object()
    assert [block["value"] for block in page.body.raw_data if block["type"] == "mystery"] == [locked["value"]]
    assert "mystery" not in page.body_html(2)
    assert "deep" not in page.body_html(2)


@pytest.mark.parametrize(
    "markdown",
    [
        "```sishu:paywall\nnot json\n```",
        '> ```sishu:paywall\n> {"tier": "PAID"}\n> ```',
        dialect.to_markdown([{"type": "image", "value": {"image": None, "alt": "", "caption": ""}}]),
        dialect.to_markdown([{"type": "callout", "value": {"kind": "<b>", "title": "", "text": "x"}}]),
    ],
)
def test_a_half_made_block_may_be_saved_but_not_submitted(draft, shen, markdown):
    save(draft, shen, markdown=markdown)
    with pytest.raises(Invalid) as refusal:
        writing.submit(draft, shen)
    assert len(str(refusal.value)) > 10


def test_markup_is_inert_in_every_field(shen):
    bad = "<script>alert(1)</script><img src=x onerror=alert(1)>\"'>"
    picture, file = make.make_picture(shen), make.make_attachment(shen)
    body = [
        make.prose(bad),
        {"type": "code", "value": {"language": "", "code": bad}},
        {"type": "callout", "value": {"kind": bad, "title": bad, "text": bad}},
        {"type": "image", "value": {"image": picture.pk, "alt": bad, "caption": bad}},
        {"type": "file", "value": {"document": file.pk, "title": bad}},
        {"type": "embed", "value": {"url": "https://youtu.be/x?<script>", "caption": bad}},
        {"type": "paywall", "value": {"tier": bad}},
    ]
    html = make.make_article(shen, title=bad[:50], body=body).body_html(2)
    assert "<script" not in html
    assert "<img src=x" not in html
    assert "onerror=alert(1)>" not in html.replace("&gt;", "&gt;")


def test_withdrawing_and_bringing_back(shen):
    page = make.make_article(shen, title="密室")
    writing.withdraw(page, shen, reason="旧了")
    page.refresh_from_db()
    assert page.withdrawn_at
    assert page.live
    assert page not in selectors.published()
    assert selectors.find_works("密室").total == 0
    with pytest.raises(DomainError):
        writing.submit(page, shen)
    moment = page.withdrawn_at
    writing.withdraw(page, shen)
    page.refresh_from_db()
    assert page.withdrawn_at == moment
    page.save_revision().publish()  # a new version does not sneak it back
    page.refresh_from_db()
    assert page.withdrawn_at == moment
    writing.restore(page, shen)
    writing.restore(page, shen)
    assert page in selectors.published()
    said = [fact.body["is_withdrawn"] for fact in Fact.objects.filter(name="WorkWithdrawn").order_by("pk")]
    assert said == [True, False]


def test_what_the_house_withdrew_the_author_cannot_bring_back(shen):
    page = make.make_article(shen)
    reviewer = make.make_person(role="reviewer")
    writing.withdraw(page, reviewer, reason="抄的")
    with pytest.raises(NotAllowed):
        writing.restore(page, shen)
    writing.restore(page, reviewer)
    assert page in selectors.published()


def test_pictures_are_drawn_anew(shen):
    exif = Image.Exif()
    exif[0x0112] = 6  # lies on its side
    exif[0x010E] = "taken at home"
    from io import BytesIO

    out = BytesIO()
    Image.new("RGB", (40, 20), "navy").save(out, "JPEG", exif=exif)
    upload = SimpleUploadedFile("a.jpg", out.getvalue() + b"<?php evil() ?>", "image/jpeg")
    picture = uploads.add_picture(shen, upload, alt="海")
    assert (picture.width, picture.height, picture.description) == (20, 40, "海")
    with picture.open_file() as file:
        stored = file.read()
    assert b"home" not in stored
    assert b"php" not in stored
    assert picture.file_size == len(stored)
    assert picture.at(100).width == 160 or picture.at(100).width == 20  # never drawn larger than it is
    assert picture.address(1) == f"/pictures/{picture.pk}/160"
    assert picture.address(99_999) == f"/pictures/{picture.pk}/1920"
    assert picture.at(100).url.startswith(f"/pictures/{picture.pk}/")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.png", b"not a picture"),
        ("a.svg", b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>"),
        ("a.html", b"<script>"),
        ("a.png", make.picture_bytes()[:60]),
        ("a.jpg", make.picture_bytes(format_="PNG")),
        ("a.png", b""),
    ],
)
def test_what_is_no_picture_is_refused(shen, name, content):
    with pytest.raises(Invalid):
        uploads.add_picture(shen, SimpleUploadedFile(name, content))


def test_a_picture_too_large_is_refused_before_it_is_opened(shen):
    out = make.picture_bytes(width=7000, height=6000)  # 42 megapixels, a few kilobytes
    with pytest.raises(Invalid):
        uploads.add_picture(shen, SimpleUploadedFile("bomb.png", out))


def test_files_of_known_kinds_are_kept(shen):
    file = uploads.add_attachment(shen, SimpleUploadedFile("表.csv", b"a,b"))
    assert (file.title, file.file_size, file.url) == ("表", 3, f"/files/{file.pk}")
    for name, content in (("a.exe", b"MZ"), ("a", b"x"), ("a.html", b"x"), ("a.pdf", b"")):
        with pytest.raises(Invalid):
            uploads.add_attachment(shen, SimpleUploadedFile(name, content))
