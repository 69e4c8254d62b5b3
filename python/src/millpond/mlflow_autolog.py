"""Makes mlflow.pyspark.ml.autolog work over Spark Connect.

Autologging reads the name of its list of models to log from the Spark context, which a Connect
session does not have; the session's own settings have the same key.
"""

import functools
import importlib.resources

from millpond.session import active_connect

ALLOWLIST = "spark.mlflow.pysparkml.autolog.logModelAllowlistFile"


def apply(module):
    """Patches mlflow.pyspark.ml."""
    classic_read = module._read_log_model_allowlist

    @functools.wraps(classic_read)
    def _read_log_model_allowlist():
        session = active_connect()
        if session is None:
            return classic_read()
        named = session.conf.get(ALLOWLIST, None)
        if named:
            try:
                return module._read_log_model_allowlist_from_file(named)
            except Exception:  # as MLflow does: the list is a refinement, not a condition
                module._logger.exception("Reading %s failed; the built-in list of models is used.", named)
        builtin = importlib.resources.files(module.__name__).joinpath("log_model_allowlist.txt")
        with importlib.resources.as_file(builtin) as file:
            return module._read_log_model_allowlist_from_file(file.as_posix())

    module._read_log_model_allowlist = _read_log_model_allowlist
