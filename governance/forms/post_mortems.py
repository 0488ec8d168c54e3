"""Post-mortems: what happened, why, and what changes."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from governance import services
from governance.failure_modes import failure_modes
from governance.forms.entry import Choice, Confirmation, DateInput, EntryForm, entries, words
from governance.forms.issues import colleagues
from governance.models import Incident, PostMortem
from governance.services.post_mortems import CONTENT, LONGEST


@entries.register
class WritePostMortem(EntryForm):
    key = "post-mortem"
    heading = _("Write the post-mortem")
    short = _("Post-mortem")
    submit = _("Keep the post-mortem")
    done = _("Kept. Somebody else approves it, once the incident is closed.")
    lead = _("Without blame: what happened in order of time, what made it possible, and what changes.")
    icon = "book"
    actions = ("incident.manage",)
    subject_model = Incident
    panel = "controls"
    wide = True
    grouping = (
        (_("What happened"), ("what_happened",)),
        (_("Why"), ("causes", "why")),
        (_("What changes"), ("what_changes", "owner", "due_on")),
    )

    what_happened = words(
        _("What happened, in order of time"), rows=8, required=True, limit=LONGEST, help=_("When, what, who noticed.")
    )
    causes = forms.MultipleChoiceField(
        label=_("Causes"),
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Known ways to fail; choose all that had a part in it."),
    )
    why = words(_("How they led to it, and why nothing stopped it"), rows=5, required=True, limit=LONGEST)
    what_changes = words(
        _("What changes"),
        rows=4,
        required=True,
        limit=LONGEST,
        help=_("Its first line becomes the title of a corrective action, once it is approved."),
    )
    owner = Choice(label=_("Who sees to it"), required=True, empty_label=_("Choose"))
    due_on = forms.DateField(label=_("By"), widget=DateInput())

    def prepare(self) -> None:
        fields: Any = self.fields
        fields["causes"].choices = [(mode.key, str(mode)) for mode in failure_modes().values()]
        fields["owner"].queryset = colleagues(self.use_case)
        written = PostMortem.objects.filter(incident=self.subject).first() if self.subject is not None else None
        if written is not None:
            self.initial.update({name: getattr(written, name) for name in CONTENT if name in fields})
        elif self.subject is not None:
            self.initial.setdefault("what_happened", self.subject.description)
            self.initial.setdefault("why", self.subject.cause)

    def save(self) -> PostMortem:
        names = ("what_happened", "causes", "why", "what_changes", "owner", "due_on")
        return services.write_post_mortem(incident=self.subject, by=self.user, **self.given(*names))


@entries.register
class ApprovePostMortem(Confirmation):
    key = "approve-post-mortem"
    heading = _("Approve and seal the post-mortem")
    short = _("Approve")
    submit = _("Approve and seal it")
    done = _("Sealed. What changes is a corrective action now.")
    lead = _("It cannot be changed afterwards. What changes becomes a corrective action with its owner and day.")
    icon = "lock"
    actions = ("incident.close",)
    subject_model = PostMortem
    panel = "controls"

    def save(self) -> PostMortem:
        return services.approve_post_mortem(post_mortem=self.subject, by=self.user)
