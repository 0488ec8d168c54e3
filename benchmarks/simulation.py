"""A draft policy simulated on 10,000 use cases: how long it takes, and how much memory."""

from __future__ import annotations

import argparse
import json

from benchmarks.figures import conditions, figure, headline, skip
from benchmarks.installation import Installation, on_sqlite

SIZE = 10_000
RUN = """
import json, resource, time
from django.db import connection
from django.test.utils import CaptureQueriesContext
from gates.models import Policy, PolicyVersion, Simulation
from gates.policy_reading import read_policy
from gates.simulating import simulate
policy = Policy.objects.get(is_primary=True)
base = policy.versions.get(state="published")
text = base.text.replace("version: 1.0.0", "version: 1.1.0").replace("{minimal: advisory,", "{minimal: mandatory,")
body = read_policy(text, "draft")
draft = PolicyVersion.objects.create(policy=policy, label="1.1.0", text=text, digest=body.digest, base=base)
run = Simulation.objects.create(draft=draft, draft_digest=draft.digest, against=base)
before, began, busy = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.perf_counter(), time.process_time()
simulate(run.pk)
busy = time.process_time() - busy
took, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_SELF)
run.refresh_from_db()
counts = run.result.get("counts", {})
print("figures", json.dumps({"state": run.state, "error": run.error, "seconds": took, "busy": busy, "judged": run.done,
    "turned": sum(counts.values()), "memory": (after.ru_maxrss - before) / 1024}))
"""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.simulation", description=__doc__)
    parser.add_argument("--use-cases", type=int, default=SIZE, metavar="N")
    size = parser.parse_args().use_cases
    print(headline())
    with on_sqlite() as installation:
        _simulate(installation, "SQLite", size)
    print(conditions())


def _simulate(installation: Installation, database: str, size: int) -> None:
    installation.manage("prepare")
    installation.manage("generate_portfolio", "--use-cases", str(size), "--seed", "1", "--no-evaluation")
    found = json.loads(installation.manage("shell", "-v0", "-c", RUN).split("figures ")[-1])
    name = f"simulation of a draft on {size:,} use cases, {database}"
    if found["state"] != "done":
        skip(name, found["error"])
        return
    figure(name, found["seconds"], "s", at_most=20)
    figure("  processor time of that", found["busy"], "s")
    figure("  use cases that turn", found["turned"], "")
    figure("  memory beyond what there was", found["memory"], "MB")


if __name__ == "__main__":
    main()
