#!/usr/bin/env python3
"""Records how Apache Spark ends when things go wrong: spec/errors/{wire,sql,ml,udf,read}.json.

    python errors.py sc://127.0.0.1:15102 ../errors

The server must be Apache Spark itself (see the header of conditions.py for how to start one).
"""

import importlib
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import error_cases  # noqa: E402

if __name__ == "__main__":
    remote, out = sys.argv[1:3]
    for part in sys.argv[3:] or ["wire", "sql", "ml", "udf", "read"]:
        error_cases.CASES.clear()
        importlib.import_module("error_" + part)
        results = error_cases.main(remote, os.path.join(out, part + ".json"))
        print(part, len(results))
