"""The Merkle tree of RFC 6962, section 2.1: leaf and node hashes, and the root of a growing list.

A leaf is hashed with the prefix 0x00 and a node with 0x01, so that no node can be passed off as a leaf.
"""

from __future__ import annotations

import hashlib

EMPTY_ROOT = hashlib.sha256(b"").digest()


def leaf_hash(leaf: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


class Frontier:
    """The root of a list that only grows, in memory that grows with the logarithm of its length.

    Holds one hash for each complete subtree, largest first: their sizes are the binary digits of the list's length.
    """

    def __init__(self) -> None:
        self.size = 0
        self._subtrees: list[bytes] = []

    def append(self, leaf_digest: bytes) -> None:
        """Add the hash of the next leaf."""
        self._subtrees.append(leaf_digest)
        self.size += 1
        size = self.size
        while size % 2 == 0:  # two subtrees of one size became complete: join them
            right = self._subtrees.pop()
            self._subtrees.append(node_hash(self._subtrees.pop(), right))
            size //= 2

    def root(self) -> bytes:
        """The Merkle tree hash of everything appended so far; of nothing, the hash of the empty string."""
        if not self._subtrees:
            return EMPTY_ROOT
        *rest, root = self._subtrees
        for subtree in reversed(rest):
            root = node_hash(subtree, root)
        return root
