"""Moves a directory between this process and the server's file system.

A server on the same machine reads and writes the very files that this process sees, so nothing
need be copied. With a server elsewhere the files travel through the session: up as Spark's
artifacts, down as rows of the binaryFile source. Which of the two it is, is asked of the server.
"""

import os
import shutil
import tempfile
import uuid
import weakref
from urllib.parse import urlparse

_shared = weakref.WeakKeyDictionary()


def local_path(path):
    """The path of a file: URI or of a plain path."""
    parsed = urlparse(path)
    return parsed.path if parsed.scheme == "file" else path


def shared(session):
    """Whether the server sees this machine's files: it is asked to read one."""
    if session not in _shared:
        word = uuid.uuid4().hex
        with tempfile.TemporaryDirectory(prefix="millpond-") as folder:
            os.chmod(folder, 0o755)  # the server may run as someone else
            with open(os.path.join(folder, "probe.txt"), "w") as f:
                f.write(word)
            try:
                row = session.read.text(os.path.join(folder, "probe.txt")).first()
            except Exception:  # the server cannot read it, whatever its reason
                row = None
        _shared[session] = row is not None and row[0] == word
    return _shared[session]


def upload(session, src, dst):
    """Gives the server the directory src; answers the path to read it at, dst if it had to travel."""
    src = os.path.abspath(local_path(src))
    if shared(session):
        return src
    for folder, _, names in os.walk(src):
        for name in names:
            file = os.path.join(folder, name)
            session.copyFromLocalToFs(file, dst.rstrip("/") + "/" + os.path.relpath(file, src))
    return dst


def download(session, src, dst, remove_src):
    """Brings the server's directory src here, to dst, which must not exist."""
    if shared(session):
        src = local_path(src)
        if remove_src:
            shutil.move(src, dst)
        else:
            shutil.copytree(src, dst)
        return
    files = session.read.format("binaryFile").option("recursiveFileLookup", "true").load(src)
    root = urlparse(src).path.rstrip("/") + "/"
    for row in files.select("path", "content").toLocalIterator():
        path = urlparse(row["path"]).path
        if root not in path:
            raise ValueError(f"the server listed {row['path']}, which is not below {src}")
        file = os.path.join(dst, path.split(root, 1)[1])
        os.makedirs(os.path.dirname(file), exist_ok=True)
        with open(file, "wb") as f:
            f.write(row["content"])
    # Spark has no call to delete a file: what was saved for the way stays in the server's
    # temporary directory.
