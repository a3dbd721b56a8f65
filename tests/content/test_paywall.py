"""The cut, and that nothing behind it leaves by accident."""

from __future__ import annotations

import json

import pytest
from django.test import Client, RequestFactory
from hypothesis import given
from hypothesis import strategies as st
from wagtail.blocks import StreamValue

from sishu.content import paywall
from sishu.content.blocks import BodyBlock
from sishu.content.models import ArticlePage, MediaUse
from sishu.content.paywall import Level
from tests.factories import content as make

BODY = BodyBlock()
SECTIONS = [
    make.prose("open words"),
    make.paywall("SIGNED_IN"),
    make.prose("## Second\n\nmember words"),
    make.paywall("PAID"),
    make.prose("## Third\n\npaid words here"),
]


def as_stored(raw: list) -> StreamValue:
    return BODY.to_python(json.loads(json.dumps(raw)))


def as_used(raw: list) -> StreamValue:
    stream = as_stored(raw)
    assert [block.value for block in stream]  # every block is converted now
    return stream


def as_built(raw: list) -> StreamValue:
    return StreamValue(
        BODY, [(block["type"], BODY.child_blocks[block["type"]].to_python(block["value"])) for block in raw]
    )


@pytest.mark.parametrize("make_stream", [as_stored, as_used, as_built])
@pytest.mark.parametrize(
    ("level", "length", "next_level"),
    [(Level.PUBLIC, 1, Level.SIGNED_IN), (Level.SIGNED_IN, 3, Level.PAID), (Level.PAID, 5, None)],
)
def test_each_level_reads_up_to_the_first_paywall_above_it(make_stream, level, length, next_level):
    stream, wanted = paywall.cut(make_stream(SECTIONS), level)
    assert (len(stream), wanted) == (length, next_level)
    assert "paid words" not in str(stream) or level == Level.PAID


@pytest.mark.parametrize("value", [None, {}, {"tier": ""}, {"tier": "FREE"}, {"tier": 0}, "PAID", []])
def test_a_paywall_nobody_can_read_asks_for_money(value):
    stream = as_stored([make.prose("open"), {"type": "paywall", "value": value}, make.prose("shut")])
    assert paywall.cut(stream, Level.SIGNED_IN) == (stream[:1] and paywall.cut(stream, Level.SIGNED_IN)[0], Level.PAID)
    assert len(paywall.cut(stream, Level.SIGNED_IN)[0]) == 1


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=6,
)
UNKNOWN = st.fixed_dictionaries(
    {"type": st.from_regex(r"[a-z]{2,8}_x", fullmatch=True), "value": JSON, "id": st.uuids().map(str)}
)
KNOWN = st.fixed_dictionaries({"type": st.just("prose"), "value": st.text(max_size=20), "id": st.uuids().map(str)})


@given(st.lists(UNKNOWN | KNOWN, max_size=6))
def test_blocks_of_unknown_types_survive_load_use_and_save(raw):
    stream = BODY.to_python(json.loads(json.dumps(raw)))
    assert BODY.get_prep_value(stream) == raw
    for block in stream:
        block.value  # noqa: B018  conversion must not lose them either
    assert BODY.get_prep_value(stream) == raw


@given(st.lists(UNKNOWN, max_size=6))
def test_blocks_of_unknown_types_survive_the_studio_checks(raw):
    assert BODY.get_prep_value(BODY.clean(BODY.to_python(json.loads(json.dumps(raw))))) == raw


@given(st.lists(UNKNOWN, max_size=4))
def test_blocks_of_unknown_types_survive_the_studio_form(raw):
    state = BODY.get_form_state(BODY.to_python(json.loads(json.dumps(raw))))
    assert {block["type"] for block in state} <= {"locked"}
    data = {"body-count": str(len(state))}
    for index, block in enumerate(state):
        prefix = f"body-{index}"
        data |= {f"{prefix}-deleted": "", f"{prefix}-type": block["type"], f"{prefix}-order": str(index)}
        data |= {f"{prefix}-value": block["value"], f"{prefix}-id": block["id"]}
    assert BODY.get_prep_value(BODY.value_from_datadict(data, {}, "body")) == raw


def test_a_forged_locked_card_smuggles_nothing_known():
    card = json.dumps({"type": "embed", "value": {"url": "https://evil.example/"}})
    data = {"b-count": "1", "b-0-deleted": "", "b-0-type": "locked", "b-0-order": "0", "b-0-value": card, "b-0-id": "x"}
    assert len(BODY.value_from_datadict(data, {}, "b")) == 0


@pytest.fixture
def article(db) -> ArticlePage:
    make.make_house()
    return make.make_article(title="三层", body=SECTIONS)


def test_derived_columns(article):
    assert (article.level, article.word_count, article.reading_minutes) == (Level.PAID, 9, 1)
    assert article.needed_level == Level.PAID
    assert article.public_text == "open words"
    assert [(part.heading, part.words) for part in article.remaining_sections(Level.PUBLIC)] == [
        ("Second", 2),
        ("Third", 3),
    ]
    assert article.remaining_sections(Level.PAID) == []


def test_a_page_nobody_asked_the_door_about_shows_what_a_stranger_sees(article):
    html = Client().get(article.url).content.decode()
    assert "open words" in html
    assert "member words" not in html
    assert "paid words" not in html


def test_the_web_layer_opens_by_setting_a_level(article):
    request = RequestFactory().get("/")
    assert article.get_context(request)["is_cut"] is True
    request.reading_level = Level.SIGNED_IN
    context = article.get_context(request)
    assert "member words" in context["body_html"]
    assert "paid words" not in context["body_html"]
    assert context["next_level"] == Level.PAID
    request.reading_level = Level.PAID
    assert "paid words" in article.get_context(request)["body_html"]


def test_previews_fail_closed(article):
    response = article.make_preview_request()
    assert "open words" in response.rendered_content
    assert "paid words" not in response.rendered_content


def test_a_draft_is_never_answered_from_the_cache_of_another_version(article):
    article.body_html(Level.PUBLIC)
    draft = article.latest_revision.as_object()
    draft.body = json.dumps([make.prose("new words")])
    assert "new words" in draft.body_html(Level.PUBLIC)
    assert "new words" not in article.body_html(Level.PUBLIC)


def test_media_are_noted_at_the_lowest_level_that_shows_them(db):
    make.make_house()
    author = make.make_creator()
    cover, free, paid = (make.make_picture(author) for _ in range(3))
    file = make.make_attachment(author)

    def image(picture):
        return {"type": "image", "value": {"image": picture.pk, "alt": "", "caption": ""}}

    body = [image(free), make.paywall("SIGNED_IN"), {"type": "file", "value": {"document": file.pk, "title": ""}}]
    body += [make.paywall("PAID"), image(paid), image(free), image(cover)]
    page = make.make_article(author, body=body, cover=cover)
    levels = {(use.picture_id, use.attachment_id): use.level for use in MediaUse.objects.filter(page=page)}
    assert levels == {(cover.pk, None): 0, (free.pk, None): 0, (None, file.pk): 1, (paid.pk, None): 2}

    page.body = json.dumps([make.prose("no media")])
    draft = page.save_revision()
    assert MediaUse.objects.filter(page=page).count() == 4  # a draft changes nothing for readers
    draft.publish()
    assert [use.picture_id for use in MediaUse.objects.filter(page=page)] == [cover.pk]
    page.refresh_from_db()
    page.unpublish()
    assert not MediaUse.objects.filter(page=page).exists()


def test_a_version_that_names_a_deleted_picture_can_go_live(db):
    make.make_house()
    author = make.make_creator()
    picture, cover = make.make_picture(author), make.make_picture(author)
    body = [make.prose("words"), {"type": "image", "value": {"image": picture.pk}}]
    page = make.make_article(author, body=body, cover=cover)
    picture.delete()
    cover.delete()
    page.latest_revision.publish()
    assert not MediaUse.objects.filter(page=page).exists()
    page.refresh_from_db()
    assert "words" in page.body_html(Level.PUBLIC)


def test_media_in_the_paid_part_are_not_drawn_for_strangers(db):
    make.make_house()
    author = make.make_creator()
    picture = make.make_picture(author)
    page = make.make_article(author, body=[make.paywall(), {"type": "image", "value": {"image": picture.pk}}])
    assert f"/pictures/{picture.pk}/" not in page.body_html(Level.SIGNED_IN)
    assert f'src="/pictures/{picture.pk}/960"' in page.body_html(Level.PAID)
