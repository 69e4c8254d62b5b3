#!/usr/bin/env python3
"""Record the error conditions (message, SQLSTATE) that Millpond raises, as the installed Spark words them.

    python spec/record/conditions.py > internal/sparkerr/conditions.json

Reads the list of names in conditions.txt beside this script; needs pyspark with its jars.
"""
import glob
import json
import os
import sys
import zipfile

import pyspark

jars = glob.glob(os.path.join(os.path.dirname(pyspark.__file__), "jars", "spark-common-utils*.jar"))
known = {}
for jar in jars:
    with zipfile.ZipFile(jar) as z:
        for name in z.namelist():
            if name.endswith("error-conditions.json"):
                known = json.loads(z.read(name))
out = {}
for line in open(os.path.join(os.path.dirname(__file__), "conditions.txt")):
    name = line.split("#")[0].strip()
    if not name:
        continue
    main, _, sub = name.partition(".")
    c = known.get(main)
    if c is None or sub and sub not in c.get("subClass", {}):
        sys.exit(f"{name}: not a condition of Spark {pyspark.__version__}")
    message = "\n".join(c["message"])
    state = c.get("sqlState", "")
    if sub:
        state = c["subClass"][sub].get("sqlState", state)
        extra = "\n".join(c["subClass"][sub]["message"])
        message = message + " " + extra  # as Spark joins them, even where there is nothing more to say
    out[name] = {"message": message, "sqlState": state}
json.dump(out, sys.stdout, indent=1, sort_keys=True)
print()
