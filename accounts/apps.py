from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = _("People and access")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from accounts.audit import Accounts, readable_events
        from accounts.frame import is_offered
        from kernel.context import set_offer
        from ledger.access import set_guard
        from ledger.lookups import set_lookup

        set_guard(readable_events)
        set_offer(is_offered)
        set_lookup("actor", Accounts())
