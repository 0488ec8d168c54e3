"""The contract of a channel: one file in ``notify/channels`` adds one way to reach people."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

from accounts.models import User
from kernel.registry import Registry


class DeliveryError(Exception):
    """A message could not be handed over. ``permanent``: trying again will not help."""

    def __init__(self, reason: str, *, permanent: bool = False) -> None:
        super().__init__(reason)
        self.permanent = permanent


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent. ``url`` is absolute, empty when there is nothing to open."""

    recipient: User
    kind: str
    title: str
    body: str
    url: str


class Channel(ABC):
    """``key`` names it in the database; ``immediate`` means that the notice itself is the delivery: nothing is sent."""

    key: ClassVar[str]
    label: ClassVar[Any]
    immediate: ClassVar[bool] = False

    @abstractmethod
    def reaches(self, user: User) -> bool:
        """Whether this person can be reached this way at all."""

    @abstractmethod
    def send(self, message: Message) -> None:
        """Hand the message over, or raise ``DeliveryError``. Called outside any transaction."""


channels: Registry[Channel] = Registry("channel")
