"""The configured rules are applied in their order, and those of the deployer's own can only choose and sort."""

import sys
from types import ModuleType

import pytest

from tests.support.candidates import candidate, ids
from vsearch_lib.config import load_settings
from vsearch_lib.config.settings import RULES, Serving
from vsearch_lib.errors import UsageError, VsearchError
from vsearch_lib.serving.candidates import Wish
from vsearch_lib.serving.rules.chain import rules_of

IMAGES = [candidate("a", 0.9, tags=("sale",)), candidate("b", 0.8), candidate("c", 0.7, tags=("sale",))]


def serving(**values: object) -> Serving:
    return load_settings("demo").serving.model_copy(update=values)


@pytest.fixture
def shop(monkeypatch):
    """A module of the deployer's, with rules."""
    module = ModuleType("shop_rules")
    module.sale_first = lambda images, wish: sorted(images, key=lambda image: "sale" not in image.facts.tags)
    module.adds = lambda images, wish: [*images, candidate("smuggled", visibility="private")]
    module.twice = lambda images, wish: [*images, images[0]]
    module.LIMIT = 3
    monkeypatch.setitem(sys.modules, "shop_rules", module)


def test_the_default_rules_are_all_of_the_library():
    assert tuple(rules_of(serving())) == serving().rules == RULES


def test_every_rule_of_the_library_takes_candidates_and_a_wish():
    for rule in rules_of(serving(rules=RULES)).values():
        assert ids(rule(IMAGES, Wish(k=3))) == ["a", "b", "c"]


def test_rules_are_applied_in_the_order_of_the_configuration(shop):
    assert tuple(rules_of(serving(rules=("visible", "shop_rules:sale_first", "newest")))) == (
        "visible",
        "shop_rules:sale_first",
        "newest",
    )


def test_a_rule_of_the_deployers_own_sorts_candidates(shop):
    rule = rules_of(serving(rules=("visible", "shop_rules:sale_first")))["shop_rules:sale_first"]
    assert ids(rule(IMAGES, Wish(k=3))) == ["a", "c", "b"]


@pytest.mark.parametrize("name", ["shop_rules:adds", "shop_rules:twice"])
def test_a_rule_that_adds_a_candidate_is_an_error_in_one_line(shop, name):
    rule = rules_of(serving(rules=("visible", name)))[name]
    with pytest.raises(VsearchError, match=f"{name} returned a candidate twice or one") as refused:
        rule(IMAGES, Wish(k=3))
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("shop_rules:missing", "AttributeError"),
        ("no_such_package.rules:first", "ModuleNotFoundError"),
        ("shop_rules:LIMIT", "is no function"),
    ],
)
def test_a_rule_that_cannot_be_used_is_named_before_the_first_query(shop, name, problem):
    with pytest.raises(UsageError, match=problem) as refused:
        rules_of(serving(rules=("visible", name)))
    assert name in str(refused.value)
    assert "\n" not in str(refused.value)
