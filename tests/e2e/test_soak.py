"""The soak of tests/soak, short: the long runs are by hand (docs/durability.md)."""

import json
import pathlib
import shutil
import subprocess
import sys

import pytest

SOAK = pathlib.Path(__file__).resolve().parents[1] / "soak" / "soak.py"


def soak(*arguments):
    done = subprocess.run([sys.executable, str(SOAK), *arguments, "--json"], capture_output=True, text=True, timeout=900)
    assert done.stdout, done.stderr
    return json.loads(done.stdout), done


def test_fifty_kills_lose_and_double_nothing():
    result, done = soak("kill", "--rounds", "50", "--seconds", "1.2")
    assert done.returncode == 0, done.stderr
    assert result["rounds"] == 50
    # Every operation was acknowledged often, and some were caught in the middle.
    told = {op: row["acknowledged"] for op, row in result["operations"].items()}
    for op in ("lmtp", "smtp", "append", "multiappend", "store", "copy", "move", "expunge", "swap", "create", "rename"):
        assert told.get(op, 0) >= 10, told
    assert sum(row["unanswered"] for row in result["operations"].values()) >= 50


def test_twenty_power_cuts_lose_nothing_that_was_acknowledged():
    result, done = soak("power", "--rounds", "20", "--seconds", "1.2")
    assert done.returncode == 0, done.stderr
    assert result["rounds"] == 20


@pytest.mark.parametrize("honest", ["none", "files", "folders"])
def test_a_disk_that_ignores_syncs_is_found_out(honest):
    result, done = soak("power", "--rounds", "30", "--seconds", "1.2", "--syncs", honest)
    assert done.returncode == 1 and result["failed"]
    told = ("missing", "must be", "does not start", "cannot be read", "mailbox check")
    assert any(word in line for line in result["difference"] for word in told), result["difference"]
    shutil.rmtree(result["kept"])
