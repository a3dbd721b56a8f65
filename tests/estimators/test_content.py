"""What an item says of itself, weighed by hand."""

from __future__ import annotations

from math import exp, log, sqrt

import numpy as np
import pytest

from sishu.estimators.content import Content
from sishu.estimators.errors import InvalidInput, OverBudget
from sishu.estimators.interactions import History, Ids, Interactions
from sishu.estimators.items import Items
from tests.estimators import worlds

SHELF = Items(
    Ids(["ink", "wash", "code", "mixed", "silent"]),
    {
        "title": ["水墨画入门", "水墨画进阶", "Python 入门", "用 Python 画水墨画", ""],
        "tags": ["画|国画", "画", "编程", "编程|画", ""],
    },
)


def taken(*pairs: tuple[str, str], items: Items = SHELF) -> Interactions:
    return Interactions.of(*zip(*pairs, strict=True)).with_catalogue(items.ids)


def fitted(items: Items = SHELF, **params) -> Content:
    return Content(**{"field_weights": {}} | params).fit(taken(("u", items.ids[0]), items=items), items)


def listed(model: Content, reader) -> list[str]:
    return [each.item_id for each in model.recommend(reader)]


def test_a_vector_is_sublinear_tf_by_smooth_idf_of_length_one():
    items = Items(Ids(["1", "2", "3"]), {"title": ["ink ink brush", "brush", "paper"]})
    model = fitted(items)
    ink = (1 + log(2)) * (1 + log(4 / 2))
    brush = 1 + log(4 / 3)
    length = sqrt(ink**2 + brush**2)
    assert dict(zip(model.terms_, model.vectors_.toarray()[0], strict=True)) == pytest.approx(
        {"title\tink": ink / length, "title\tbrush": brush / length, "title\tpaper": 0}
    )
    assert model.score(History(("2",))) == pytest.approx([brush / length, 1, 0], rel=1e-6)


def test_a_field_counts_by_its_weight():
    items = Items(Ids(["1", "2"]), {"title": ["ink", "ink"], "year": ["1999", "2024"]})
    model = fitted(items, field_weights={"title": 3})
    ink, year = 3 * (1 + log(3 / 3)), 1 + log(3 / 2)
    assert model.score(History(("1",)))[1] == pytest.approx(ink**2 / (ink**2 + year**2))
    assert fitted(items, field_weights={"title": 0}).score(History(("1",))).tolist() == pytest.approx([1, 0])


def test_every_item_of_the_catalogue_has_a_vector_of_length_one_or_none():
    model = fitted()
    assert model.vectors_.dtype == np.float32
    lengths = np.linalg.norm(model.vectors_.toarray(), axis=1)
    assert lengths == pytest.approx([1, 1, 1, 1, 0])


def test_new_items_are_found_in_either_language():
    model = fitted()
    assert listed(model, "u") == ["wash", "mixed", "code"]  # and nothing of the one without words
    assert [each.item_id for each in model.similar("code")] == ["mixed", "ink"]
    assert model.similar("silent") == []
    assert model.recommend(History(("silent",))) == []


def test_a_label_is_one_term_and_a_text_is_many():
    items = Items(Ids(["1", "2"]), {"genre": ["Slice of Life|Drama", "drama"], "kind": ["Slice of Life", "TV"]})
    assert set(fitted(items).terms_) == {
        "genre\tslice of life", "genre\tdrama", "kind\tslice", "kind\tlife", "kind\ttv",
    }  # fmt: skip


def test_what_was_done_lately_counts_more_when_tau_says_so():
    items = Items(Ids(["a", "b", "ax", "bx"]), {"title": ["ink", "code", "ink x", "code x"]})
    old_then_new = History(("a", "a", "b"))
    assert listed(fitted(items), old_then_new) == ["ax", "bx"]
    model = fitted(items, tau=1.0)
    assert listed(model, old_then_new) == ["bx", "ax"]
    scores = model.score(old_then_new)
    assert scores[0] / scores[1] == pytest.approx(exp(-1) + exp(-2), rel=1e-5)


@pytest.mark.parametrize("tau", [None, 2.0])
def test_the_words_shared_and_the_items_behind_add_up_to_the_score(tau):
    model = fitted(tau=tau)
    reader = History(("ink", "code", "ink", "silent"), (1.0, 2.0, 0.5, 9.0))
    for item, score in zip(model.item_ids_, model.score(reader), strict=True):
        shared, behind = model.shared_words(reader, item), model.explain(reader, item)
        assert sum(reason.contribution for reason in shared) == pytest.approx(score, abs=1e-6)
        assert sum(reason.contribution for reason in behind) == pytest.approx(score, abs=1e-6)


def test_a_reason_is_a_word_of_both():
    model = fitted()
    shared = [reason.because for reason in model.shared_words(History(("ink",)), "wash")]
    assert len(shared) == 4
    assert set(shared) == {"水墨", "墨画", "水墨画", "画"}
    assert model.shared_words(History(("ink",)), "no such work") == []
    assert model.shared_words("nobody", "wash") == []


def test_only_the_beginning_of_a_text_and_only_terms_of_enough_items_count():
    items = Items(Ids(["1", "2"]), {"title": ["ink brush", "ink paper"]})
    assert set(fitted(items, max_chars=3).terms_) == {"title\tink"}
    assert set(fitted(items, min_items=2).terms_) == {"title\tink"}
    assert set(fitted(items, max_terms=1).terms_) == {"title\tink"}


def test_field_weights_are_chosen_by_what_finds_new_items():
    rows = worlds.circles(users=120, items=60, groups=4, events=4)
    groups = [int(name.split()[1]) % 4 for name in rows.item_ids]  # the topic says who takes it, and the shades nothing
    shades = np.random.default_rng(3).integers(0, 8, (60, 3))
    fields = {
        "topic": [f"topic{group}" for group in groups],
        "shades": [" ".join(f"shade{shade}" for shade in three) for three in shades],
    }
    weights = Content().fit(rows, Items(rows.item_ids, fields)).field_weights_
    assert weights["topic"] > weights["shades"]


def test_field_weights_stay_one_where_there_is_too_little_to_tell():
    assert Content().fit(taken(("u", "ink")), SHELF).field_weights_ == {"title": 1, "tags": 1}


def test_without_texts_it_says_what_is_missing():
    rows = taken(("u", "ink"))
    with pytest.raises(InvalidInput, match="give fit the items with their fields"):
        Content().fit(rows)
    with pytest.raises(InvalidInput, match=r"None of 5 items has a text in any field \(title\)"):
        Content().fit(rows, Items(SHELF.ids, {"title": [""] * 5}))
    with pytest.raises(InvalidInput, match="see that the ids agree"):
        Content().fit(rows, Items(Ids(["other"]), {"title": ["ink"]}))
    with pytest.raises(InvalidInput, match="there is no field"):
        Content().fit(rows, Items(SHELF.ids, {}))


def test_texts_without_a_word_leave_it_silent():
    model = fitted(Items(Ids(["1", "2"]), {"title": ["的", "——"]}))
    assert model.vectors_.shape == (2, 0)
    assert model.recommend("u") == []
    assert model.score("u").tolist() == [0, 0]


def test_one_item_is_all_there_is():
    model = Content().fit(
        *(lambda items: (taken(("u", "1"), items=items), items))(Items(Ids(["1"]), {"title": ["墨"]}))
    )
    assert model.recommend("u") == []
    assert model.score("u").tolist() == pytest.approx([1])


def test_fifty_thousand_events_are_one_profile():
    names = np.random.default_rng(1).choice(["ink", "code"], 50_000).tolist()
    times = (9_999_999_999,) * len(names)  # whenever that will be
    counts = History(("ink", "code"), (names.count("ink"), names.count("code")))
    assert fitted().score(History(tuple(names), times=times)) == pytest.approx(fitted().score(counts), rel=1e-5)


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"min_items": 0}, "min_items is 0"),
        ({"max_terms": 0}, "max_terms is 0"),
        ({"max_chars": 0}, "max_chars is 0"),
        ({"tau": 0}, "tau is 0"),
        ({"field_weights": {"titel": 1}}, "field 'titel'; known: title, tags"),
        ({"field_weights": {"title": -1}}, "field 'title' is -1"),
        ({"field_weights": {"title": 0, "tags": 0}}, "all 0"),
    ],
)
def test_a_parameter_out_of_range_is_named(params, said):
    with pytest.raises(InvalidInput, match=said):
        fitted(**params)


def test_memory_is_refused_before_it_is_taken():
    items = Items(Ids(["1"]), {"text": ["墨" * 5_000]})
    with pytest.raises(OverBudget, match="words of 1 items"):
        fitted(items, memory_limit=40_000)
    fitted(items, memory_limit=100_000)  # of which only the first 2,000 count


def test_a_bar_in_a_title_makes_no_labels_of_all_titles():
    titles = ["古琴 入门 第一课", "古琴 入门 第二课|上", "古琴 入门 第三课", "水墨 入门 第一课"]
    items = Items(Ids([*"1234"]), {"title": titles})
    assert {one.item_id for one in fitted(items).similar("1", 3)} == {"2", "3", "4"}
