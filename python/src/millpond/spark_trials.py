"""Makes hyperopt.SparkTrials work over Spark Connect.

SparkTrials runs each trial as one Spark job of one task: it makes an RDD of one element, maps
the trial over its only partition and collects the result. A Connect session has no RDDs, so
SparkTrials is given a session whose context does the same with a DataFrame of one row and
mapInPandas; jobs are cancelled by the session's tags instead of job groups.
"""

import functools

from millpond.session import is_connect


class OnePartition:
    """The RDD of a trial: one partition, one function over it."""

    def __init__(self, session, data, function=None):
        self._session = session
        self._data = list(data)
        self._function = function

    def mapPartitions(self, function):
        return OnePartition(self._session, self._data, function)

    def collectWithJobGroup(self, group, description, interrupt_on_cancel=False):
        """Runs the function in a worker; cancelJobGroup(group) ends it."""
        self._session.addTag(group)
        try:
            return self.collect()
        finally:
            self._session.removeTag(group)

    def collect(self):
        function, data = self._function, self._data
        if function is None:
            return data

        # The task is pickled by value, with all it names, so that workers need not have this
        # package.
        def task(batches):
            import pandas
            from pyspark import cloudpickle

            for _ in batches:
                pass
            yield pandas.DataFrame({"result": [cloudpickle.dumps(r) for r in function(iter(data))]})

        from pyspark import cloudpickle

        rows = self._session.range(0, 1, 1, 1).mapInPandas(task, "result binary").collect()
        return [cloudpickle.loads(bytes(row["result"])) for row in rows]


class Context:
    """What SparkTrials asks of a Spark context."""

    _gateway = None  # threads are not pinned to threads of a JVM

    def __init__(self, session):
        self._session = session

    @property
    def defaultParallelism(self):
        for key in ("spark.default.parallelism", "spark.sql.leafNodeDefaultParallelism"):
            value = self._session.conf.get(key, None)
            if value and int(value) > 0:
                return int(value)
        from pyspark.sql.functions import spark_partition_id

        # Spark cuts a range into as many parts as its default parallelism.
        return self._session.range(0, 1_000_000).select(spark_partition_id()).distinct().count()

    def parallelize(self, data, slices=1):
        return OnePartition(self._session, data)

    def cancelJobGroup(self, group):
        self._session.interruptTag(group)

    def getLocalProperty(self, key):
        return None


class Session:
    """A Connect session with a context; all else is the session's own."""

    def __init__(self, session):
        self._session = session
        self.sparkContext = Context(session)

    def __getattr__(self, name):
        return getattr(self._session, name)


def apply(module):
    """Patches hyperopt.spark."""
    trials = module.SparkTrials
    classic_init = trials.__init__

    @functools.wraps(classic_init)
    def __init__(self, parallelism=None, timeout=None, loss_threshold=None, spark_session=None, resource_profile=None):
        if spark_session is None and module._have_spark:
            spark_session = module.SparkSession.builder.getOrCreate()
        if is_connect(spark_session):
            spark_session = Session(spark_session)
        classic_init(self, parallelism, timeout, loss_threshold, spark_session, resource_profile)

    trials.__init__ = __init__
