"""Metrics, KPIs, tests, monitors, open items, integrations, training and expressions: judged without a database."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from gates.criterion import Outcome
from gates.params import ParamError
from tests.gates.judging import NOW, ago, day_ago, facts, judge, run, version


def point(value: str, **more: Any) -> dict[str, Any]:
    row = {"value": Decimal(value), "at": ago(2), "series_id": 11, "version_label": "", "segment": "", "n": 400}
    return {**row, **more}


def metrics(**values: str) -> dict[str, Any]:
    return facts(metrics={key: point(value) for key, value in values.items()})


F1 = {"metric": "f1"}
AT_LEAST = ("f1", ">=", "0.85")


def test_a_metric_is_met_not_met_missing_and_stale() -> None:
    assert judge("metric_threshold", F1, metrics(f1="0.85"), bound=AT_LEAST).outcome is Outcome.MET
    short = judge("metric_threshold", F1, metrics(f1="0.8499"), bound=AT_LEAST)
    assert short.outcome is Outcome.NOT_MET
    assert "0.8499" in short.reason
    assert "at least 0.85" in short.reason
    assert judge("metric_threshold", F1, bound=AT_LEAST).outcome is Outcome.MISSING
    assert judge("metric_threshold", F1, metrics(f1="0.9"), bound=AT_LEAST, days=1).outcome is Outcome.STALE


def test_a_number_tells_the_unit_of_the_catalogue_where_the_policy_names_none() -> None:
    found = judge("metric_threshold", {"metric": "latency_p95"}, metrics(latency_p95="645"), bound=("l", "<=", 800))
    assert "645 ms" in found.observed
    assert "800 ms" in found.required


def test_the_newer_of_series_and_validation_run_counts() -> None:
    known = metrics(f1="0.80")
    known["validation"] = [run("performance", metrics={"f1": 0.91}, performed_at=ago(1))]
    assert judge("metric_threshold", F1, known, bound=AT_LEAST).outcome is Outcome.MET
    known["validation"][0]["performed_at"] = ago(3)
    assert judge("metric_threshold", F1, known, bound=AT_LEAST).outcome is Outcome.NOT_MET


def test_a_run_on_an_older_version_is_not_admissible() -> None:
    old = facts(
        validation=[run("performance", metrics={"f1": 0.91}, version_id=6)],
        models={"candidate": version(), "live": None},
    )
    assert judge("metric_threshold", F1, old, bound=AT_LEAST).outcome is Outcome.MISSING
    old["validation"][0]["version_id"] = 7
    assert judge("metric_threshold", F1, old, bound=AT_LEAST).outcome is Outcome.MET


def test_too_small_a_sample_is_not_met() -> None:
    ask = {**F1, "min_sample": 401}
    assert judge("metric_threshold", ask, metrics(f1="0.9"), bound=AT_LEAST).outcome is Outcome.NOT_MET
    assert (
        judge("metric_threshold", {**F1, "min_sample": 400}, metrics(f1="0.9"), bound=AT_LEAST).outcome is Outcome.MET
    )


def test_metrics_beside_it_have_to_hold_too() -> None:
    ask = {**F1, "also": [{"metric": "latency_p95", "op": "<=", "value": 800}]}
    assert judge("metric_threshold", ask, metrics(f1="0.9"), bound=AT_LEAST).outcome is Outcome.MISSING
    slow = metrics(f1="0.9", latency_p95="801")
    assert judge("metric_threshold", ask, slow, bound=AT_LEAST).outcome is Outcome.NOT_MET
    fast = metrics(f1="0.9", latency_p95="800")
    assert judge("metric_threshold", ask, fast, bound=AT_LEAST).outcome is Outcome.MET


def test_a_band_has_two_ends() -> None:
    ask = {**F1, "also": [{"metric": "override_rate", "op": "between", "value": 2, "high": 20}]}
    for value, outcome in (("1.9", Outcome.NOT_MET), ("2", Outcome.MET), ("20", Outcome.MET), ("21", Outcome.NOT_MET)):
        known = metrics(f1="0.9", override_rate=value)
        assert judge("metric_threshold", ask, known, bound=AT_LEAST).outcome is outcome


def monitor(*kinds: str, metric: str = "f1", **more: Any) -> dict[str, Any]:
    none = ("op", "warn", "act", "warn_high", "act_high")
    row = {
        "metric": metric,
        "series_id": 12,
        "segment": "",
        "version_label": "",
        "kinds": list(kinds),
        "last_time": ago(0.5),
        "baseline": None,
        "rules": {"count": 0, "reaction": "", **dict.fromkeys(none)},
        "enabled": True,
    }
    return {**row, **more}


def test_the_primary_metric_is_held_against_its_alert_rule() -> None:
    ask = {"metric": "use_case.primary_metric", "default": "f1"}
    known = metrics(own_score="0.7")
    known["profile"]["primary_metric"] = "own_score"
    assert judge("metric_threshold", ask, known, bound=AT_LEAST).outcome is Outcome.ERROR
    rules = {"op": ">=", "warn": Decimal("0.8"), "act": Decimal("0.6")}
    known["monitors"] = [monitor("performance", metric="own_score", rules=rules)]
    assert judge("metric_threshold", ask, known, bound=AT_LEAST).outcome is Outcome.MET


def kpi(*measured: tuple[int, int, str], **more: Any) -> dict[str, Any]:
    """A primary KPI from 12 down to 8 minutes with measurements (days, days ago of the end, value)."""
    rows = [
        {
            "window_start": day_ago(ended + days - 1),
            "window_end": day_ago(ended),
            "value": Decimal(value),
            "sample_size": None,
            "source": "warehouse",
        }
        for days, ended, value in measured
    ]
    row = {"id": 1, "key": "time", "name": "Handling time", "unit": "minutes", "is_primary": True}
    limits = {"baseline": Decimal(12), "target": Decimal(8), "measurements": rows}
    return facts(kpis=[{**row, **limits, **more}])


GAP = ("pct_of_target_gap", ">=", 50)


def test_an_improvement_is_the_share_of_the_gap_that_was_closed() -> None:
    assert judge("kpi_improvement", {}, kpi((28, 1, "10")), bound=GAP).outcome is Outcome.MET
    short = judge("kpi_improvement", {}, kpi((28, 1, "10.1")), bound=GAP)
    assert short.outcome is Outcome.NOT_MET
    assert "47.5 %" in short.reason
    worse = judge("kpi_improvement", {}, kpi((28, 1, "14")), bound=GAP)
    assert worse.observed.startswith("-50 %")


def test_an_improvement_needs_a_kpi_and_a_window_that_is_long_enough() -> None:
    assert judge("kpi_improvement", {}, bound=GAP).outcome is Outcome.MISSING
    assert judge("kpi_improvement", {}, kpi((27, 1, "8")), bound=GAP).outcome is Outcome.MISSING
    assert judge("kpi_improvement", {}, kpi((28, 1, "8"), baseline=None), bound=GAP).outcome is Outcome.MISSING
    assert judge("kpi_improvement", {}, kpi((28, 1, "8"), target=Decimal(12)), bound=GAP).outcome is Outcome.NOT_MET


def test_an_old_improvement_is_stale() -> None:
    assert judge("kpi_improvement", {}, kpi((28, 91, "8")), bound=GAP, days=90).outcome is Outcome.STALE


KINDS = {"kinds": ["security_test", "bias_test"]}


def test_every_kind_of_test_needs_a_passing_run() -> None:
    both = [run("security_test"), run("bias_test")]
    assert judge("validation_result", KINDS, facts(validation=both)).outcome is Outcome.MET
    one = judge("validation_result", KINDS, facts(validation=both[:1]))
    assert one.outcome is Outcome.MISSING
    assert "bias test" in one.reason
    failed = [run("security_test"), run("bias_test", verdict="fail"), run("bias_test", performed_at=ago(9))]
    assert judge("validation_result", KINDS, facts(validation=failed)).outcome is Outcome.NOT_MET
    assert judge("validation_result", KINDS, facts(validation=both), days=2).outcome is Outcome.STALE


def test_a_run_on_another_version_than_the_candidate_does_not_count() -> None:
    known = facts(validation=[run("bias_test", version_id=6)], models={"candidate": version(), "live": None})
    assert judge("validation_result", {"kinds": ["bias_test"]}, known).outcome is Outcome.MISSING


def test_an_independent_test_is_not_met_by_the_team() -> None:
    ask = {"kinds": ["bias_test"], "independent": True}
    assert judge("validation_result", ask, facts(validation=[run("bias_test")])).outcome is Outcome.NOT_MET
    outside = facts(validation=[run("bias_test", independent=True)])
    assert judge("validation_result", ask, outside).outcome is Outcome.MET


def test_figures_of_a_run_are_held_against_the_limit() -> None:
    ask, limit = {"kinds": ["bias_test"]}, ("disparity", "<=", "0.1")
    said = facts(validation=[run("bias_test", metrics={"disparity": 0.11})])
    assert judge("validation_result", ask, said, bound=limit).outcome is Outcome.NOT_MET
    said["validation"][0]["metrics"] = {"disparity": 0.1}
    assert judge("validation_result", ask, said, bound=limit).outcome is Outcome.MET
    said["validation"][0]["metrics"] = {}
    assert judge("validation_result", ask, said, bound=limit).outcome is Outcome.NOT_MET


def monitors(*found: dict[str, Any]) -> dict[str, Any]:
    return facts(monitors=list(found))


HOURS = ("silence_hours", "<=", 24)
DRIFT = {"kinds": ["drift"]}


def test_monitors_report_within_the_silence_limit() -> None:
    assert judge("monitor_active", DRIFT, monitors(monitor("drift")), bound=HOURS).outcome is Outcome.MET
    silent = judge("monitor_active", DRIFT, monitors(monitor("drift", last_time=ago(2))), bound=HOURS)
    assert silent.outcome is Outcome.NOT_MET
    assert "48 hours" in silent.reason
    assert judge("monitor_active", DRIFT, bound=HOURS).outcome is Outcome.MISSING
    for off in ({"enabled": False}, {"last_time": None}):
        assert judge("monitor_active", DRIFT, monitors(monitor("drift", **off)), bound=HOURS).outcome is Outcome.MISSING
    assert judge("monitor_active", DRIFT, monitors(monitor("output")), bound=HOURS).outcome is Outcome.MISSING


def test_silence_is_not_rounded_down() -> None:
    just_over = monitors(monitor("drift", last_time=NOW - timedelta(hours=24, minutes=1)))
    assert judge("monitor_active", DRIFT, just_over, bound=HOURS).outcome is Outcome.NOT_MET


def test_baselines_and_limits_are_asked_for_where_the_policy_says_so() -> None:
    ask = {**DRIFT, "baseline_required": True}
    assert judge("monitor_active", ask, monitors(monitor("drift")), bound=HOURS).outcome is Outcome.NOT_MET
    known = monitors(monitor("drift", baseline=Decimal("0.1")))
    assert judge("monitor_active", ask, known, bound=HOURS).outcome is Outcome.MET
    ruled = {**DRIFT, "rules_required": True}
    share = ("rules_set", ">=", 100)
    assert judge("monitor_active", ruled, known, bound=share).outcome is Outcome.NOT_MET
    known["monitors"][0]["rules"] = {"warn": Decimal("0.1"), "act": Decimal("0.2")}
    assert judge("monitor_active", ruled, known, bound=share).outcome is Outcome.MET


def issue(kind: str, **more: Any) -> dict[str, Any]:
    row = {"id": 1, "kind": kind, "severity": "high", "title": "Open port", "blocking": True, "due_gate": ""}
    return {**row, "due_on": day_ago(1), "first_seen": ago(12), "raised_at": ago(12), **more}


NONE = ("open", "<=", 0)


def test_open_items_are_counted_by_the_filter() -> None:
    ask = {"kind": ["assumption"], "blocking": True}
    known = facts(issues={"open": [issue("assumption")]})
    assert judge("open_findings", ask, known, bound=NONE).outcome is Outcome.NOT_MET
    for other in ({"blocking": False}, {"kind": "condition"}):
        row = {**issue("assumption"), **other}
        assert judge("open_findings", ask, facts(issues={"open": [row]}), bound=NONE).outcome is Outcome.MET
    overdue = {"kind": ["condition"], "overdue": True}
    today = facts(issues={"open": [issue("condition", due_on=NOW.date())]})
    assert judge("open_findings", overdue, today, bound=NONE).outcome is Outcome.MET
    late = facts(issues={"open": [issue("condition")]})
    assert judge("open_findings", overdue, late, bound=NONE).outcome is Outcome.NOT_MET


def test_nothing_is_open_only_after_somebody_looked() -> None:
    ask = {"kind": ["security"], "last_test_days": 90}
    assert judge("open_findings", ask, bound=NONE).outcome is Outcome.MISSING
    tested = facts(validation=[run("security_test")])
    assert judge("open_findings", ask, tested, bound=NONE).outcome is Outcome.MET
    assert judge("open_findings", ask, tested, bound=NONE, days=2).outcome is Outcome.STALE
    old = facts(validation=[run("security_test", performed_at=ago(91))])
    assert judge("open_findings", ask, old, bound=NONE).outcome is Outcome.STALE


def test_a_breach_nobody_decided_about_is_open() -> None:
    row = {"id": 1, "drift": False, "level": "act", "decided": False, "message": "F1 0.7", "opened_at": ago(1)}
    ask = {"kind": ["breach"]}
    assert judge("open_findings", ask, facts(alerts=[row]), bound=NONE).outcome is Outcome.NOT_MET
    decided = facts(alerts=[{**row, "decided": True}])
    assert judge("open_findings", ask, decided, bound=NONE).outcome is Outcome.MET


def test_the_oldest_open_patch_counts() -> None:
    ask, limit = {"kind": ["security"]}, ("patch_age", "<=", 10)
    known = facts(validation=[run("security_test")], issues={"open": [issue("security")]})
    assert judge("open_findings", ask, known, bound=limit).outcome is Outcome.NOT_MET
    known["issues"]["open"][0]["first_seen"] = ago(10)
    assert judge("open_findings", ask, known, bound=limit).outcome is Outcome.MET


def integration(**more: Any) -> dict[str, Any]:
    test = {"cases_run": 40, "cases_passed": 39, "performed_at": ago(20), "version_id": None}
    return {"id": 1, "name": "SAP", "critical": True, "feasible": True, "test": test, **more}


def points_of(*points: dict[str, Any]) -> dict[str, Any]:
    return facts(controls={"integrations": list(points)})


PASSED = ("passed", ">=", 97)


def test_critical_integrations_are_tested_and_pass() -> None:
    ask: dict[str, Any] = {}
    assert judge("integration_test", ask, points_of(integration()), bound=PASSED).outcome is Outcome.MET
    assert judge("integration_test", ask, bound=PASSED).outcome is Outcome.MISSING
    untested = points_of(integration(), integration(name="Mail", test=None))
    missing = judge("integration_test", ask, untested, bound=PASSED)
    assert missing.outcome is Outcome.MISSING
    assert "Mail" in missing.reason
    minor = points_of(integration(), integration(name="Mail", test=None, critical=False))
    assert judge("integration_test", ask, minor, bound=PASSED).outcome is Outcome.MET
    assert judge("integration_test", ask, points_of(integration()), bound=("p", ">=", 98)).outcome is Outcome.NOT_MET
    assert judge("integration_test", ask, points_of(integration()), bound=PASSED, days=19).outcome is Outcome.STALE


def training(course: str, **more: Any) -> dict[str, Any]:
    return {"course": course, "completed_at": ago(30), "valid_until": None, **more}


def test_enough_people_are_trained() -> None:
    ask, all_of_them = {"courses": ["user"]}, ("trained", ">=", 100)

    def of(*rows: dict[str, Any]) -> dict[str, Any]:
        return facts(controls={"training": list(rows)})

    assert judge("training_completed", ask, of(training("user")), bound=all_of_them).outcome is Outcome.MET
    assert judge("training_completed", ask, bound=all_of_them).outcome is Outcome.MISSING
    assert judge("training_completed", ask, of(training("admin")), bound=all_of_them).outcome is Outcome.MISSING
    for open_row in ({"completed_at": None}, {"valid_until": ago(1)}):
        known = of(training("user"), training("user", **open_row))
        assert judge("training_completed", ask, known, bound=all_of_them).outcome is Outcome.NOT_MET
    assert judge("training_completed", ask, of(training("user")), bound=all_of_them, days=29).outcome is Outcome.STALE


def test_an_expression_is_met_not_met_missing_and_stale() -> None:
    ask = {"expr": "metric('f1') >= 0.8 and open_waves() == 0"}
    assert judge("custom_expression", ask, metrics(f1="0.8")).outcome is Outcome.MET
    low = judge("custom_expression", ask, metrics(f1="0.79"))
    assert low.outcome is Outcome.NOT_MET
    assert "f1 = 0.79" in low.reason
    unknown = judge("custom_expression", ask)
    assert unknown.outcome is Outcome.MISSING
    assert "metric(f1)" in unknown.reason
    assert judge("custom_expression", ask, metrics(f1="0.8"), days=1).outcome is Outcome.STALE


@pytest.mark.parametrize(
    "expr",
    ["days_in_stage / 0 > 1", "days_in_stage", "declared('x') + 1 > 2", "incidents(severity='s', days=9999999999)"],
)
def test_an_expression_that_has_no_answer_is_an_error(expr: str) -> None:
    known = facts(declarations={"x": {"answer": "yes", "declared_at": ago(1)}})
    assert judge("custom_expression", {"expr": expr}, known).outcome is Outcome.ERROR


def test_the_threshold_of_the_tier_is_a_name_of_the_expression() -> None:
    ask = {"expr": "days_in_stage >= threshold"}
    assert judge("custom_expression", ask, bound=("days_in_stage", ">=", 40)).outcome is Outcome.MET
    assert judge("custom_expression", ask, bound=("days_in_stage", ">=", 41)).outcome is Outcome.NOT_MET
    assert judge("custom_expression", ask).outcome is Outcome.MISSING


@pytest.mark.parametrize(
    ("kind", "params"),
    [
        ("field_present", {"fields": []}),
        ("document", {"doc_types": []}),
        ("attestation", {"by": []}),
        ("validation_result", {"kinds": []}),
        ("monitor_active", {"kinds": []}),
        ("open_findings", {"kind": []}),
        ("training_completed", {"courses": []}),
        ("declaration", {"practices": []}),
    ],
)
def test_an_empty_list_would_be_met_by_anything_and_is_refused(kind: str, params: dict[str, Any]) -> None:
    with pytest.raises(ParamError, match="cannot be empty"):
        judge(kind, params)


def test_a_gap_of_days_is_silence_whatever_the_limit_of_hours() -> None:
    ask = {**DRIFT, "max_gap_days": 3}
    week = ("silence_hours", "<=", 168)
    assert (
        judge("monitor_active", ask, monitors(monitor("drift", last_time=ago(2.9))), bound=week).outcome is Outcome.MET
    )
    late = judge("monitor_active", ask, monitors(monitor("drift", last_time=ago(3))), bound=week)
    assert late.outcome is Outcome.NOT_MET
