"""Applies a patch to a module right after the module is imported.

This is imported at the start of every interpreter of a managed runtime, so it imports nothing
itself: a process that uses none of the modules below pays for one small
finder and nothing more.
"""

import sys

# The modules that are patched, and the modules of this package that do it with `apply(module)`.
PATCHES = {
    "mlflow.spark": "millpond.mlflow_spark",
    "mlflow.utils._spark_utils": "millpond.mlflow_session",
    "mlflow.pyspark.ml": "millpond.mlflow_autolog",
    "hyperopt.spark": "millpond.spark_trials",
    "pyspark.ml.util": "millpond.model_delete",
    "pyspark.sql.connect.client.core": "millpond.client_exit",
}


def apply(name):
    """Patches the imported module called name."""
    import importlib
    import warnings

    try:
        importlib.import_module(PATCHES[name]).apply(sys.modules[name])
    except Exception as e:  # an unknown version must still be usable for what needs no patch
        warnings.warn(f"millpond cannot adapt {name} to Spark Connect: {type(e).__name__}: {e}", stacklevel=2)


class Finder:
    """Finds the modules to patch as Python would, and patches them once they have run."""

    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name not in PATCHES:
            return None
        from importlib.machinery import PathFinder

        spec = PathFinder.find_spec(name, path, target)
        if spec is None or spec.loader is None:
            return spec
        run = spec.loader.exec_module

        def exec_module(module):
            run(module)
            apply(name)

        spec.loader.exec_module = exec_module
        return spec


def install():
    """Registers the finder, and patches what is imported already. Calling it again does nothing."""
    if Finder in sys.meta_path:
        return
    sys.meta_path.insert(0, Finder)
    for name in PATCHES:
        if name in sys.modules:
            apply(name)
