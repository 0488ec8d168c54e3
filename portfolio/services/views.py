"""Saved views: a person's own filters, kept by name. No facts of the organisation, so no events."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts.models import User
from kernel.errors import Conflict, Invalid
from portfolio.models import SavedView


def save_view(*, name: str, query: str, by: User, page: str = "portfolio", shared: bool = False) -> SavedView:
    """Keep the filters of an address under a name; the same name again replaces what it held."""
    title = _title(name)
    if len(query) > 1000:
        raise Invalid(_("There are too many filters to keep."))
    view, _created = SavedView.objects.update_or_create(
        user=by, page=page, name=title, defaults={"query": query.lstrip("?"), "shared": shared}
    )
    return view


def rename_view(*, view: SavedView, name: str, by: User) -> SavedView:
    _refuse_others(view, by)
    view.name = _title(name)
    try:
        with transaction.atomic():
            view.save(update_fields=["name"])
    except IntegrityError as error:
        said = _("You already have a view called %(name)s.") % {"name": view.name}
        raise Conflict(said, errors={"name": [said]}) from error
    return view


def share_view(*, view: SavedView, shared: bool, by: User) -> SavedView:
    """Show the view to everybody, who then see with it what they may see anyway; or keep it to oneself again."""
    _refuse_others(view, by)
    view.shared = shared
    view.save(update_fields=["shared"])
    return view


def delete_view(*, view: SavedView, by: User) -> None:
    _refuse_others(view, by)
    view.delete()


def _title(name: str) -> str:
    title = " ".join(name.split())
    if not title or len(title) > 100:
        said = _("Give the view a name of at most 100 characters.")
        raise Invalid(said, errors={"name": [said]})
    return title


def _refuse_others(view: SavedView, by: User) -> None:
    if view.user_id != by.pk:
        raise PermissionDenied(_("This view belongs to %(owner)s.") % {"owner": view.user})
