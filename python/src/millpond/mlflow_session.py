"""Lets MLflow find the Spark Connect session, or make one.

MLflow asks for the thread's active session, and starts a local JVM to load a Spark model when
there is none. Over Connect a new thread has no active session though the process has one, and
a process with SPARK_REMOTE set (a scoring server in the managed runtime) wants that server.
"""

import functools
import os

from millpond.session import active_connect


def apply(module):
    """Patches mlflow.utils._spark_utils."""
    classic_active = module._get_active_spark_session
    classic_create = module._create_local_spark_session_for_loading_spark_model

    @functools.wraps(classic_active)
    def _get_active_spark_session():
        return active_connect() or classic_active()

    @functools.wraps(classic_create)
    def _create_local_spark_session_for_loading_spark_model():
        if not os.environ.get("SPARK_REMOTE"):
            return classic_create()
        from pyspark.sql import SparkSession

        return SparkSession.builder.getOrCreate()

    module._get_active_spark_session = _get_active_spark_session
    module._create_local_spark_session_for_loading_spark_model = _create_local_spark_session_for_loading_spark_model
