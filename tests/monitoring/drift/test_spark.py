"""The same counts made by a real Spark, to the last row, where Java is present."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest

from monitoring.profiles import Numbers
from monitoring.profiles.sql import SPARK, scan, survey
from tests.monitoring.drift.columns import current_of, reference_of
from tests.monitoring.drift.test_pushdown import KINDS, columns_of, rows, same

pytestmark = [pytest.mark.long, pytest.mark.xdist_group("spark")]
COUNT = 3000
PYTHON = Path(os.environ.get("PEERS", ".peers")).absolute() / "bin" / "python"


@pytest.fixture(scope="module")
def in_spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    if shutil.which("java") is None:
        pytest.skip("Spark needs Java, and there is none")
    if not list(PYTHON.parent.parent.glob("lib/*/site-packages/pyspark")):
        pytest.skip("pyspark is not installed; `make peers` does it")
    file = tmp_path_factory.mktemp("spark") / "measured.parquet"
    pyarrow.parquet.write_table(rows(COUNT), file)
    script = Path(__file__).with_name("spark.py")
    complaints, pipe = file.with_suffix(".log"), subprocess.PIPE
    with complaints.open("w") as log:
        command = [str(PYTHON), str(script), str(file)]
        process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=log, text=True)
    asked, told = process.stdin, process.stdout
    assert asked is not None
    assert told is not None

    def run(text: str) -> Any:
        asked.write(json.dumps(text) + "\n")
        asked.flush()
        for line in told:
            if line.startswith("rows "):
                return json.loads(line.removeprefix("rows "))
        raise AssertionError(f"Spark ended at {text}:\n{complaints.read_text()[-3000:]}")

    yield run
    asked.close()
    process.wait(timeout=60)


def test_spark_counts_as_numpy_does(in_spark: Any) -> None:
    reference = reference_of(**columns_of(rows(seed=9)))
    found = scan(in_spark, "measured", reference.as_reference(), SPARK)
    same(current_of(reference, **columns_of(rows(COUNT))), found)


def test_a_reference_can_be_made_in_spark(in_spark: Any) -> None:
    frame = survey(in_spark, "measured", KINDS, SPARK, ignored=["at"])
    profile = scan(in_spark, "measured", frame, SPARK)
    assert set(profile.columns) == {"amount", "age", "city", "member"}
    age = profile.columns["age"]
    assert isinstance(age, Numbers)
    assert age.is_exact
    same(current_of(profile, **columns_of(rows(COUNT))), scan(in_spark, "measured", profile.as_reference(), SPARK))
