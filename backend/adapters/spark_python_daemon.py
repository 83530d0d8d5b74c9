"""The process that Spark forks its Python workers from on this machine: `spark.python.daemon.module`.

What Spark's own daemon does, with three things done once here and not in every worker or after every task.
"""

import gc
import sys
from pathlib import Path

# Spark puts itself on the path a second time, as archives. Before each task a worker has Python look for new
# modules, for which Python 3.11 reads the directories of all archives anew (cpython's issue 103200): 0.15 s.
sys.path[:] = [entry for entry in sys.path if not Path(entry).is_file()]
sys.path_importer_cache.clear()

from pyspark.daemon import manager  # noqa: E402 - not from the archives

# So that a worker starts with them in place, and shares their memory with the others.
import backend.transformations.spark_stages  # noqa: E402, F401

if __name__ == "__main__":
    # A worker collects garbage after each task; what is imported here it need not look at: 0.1 s.
    gc.freeze()
    manager()  # type: ignore[no-untyped-call] # the library left it untyped
