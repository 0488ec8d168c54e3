"""The contract of a form about one use case, or about one thing of it.

One class is one form: its words, the rights it takes, its fields in groups and the one service it calls. Two views
(``governance.views.entries``) show all of them, so every form keeps what was typed, names the field that is wrong,
accepts ``criterion`` and goes back to ``next``.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.db.models import Model, QuerySet
from django.utils.translation import gettext_lazy as _

from accounts.access import for_user
from accounts.models import User
from kernel.registry import Registry
from portfolio.models import UseCase


@dataclass(frozen=True, slots=True)
class Group:
    """Fields that belong together under one heading."""

    title: Any
    fields: Sequence[forms.BoundField]
    help: Any = ""


class EntryForm(forms.Form):
    """A form about ``use_case`` and, for a change, about ``subject``."""

    key: ClassVar[str]
    heading: ClassVar[Any]
    submit: ClassVar[Any]
    done: ClassVar[Any] = _("Saved.")
    short: ClassVar[Any] = ""
    """The heading as one word or two, for a row that says already what it is about."""
    lead: ClassVar[Any] = ""
    icon: ClassVar[str] = "plus"
    actions: ClassVar[tuple[str, ...]] = ()
    """Rights of which one is enough."""
    subject_model: ClassVar[type[Model] | None] = None
    panel: ClassVar[str] = "evidence"
    """The tab of the use case that it belongs to, and goes back to."""
    danger: ClassVar[bool] = False
    wide: ClassVar[bool] = False
    """Whether the fields take the whole width, for long lists of options."""
    grouping: ClassVar[Sequence[tuple[Any, Sequence[str]]]] = ()

    criterion = forms.CharField(required=False, max_length=40, widget=forms.HiddenInput)

    def __init__(self, *args: Any, use_case: UseCase, user: User, subject: Any = None, **kwargs: Any) -> None:
        self.use_case, self.user, self.subject = use_case, user, subject
        kwargs.setdefault("label_suffix", "")
        super().__init__(*args, **kwargs)
        self.prepare()

    @classmethod
    def permitted(cls, user: User, use_case: UseCase, allowed: frozenset[str], subject: Any = None) -> bool:
        """Whether the form is offered to ``user``; ``allowed`` are the rights held on the use case."""
        return not cls.actions or bool(allowed.intersection(cls.actions))

    @classmethod
    def subjects(cls, user: User) -> QuerySet[Any]:
        """Things that ``user`` may open this form about, were it to be asked for; the others are 404."""
        if cls.subject_model is None:
            raise TypeError(f"{cls.__name__} is about a use case, not about a thing of it")
        path = str(getattr(cls.subject_model, "access_path", "use_case"))
        rows = cls.subject_model._default_manager.select_related(f"{path}__unit")
        return for_user(rows, user, "use_case.view")

    def prepare(self) -> None:
        """Choices and first values that depend on the use case."""

    @abstractmethod
    def save(self) -> Any:
        """Call the one service; its refusals are shown at the fields."""

    @property
    def groups(self) -> Iterator[Group]:
        """Visible fields in their groups; what no group names comes last, without a heading."""
        named: set[str] = set()
        for title, names in self.grouping:
            named |= set(names)
            yield Group(title, [self[name] for name in names if name in self.fields])
        rest = [field for field in self.visible_fields() if field.name not in named]
        if rest:
            yield Group("", rest)

    def given(self, *names: str) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in names}


class Confirmation(EntryForm):
    """A form that asks for nothing but the decision itself."""

    def save(self) -> Any:
        raise NotImplementedError


if TYPE_CHECKING:
    RowField = forms.ModelChoiceField[Any]
else:
    RowField = forms.ModelChoiceField  # generic in the stubs alone


class Choice(RowField):
    """One of the rows of a use case, with a word for none."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("required", False)
        kwargs.setdefault("queryset", None)
        super().__init__(*args, **kwargs)


class DateInput(forms.DateInput):
    input_type = "date"

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(format="%Y-%m-%d", **kwargs)


class MomentInput(forms.DateTimeInput):
    input_type = "datetime-local"

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(format="%Y-%m-%dT%H:%M", **kwargs)


def words(label: Any, *, rows: int = 3, required: bool = False, help: Any = "", limit: int | None = None) -> Any:
    """A text of several lines."""
    return forms.CharField(
        label=label,
        required=required,
        help_text=help,
        max_length=limit,
        widget=forms.Textarea(attrs={"rows": rows}),
    )


entries: Registry[type[EntryForm]] = Registry("governance form")
