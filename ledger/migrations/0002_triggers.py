"""Events are only ever appended: the database itself refuses everything else.

An event's index has to be the one after the last, which also refuses ``INSERT OR REPLACE`` on SQLite: a REPLACE would
delete the old row without its DELETE trigger unless ``recursive_triggers`` is on.
"""

from __future__ import annotations

from django.db import migrations

from kernel.database import RunSQLPerVendor
from ledger.triggers import CREATE, DROP


class Migration(migrations.Migration):
    dependencies = [("ledger", "0001_initial")]

    operations = [RunSQLPerVendor(forward=CREATE, reverse=DROP)]
