"""Dashboards as tests need them."""

from __future__ import annotations

from typing import Any

from accounts.models import User
from monitoring.models import Dashboard
from monitoring.services.dashboards import create_dashboard
from monitoring.widget import Scope

NOTE = {"widget": "note", "params": {"text": "Call the lead."}}


def dashboard(by: User, scope: Scope | None = None, **fields: Any) -> Dashboard:
    """One of ``by``, with a note on it unless told otherwise."""
    usual: dict[str, Any] = {"name": "Ours", "layout": [NOTE]}
    return create_dashboard(scope=scope or Scope(), by=by, **{**usual, **fields})
