from __future__ import annotations

import pytest

from monitoring.catalogue import KINDS, metric, metrics, parse_limit


def test_every_group_of_metrics_is_there() -> None:
    groups = {found.group for found in metrics().values()}
    assert groups == {
        "data",
        "model",
        "fairness",
        "llm",
        "operations",
        "human_oversight",
        "adoption",
        "incident",
        "drift",
    }


def test_every_kind_of_monitor_has_a_metric() -> None:
    assert {kind for found in metrics().values() for kind in found.monitors} == set(KINDS)


def test_a_number_is_a_limit() -> None:
    f1 = metric("f1")
    assert f1 is not None
    assert (f1.op, f1.warn and f1.warn.number, f1.act and f1.act.number) == (">=", 0.85, 0.8)


def test_outside_a_range_is_a_band() -> None:
    override = metric("override_rate")
    assert override is not None
    assert override.op == "between"
    assert override.warn is not None
    assert (override.warn.low, override.warn.high) == (1, 15)


@pytest.mark.parametrize("text", ["110% of budget", "warning"])
def test_a_limit_in_words_gives_no_default(text: str) -> None:
    limit = parse_limit(text)
    assert limit is not None
    assert limit.text == text
    assert not limit.is_known


def test_a_p_value_below_its_bound_is_a_limit() -> None:
    limit = parse_limit("<0.05")
    assert limit is not None
    assert limit.number == 0.05


def test_an_unknown_metric_is_none() -> None:
    assert metric("no_such_metric") is None


def test_warn_comes_before_act_everywhere() -> None:
    for found in metrics().values():
        if found.warn and found.act and found.warn.number is not None and found.act.number is not None:
            if found.op == ">=":
                assert found.act.number <= found.warn.number, found.key
            elif found.op == "<=":
                assert found.act.number >= found.warn.number, found.key
