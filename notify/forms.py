"""What people choose about notices."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.utils.translation import gettext_lazy as _

from notify.topics import TOPICS

UNREAD, ALL = "unread", "all"


class NoticeFilter(forms.Form):
    """Which notices are listed."""

    q = forms.CharField(label=_("Words"), required=False)
    topic = forms.ChoiceField(label=_("About"), required=False)
    show = forms.ChoiceField(
        label=_("Read or not"), required=False, choices=(("", _("Read and unread")), (UNREAD, _("Unread")))
    )

    def __init__(self, data: Any) -> None:
        super().__init__(data)
        topics = [("", _("About anything")), *((topic.key, topic.label) for topic in TOPICS.values())]
        cast(forms.ChoiceField, self.fields["topic"]).choices = topics
        self.is_valid()


class EmailForm(forms.Form):
    """About which topics letters come."""

    topics = forms.MultipleChoiceField(
        label=_("By e-mail, tell me about"), required=False, widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, data: Any = None, *, initial: dict[str, Any] | None = None) -> None:
        super().__init__(data, initial=initial)
        choices = [(topic.key, f"{topic.label}: {topic.help}") for topic in TOPICS.values()]
        cast(forms.MultipleChoiceField, self.fields["topics"]).choices = choices
