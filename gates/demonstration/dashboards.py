"""Dashboards that people of the demonstration arranged: one of the whole portfolio, one of a system in trouble."""

from __future__ import annotations

from accounts.models import User
from gates.demonstration.cast import Cast
from gates.demonstration.story import Story
from monitoring.models import Dashboard, Series
from monitoring.ready_made import ready_made
from monitoring.series_refs import ref_of
from monitoring.services.dashboards import create_dashboard
from monitoring.widget import Scope
from portfolio.models import UseCase

DRIFT = "prediction_psi"


def arrange(stories: list[Story], cast: Cast) -> None:
    """Both are shared with everybody who may see what they show."""
    manager = cast.everywhere["portfolio_manager"][0]
    drifting = Series.objects.filter(metric=DRIFT, alerts__isnull=False).select_related("use_case").order_by("pk")[:3]
    layout: list[object] = [
        _note("**Every Monday at nine.** Breaches first, then what drifts, then what was promised and never measured."),
        *ready_made(Scope(), manager)[:6],
    ]
    refs = [ref_of(series, Scope()) for series in drifting]
    if refs:
        title = "The systems that drift most"
        layout.append({"widget": "line", "title": title, "width": 12, "params": {"series": refs}})
    words = "What the steering meeting looks at"
    _make(manager, Scope(), "Steering meeting", words, layout)
    story = next((one for one in stories if one.health == "drifting"), None)
    if story is None:
        return
    lead = story.person("technical_lead")
    use_case = UseCase.objects.select_related("unit").get(pk=story.use_case.pk)
    scope = Scope(use_case=use_case)
    note = _note("Retraining is planned. Until then: look at **prediction drift** every morning.")
    _make(
        lead, scope, f"{story.name}: daily look", "Drift and quality, every morning", [note, *ready_made(scope, lead)]
    )


def _make(by: User, scope: Scope, name: str, words: str, layout: list[object]) -> None:
    everybody = Dashboard.Sharing.EVERYBODY
    create_dashboard(scope=scope, by=by, name=name, description=words, sharing=everybody, layout=layout)


def _note(text: str) -> dict[str, object]:
    return {"widget": "note", "title": "How to read this", "width": 12, "params": {"text": text}}
