"""Models of ratings keep to what the command allows them."""

from __future__ import annotations

import numpy as np
import pytest

from sishu.cli.evaluation import kept, ratings
from sishu.cli.evaluation.lists import Task
from sishu.estimators.errors import OverBudget
from sishu.estimators.kinds import RATINGS
from tests.estimators import worlds


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ratings")
    kept.write(folder, worlds.ratings(), None)
    return folder


def task(folder, model, seconds=600.0, memory=2**30):
    return Task(model, folder, "cv", seed=1, seconds=seconds, memory=memory)


@pytest.mark.parametrize("model", ["user-knn", "item-knn", "mf", "blend"])
def test_a_model_keeps_to_its_memory(folder, model):
    with pytest.raises(OverBudget):
        ratings.attempt(task(folder, model, memory=3000))


def test_no_candidate_begins_once_the_time_is_gone(folder):
    found = ratings.attempt(task(folder, "item-knn", seconds=0))
    assert found.params == RATINGS["item-knn"].candidates[0]
    assert np.isfinite(found.errors).all()
