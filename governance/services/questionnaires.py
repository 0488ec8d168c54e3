"""Scored questionnaires: a new answer set replaces the one before and keeps it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.utils import timezone
from django.utils.translation import gettext as _

from governance.catalogue import ScoredQuestionnaire, questionnaires
from governance.models import QuestionnaireResponse
from governance.scoring import score
from governance.services.permission import Actor, account, allow
from kernel.database import lock_rows
from kernel.errors import Invalid
from ledger import state, unit_of_work
from portfolio.models import UseCase
from portfolio.signals import announce_change

SHOWN = ("questionnaire", "answers", "score", "complete")
Answers = Mapping[str, Sequence[int | None]]


def answer_questionnaire(
    *, use_case: UseCase, questionnaire: str, answers: Answers, by: Actor
) -> QuestionnaireResponse:
    """Keep an answer set with its score: dimension -> answers 0 to 4 in question order, null where unanswered."""
    asked = known_questionnaire(questionnaire)
    allow(by, asked.action, use_case)
    given = _checked(asked, answers)
    result = score(asked, given)
    with unit_of_work(by=by) as uow:
        lock_rows(UseCase.objects.filter(pk=use_case.pk)).get()
        rows = QuestionnaireResponse.objects.filter(use_case=use_case, questionnaire=asked.key, is_current=True)
        last = rows.first()
        rows.update(is_current=False)
        response = QuestionnaireResponse.objects.create(
            use_case=use_case,
            questionnaire=asked.key,
            answers=given,
            dimensions={key: str(value) for key, value in result.dimensions.items()},
            score=result.total,
            complete=result.complete,
            answered_by=account(by),
            answered_at=timezone.now(),
        )
        uow.record(
            "questionnaire.answered",
            subject=response,
            use_case=use_case,
            before=state(last, SHOWN) if last else None,
            after=state(response, SHOWN),
        )
        announce_change(uow, use_case.pk, "evidence")
    return response


def known_questionnaire(key: str) -> ScoredQuestionnaire:
    try:
        return questionnaires()[key]
    except KeyError:
        message = _("There is no questionnaire %(key)s.") % {"key": key}
        raise Invalid(message, errors={"questionnaire": [message]}) from None


def _checked(asked: ScoredQuestionnaire, answers: Answers) -> dict[str, list[int | None]]:
    errors: dict[str, list[str]] = {}
    known = {dimension.key: dimension for dimension in asked.dimensions}
    for key in sorted(set(answers) - set(known)):
        errors[key] = [_("The questionnaire has no such dimension.")]
    found: dict[str, list[int | None]] = {}
    for key, dimension in known.items():
        given = list(answers.get(key) or [])
        size = len(dimension.questions)
        if len(given) > size or any(not _is_answer(value) for value in given):
            errors[key] = [_("Give up to %(size)d answers from 0 to 4.") % {"size": size}]
        found[key] = given + [None] * (size - len(given))
    if errors:
        raise Invalid(_("Some answers cannot be kept."), errors=errors)
    return found


def _is_answer(value: object) -> bool:
    return value is None or (isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 4)
