"""The embedded message broker: one file a message in the data directory, so that nothing else has to be installed.

kombu's own filesystem transport writes a message under its final name, so a reader can take half a file; under load it
lost messages, and an empty one stopped the worker. Here a message appears complete, in one rename, and is claimed by
another rename, which exactly one reader wins. Names begin with the time in nanoseconds: first in, first out.

The database stays the truth and sweeps repeat what a lost message would have done; production takes Redis.
"""

from __future__ import annotations

import os
import time
import uuid
from collections import deque
from pathlib import Path
from queue import Empty
from typing import Any

from kombu.transport import TRANSPORT_ALIASES, filesystem
from kombu.utils.json import dumps, loads

URL = "embedded://localhost"


class Channel(filesystem.Channel):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[no-untyped-call]  # kombu has no types here
        self._seen: dict[str, deque[str]] = {}

    def _put(self, queue: str, payload: dict[str, Any], **kwargs: Any) -> None:  # type: ignore[override]  # as kombu has it
        folder = Path(self.data_folder_out)
        name = f"{time.time_ns():020d}_{uuid.uuid4().hex}.{queue}.msg"
        unfinished = folder / f".{name}"  # the leading dot keeps it out of every queue's listing
        unfinished.write_text(dumps(payload))
        os.replace(unfinished, folder / name)

    def _get(self, queue: str, timeout: float | None = None) -> Any:
        folder, taken = Path(self.data_folder_in), Path(self.processed_folder)
        for name in self._waiting(queue):
            try:
                os.rename(folder / name, taken / name)
            except FileNotFoundError:
                continue  # another reader was faster
            payload = (taken / name).read_text()
            (taken / name).unlink()
            return loads(payload)
        raise Empty

    def _waiting(self, queue: str) -> Any:
        """Names in order; one listing serves many calls, or a long queue would be sorted again for every message."""
        seen = self._seen.setdefault(queue, deque())
        if not seen:
            names = os.listdir(self.data_folder_in)
            seen.extend(sorted(name for name in names if name.partition(".")[2] == f"{queue}.msg"))
        while seen:
            yield seen.popleft()


class Transport(filesystem.Transport):
    Channel = Channel


def transport_options(data_dir: Path) -> dict[str, Any]:
    """The folders of the broker, made if absent, and how often an idle worker looks."""
    folders = {name: data_dir / "broker" / name for name in ("queue", "taken", "control")}
    for folder in folders.values():
        folder.mkdir(parents=True, exist_ok=True)
    return {
        "data_folder_in": str(folders["queue"]),
        "data_folder_out": str(folders["queue"]),
        "processed_folder": str(folders["taken"]),
        "control_folder": str(folders["control"]),
        "polling_interval": 0.1,
    }


TRANSPORT_ALIASES["embedded"] = "config.broker:Transport"
