"""What separation of duties has to know. It is read in ``gates.scenes``, because tasks use it as well."""

from gates.scenes import Room, room_of, scenes_of, votes_that_count

__all__ = ["Room", "room_of", "scenes_of", "votes_that_count"]
