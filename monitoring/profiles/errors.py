"""What goes wrong with profiles. The messages are for whoever runs a scan; who shows them to people words them anew."""

from __future__ import annotations


class ProfileError(Exception):
    """The data, or a profile that somebody sent, cannot be read. ``where`` names the column or the part."""

    def __init__(self, message: str, where: str = "") -> None:
        super().__init__(f"{where}: {message}" if where else message)
        self.message = message
        self.where = where


class SchemaMismatch(ProfileError):
    """Two profiles count in different lattices, so their counts must not be added."""
