"""What notices are about: people choose by topic what they also want by e-mail.

The topic of a notice is the noun of its kind: ``review.submitted`` is about ``review``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

OTHER = "other"


@dataclass(frozen=True, slots=True)
class Topic:
    key: str
    label: Any
    help: Any
    icon: str
    by_email: bool
    """Whether it goes out by e-mail until somebody chooses otherwise."""


_ALL = (
    Topic("review", _("Gate reviews"), _("A review was submitted, returned, withdrawn or decided."), "gate", True),
    Topic("sign_off", _("Sign-offs"), _("Your sign-off is asked for, or has lapsed."), "sign", True),
    Topic("condition", _("Conditions and waivers"), _("Something you owe after a decision is due."), "clock", True),
    Topic("assurance", _("Assurance"), _("A passed gate is at risk or has to be approved again."), "shield", True),
    Topic("alert", _("Alerts"), _("A metric broke one of its rules, or is back within it."), "pulse", True),
    Topic("incident", _("Incidents"), _("An incident was reported or closed."), "warning", True),
    Topic("evidence", _("Evidence and documents"), _("Evidence asks to be verified, or expires."), "evidence", False),
    Topic("data_access", _("Data access"), _("A request waits for you or was decided."), "key", True),
    Topic("role", _("Your roles"), _("A role was given to you or ended, or somebody stands in."), "people", True),
    Topic(OTHER, _("Everything else"), _("Imports, reports and the like."), "bell", False),
)
TOPICS: dict[str, Topic] = {topic.key: topic for topic in _ALL}
_ALIASES = {
    "waiver": "condition",
    "gate": "review",
    "decision": "review",
    "meeting": "review",
    "recusal": "review",
    "document": "evidence",
    "breach": "alert",
    "retraining": "alert",
    "emergency": "incident",
    "review_call": "review",
    "delegation": "role",
    "absence": "role",
}


def topic_of(kind: str) -> Topic:
    """The topic of a notice of this kind."""
    noun = kind.partition(".")[0]
    return TOPICS.get(_ALIASES.get(noun, noun), TOPICS[OTHER])


def nouns_of(topic: str) -> tuple[str, ...]:
    """The nouns of all kinds that belong to a topic other than the last."""
    return (topic, *(noun for noun, target in _ALIASES.items() if target == topic))
