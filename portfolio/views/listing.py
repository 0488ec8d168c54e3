"""The portfolio: one set of use cases as a table, as a board by stage, over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, cast

from django.contrib.auth.decorators import login_required
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from accounts.access import can
from accounts.models import User
from accounts.people import Held, people_on
from kernel.exports import export_rows
from kernel.htmx import render
from kernel.tables import Column, TableState
from portfolio.forms.filters import UseCaseFilterForPages
from portfolio.lens import lenses
from portfolio.models import BusinessUnit, SavedView, Stage, UseCase
from portfolio.reports.inventory import INVENTORY_COLUMNS, inventory_rows
from portfolio.selectors.listing import LONG_TEXTS, longest_by_stage, ranked, visible
from portfolio.selectors.numbers import Numbers, numbers, numbers_in_one_pass
from portfolio.selectors.timeline import bars
from portfolio.views.common import address, person_of
from portfolio.views.drawing import dress

COLUMNS: Sequence[Column] = (
    Column("name", gettext_lazy("Use case"), "name"),
    Column("unit", gettext_lazy("Unit"), ("unit__name", "name"), choosable=True, shown=False),
    Column("stage", gettext_lazy("Stage"), ("stage_rank", "name")),
    Column("tier", gettext_lazy("Tier"), ("tier_rank", "name"), choosable=True, largest_first=True),
    Column("assurance", gettext_lazy("Assurance"), ("assurance_rank", "name"), choosable=True, largest_first=True),
    Column("gate", gettext_lazy("Next gate"), ("gate_met", "name"), choosable=True, largest_first=True),
    Column("days", gettext_lazy("Days here"), "-stage_since", numeric=True, choosable=True, largest_first=True),
    Column("lead", gettext_lazy("Lead"), choosable=True),
    Column("status", gettext_lazy("Status"), ("status", "name"), choosable=True, shown=False),
    Column("vendor", gettext_lazy("Vendor"), ("vendor", "name"), choosable=True, shown=False),
    Column("created", gettext_lazy("Opened"), "created_at", choosable=True, shown=False, largest_first=True),
    Column("updated", gettext_lazy("Changed"), "updated_at", choosable=True, shown=False, largest_first=True),
)
LEADS = ("use_case_lead", "business_owner", "technical_lead")
"""Who is named in a list, the first that somebody holds on the use case itself."""
SHOWN_AT_FIRST = frozenset(column.key for column in COLUMNS if column.shown or not column.choosable)
ALWAYS_SHOWN = frozenset(column.key for column in COLUMNS if not column.choosable)
BOARD_CARDS = 20
NUMBER_FILTERS = ("stage", "assurance", "only")
"""The filters that the numbers above the list set. They are left out when counting: each says what it would give."""


@dataclass
class Listing:
    """What one address asks for, among the use cases that one person may see."""

    request: HttpRequest
    user: User = field(init=False)

    def __post_init__(self) -> None:
        self.user = person_of(self.request)

    @cached_property
    def units(self) -> list[BusinessUnit]:
        return list(BusinessUnit.objects.order_by("path"))

    @cached_property
    def filter(self) -> UseCaseFilterForPages:
        return self._filtered(self.request.GET)

    @cached_property
    def use_cases(self) -> QuerySet[UseCase]:
        return cast("QuerySet[UseCase]", self.filter.qs)

    @cached_property
    def numbers(self) -> Numbers:
        searched = bool(self.request.GET.get("q"))
        return numbers_in_one_pass(self._countable) if searched else numbers(self._countable)

    @cached_property
    def _countable(self) -> QuerySet[UseCase]:
        wider = self.request.GET.copy()
        for name in NUMBER_FILTERS:
            wider.pop(name, None)
        return cast("QuerySet[UseCase]", self._filtered(wider).qs)

    def url(self, changes: Mapping[str, Sequence[str]], path: str = "") -> str:
        """This address with other values of some filters, from its first page on."""
        query = _tidied(self.request.GET)
        for name, values in changes.items():
            query.setlist(name, list(values))
        text = query.urlencode()
        return f"{path or self.request.path}?{text}" if text else path or self.request.path

    def stats(self) -> list[dict[str, Any]]:
        """The numbers, each a link that filters by it, or stops filtering by it."""
        chosen = self.request.GET.getlist("stage")
        counted = self.numbers
        found = [
            {
                "label": stage.label,
                "value": counted.by_stage.get(stage, 0),
                "note": _("median %(days)d days") % {"days": counted.median_days[stage]}
                if stage in counted.median_days and stage not in (Stage.RETIRED, Stage.STOPPED)
                else "",
                "href": self.url({"stage": [] if chosen == [stage] else [stage]}),
                "current": stage in chosen,
            }
            for stage in Stage
            if counted.by_stage.get(stage) or stage not in (Stage.RETIRED, Stage.STOPPED)
        ]
        return [*found, *self._lens_stats()]

    def chips(self) -> list[dict[str, str]]:
        """The filters that are on, each with the address without it."""
        found = []
        for name, field_ in self.filter.form.fields.items():
            labels = {str(value): label for value, label in getattr(field_, "choices", ())}
            if name == "unit":
                labels = {unit.code: unit.name for unit in self.units}
            values = [value for value in self.request.GET.getlist(name) if value]
            for value in values:
                rest = [other for other in values if other != value]
                text = str(labels.get(value, value))
                found.append({"name": str(field_.label), "value": text, "url": self.url({name: rest})})
        found += [{**chip, "name": _("Search")} for chip in found if chip["name"] == str(self._search_label)]
        return [chip for chip in found if chip["name"] != str(self._search_label)]

    def clear_url(self) -> str:
        return self.url({name: [] for name in self.filter.form.fields})

    def tabs(self, current: str) -> list[dict[str, Any]]:
        names = (("list", _("Table"), "table"), ("board", _("Board"), "board"), ("timeline", _("Timeline"), "timeline"))
        return [
            {
                "label": label,
                "icon": icon,
                "current": name == current,
                "url": self.url({}, reverse(f"portfolio:{name}")),
            }
            for name, label, icon in names
        ]

    def saved_views(self) -> list[dict[str, Any]]:
        """The person's own views, then those that others share."""
        views = SavedView.objects.filter(Q(user=self.user) | Q(shared=True), page="portfolio").select_related("user")
        rows = [
            {
                "name": view.name,
                "url": f"{reverse('portfolio:list')}?{view.query}",
                "owner": "" if view.user_id == self.user.pk else str(view.user),
            }
            for view in views
        ]
        return sorted(rows, key=lambda row: (bool(row["owner"]), str(row["name"]).lower()))

    def kept_query(self) -> str:
        """What a saved view keeps of this address."""
        return _tidied(self.request.GET).urlencode()

    @property
    def _search_label(self) -> Any:
        return self.filter.form.fields["q"].label

    def _filtered(self, query: QueryDict) -> UseCaseFilterForPages:
        return UseCaseFilterForPages(query, queryset=visible(self.user), request=self.request, units=self.units)

    def _lens_stats(self) -> list[dict[str, Any]]:
        chosen = self.request.GET.getlist("only")
        rows: list[tuple[str, Any, int, str, str]] = [
            ("at_risk", _("At risk"), self.numbers.at_risk, "attention", "warning")
        ]
        rows += [
            (lens.key, lens.label, self._countable.filter(lens().condition(self.user)).count(), lens.tone, lens.icon)
            for lens in sorted(lenses, key=lambda lens: (lens.order, lens.key))
        ]
        return [
            {
                "label": label,
                "value": count,
                "tone": tone if count else "",
                "icon": icon if count else "",
                "href": self.url({"only": [k for k in chosen if k != key] if key in chosen else [*chosen, key]}),
                "current": key in chosen,
            }
            for key, label, count, tone, icon in rows
        ]


@require_safe
@login_required
def table(request: HttpRequest) -> HttpResponseBase:
    """All of them in rows: filtered, sorted, paged, exported, and chosen for doing something with them."""
    listing = Listing(request)
    state: TableState[UseCase] = TableState.from_request(request, columns=COLUMNS, default_sort="name")
    rows = ranked(listing.use_cases)
    if state.export_format:
        return export_rows(state.export_format, "use-cases", INVENTORY_COLUMNS, inventory_rows(state.order(rows)))
    state.paginate(rows.select_related("unit").defer(*LONG_TEXTS))
    rows_shown = list(state)
    dress(rows_shown)
    if "lead" in state.shown:
        _name_leads(rows_shown)
    context = {
        **_frame(listing, "list"),
        "table": state,
        "kept": _kept(state),
        "bulk_actions": [
            {"name": "hold", "label": _("Put on hold")},
            {"name": "resume", "label": _("Resume")},
            {"name": "csv", "label": _("Export as CSV")},
        ],
    }
    response = render(request, "portfolio/list.html", context, partial="table")
    page = [f"page={state.page.number}"] if state.page.number > 1 else []
    response.headers["HX-Push-Url"] = f"{request.path}?{'&'.join([*filter(None, [listing.kept_query()]), *page])}"
    return response


@require_safe
@login_required
def board(request: HttpRequest) -> HttpResponse:
    """A column for each stage; the longest there come first, and what does not fit is one link away."""
    listing = Listing(request)
    counted = numbers(listing.use_cases, medians=False)
    cards: dict[str, list[UseCase]] = {}
    found = longest_by_stage(listing.use_cases, BOARD_CARDS)
    dress(found)
    for use_case in found:
        cards.setdefault(use_case.stage, []).append(use_case)
    chosen = request.GET.getlist("stage") or list(Stage.values)
    columns = [
        {
            "title": stage.label,
            "count": counted.by_stage.get(stage, 0),
            "cards": cards.get(stage, []),
            "more_url": listing.url({"stage": [stage], "sort": ["-days"]}, reverse("portfolio:list"))
            if counted.by_stage.get(stage, 0) > BOARD_CARDS
            else "",
        }
        for stage in Stage
        if stage in chosen and (counted.by_stage.get(stage) or stage not in (Stage.RETIRED, Stage.STOPPED))
    ]
    context = {**_frame(listing, "board"), "columns": columns, "total": counted.total}
    return render(request, "portfolio/board.html", context, partial="table")


@require_safe
@login_required
def timeline(request: HttpRequest) -> HttpResponse:
    """Who was in which stage when: a line for each use case, drawn on the server."""
    listing = Listing(request)
    state: TableState[UseCase] = TableState.from_request(request, columns=COLUMNS, default_sort="name", page_size=25)
    state.paginate(ranked(listing.use_cases).select_related("unit").defer(*LONG_TEXTS))
    context = {**_frame(listing, "timeline"), "table": state, "kept": _kept(state), "chart": bars(list(state))}
    return render(request, "portfolio/timeline.html", context, partial="table")


def _nothing(listing: Listing) -> dict[str, str]:
    """What an empty list says: that the filters leave nothing, or that there is nothing yet, and what to do."""
    if listing.kept_query():
        return {
            "title": _("No use case fits"),
            "text": _("Take a filter away, or look for other words."),
            "url": listing.clear_url(),
            "action": _("Clear all filters"),
        }
    if can(listing.user, "use_case.create"):
        return {
            "title": _("No use case yet"),
            "text": _("Open the first one, or import the inventory that you have."),
            "url": reverse("portfolio:create"),
            "action": _("Open a use case"),
        }
    text = _("You see a use case as soon as you hold a role on it or on its unit. Ask a portfolio manager.")
    return {"title": _("Nothing to see yet"), "text": text, "url": "", "action": ""}


def _kept(state: TableState[UseCase]) -> list[tuple[str, str]]:
    """What the table put into the address, for the filter form; the columns are in that form themselves."""
    return [(name, value) for name, value in state.kept if name != "columns"]


def _tidied(query: QueryDict) -> QueryDict:
    """An address as people should see, keep and share it: no empty values, no columns unless others were chosen."""
    tidy = query.copy()
    for name, values in query.lists():
        tidy.setlist(name, list(dict.fromkeys(value for value in values if value)))
    if {*tidy.getlist("columns"), *ALWAYS_SHOWN} == SHOWN_AT_FIRST:
        tidy.pop("columns")
    for name in ("page", "export"):
        tidy.pop(name, None)
    return tidy


def _frame(listing: Listing, current: str) -> dict[str, Any]:
    return {
        "filter_form": listing.filter.form,
        "ignored": bool(listing.filter.form.errors),
        "stats": listing.stats(),
        "total_seen": listing.numbers.total,
        "chips": listing.chips(),
        "clear_url": listing.clear_url(),
        "tabs": listing.tabs(current),
        "saved_views": listing.saved_views(),
        "kept_query": listing.kept_query(),
        "may_create": can(listing.user, "use_case.create"),
        "import_url": address("portfolio:import_start") if can(listing.user, "discovery.import") else "",
        "nothing": _nothing(listing),
    }


def _name_leads(rows: Sequence[UseCase]) -> None:
    people: dict[Any, list[Held]] = people_on([row.pk for row in rows])
    for row in rows:
        named: Any = row
        named.lead = _lead(people.get(row.pk, []))


def _lead(people: Sequence[Held]) -> Held | None:
    direct = [held for held in people if not held.inherited_from]
    for role in LEADS:
        for held in direct:
            if held.role == role:
                return held
    return None
