"""An administrator sees every connection and ends what must end, with the protocol's own goodbye."""

import imaplib
import time

import pytest

from test_swap import logged_in, next_version, wait_for
from waxwing import PASSWORD, deliver_lmtp

MESSAGE = b"Subject: one\r\n\r\nbody\r\n"


def listed(server, *filters):
    return server.json("session", "list", *filters)


def test_a_session_is_seen_with_all_that_is_known_of_it(own_server):
    server = own_server
    user = server.add_user("alice")
    deliver_lmtp(server, user, MESSAGE)
    before = time.time()
    raw = logged_in(server, user)
    raw.command("a2", "SELECT INBOX")
    raw.send("a3 IDLE\r\n")
    raw.until("+ ")
    plain = server.raw("smtp")
    plain.until("220 ")

    wait_for(lambda: any(row["frozen"] for row in listed(server)))
    rows = listed(server)
    assert [row["listener"] for row in rows] == ["imaps", "smtp"]
    idle, other = rows
    assert (idle["user"], idle["protocol"], idle["plugin"]) == (user, "imap", "imap")
    assert idle["frozen"] and idle["memory"] == 0 and idle["frozen_octets"] > 0
    assert before - 2 <= idle["since"] <= idle["last_turn"] <= time.time() + 1
    assert idle["turns"] >= 4 and idle["watches"] == 1 and idle["timers"] >= 1
    assert idle["bytes_in"] >= len(f'a1 LOGIN {user} "{PASSWORD}"\r\na2 SELECT INBOX\r\na3 IDLE\r\n')
    assert idle["bytes_out"] > 100
    assert idle["tls"]["protocol"] == "TLSv1.3" and idle["tls"]["server_name"] == "localhost"
    assert idle["peer"].startswith("127.0.0.1:") and idle["local"] == f"127.0.0.1:{server.ports['imaps']}"
    assert idle["last_failure"] is None
    assert (other["user"], other["tls"], other["plugin"]) == (None, None, "smtp")

    assert server.json("session", "show", idle["session"])["session"] == idle["session"]
    shown = server.cli("session", "show", idle["session"]).stdout
    assert user in shown and "frozen" in shown and "TLSv1.3" in shown, shown
    table = server.cli("session", "list").stdout
    assert idle["session"] in table and other["session"] in table
    gone = server.cli("session", "show", "0123456789abcdef", check=False)
    assert gone.returncode == 1 and "session list" in gone.stderr


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--user", "alice"], {"alice"}),
        (["--user", "bob@example.test"], {"bob"}),
        (["--plugin", "imap"], {"alice", "bob"}),
        (["--plugin", "imap", "--version", "99.0.1"], {"bob"}),
        (["--listener", "imaps", "--protocol", "imap"], {"alice", "bob"}),
        (["--protocol", "smtp"], {None}),
        (["--frozen"], {"alice"}),
        (["--frozen", "--user", "bob"], set()),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_filters_select(filtered_server, words, expected):
    found = {row["user"] and row["user"].split("@")[0] for row in listed(filtered_server, *words)}
    assert found == expected


@pytest.fixture(scope="module")
def filtered_server(tmp_path_factory):
    """Alice in IDLE, Bob on a version of his own, and somebody at the door of smtp."""
    from waxwing import Server

    server = Server()
    server.start()
    held = [logged_in(server, server.add_user(name)) for name in ("alice", "bob")]
    server.cli("plugin", "load", str(next_version(tmp_path_factory.mktemp("packages"), "imap", "99.0.1")))
    server.cli("plugin", "canary", "imap", "--user", "bob")
    held[0].command("a2", "SELECT INBOX")
    held[0].send("a3 IDLE\r\n")
    held[0].until("+ ")
    held[1].command("a2", "NOOP")
    smtp = server.raw("smtp")
    smtp.until("220 ")
    wait_for(lambda: listed(server, "--frozen", "--user", "alice") and listed(server, "--version", "99.0.1"))
    # Bob stays awake while the list is read.
    yield Awake(server, held[1])
    smtp.close()
    server.destroy()


class Awake:
    """A server, one of whose clients says something before each question."""

    def __init__(self, server, raw):
        self.server, self.raw = server, raw

    def json(self, *words):
        self.raw.command("n1", "NOOP")
        return self.server.json(*words)


def test_a_killed_session_hears_the_protocols_goodbye(own_server):
    server = own_server
    alice, bob = server.add_user("alice"), server.add_user("bob")
    idle, other = logged_in(server, alice), logged_in(server, bob)
    idle.command("a2", "SELECT INBOX")
    idle.send("a3 IDLE\r\n")
    idle.until("+ ")
    session = listed(server, "--user", "alice")[0]["session"]
    assert server.json("session", "kill", session) == {"asked": 1, "ended": 1}
    assert idle.until("* BYE")
    assert idle.read(1) == b""
    assert other.command("n1", "NOOP")[-1].startswith(b"n1 OK")
    assert server.cli("session", "kill", session, check=False).returncode == 1

    client = server.imap(bob)
    smtp = server.raw("smtp")
    smtp.until("220 ")
    assert "2 ended" in server.cli("session", "kill", "--user", bob).stdout
    with pytest.raises(imaplib.IMAP4.abort):
        client.noop()
    unsaid = server.cli("session", "kill", check=False)
    assert unsaid.returncode == 1 and "--all" in unsaid.stderr
    server.cli("session", "kill", "--all")
    assert smtp.until("421 ")
    assert listed(server) == []


def test_a_failed_turn_is_remembered(own_server, tmp_path):
    from test_canary import fail, failing_version

    server = own_server
    raw = logged_in(server, server.add_user("alice"))
    server.cli("plugin", "load", str(failing_version(tmp_path, "99.0.2")))
    server.cli("plugin", "activate", "imap")
    fail(raw, "f1")
    failure = listed(server)[0]["last_failure"]
    assert failure["version"] == "imap 99.0.2" and "actions_per_turn = 3" in failure["reason"]


@pytest.mark.parametrize("own_server", [{"extra_config": "[limits]\nplugin_memory = 4294967296\n"}], indirect=True)
def test_a_long_list_comes_in_pages_and_whole(own_server):
    server = own_server
    held = [server.raw("smtp") for _ in range(1_100)]
    for raw in held:
        raw.until("220 ")
    assert len({row["session"] for row in listed(server)}) == len(held)
    assert server.json("session", "kill", "--listener", "smtp") == {"asked": len(held), "ended": len(held)}
    assert all(raw.until("421 ") for raw in held[::100])


def test_without_a_server_it_says_how_to_start_one(own_server):
    own_server.stop()
    done = own_server.cli("session", "list", check=False)
    assert done.returncode == 1 and "waxwing serve" in done.stderr
