"""Attention in numpy, by hand and beside PyTorch's; training, where PyTorch is."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from sishu.estimators.errors import InvalidInput, OverBudget
from sishu.estimators.interactions import History, Ids, Interactions
from sishu.estimators.sequence import SASRec
from tests.estimators import worlds


def by_hand(**weights) -> SASRec:
    """Two items, two numbers each, one block and one head, in which nothing happens but what `weights` say."""
    model = SASRec(length=3, factors=2, blocks=1, heads=1)
    model.user_ids_, model.item_ids_ = Ids([]), Ids(["a", "b"])
    model.item_vectors_ = np.array([[1, 0], [0, 2]], np.float32)
    model.place_vectors_ = np.zeros((3, 2), np.float32)
    model.attention_ = np.zeros((1, 4, 2, 2), np.float32)
    model.attention_shift_ = np.zeros((1, 4, 2), np.float32)
    model.forward_ = np.zeros((1, 2, 2, 2), np.float32)
    model.forward_shift_ = np.zeros((1, 2, 2), np.float32)
    model.norm_ = np.ones((3, 2), np.float32)
    model.norm_shift_ = np.zeros((3, 2), np.float32)
    for name, value in weights.items():
        setattr(model, name, np.asarray(value, np.float32))
    return model


def chances(*logits: float) -> list[float]:
    powers = np.exp(logits)
    return pytest.approx((powers / powers.sum()).tolist(), abs=1e-4)


ONE, NONE = np.eye(2), np.zeros((2, 2))


def test_a_state_is_the_normed_vector_and_a_score_the_softmax_of_its_products():
    # norm((1, 0)) = (1, −1), norm((0, 2)) = (−1, 1); products with (1, 0) and (0, 2)
    assert by_hand().score(History(("a",))).tolist() == chances(1, -2)
    assert by_hand().score(History(("a", "b"))).tolist() == chances(-1, 2)
    assert [each.item_id for each in by_hand().recommend(History(("a",)))] == ["b"]


def test_a_place_counts_from_the_oldest_looked_at():
    model = by_hand(place_vectors_=[[9, 0], [0, 0], [0, 3]])
    assert model.score(History(tuple("b"))).tolist() == chances(1, -2)  # (9, 2) normed
    assert model.score(History(tuple("aba"))).tolist() == chances(-1, 2)  # (1, 3)
    assert model.score(History(tuple("bbaba"))).tolist() == model.score(History(tuple("aba"))).tolist()


def test_gain_and_shift_come_after_the_norm():
    model = by_hand(norm_=[[1, 1], [1, 1], [2, 3]], norm_shift_=[[0, 0], [0, 0], [0.5, 0]])
    assert model.score(History(("a",))).tolist() == chances(2.5, -6)


def test_without_likeness_attention_is_a_mean_of_what_came_before():
    model = by_hand(attention_=[[NONE, NONE, 4 * ONE, ONE]])
    # values are ±(4, −4): over a, b, b the mean is (−4, 4) / 3, added to (0, 2)
    mean = (0 - 4 / 3, 2 + 4 / 3)
    assert mean[1] > mean[0]
    assert model.score(History(("a", "b", "b"))).tolist() == chances(-1, 2)
    # over a, a, b it is (4, −4) / 3 and wins over (0, 2)
    assert model.score(History(("a", "a", "b"))).tolist() == chances(1, -2)


def test_what_is_alike_is_attended_to():
    model = by_hand(attention_=[[9 * ONE, 9 * ONE, 4 * ONE, ONE]])
    assert model.score(History(("a", "a", "b"))).tolist() == chances(-1, 2)  # b looks at b alone


def test_each_head_looks_for_itself():
    weights = np.random.default_rng(5).normal(size=(1, 4, 2, 2))
    one, two = by_hand(attention_=weights), by_hand(attention_=weights)
    two.heads = 2
    assert one.score(History(("a", "b"))).tolist() != two.score(History(("a", "b"))).tolist()
    q, k, v, out = weights[0]
    y = np.array([[1, -1], [-1, 1]])
    likeness = np.array([[(y[-1] @ q)[head] * (y @ k)[place, head] for place in (0, 1)] for head in (0, 1)])
    share = np.exp(likeness) / np.exp(likeness).sum(axis=1, keepdims=True)
    found = np.array([share[head] @ (y @ v)[:, head] for head in (0, 1)])
    x = np.array([0, 2]) + found @ out
    sign = np.sign(x[0] - x[1])
    assert two.score(History(("a", "b"))).tolist() == chances(sign, -2 * sign)


def test_the_step_forward_knows_only_positive_numbers():
    model = by_hand(forward_=[[ONE, 5 * ONE]])
    assert model.score(History(("b",))).tolist() == chances(-1, 2)  # (0, 2) + 5 (0, 1)
    model = by_hand(forward_=[[-ONE, 5 * ONE]])
    assert model.score(History(("b",))).tolist() == chances(1, -2)  # (0, 2) + 5 (1, 0)


def test_only_the_last_events_are_looked_at_and_many_are_scored_as_one_by_one():
    rng = np.random.default_rng(2)
    model = by_hand(attention_=rng.normal(size=(1, 4, 2, 2)), place_vectors_=rng.normal(size=(3, 2)))
    readers = [History(tuple(items)) for items in ("", "a", "bab", "abbabab", "b")]
    together = model.score_many([model.past(reader) for reader in readers])
    assert together[0].tolist() == [0, 0]
    assert together == pytest.approx(np.stack([model.score(reader) for reader in readers]), abs=1e-6)
    assert together[3].tolist() == pytest.approx(model.score(History(tuple("bab"))).tolist())
    assert model.score_many([]).shape == (0, 2)


def test_fifty_thousand_events_are_as_their_last():
    model = by_hand(attention_=np.random.default_rng(2).normal(size=(1, 4, 2, 2)))
    assert model.score(History(tuple("ab") * 25_000)).tolist() == model.score(History(tuple("bab"))).tolist()


def test_it_is_loaded_and_asked_without_pytorch(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    model = by_hand(attention_=np.random.default_rng(2).normal(size=(1, 4, 2, 2)))
    model.save(tmp_path / "model.npz")
    loaded = SASRec.load(tmp_path / "model.npz")
    assert loaded.score(History(("a", "b"))).tolist() == model.score(History(("a", "b"))).tolist()


def test_fitting_without_pytorch_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.delitem(sys.modules, "sishu.estimators.sequence_training", raising=False)
    with pytest.raises(InvalidInput, match=r"SASRec needs torch to be trained: pip install 'sishu\[deep\]'"):
        SASRec().fit(worlds.circles())


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"length": 0}, "length is 0"),
        ({"heads": 3}, "factors is 64 and heads 3"),
        ({"negatives": 0}, "negatives is 0"),
        ({"dropout": 1.0}, "dropout is 1.0"),
        ({"learning_rate": 0}, "learning_rate is 0"),
    ],
)
def test_a_parameter_out_of_range_is_named(params, said):
    with pytest.raises(InvalidInput, match=said):
        SASRec(**params).fit(worlds.circles())


# --- Training ---------------------------------------------------------------------------------------

SMALL = {"length": 6, "factors": 16, "epochs": 12, "batch_size": 16}


def rounds(users: int = 60) -> Interactions:
    """Everybody goes round the same ring of thirty works, from somewhere."""
    rows = [(f"u{user}", f"i{(user + step) % 30}", step) for user in range(users) for step in range(8)]
    names, works, times = zip(*rows, strict=True)
    return Interactions.of(names, works, times=np.array(times))


@pytest.mark.parametrize("negatives", [None, 8])
def test_what_always_comes_next_is_learnt(negatives):
    pytest.importorskip("torch")
    params = SMALL | {"epochs": 40, "learning_rate": 0.01, "negatives": negatives}
    model = SASRec(**params).fit(rounds(120))
    paths = [[f"i{(begin + step) % 30}" for step in range(5)] for begin in range(30)]
    told = [model.recommend(History(tuple(path[:4])), 1)[0].item_id for path in paths]
    assert sum(item == path[4] for item, path in zip(told, paths, strict=True)) >= 24
    assert 1 <= model.epochs_ <= 40


def test_numpy_and_pytorch_make_the_same_of_a_history():
    torch = pytest.importorskip("torch")
    from sishu.estimators.sequence_training import Network

    world = worlds.circles()
    model = SASRec(**SMALL).fit(world)
    network = Network(len(model.item_ids_), model.params()).eval()
    network.load_state_dict({name: torch.from_numpy(getattr(model, name)) for name in network.state_dict()})
    for reader in (*map(world.history, range(5)), History(("第 3 课",))):
        before = torch.from_numpy(model.past(reader).items[None, -6:])
        theirs = (network(before)[0, -1] @ network.item_vectors_.T).softmax(0)
        assert model.score(reader) == pytest.approx(theirs.detach().numpy(), rel=1e-4)


def test_the_same_seed_gives_the_same_weights_and_leaves_the_callers_luck_alone():
    torch = pytest.importorskip("torch")
    torch.manual_seed(1)
    first = SASRec(**SMALL).fit(rounds(20))
    luck = torch.rand(1)
    torch.manual_seed(1)
    assert torch.rand(1) == luck
    assert np.array_equal(first.item_vectors_, SASRec(**SMALL).fit(rounds(20)).item_vectors_)
    assert not np.array_equal(first.item_vectors_, SASRec(**SMALL, seed=7).fit(rounds(20)).item_vectors_)


def test_training_ends_when_it_gets_no_better():
    pytest.importorskip("torch")
    rows = rounds(20)
    rows = Interactions.of(
        rows.user_ids.many(rows.users), np.random.default_rng(1).permutation(rows.items), times=rows.times
    )
    assert SASRec(**SMALL | {"epochs": 500, "patience": 2}).fit(rows).epochs_ < 60


def test_windows_overlap_by_one_event():
    pytest.importorskip("torch")
    from sishu.estimators.sequence_training import windows

    rows = windows(np.array([0, 1, 1, 7, 10]), 4)
    assert rows[(rows >= 0).any(axis=1)].tolist() == [[0, -1, -1, -1], [3, 4, 5, 6], [1, 2, 3, -1], [7, 8, 9, -1]]


def test_memory_is_refused_before_it_is_taken():
    pytest.importorskip("torch")
    with pytest.raises(OverBudget, match="Give negatives=256"):
        SASRec(memory_limit=2**20).fit(worlds.circles())
