"""Closes Spark Connect clients before the interpreter ends, so that it can end.

A client sends its last request while the interpreter ends, when nothing new can be scheduled any
more, and leaves it half read. What comes of it is handled by a thread of gRPC's that the end of the
interpreter kills, now and then while that thread holds a lock; who then drops the request waits for
the lock, for ever. So the client's channel is closed, and gRPC's threads are waited for, before.
"""

import os
import threading


def apply(module):
    """Patches pyspark.sql.connect.client.core."""
    client = module.SparkConnectClient
    classic, process = client._on_exit, os.getpid()

    def _on_exit(self):
        classic(self)
        if os.getpid() != process:
            return  # gRPC's threads are not copied by a fork: nobody would end what was begun
        try:
            self.close()
        except Exception:
            pass  # the interpreter ends as it would without this
        join_grpc(2)

    client._on_exit = _on_exit


def join_grpc(seconds):
    """Waits, each time for some seconds at most, for the threads in which gRPC handles events."""
    for thread in threading.enumerate():
        target = getattr(thread, "_target", None)
        if (getattr(target, "__module__", None) or "").startswith("grpc."):
            thread.join(seconds)
