"""Words: what the dashboard is for, whom to call, what a number means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from monitoring.widget import Look, Params, Widget, widgets


class NoteParams(Params):
    text = forms.CharField(
        label=gettext_lazy("Text"),
        max_length=4000,
        help_text=gettext_lazy("Markdown: # heading, *emphasis*, lists and links."),
        widget=forms.Textarea(attrs={"rows": 6}),
    )


@widgets.register
class Note(Widget):
    key: ClassVar[str] = "note"
    title: ClassVar[Any] = gettext_lazy("Note")
    description: ClassVar[Any] = gettext_lazy("Words of your own: what to look at, whom to call.")
    icon: ClassVar[str] = "comment"
    order: ClassVar[int] = 90
    template: ClassVar[str] = "monitoring/widgets/note.html"
    height: ClassVar[str] = "short"
    Params = NoteParams

    def data(self, params: Mapping[str, Any], look: Look) -> dict[str, Any]:
        return {"text": params["text"]}

    def table(self, data: Mapping[str, Any]) -> tuple[Sequence[str], Sequence[Sequence[object]]]:
        return [_("Text")], [[data["text"]]]
