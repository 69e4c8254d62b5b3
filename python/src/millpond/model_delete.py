"""Deletes models on the server without calling it from inside a garbage collection.

PySpark deletes a model on the server when its last reference goes, by a request in `__del__`.
Python may collect garbage anywhere, also inside gRPC while it holds a lock of its own; the
request then waits for a thread that waits for that lock, for ever. (PySpark guards against this
within its own deletes only.) So `__del__` leaves a note here, and a thread sends the requests.
"""

import atexit
import queue
import sys
import threading


def apply(module):
    """Patches pyspark.ml.util."""
    from millpond.session import is_connect

    notes = queue.SimpleQueue()  # its put may be called from __del__
    # Started now: a thread that is started while the interpreter ends never runs, and start() waits for it.
    thread = threading.Thread(target=_send, args=(notes,), name="millpond-model-delete", daemon=True)
    thread.start()
    # A thread that dies within a request keeps gRPC's lock, and the end of the interpreter waits for it.
    atexit.register(_finish, notes, thread)
    classic = module.del_remote_cache

    def del_remote_cache(ref_id):
        if sys.is_finalizing():
            return  # the server forgets the models with the session
        connect = sys.modules.get("pyspark.sql.connect.session")
        session = connect and connect.SparkSession.getActiveSession()
        if ref_id is None or "." in ref_id or not is_connect(session):
            return classic(ref_id)
        notes.put((session, ref_id))

    module.del_remote_cache = del_remote_cache


def _finish(notes, thread):
    notes.put(None)
    thread.join(timeout=5)


def _send(notes):
    while (note := notes.get()) is not None:
        session, ref_id = note
        try:
            if not session.is_stopped:
                session.client._delete_ml_cache([ref_id])
        except Exception:
            pass  # the session or its server has gone, and the model with it
        del session
