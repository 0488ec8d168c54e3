"""Spark in a Python of its own (`make peers`): a line with a query comes in, a line with its rows goes out.

Rows lie in the Parquet file of the first argument, under the name ``measured``.
"""

from __future__ import annotations

import json
import sys
from importlib import import_module
from typing import Any


def main() -> None:
    sql: Any = import_module("pyspark.sql")
    settings = {"spark.sql.session.timeZone": "UTC", "spark.ui.enabled": "false", "spark.sql.shuffle.partitions": "2"}
    session = sql.SparkSession.builder.master("local[1]").config(map=settings).getOrCreate()
    session.read.parquet(sys.argv[1]).createOrReplaceTempView("measured")
    for line in sys.stdin:
        rows = [list(row) for row in session.sql(json.loads(line)).collect()]
        sys.stdout.write("rows " + json.dumps(rows) + "\n")
        sys.stdout.flush()
    session.stop()


if __name__ == "__main__":
    main()
