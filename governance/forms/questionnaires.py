"""Scored questionnaires: one form each, and the plan of human oversight."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from governance import services
from governance.catalogue import ScoredQuestionnaire, questionnaires, scale
from governance.forms.entry import EntryForm, Group, entries, words
from governance.models import DecisionType, OversightPlan, QuestionnaireResponse
from portfolio.models.use_cases import OversightTier

DECISION_ROWS = 8


class AnswerQuestionnaire(EntryForm):
    """Questions as radio buttons from 0 to 4, grouped by dimension; half a set can be saved."""

    asked: ScoredQuestionnaire
    panel = "readiness"
    wide = True
    icon = "list"
    submit = _("Save the answers")
    done = _("The answers are saved and scored.")

    def prepare(self) -> None:
        choices = [("", _("Open")), *((str(value), f"{value} {word}") for value, word in scale().items())]
        for name, text in self._questions():
            self.fields[name] = forms.ChoiceField(label=text, required=False, choices=choices, widget=forms.RadioSelect)
        if not self.is_bound:
            self.initial.update(self._last())

    @property
    def groups(self) -> Iterator[Group]:
        for dimension in self.asked.dimensions:
            fields = [self[f"{dimension.key}.{index}"] for index in range(len(dimension.questions))]
            yield Group(dimension.label, fields, _("Weighs %(weight)d of 100.") % {"weight": dimension.weight})

    @property
    def progress(self) -> tuple[int, int]:
        """Questions that were answered when the form was opened, of all there are."""
        return sum(self[name].value() not in (None, "") for name, _text in self._questions()), self.asked.size

    def save(self) -> QuestionnaireResponse:
        answers = {
            dimension.key: [self._answer(f"{dimension.key}.{index}") for index in range(len(dimension.questions))]
            for dimension in self.asked.dimensions
        }
        return services.answer_questionnaire(
            use_case=self.use_case, questionnaire=self.asked.key, answers=answers, by=self.user
        )

    def _questions(self) -> Iterator[tuple[str, str]]:
        for dimension in self.asked.dimensions:
            for index, text in enumerate(dimension.questions):
                yield f"{dimension.key}.{index}", text

    def _answer(self, name: str) -> int | None:
        value = self.cleaned_data[name]
        return int(value) if value else None

    def _last(self) -> dict[str, Any]:
        rows = QuestionnaireResponse.objects.filter(
            use_case=self.use_case, questionnaire=self.asked.key, is_current=True
        )
        last = rows.first()
        if last is None:
            return {}
        return {
            f"{dimension}.{index}": "" if value is None else str(value)
            for dimension, values in last.answers.items()
            for index, value in enumerate(values)
        }


def _form_of(asked: ScoredQuestionnaire) -> type[AnswerQuestionnaire]:
    words_of_it = {
        "key": f"questionnaire-{asked.key.replace('_', '-')}",
        "heading": asked.title,
        "lead": asked.purpose,
        "actions": (asked.action,),
        "asked": asked,
        "__module__": __name__,
        "__doc__": asked.purpose,
    }
    return type(f"Answer{asked.key.title().replace('_', '')}", (AnswerQuestionnaire,), words_of_it)


for _asked in questionnaires().values():
    entries.register(_form_of(_asked))


@entries.register
class SaveOversight(EntryForm):
    key = "oversight"
    heading = _("Plan human oversight")
    submit = _("Save the plan")
    done = _("The plan is saved.")
    panel = "controls"
    icon = "eye"
    actions = ("oversight.configure",)
    lead = _("Who checks, overrides and stops the system, and how much of each kind of decision is left to it.")

    reviewers = words(_("Who reviews"), help=_("People or roles, how many cases, how soon."))
    override_path = words(_("How a person overrides it"), help=_("What they press or write, and what happens then."))
    stop_control = words(_("What stops it"), help=_("The control, who may use it, how it was tried."))

    def prepare(self) -> None:
        tiers = [("", _("Not settled")), *(choice for choice in OversightTier.choices if choice[0])]
        for index in range(DECISION_ROWS):
            self.fields[f"decision_{index}"] = forms.CharField(
                label=_("Kind of decision %(number)d") % {"number": index + 1}, required=False, max_length=200
            )
            self.fields[f"tier_{index}"] = forms.ChoiceField(label=_("Who decides"), required=False, choices=tiers)
        if not self.is_bound:
            self.initial.update(self._last())

    @property
    def groups(self) -> Iterator[Group]:
        yield Group(_("The plan"), [self["reviewers"], self["override_path"], self["stop_control"]])
        rows = [self[name] for index in range(DECISION_ROWS) for name in (f"decision_{index}", f"tier_{index}")]
        yield Group(_("Kinds of decision"), rows, _("Empty a line to remove it."))

    def save(self) -> OversightPlan:
        data = self.cleaned_data
        rows = [
            {"name": data[f"decision_{index}"], "oversight_tier": data[f"tier_{index}"]}
            for index in range(DECISION_ROWS)
        ]
        given = self.given("reviewers", "override_path", "stop_control")
        return services.save_oversight(use_case=self.use_case, by=self.user, decision_types=rows, **given)

    def _last(self) -> dict[str, Any]:
        plan = OversightPlan.objects.filter(use_case=self.use_case).first()
        found = {name: getattr(plan, name, "") for name in ("reviewers", "override_path", "stop_control")}
        for index, row in enumerate(DecisionType.objects.filter(use_case=self.use_case)[:DECISION_ROWS]):
            found |= {f"decision_{index}": row.name, f"tier_{index}": row.oversight_tier}
        return found
