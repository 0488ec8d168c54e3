"""The product's settings on a data directory of the test run's own: tests never touch the installation beside them."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile

_KEPT = {"TOLLGATE_DATA_DIR", "TOLLGATE_SHARED_DATA"}
_DATA_DIR = tempfile.mkdtemp(prefix="tollgate-tests-")
atexit.register(shutil.rmtree, _DATA_DIR, ignore_errors=True)
os.environ["TOLLGATE_DATA_DIR"] = _DATA_DIR
for _name in [name for name in os.environ if name.startswith("TOLLGATE_") and name not in _KEPT]:
    del os.environ[_name]

from config.settings import *  # noqa: E402, F403  # the one place where everything of the settings is meant
from config.settings import DATABASES, REST_FRAMEWORK  # noqa: E402

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"] = {"anon": None}
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
ACCOUNT_RATE_LIMITS = False
# Every test client builds the middleware anew: looking for all static files each time is a fifth of a page test.
WHITENOISE_AUTOREFRESH = True

_database = DATABASES["default"]
if "sqlite" in str(_database["ENGINE"]):
    # A file, not memory: threads and processes then really compete for it, as they do in the product.
    _database["TEST"] = {"NAME": f"{_DATA_DIR}/test.sqlite3"}
    _database["OPTIONS"]["init_command"] += "PRAGMA synchronous=OFF;"
else:
    # Two runs on one server must not drop each other's database.
    _database["TEST"] = {"NAME": f"test_{_database['NAME']}_{os.getpid()}"}
