"""Numbers for the keys of use cases that come without one."""

from __future__ import annotations

from django.db import models


class KeyNumber(models.Model):
    """One drawn number. Its key comes from the database's own sequence, so two creations never wait for each other.

    A transaction that is rolled back leaves a gap, which is fine; a counter row would make all creations queue.
    """

    id = models.BigAutoField(primary_key=True)

    def __str__(self) -> str:
        return str(self.pk)
