"""What the patches ask about Spark sessions."""

import sys


def is_connect(session):
    """Whether session is a Spark Connect session."""
    module = sys.modules.get("pyspark.sql.connect.session")
    return module is not None and isinstance(session, module.SparkSession)


def active_connect():
    """The thread's Spark Connect session, else the process's, else None."""
    module = sys.modules.get("pyspark.sql.connect.session")
    if module is None:
        return None
    return module.SparkSession.getActiveSession() or module.SparkSession._get_default_session()
