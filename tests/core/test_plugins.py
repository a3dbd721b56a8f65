"""Plug-ins come from the settings: in their order, made once, and complained about at start."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from django.core import checks
from django.core.exceptions import ImproperlyConfigured

from sishu.core import plugins


@pytest.fixture(autouse=True)
def _table(settings):
    settings.PLUGINS = {
        "numbers": {
            "half": ("fractions.Fraction", {"numerator": 1, "denominator": 2}),
            "nothing": ("decimal.Decimal", {}),
            "root": "math.isqrt",
        },
        "colours": {},
    }


def test_options_make_an_instance_and_a_bare_path_names_the_thing_itself():
    assert plugins.load("numbers", "half") == Fraction(1, 2)
    assert plugins.load("numbers", "nothing") == Decimal(0)
    assert plugins.load("numbers", "root")(17) == 4


def test_one_kind_comes_in_the_order_of_the_settings():
    assert plugins.names("numbers") == list(plugins.load_all("numbers")) == ["half", "nothing", "root"]
    assert plugins.names("colours") == plugins.names("sounds") == []
    assert plugins.load_all("sounds") == {}


def test_a_plug_in_is_made_once_until_the_settings_change(settings):
    half = plugins.load("numbers", "half")
    assert plugins.load("numbers", "half") is half
    settings.PLUGINS = {"numbers": {"half": ("fractions.Fraction", {"numerator": 2, "denominator": 4})}}
    assert plugins.load("numbers", "half") is not half


@pytest.mark.parametrize(
    ("kind", "known"), [("numbers", "half, nothing, root"), ("colours", "none"), ("sounds", "none")]
)
def test_an_unknown_name_is_refused_with_the_known_ones(kind, known):
    with pytest.raises(ImproperlyConfigured, match=f"^No {kind} plug-in 'red'; known: {known}.$"):
        plugins.load(kind, "red")


@pytest.mark.parametrize(
    "entry", ["fractions.Fractoin", "no_such_module.thing", "nodots", ("fractions.Fraction", {"size": 1})]
)
def test_the_check_at_start_names_each_that_cannot_be_loaded(settings, entry):
    assert not any(problem.id == "sishu.E001" for problem in checks.run_checks())
    settings.PLUGINS = {"numbers": {"root": "math.isqrt", "broken": entry}}
    (problem,) = [problem for problem in checks.run_checks() if problem.id == "sishu.E001"]
    assert problem.level == checks.ERROR
    assert problem.msg.startswith("numbers plug-in 'broken' cannot be loaded: ")
