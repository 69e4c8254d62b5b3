"""Makes mlflow.spark save, log and load Spark ML models over Spark Connect.

mlflow.spark lets Spark write a model to a temporary directory and moves it from there with
Hadoop's FileSystem, which it reaches through the JVM. Over Connect there is no JVM in the
process, so the same calls are answered with files; see :mod:`millpond.files`.
"""

import functools
import os

from millpond import files
from millpond.session import active_connect


def apply(module):
    """Patches mlflow.spark."""
    hadoop = module._HadoopFileSystem
    classic_copy = hadoop.copy_to_local_file
    classic_copy_from = hadoop.copy_from_local_file
    classic_from_uri = hadoop.maybe_copy_from_uri
    classic_from_file = hadoop.maybe_copy_from_local_file
    classic_qualified = hadoop.qualified_local_path
    classic_available = hadoop.is_filesystem_available
    classic_save = module._maybe_save_model

    def copy_to_local_file(cls, src, dst, remove_src):
        session = active_connect()
        if session is None:
            return classic_copy(src, dst, remove_src)
        return files.download(session, src, dst, remove_src)

    def copy_from_local_file(cls, src, dst, remove_src):
        if active_connect() is None:
            return classic_copy_from(src, dst, remove_src)
        raise module.MlflowException("Copying a directory to a named place of the server is not possible over Spark Connect.")

    def qualified_local_path(cls, path):
        if active_connect() is None:
            return classic_qualified(path)
        return "file:" + os.path.abspath(path)

    def maybe_copy_from_local_file(cls, src, dst):
        session = active_connect()
        if session is None:
            return classic_from_file(src, dst)
        return files.upload(session, src, dst)

    def maybe_copy_from_uri(cls, src_uri, dst_path, local_model_path=None):
        session = active_connect()
        if session is None:
            return classic_from_uri(src_uri, dst_path, local_model_path)
        return files.upload(session, local_model_path or module._download_artifact_from_uri(src_uri), dst_path)

    def is_filesystem_available(cls, scheme):
        return active_connect() is None and classic_available(scheme)

    for f in (copy_to_local_file, copy_from_local_file, qualified_local_path, maybe_copy_from_local_file,
              maybe_copy_from_uri, is_filesystem_available):
        setattr(hadoop, f.__name__, classmethod(f))

    @functools.wraps(classic_save)
    def _maybe_save_model(spark_model, model_dir):
        # Spark could write straight to the artifact store only if it had a file system of that
        # scheme; MLflow tries, and takes the error of the JVM as a no. Here the answer is known:
        # the model goes through a temporary directory and is uploaded by the client.
        if active_connect() is None:
            return classic_save(spark_model, model_dir)
        return False

    module._maybe_save_model = _maybe_save_model
