"""What becomes of a client when its protocol fails: it is told so for that one command, and goes on as if nothing had happened.

The faulty plugin is the imap plugin built with `fault-injection`: the tag names the fault (plugins/imap/src/faults.rs).
"""

import os
import pathlib
import re
import threading

import pytest

from test_swap import logged_in, next_version, told_version, wait_for
from waxwing import PACKAGES, PASSWORD, WORKSPACE

FAULTY = pathlib.Path(os.environ.get("WAXWING_FAULTY_PACKAGES", WORKSPACE / "target/faulty-packages"))
MESSAGE = b"From: a@elsewhere.test\r\nTo: b@example.test\r\nSubject: one\r\n\r\ntext\r\n"
VERSION = "99.0.1"
# Small enough to be reached soon, large enough for everything else; and failures are what is wanted here.
LIMITS = {
    "extra_config": "[plugin.imap.limits]\ncpu_per_turn_ms = 500\nmemory = 16777216\n[plugin.imap.slo]\nmax_failures = 1000\n"
}
# What each fault counts as.
FAULTS = {"XTRAP": "traps", "XPARSE": "traps", "XLOOP": "timeouts", "XHOG": "limits"}

pytestmark = pytest.mark.parametrize("own_server", [LIMITS], indirect=True)


def activate(server, tmp_path, version):
    server.cli("plugin", "load", str(next_version(tmp_path, "imap", version, FAULTY)))
    return server.json("plugin", "activate", "imap", version)


def row(server, version=VERSION):
    return next(row for row in server.json("plugin", "status", "imap") if row["version"] == version)


def filled(server, count):
    user = server.add_user("alice")
    client = server.imap(user)
    for _ in range(count):
        assert client.append("INBOX", None, None, MESSAGE)[0] == "OK"
    client.logout()
    return user


def name_tags(client, prefix):
    """What imaplib's tags begin with, in what it sends and in what it reads."""
    client.tagpre = prefix
    client.tagre = re.compile(rb"(?P<tag>%s\d+) (?P<type>[A-Z]+) (?P<data>.*)" % prefix, re.ASCII | re.DOTALL)


def failing(client, fault, name, *arguments):
    """A command under a tag that fails."""
    name_tags(client, fault.encode())
    status, data = getattr(client, name)(*arguments)
    name_tags(client, b"FINE")
    assert status == "NO" and data[0].startswith(b"[SERVERBUG]"), (fault, name, status, data)


def told(client):
    """What a NOOP tells: expunged positions, and lines about flags."""
    client.untagged_responses.clear()
    assert client.noop()[0] == "OK"
    return client.untagged_responses.get("EXPUNGE", []), client.untagged_responses.get("FETCH", [])


class Bystander(threading.Thread):
    """Somebody else who works all the while and must notice nothing."""

    def __init__(self, server, user):
        super().__init__()
        self.client = server.imap(user)
        self.client.select("INBOX", readonly=True)
        self.done = threading.Event()
        self.wrong = []
        self.rounds = 0
        self.start()

    def run(self):
        try:
            while not self.done.is_set():
                status, data = self.client.fetch("1", "(UID BODY.PEEK[])")
                if status != "OK" or data[0][1] != MESSAGE:
                    self.wrong.append((status, data))
                self.rounds += 1
        except Exception as error:  # noqa: BLE001 - told to the main thread
            self.wrong.append(error)

    def end(self):
        self.done.set()
        self.join()
        assert self.rounds and not self.wrong, self.wrong


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_costs_one_command_and_nothing_else(own_server, tmp_path, fault):
    server = own_server
    user = filled(server, 5)
    activate(server, tmp_path, VERSION)
    bystander = Bystander(server, user)
    client, other = server.imap(user), server.imap(user)
    client.select("INBOX")
    other.select("INBOX")
    assert client.store("1", "+FLAGS", r"(\Answered)")[0] == "OK"

    # Others remove a message and read one; the turn that was to tell it fails, so the next one tells it.
    other.store("2", "+FLAGS", r"(\Deleted)")
    other.expunge()
    other.store("3", "+FLAGS", r"(\Seen)")
    failing(client, fault, "noop")
    expunged, flags = told(client)
    assert expunged == [b"2"]
    assert len(flags) == 1 and re.match(rb"3 \(.*FLAGS \([^)]*\\Seen", flags[0])
    assert told(client) == ([], [])

    # The folder is selected still, with its numbers and flags.
    rows = client.fetch("1:*", "(UID FLAGS)")[1]
    assert [re.search(rb"UID (\d+)", line).group(1) for line in rows] == [b"1", b"3", b"4", b"5"]
    assert rb"\Answered" in rows[0]

    # What a failed command has written is not hidden from its client.
    failing(client, fault, "store", "1", "+FLAGS", r"(\Flagged)")
    if fault != "XPARSE":
        assert [rb"\Flagged" in line for line in told(client)[1]] == [True]

    # As often as it likes.
    for _ in range(5):
        failing(client, fault, "noop")
    assert client.append("INBOX", None, None, MESSAGE)[0] == "OK"
    assert told(client)[0] == []
    bystander.end()
    counts = row(server)
    failures = {name: counts[name] for name in ("traps", "timeouts", "limits", "recoveries", "lost")}
    assert failures == {"traps": 0, "timeouts": 0, "limits": 0, "lost": 0, "recoveries": 7} | {FAULTS[fault]: 7}


def test_a_fault_between_two_pages_of_a_fetch_ends_that_fetch(own_server, tmp_path):
    server = own_server
    user = filled(server, 300)
    activate(server, tmp_path, VERSION)
    raw = logged_in(server, user)
    raw.command("s1", "SELECT INBOX")
    lines = raw.command("XPAGE1", "FETCH 1:* (UID BODY.PEEK[])")
    assert lines[-1].startswith(b"XPAGE1 NO [SERVERBUG]") and any(b"* 1 FETCH (UID 1 " in line for line in lines)
    whole = b"".join(raw.command("f1", "FETCH 1:* (UID BODY.PEEK[])"))
    assert whole.count(MESSAGE) == 300 and b"\r\nf1 OK " in whole


def test_a_log_in_that_fails_logs_nobody_in(own_server, tmp_path):
    server = own_server
    user = filled(server, 1)
    activate(server, tmp_path, VERSION)
    raw = server.raw("imaps")
    raw.until("* OK")
    assert raw.command("XTRAP1", f'LOGIN {user} "{PASSWORD}"')[-1].startswith(b"XTRAP1 NO [SERVERBUG]")
    assert raw.command("a1", "SELECT INBOX")[-1].startswith(b"a1 BAD")
    assert raw.command("a2", f'LOGIN {user} "{PASSWORD}"')[-1].startswith(b"a2 OK")
    assert b"* 1 EXISTS\r\n" in raw.command("a3", "SELECT INBOX")


def test_after_a_select_that_fails_no_mailbox_is_selected(own_server, tmp_path):
    server = own_server
    user = filled(server, 1)
    activate(server, tmp_path, VERSION)
    raw = logged_in(server, user)
    raw.command("s1", "SELECT INBOX")
    lines = raw.command("XTRAP1", "EXAMINE INBOX")
    assert lines[0].startswith(b"* OK [CLOSED]") and lines[-1].startswith(b"XTRAP1 NO [SERVERBUG]")
    assert raw.command("a1", "FETCH 1 FLAGS")[-1].startswith(b"a1 BAD")
    assert b"* 1 EXISTS\r\n" in raw.command("a2", "SELECT INBOX")


def test_an_idle_and_an_append_that_fail_leave_the_conversation_in_step(own_server, tmp_path):
    server = own_server
    user = filled(server, 1)
    activate(server, tmp_path, VERSION)
    raw = logged_in(server, user)
    raw.command("s1", "SELECT INBOX")
    raw.send("XTRAP1 IDLE\r\n")
    raw.until("+ ")
    raw.send("DONE\r\n")
    assert raw.until("XTRAP1 ")[-1].startswith(b"XTRAP1 NO [SERVERBUG]")
    raw.send(b"XTRAP2 APPEND INBOX {%d+}\r\n%s\r\nn1 NOOP\r\n" % (len(MESSAGE), MESSAGE))
    assert raw.until("XTRAP2 ")[-1].startswith(b"XTRAP2 NO [SERVERBUG]")
    # It was stored before its command failed; its client is told of it like of any other.
    assert b"* 2 EXISTS\r\n" in raw.until("n1 OK")
    # A fault at the announcement of the literal: the message is read and dropped.
    raw.send(b"XPARSE1 APPEND INBOX {%d+}\r\n%s\r\nn2 NOOP\r\n" % (len(MESSAGE), MESSAGE))
    assert raw.until("XPARSE1 ")[-1].startswith(b"XPARSE1 NO [SERVERBUG]")
    assert raw.until("n2 ") == [b"n2 OK NOOP completed\r\n"]


@pytest.mark.parametrize("kind", ["refusing", "trapping", "silly", "looping"])
def test_sessions_stay_on_their_version_when_the_next_cannot_take_them(own_server, tmp_path, kind):
    server = own_server
    user = filled(server, 2)
    raw = logged_in(server, user)
    raw.command("s1", "SELECT INBOX")
    raw.send("i1 IDLE\r\n")
    raw.until("+ ")
    busy = logged_in(server, user)
    old = told_version(busy)
    number = old.removeprefix("imap ")

    swap = activate(server, tmp_path, f"99.0.2-{kind}")
    assert (swap["lingering"], swap["remaining"]) == (2, 2) and swap["last_refusal"], swap
    before = row(server, number)
    assert (before["sessions"], before["lingering"]) == (2, 2)
    assert before["last_refusal"] == swap["last_refusal"]
    assert row(server, f"99.0.2-{kind}")["refusals"] == 2
    assert swap["last_refusal"] in server.cli("plugin", "status").stdout

    assert told_version(busy) == old
    raw.send("DONE\r\n")
    assert raw.until("i1 ")[-1].startswith(b"i1 OK")
    assert b"* 2 FETCH (FLAGS (\\Recent))\r\n" in raw.command("f1", "FETCH 2 FLAGS")
    assert f"99.0.2-{kind}" in told_version(logged_in(server, user))

    for connection in (raw, busy):
        connection.command("l1", "LOGOUT")
        connection.close()
    wait_for(lambda: (row(server, number)["sessions"], row(server, number)["lingering"]) == (0, 0))


def test_a_session_whose_version_cannot_thaw_falls_back_on_the_one_before(own_server, tmp_path):
    server = own_server
    user = filled(server, 1)
    old = told_version(logged_in(server, user))
    activate(server, tmp_path, "99.0.2-trapping")
    raw = logged_in(server, user)
    raw.command("s1", "SELECT INBOX")
    assert "99.0.2-trapping" in told_version(raw)
    assert raw.command("XTRAP1", "NOOP")[-1].startswith(b"XTRAP1 NO [SERVERBUG]")
    assert told_version(raw, "v2") == old
    assert raw.command("f1", "FETCH 1 (UID)")[0] == b"* 1 FETCH (UID 1)\r\n"


def test_no_package_that_is_shipped_fails_on_demand(own_server):
    marks = [b"XTRAP was asked for", b"XPARSE was asked for"]
    faulty = (FAULTY / "imap/plugin.wasm").read_bytes()
    assert all(mark in faulty for mark in marks)
    for package in PACKAGES.glob("*/plugin.wasm"):
        shipped = package.read_bytes()
        assert not any(mark in shipped for mark in marks), package
