"""The web process: gunicorn loads `application` from here."""

from __future__ import annotations

import gc
import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

application = get_wsgi_application()

# gunicorn runs no system checks: a half-configured production must not serve a single request.
from config.checks import refuse_misconfiguration  # noqa: E402  # needs the settings that were just loaded

refuse_misconfiguration()

# More than a hundred thousand objects have been made by now and stay for ever; whoever looks for garbage need not walk
# over them. A request makes some thousand more and drops nearly all of them by itself, so looking is seldom worthwhile.
gc.collect()
gc.freeze()
gc.set_threshold(20_000, 20, 20)
