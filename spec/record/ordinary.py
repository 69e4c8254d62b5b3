#!/usr/bin/env python3
"""Records what Apache Spark answers to the snippets of ordinary/*.txt: spec/ordinary/*.json.

    TZ=UTC python ordinary.py sc://127.0.0.1:15102 ../ordinary

The server must be Apache Spark itself, on this machine (see the header of conditions.py for how to start one).
"""

import datetime
import json
import os
import pathlib
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import ordinary_cases  # noqa: E402

if __name__ == "__main__":
    from pyspark.sql import SparkSession
    from pyspark.sql.connect.session import SparkSession as Connect

    remote, out = sys.argv[1:3]
    for file in sys.argv[3:] or ordinary_cases.FILES:
        spark = SparkSession.builder.remote(remote).create()
        Connect._active_session.session = spark
        version = spark.version
        spark.conf.set("spark.connect.session.planCache.enabled", "false")  # with it Spark at times loses a frame's own columns
        with tempfile.TemporaryDirectory() as directory:
            os.chmod(directory, 0o777)
            cases = ordinary_cases.run(file, spark, directory)
        spark.stop()
        header = {"recorder": "spec/record/ordinary.py", "spark": version, "date": datetime.date.today().isoformat(), "timezone": "UTC"}
        text = json.dumps({"header": header, "cases": cases}, indent=1, sort_keys=True, ensure_ascii=False)
        pathlib.Path(out, f"{file}.json").write_text(text + "\n")
        print(file, len(cases))
