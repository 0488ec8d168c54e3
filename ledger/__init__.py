"""The ledger: what happened, who did it, and the means to prove that nothing of it was changed since.

What other apps need is importable from here. Names load when they are first used, because importing this package
must not touch the models before Django's apps are ready.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ledger.context import SYSTEM, current_context, ledger_context, set_auth_method
    from ledger.recording import Overtaken, Subject
    from ledger.services import UnitOfWork, again_when_overtaken, erase_personal_values, unit_of_work
    from ledger.states import Personal, diff, state

_HOMES = {
    "SYSTEM": "ledger.context",
    "Overtaken": "ledger.recording",
    "Personal": "ledger.states",
    "Subject": "ledger.recording",
    "UnitOfWork": "ledger.services",
    "again_when_overtaken": "ledger.services",
    "current_context": "ledger.context",
    "diff": "ledger.states",
    "erase_personal_values": "ledger.services",
    "ledger_context": "ledger.context",
    "set_auth_method": "ledger.context",
    "state": "ledger.states",
    "unit_of_work": "ledger.services",
}

__all__ = [
    "SYSTEM",
    "Overtaken",
    "Personal",
    "Subject",
    "UnitOfWork",
    "again_when_overtaken",
    "current_context",
    "diff",
    "erase_personal_values",
    "ledger_context",
    "set_auth_method",
    "state",
    "unit_of_work",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'ledger' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
