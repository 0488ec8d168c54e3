"""A source as a form: its own fields, those that its connector declares, and where its metrics go."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.utils.translation import gettext as _g
from django.utils.translation import gettext_lazy as _

from monitoring.catalogue import metrics
from monitoring.connector import Connector, connectors
from monitoring.forms.settings import setting_field
from monitoring.mapping import SKIP, Words, own_name
from monitoring.models import Series, Source
from monitoring.setting import Setting
from portfolio.models import UseCase

EVERY: list[tuple[int, Any]] = [
    (60, _("minute")),
    (300, _("5 minutes")),
    (900, _("15 minutes")),
    (3600, _("hour")),
    (21_600, _("6 hours")),
    (86_400, _("day")),
]
MOST_ROWS = 40
"""Names that are mapped in the form; more of them are mapped in the YAML."""


class SourceForm(forms.Form):
    """Fields of settings are called ``config-…``, those of secrets ``secret-…``; a stored secret is never shown.

    ``map-3-from`` and ``map-3-to`` are a name that the source uses and the series it goes to; ``offer`` adds a row for
    every name that a test found.
    """

    name = forms.CharField(label=_("Name"), max_length=200, help_text=_("Such as “Model gateway, production”."))
    every_seconds = forms.TypedChoiceField(label=_("Pull every"), choices=EVERY, coerce=int, initial=300)
    history_days = forms.IntegerField(
        label=_("Days of history"),
        min_value=0,
        max_value=3660,
        initial=7,
        required=False,
        help_text=_("How far back the first pull asks, where the connector reads windows of time."),
    )

    def __init__(
        self,
        data: Any = None,
        *,
        connector: str = "http_json",
        source: Source | None = None,
        use_case: UseCase | None = None,
        given: Mapping[str, Any] | None = None,
    ) -> None:
        """``given`` fills a new source in beforehand: name, every_seconds, history_days, config, mapping."""
        had = dict(given or {})
        if source:
            names = ("name", "every_seconds", "history_days", "config", "mapping")
            had = {name: getattr(source, name) for name in names}
        super().__init__(data, initial={k: had[k] for k in ("name", "every_seconds", "history_days") if k in had})
        self.source = source
        self.use_case = use_case or (source.use_case if source else None)
        self.plugin: type[Connector] = connectors.get(source.connector if source else connector)
        every: Any = self.fields["every_seconds"]
        if (seconds := had.get("every_seconds")) and seconds not in dict(EVERY):
            every.choices = [*EVERY, (seconds, _g("%(n)d seconds") % {"n": seconds})]
        config = had.get("config", {})
        for setting in self.plugin.settings:
            self.fields[f"config-{setting.name}"] = setting_field(setting, config.get(setting.name, setting.default))
        for setting in self.plugin.secrets:
            self.fields[f"secret-{setting.name}"] = _secret_field(setting, has_secret=bool(source and source.secret))
        if source and source.secret:
            self.fields["forget_secret"] = forms.BooleanField(label=_("Take the stored secret away"), required=False)
        self.rows: list[tuple[Words, str]] = []
        self._targets: list[Any] = []
        self._restore(had.get("mapping", []))

    def config(self) -> dict[str, str]:
        return self._part("config-")

    def own(self) -> dict[str, Any]:
        """What the form says beside the connector's settings."""
        days = self.cleaned_data.get("history_days")
        return {
            "name": self.cleaned_data["name"],
            "every_seconds": self.cleaned_data["every_seconds"],
            "history_days": 7 if days is None else days,
            "mapping": self.mapping(),
        }

    def mapping(self) -> list[dict[str, Any]]:
        """The names that do not go by themselves, and those that have no row."""
        shown = [
            {"from": words.stored(), "to": SKIP if to == SKIP else json.loads(to)}
            for words, key in self.rows
            if (to := self.cleaned_data.get(key))
        ]
        return shown + self._unshown

    def secret(self) -> dict[str, str] | None:
        """What replaces the stored secret; None keeps it."""
        if self.cleaned_data.get("forget_secret"):
            return {}
        given = {name: value for name, value in self._part("secret-").items() if value}
        if given or self.source is None:
            return given
        return None

    def offer(self, names: Sequence[Words]) -> None:
        """Add a row for each name that has none."""
        known = {words for words, _key in self.rows}
        for words in names:
            if words not in known and len(self.rows) < MOST_ROWS:
                self._row(words, None)

    def put_errors(self, errors: dict[str, list[str]]) -> None:
        """What a service refused, at the fields it is about."""
        for name, messages in errors.items():
            places = [place for place in (name, f"config-{name}", f"secret-{name}") if place in self.fields]
            for message in messages:
                self.add_error(places[0] if places else None, message)

    @property
    def main_fields(self) -> list[Any]:
        return [field for field in self if not field.name.startswith(("map-", "secret-", "forget_secret"))]

    @property
    def secret_fields(self) -> list[Any]:
        return [field for field in self if field.name.startswith(("secret-", "forget_secret"))]

    @property
    def map_rows(self) -> list[dict[str, Any]]:
        return [
            {"words": words, "own": own_name(words), "from": _text(words), "to": self[key], "index": i}
            for i, (words, key) in enumerate(self.rows)
        ]

    def _restore(self, mapping: Sequence[Mapping[str, Any]]) -> None:
        """The rows that were sent, or those of the stored mapping."""
        targets = {_text(Words(**e["from"])): e["to"] for e in mapping}
        sent = [self.data.get(f"map-{i}-from") for i in range(MOST_ROWS)] if self.is_bound else []
        asked = [text for text in sent if text] or list(targets)[:MOST_ROWS]
        for text in asked:
            try:
                words = Words(**json.loads(text))
            except (ValueError, TypeError):
                continue  # nobody's form sends this
            self._row(words, targets.get(_text(words)))
        known = {words for words, _key in self.rows}
        self._unshown = [dict(e) for e in mapping if Words(**e["from"]) not in known]

    def _row(self, words: Words, target: Any) -> None:
        key = f"map-{len(self.rows)}-to"
        initial = target if target in (None, SKIP) else _text(Words(**target))
        choices = self._choices(words)
        if initial and initial != SKIP:
            choices.append((initial, str(Words(**target))))
        self.fields[key] = forms.ChoiceField(choices=choices, required=False, initial=initial, label=str(words))
        self.fields[key].widget.attrs["aria-label"] = str(words)
        self.rows.append((words, key))

    def _choices(self, words: Words) -> list[Any]:
        if not self._targets:
            series = Series.objects.filter(use_case=self.use_case).select_related("version") if self.use_case else ()
            there = [Words(one.metric, one.segment, one.version.label if one.version else "") for one in series]
            self._targets = [
                (SKIP, _g("Leave out")),
                (_g("Series of the use case"), [(_text(one), str(one)) for one in there]),
            ]
        known = [(_text(words._replace(metric=one.key)), one.name) for one in metrics().values()]
        own = _g("%(name)s, as it is called") % {"name": own_name(words)}
        return [("", own), *self._targets, (_g("A new series of"), known)]

    def _part(self, prefix: str) -> dict[str, str]:
        return {
            name.removeprefix(prefix): value for name, value in self.cleaned_data.items() if name.startswith(prefix)
        }


class SourceTextForm(forms.Form):
    """A source as YAML, pasted or as a file."""

    text = forms.CharField(
        label=_("YAML"),
        required=False,
        max_length=200_000,
        widget=forms.Textarea(attrs={"rows": 18, "spellcheck": "false", "class": "mono"}),
        help_text=_("As a source exports it. Secrets are no part of it: you enter them next."),
    )
    file = forms.FileField(label=_("Or a file"), required=False)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        file = cleaned.get("file")
        if file is not None:
            try:
                cleaned["text"] = file.read(200_001).decode()
            except UnicodeDecodeError:
                self.add_error("file", _g("This file is no text in UTF-8."))
        elif not cleaned.get("text") and not self.errors:
            self.add_error("text", _g("Paste the YAML, or choose a file."))
        return cleaned


class BackfillForm(forms.Form):
    """From when a source is read again."""

    since = forms.DateTimeField(
        label=_("Read again from (UTC)"),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        help_text=_("What is stored already stays as it is; what the source changed meanwhile becomes a revision."),
    )

    def moment(self) -> datetime:
        moment: datetime = self.cleaned_data["since"]
        return moment


def _text(words: Words) -> str:
    """How the form writes a name."""
    return json.dumps(words.stored())


def _secret_field(setting: Setting, *, has_secret: bool) -> forms.Field:
    help_text = _g("Stored encrypted. Leave empty to keep what is stored.") if has_secret else setting.help
    return forms.CharField(
        label=setting.label,
        required=False,
        max_length=4000,
        help_text=help_text,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
    )
