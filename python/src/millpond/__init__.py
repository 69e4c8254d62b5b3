"""Lets MLflow's Spark flavour, Hyperopt's SparkTrials and models' deletion work over Spark Connect.

The first two were written for a driver that shares a process with the JVM. Importing this package
registers patches that are applied when, and only when, the modules they are for are imported;
see :mod:`millpond.hook`. Sessions that are not Spark Connect sessions are left alone.
"""

from millpond import hook

__version__ = "0.1.0"

hook.install()
