"""The bell and the notices page: the notice is there as soon as the transaction commits."""

from __future__ import annotations

from typing import ClassVar

from django.utils.translation import gettext_lazy as _

from accounts.models import User
from notify.channel import Channel, Message, channels


class InApp(Channel):
    key = "in_app"
    label = _("In Tollgate")
    immediate: ClassVar[bool] = True

    def reaches(self, user: User) -> bool:
        return user.is_person

    def send(self, message: Message) -> None:
        """Nothing to hand over."""


channels.register(InApp())
