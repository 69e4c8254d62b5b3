"""Record what Spark's random number generators give: spec/ml/random.json (path is the argument). Needs Java 17 and pyspark 4.3."""
import json
from pyspark.sql import SparkSession
spark = SparkSession.builder.master("local[1]").config("spark.ui.enabled","false").getOrCreate()
spark.sparkContext.setLogLevel("ERROR")
jvm = spark._jvm
out = {}
def bits(r):
    return {"ints":[r.nextInt() for _ in range(4)], "bounded":[r.nextInt(n) for n in (1,7,10,64,1000,2**30+1)],
            "longs":[r.nextLong() for _ in range(4)], "doubles":[r.nextDouble() for _ in range(6)],
            "gaussians":[r.nextGaussian() for _ in range(5)], "booleans":[r.nextBoolean() for _ in range(8)]}
out["java"] = {str(s): bits(jvm.java.util.Random(s)) for s in (0, 42, -7, 2**40+3)}
out["xorshift"] = {str(s): bits(jvm.org.apache.spark.util.random.XORShiftRandom(s)) for s in (0, 42, -7, 2**40+3)}
out["poisson"] = {}
for mean in (0.3, 1.0, 2.5):
    for s in (1, 43, -6, 2**40+4):
        p = jvm.org.apache.commons.math3.distribution.PoissonDistribution(mean)
        p.reseedRandomGenerator(s)
        out["poisson"][f"{mean},{s}"] = [p.sample() for _ in range(40)]
sc = spark.sparkContext
out["sample"] = {}
r = spark.range(2000, numPartitions=1)
jr = r._jdf.toJavaRDD() if hasattr(r._jdf,"toJavaRDD") else None
for f in (0.05, 0.3, 0.7):
    for s in (5, -1155484576):
        kept = [row for row in jr.sample(False, f, s).collect()]
        out["sample"][f"{f},{s}"] = kept
out["rand"] = {str(s): [x[0] for x in spark.range(5, numPartitions=1).selectExpr(f"rand({s})").collect()] for s in (0, 42)}
out["randn"] = {str(s): [x[0] for x in spark.range(5, numPartitions=1).selectExpr(f"randn({s})").collect()] for s in (0, 42)}
json.dump({"of":"Apache Spark %s, Java %s, local[1], one partition" % (spark.version, jvm.System.getProperty("java.version")),
  "by":"spec/record/ml_random.py", "date":__import__("datetime").date.today().isoformat(), **out}, open(__import__("sys").argv[1],"w"), separators=(",",":"))
spark.stop()
