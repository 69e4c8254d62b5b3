"""What the patches ask about Spark sessions."""

import sys


def is_connect(session):
    """Whether session is a Spark Connect session."""
    module = sys.modules.get("pyspark.sql.connect.session")
    return module is not None and isinstance(session, module.SparkSession)


def active_connect():
    """The thread's Spark Connect session, else the process's, else None.

    A new thread has no active session over Connect, though the process has one; with a JVM it
    would have that. It is made the thread's, because pyspark.ml.load asks for it, too.
    """
    module = sys.modules.get("pyspark.sql.connect.session")
    if module is None:
        return None
    session = module.SparkSession.getActiveSession()
    if session is None:
        session = module.SparkSession._get_default_session()
        if session is not None:
            module.SparkSession._set_default_and_active_session(session)
    return session
