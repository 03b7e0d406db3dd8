"""The bookkeeping node: one writer at a time, numbers given once, versions."""

from __future__ import annotations

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from tosg.errors import DatabaseError, SchemaError
from tosg.kg.database import bookkeeping as meta
from tosg.kg.database.lease import hold_lease
from tosg.kg.schema.types import SCHEMA_VERSION

if TYPE_CHECKING:
    from tosg.kg.database.connection import Database

pytestmark = pytest.mark.neo4j

_HOLDER = """
import sys, time
from tosg.kg.database.lease import hold_lease
from tosg.kg.database.connection import Database, Target
with Database(Target(*sys.argv[1:4])) as db, hold_lease(db, "the other", ttl=float(sys.argv[4])):
    print("held", flush=True)
    time.sleep(60)
"""


def other_process(database: Database, ttl: float) -> subprocess.Popen[str]:
    """A process that holds the lease."""
    target = database.target
    command = [sys.executable, "-c", _HOLDER, target.uri, target.username, target.password]
    process = subprocess.Popen([*command, str(ttl)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait()
    assert process.stdout is not None
    process.stdout.close()


def test_a_new_graph(database: Database) -> None:
    assert meta.read_meta(database) == meta.Meta(SCHEMA_VERSION, 0, 0)
    meta.ensure_meta(database)
    meta.ensure_meta(database)
    assert database.rows("MATCH (m:TosgMeta) RETURN count(m) AS n") == [{"n": 1}]


def test_numbers_are_given_once_and_revisions_rise(database: Database) -> None:
    meta.ensure_meta(database)

    def reserve(n: int) -> range:
        with database.session(write=True) as session:
            first = session.execute_write(meta.reserve_idx, n)
        return range(first, first + n)

    with ThreadPoolExecutor(8) as pool:
        given = [i for part in pool.map(reserve, range(1, 25)) for i in part]
    assert sorted(given) == list(range(sum(range(1, 25))))
    assert meta.read_meta(database).next_idx == len(given)
    with database.session(write=True) as session:
        assert [session.execute_write(meta.bump_revision) for _ in range(3)] == [1, 2, 3]


def test_a_second_writer_is_refused_by_name_or_waits(database: Database) -> None:
    with hold_lease(database, "first"):
        writer = meta.read_meta(database).writer
        assert writer is not None
        assert writer.startswith("first (process ")
        with (
            pytest.raises(DatabaseError, match="another writer is at work") as error,
            hold_lease(database, "second"),
        ):
            pass
        assert "first (process" in str(error.value)
    assert meta.read_meta(database).writer is None
    with ThreadPoolExecutor(1) as pool:
        with hold_lease(database, "first"):
            waiting = pool.submit(_hold, database)
            time.sleep(1)
            assert not waiting.done()
        assert waiting.result(timeout=30) == "held"


def _hold(database: Database) -> str:
    with hold_lease(database, "second", wait=30):
        return "held"


def test_two_processes_and_the_lease_of_a_killed_one(database: Database) -> None:
    process = other_process(database, ttl=4)
    try:
        time.sleep(6)  # longer than the lease: it is renewed
        with (
            pytest.raises(DatabaseError, match="another writer") as error,
            hold_lease(database, "we"),
        ):
            pass
        assert f"the other (process {process.pid} " in str(error.value)
    finally:
        end(process)
    start = time.monotonic()
    with hold_lease(database, "we", wait=30):
        assert time.monotonic() - start < 10


def test_many_at_once_only_one_gets_it(database: Database) -> None:
    def attempt(n: int) -> int:
        try:
            with hold_lease(database, f"writer {n}"):
                time.sleep(2)
                return 1
        except DatabaseError:
            return 0

    meta.ensure_meta(database)
    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(attempt, range(6))) == 1


def test_writing_with_a_lost_lease_fails(database: Database) -> None:
    with hold_lease(database, "slow") as slow:
        database.write("MATCH (m:TosgMeta) SET m.writer_until = timestamp() - 1")
        with hold_lease(database, "fast") as fast:
            assert fast.token > slow.token
            assert not slow.renew()
            with (
                pytest.raises(DatabaseError, match="was lost") as error,
                database.session(write=True) as session,
                session.begin_transaction() as tx,
            ):
                slow.check(tx)
            assert error.value.retryable
        assert not fast.renew(), "it was given back"


def test_a_graph_of_a_newer_tosg_is_not_touched(database: Database) -> None:
    meta.ensure_meta(database)
    database.write("MATCH (m:TosgMeta) SET m.schema_version = $v", v=SCHEMA_VERSION + 1)
    with pytest.raises(SchemaError, match="newer tosg"):
        meta.read_meta(database)
    with pytest.raises(SchemaError, match="newer tosg"), hold_lease(database, "old"):
        pass
    rows = database.rows("MATCH (m:TosgMeta) RETURN m.writer AS writer")
    assert rows == [{"writer": None}]
