"""The web process: gunicorn loads `application` from here."""

from __future__ import annotations

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

application = get_wsgi_application()

# gunicorn runs no system checks: a half-configured production must not serve a single request.
from config.checks import refuse_misconfiguration  # noqa: E402  # needs the settings that were just loaded

refuse_misconfiguration()
