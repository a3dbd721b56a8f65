"""What every recommender promises, asked of each: `members.MEMBERS` names them, and a new one is added there."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import sparse

from sishu.estimators import archive
from sishu.estimators.base import ItemModel
from sishu.estimators.errors import InvalidInput
from sishu.estimators.interactions import History, Interactions
from sishu.estimators.items import Items
from sishu.estimators.ranking import rank
from sishu.estimators.split import Split, holdout
from tests.estimators import worlds
from tests.estimators.members import MEMBERS

Make = Callable[[], ItemModel]

WORLD = worlds.ratings(users=40, items=30)
OTHER_WORLD = worlds.ratings(users=25, items=20, seed=8)
SOMEBODY = WORLD.history(3)
STRANGER = "谁 也不认识"
YEAR_9999 = 253_370_764_800  # seconds since 1970


def described(world: Interactions) -> Items:
    """Some words on each item, for the models that read them."""
    titles = [f"第 {number} 课：{'水墨' if number % 2 else 'Python'}" for number in range(len(world.item_ids))]
    return Items(
        world.item_ids, {"title": titles, "tags": ["画|入门" if n % 2 else "code" for n in range(len(titles))]}
    )


def fit(make: Make, world: Interactions = WORLD) -> ItemModel:
    return make().fit(world, described(world))


@pytest.fixture(scope="module", params=list(MEMBERS.values()), ids=list(MEMBERS))
def make(request: pytest.FixtureRequest) -> Make:
    chosen: Make = request.param
    return chosen


@pytest.fixture(scope="module")
def model(make: Make) -> ItemModel:
    """Fitted once, and asked by many: no test may change it."""
    return fit(make)


def same_state(ours: Any, theirs: Any) -> bool:
    if sparse.issparse(ours):
        return ours.shape == theirs.shape and all(
            np.array_equal(getattr(ours, part), getattr(theirs, part)) for part in ("data", "indices", "indptr")
        )
    return np.array_equal(ours, theirs) if isinstance(ours, np.ndarray) else bool(ours == theirs)


# --- Parameters and fitting -------------------------------------------------------------------------


def test_parameters_are_only_stored_and_make_the_model_anew(make: Make) -> None:
    model = make()
    assert not model.state()
    assert type(model)(**model.params()).params() == model.params()


def test_parameters_are_plain_values(make: Make) -> None:
    params = make().params()
    assert json.loads(json.dumps(params)) == params


def numbers(make: Make) -> list[str]:
    kept = ((name, value) for name, value in make().params().items() if name != "seed")
    return [name for name, value in kept if isinstance(value, int | float) and not isinstance(value, bool)]


@pytest.mark.parametrize(
    ("member", "name"), [(member, name) for member, make in MEMBERS.items() for name in numbers(make)]
)
@pytest.mark.parametrize("value", [float("nan"), float("-inf")])
def test_a_parameter_that_no_number_can_mean_is_refused_by_its_name(member: str, name: str, value: float) -> None:
    model = MEMBERS[member]()
    setattr(model, name, value)
    with pytest.raises(InvalidInput, match=rf"\b{name}\b"):
        model.fit(WORLD, described(WORLD))


def test_what_is_ranked_is_what_would_be_recommended(make: Make) -> None:
    parted = holdout(WORLD)
    model = make().fit(parted.train, described(WORLD))
    ranked = rank(model, parted, k=5)
    for user, items in list(zip(ranked.users.tolist(), ranked.items, strict=True))[:10]:
        recommended = [scored.item_id for scored in model.recommend(WORLD.user_ids[user], 5)]
        assert [WORLD.item_ids[item] for item in items if item >= 0] == recommended


def test_nobody_is_shown_what_the_model_says_nothing_of(make: Make) -> None:
    rows = Interactions.of(
        ["a", "a", "b", "b", "c"], ["x", "y", "x", "y", "alone"], [5.0, 4.0, 5.0, 3.0, 4.0], range(5)
    )
    train, test = rows.take(np.arange(4)), rows.take(np.array([4]))
    model = make().fit(train, described(rows))
    shown = rank(model, Split(train, test), k=3).items[0]  # c did nothing that the model has heard of
    assert [rows.item_ids[item] for item in shown if item >= 0] == [one.item_id for one in model.recommend("c", 3)]


def test_fitting_returns_the_model(make: Make) -> None:
    model = make()
    assert model.fit(WORLD, described(WORLD)) is model


def test_the_same_data_and_seed_give_the_same_model(make: Make, model: ItemModel) -> None:
    again = fit(make).state()
    assert again.keys() == model.state().keys()
    assert [name for name, value in model.state().items() if not same_state(value, again[name])] == []


def test_fitting_anew_forgets(make: Make) -> None:
    fresh = fit(make, OTHER_WORLD).state()
    refitted = fit(make).fit(OTHER_WORLD, described(OTHER_WORLD)).state()
    assert refitted.keys() == fresh.keys()
    assert [name for name, value in fresh.items() if not same_state(value, refitted[name])] == []


def test_fitting_leaves_the_interactions_as_they_were(make: Make) -> None:
    world = WORLD.take(np.arange(len(WORLD)))
    before = world.matrix.copy()
    model = fit(make, world)
    model.recommend(STRANGER)
    model.recommend(SOMEBODY)
    assert np.array_equal(world.matrix.data, before.data)
    assert np.array_equal(world.matrix.indices, before.indices)
    for name in ("users", "items", "weights", "times"):
        assert np.array_equal(getattr(world, name), getattr(WORLD, name))


def test_nothing_to_learn_from_is_refused(make: Make) -> None:
    with pytest.raises(InvalidInput, match="nothing can be learnt"):
        make().fit(WORLD.take(np.array([], np.int64)))


# --- Saving -----------------------------------------------------------------------------------------


def test_a_saved_model_answers_as_it_did(model: ItemModel, tmp_path: Path) -> None:
    model.save(tmp_path / "model.npz")
    loaded = type(model).load(tmp_path / "model.npz")
    assert loaded.params() == model.params()
    item = model.item_ids_[5]
    for reader in ("u3", STRANGER, SOMEBODY):
        assert np.array_equal(loaded.score(reader), model.score(reader))
        assert loaded.recommend(reader, 7, exclude=[item]) == model.recommend(reader, 7, exclude=[item])
        assert loaded.explain(reader, item) == model.explain(reader, item)
    assert loaded.similar(item) == model.similar(item)


def test_a_loaded_model_is_mapped_and_not_read(model: ItemModel, tmp_path: Path) -> None:
    model.save(tmp_path / "model.npz")
    _, state = archive.read(tmp_path / "model.npz", type(model).__name__)
    arrays = [value for value in state.values() if isinstance(value, np.ndarray) and value.size]
    assert arrays
    assert all(isinstance(array, np.memmap) for array in arrays)


def test_a_model_is_not_loaded_as_another_kind(model: ItemModel, tmp_path: Path) -> None:
    class Unheard(type(model)):  # type: ignore[misc]
        pass

    model.save(tmp_path / "model.npz")
    with pytest.raises(InvalidInput, match="holds a model of kind"):
        Unheard.load(tmp_path / "model.npz")


# --- Readers ----------------------------------------------------------------------------------------


def test_there_is_one_finite_score_for_each_item(model: ItemModel) -> None:
    for reader in ("u3", STRANGER, SOMEBODY, History(())):
        scores = model.score(reader)
        assert scores.shape == (len(WORLD.item_ids),)
        assert scores.dtype == np.float32
        assert np.isfinite(scores).all()


def test_a_known_reader_is_scored_as_what_they_did(model: ItemModel) -> None:
    assert model.score(WORLD.user_ids[3]) == pytest.approx(model.score(SOMEBODY), abs=1e-5)


def test_many_at_once_are_scored_as_one_by_one(model: ItemModel) -> None:
    pasts = [model.past_of(user) for user in range(5)]
    one_by_one = np.stack([model.score(WORLD.user_ids[user]) for user in range(5)])
    assert model.score_many(pasts) == pytest.approx(one_by_one, abs=1e-4)


def test_an_unknown_user_is_one_without_a_known_history(model: ItemModel) -> None:
    answers = [model.recommend(reader) for reader in (STRANGER, History(()), History(("no such work",)))]
    assert answers[0] == answers[1] == answers[2]


def test_without_a_history_the_answer_is_nothing_or_the_same_for_all(model: ItemModel) -> None:
    if model.needs_history:
        assert model.recommend(STRANGER) == []
        assert not model.score(STRANGER).any()
    else:
        assert len(model.recommend(STRANGER)) == 10


def test_unknown_items_in_a_history_are_passed_over(model: ItemModel) -> None:
    first, second = WORLD.item_ids[4], WORLD.item_ids[9]
    known = History((first, second), (4.0, 5.0), (1_000, 2_000))
    with_new = History((first, "newer than the model", second), (4.0, 1.0, 5.0), (1_000, 1_500, 2_000))
    assert np.array_equal(model.score(with_new), model.score(known))
    assert model.recommend(with_new) == model.recommend(known)


def test_what_was_done_in_the_far_future_is_no_trouble(make: Make, model: ItemModel) -> None:
    late = History(SOMEBODY.items, SOMEBODY.weights, (YEAR_9999,) * len(SOMEBODY))
    assert np.isfinite(model.score(late)).all()
    times = np.array(WORLD.times)
    times[7] = YEAR_9999
    strayed = Interactions.of(WORLD.user_ids.many(WORLD.users), WORLD.item_ids.many(WORLD.items), WORLD.weights, times)
    assert np.isfinite(fit(make, strayed).score("u5")).all()


def test_ids_are_any_words(make: Make) -> None:
    works = ["课 程 一", "　全角", "a\tb", "😀", " ", "i:1", "课程一"]
    rows = [(f"读者 {user}", work) for user in range(8) for work in np.roll(works, user)[:4].tolist()]
    world = Interactions.of([user for user, _ in rows], [work for _, work in rows], times=np.arange(len(rows)))
    model = fit(make, world)
    answer = {each.item_id for each in model.recommend("读者 3", 10)}
    assert answer <= set(works) - set(world.history(3).items)


def test_one_user_and_one_item_are_answered(make: Make) -> None:
    model = fit(make, Interactions.of(["甲"], ["只此一课"], [5.0], [1_000]))
    assert model.recommend("甲") == []
    assert np.isfinite(model.score("甲")).all()
    assert model.similar("只此一课") == []


def test_one_user_of_many_items_and_many_of_one_are_answered(make: Make) -> None:
    eager = fit(make, Interactions.of(["甲"] * 4, ["a", "b", "c", "d"], [5.0, 4.0, 1.0, 3.0], [1, 2, 3, 4]))
    assert eager.recommend("甲") == []
    shared = fit(make, Interactions.of(["甲", "乙", "丙"], ["a"] * 3, [5.0, 4.0, 1.0], [1, 2, 3]))
    assert shared.recommend("乙") == []
    assert np.isfinite(shared.score("丙")).all()


# --- Answers ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("reader", ["u3", SOMEBODY], ids=["known", "history"])
def test_what_a_reader_has_is_not_recommended(model: ItemModel, reader: str | History) -> None:
    answer = [each.item_id for each in model.recommend(reader, len(WORLD.item_ids))]
    assert answer
    assert not set(answer) & set(SOMEBODY.items)


def test_what_is_excluded_is_not_recommended(model: ItemModel) -> None:
    whole = [each.item_id for each in model.recommend("u3", len(WORLD.item_ids))]
    left_out = whole[::2]
    rest = [each.item_id for each in model.recommend("u3", len(WORLD.item_ids), exclude=[*left_out, "no such work"])]
    assert rest == whole[1::2]


def test_asking_for_more_changes_nothing_of_the_first(model: ItemModel) -> None:
    whole = model.recommend("u3", len(WORLD.item_ids))
    for k in range(1, len(whole)):
        assert model.recommend("u3", k) == whole[:k]


def test_the_best_come_first_by_their_score(model: ItemModel) -> None:
    answer = model.recommend("u3", 12)
    scores = model.score("u3")
    assert [each.score for each in answer] == sorted((each.score for each in answer), reverse=True)
    assert [each.score for each in answer] == pytest.approx(
        [scores[model.item_ids_.by_name[each.item_id]] for each in answer], abs=1e-5
    )


@pytest.mark.parametrize("k", [0, -1])
def test_fewer_than_one_is_refused(model: ItemModel, k: int) -> None:
    with pytest.raises(InvalidInput, match="ask for at least one"):
        model.recommend("u3", k)


def test_similar_items_are_others(model: ItemModel) -> None:
    item = WORLD.item_ids[2]
    answer = model.similar(item, 6)
    assert len(answer) <= 6
    assert item not in {each.item_id for each in answer}
    assert model.similar(item, 3) == answer[:3]
    assert model.similar("no such work") == []


def test_reasons_come_from_the_history_and_add_up(model: ItemModel) -> None:
    assert model.explain("u3", "no such work") == []
    if not model.is_additive:
        pytest.skip("its score is no sum of parts")
    for reader in ("u3", SOMEBODY, STRANGER):
        scores = model.score(reader)
        for position in (0, 8, 17):
            reasons = model.explain(reader, WORLD.item_ids[position])
            assert sum(reason.contribution for reason in reasons) == pytest.approx(scores[position], abs=1e-4)
