"""A new version is tried on some users first, and one that fails too much is taken back by itself."""

import base64
import http.client
import re

import pytest

from test_swap import logged_in, next_version, told_version, wait_for
from waxwing import PASSWORD


def failing_version(tmp_path, version):
    """The shipped component under a limit that its IDLE passes: every IDLE is a failed turn, all else works."""
    package = next_version(tmp_path, "imap", version)
    with open(package / "plugin.toml", "a") as manifest:
        manifest.write("\n[limits]\nactions_per_turn = 3\n\n[slo]\nmax_failures = 3\n")
    return package


def row(server, version, plugin="imap"):
    return next(r for r in server.json("plugin", "status") if r["plugin"] == plugin and r["version"] == version)


def fail(raw, tag):
    raw.send(f"{tag} IDLE\r\n")
    answer = raw.until(f"{tag} ")[-1]
    assert answer.startswith(f"{tag} NO [SERVERBUG]".encode()), answer


def test_a_canary_serves_its_users_and_survives_a_restart(own_server, tmp_path):
    server = own_server
    users = {name: server.add_user(name) for name in ("alice", "bob")}
    alice, bob = (logged_in(server, users[name]) for name in users)
    alice.command("a2", "SELECT INBOX")
    server.cli("plugin", "load", str(next_version(tmp_path, "imap", "99.0.1")))

    unknown = server.cli("plugin", "canary", "imap", "--user", "nobody@example.test", check=False)
    assert unknown.returncode != 0 and "nobody@example.test does not exist" in unknown.stderr
    told = server.cli("plugin", "canary", "imap", "--user", "alice").stdout
    assert "99.0.1 serves alice@example.test" in told, told
    assert "99.0.1" in told_version(alice)
    assert "99.0.1" not in told_version(bob)
    # Before its user is known, a session runs the active version.
    late = server.raw("imaps")
    late.until("* OK")
    assert "99.0.1" not in told_version(late)
    assert late.command("a1", f'LOGIN {users["alice"]} "{PASSWORD}"')[-1].startswith(b"a1 OK")
    assert "99.0.1" in told_version(late, "v2")
    assert row(server, "99.0.1")["state"] == "canary"
    assert row(server, "99.0.1")["canary"] == {"users": ["alice@example.test"], "percent": 0}
    assert "99.0.1 serves alice@example.test" in server.cli("plugin", "status").stdout

    server.stop()
    server.start()
    assert "99.0.1" in told_version(logged_in(server, users["alice"]))
    assert "99.0.1" not in told_version(logged_in(server, users["bob"]))

    bob = logged_in(server, users["bob"])
    bob.send("i1 IDLE\r\n")
    bob.until("+ ")
    server.cli("plugin", "canary", "imap", "--percent", "100")
    wait_for(lambda: row(server, "99.0.1")["sessions"] >= 1)
    bob.send("DONE\r\n")
    bob.until("i1 OK")
    assert "99.0.1" in told_version(bob)
    server.cli("plugin", "canary", "imap", "--stop")
    assert "99.0.1" not in told_version(bob, "v2")
    assert row(server, "99.0.1")["state"] == "staged"
    assert bob.command("n1", "NOOP")[-1].startswith(b"n1 OK")


def test_a_share_of_the_mailboxes_is_the_same_on_every_connection_and_only_grows(own_server, tmp_path):
    server = own_server
    users = [server.add_user(f"user{n}") for n in range(12)]
    server.cli("plugin", "load", str(next_version(tmp_path, "imap", "99.0.1")))
    served = []
    for percent in ("10", "40", "70", "100"):
        server.cli("plugin", "canary", "imap", "--percent", percent)
        now = {user for user in users if "99.0.1" in told_version(logged_in(server, user))}
        assert now == {user for user in users if "99.0.1" in told_version(logged_in(server, user))}
        served.append(now)
    assert all(before <= after for before, after in zip(served, served[1:]))
    assert len(served[-1]) == len(users)
    server.cli("plugin", "activate", "imap")
    assert row(server, "99.0.1")["state"] == "active"
    raw = server.raw("imaps")
    raw.until("* OK")
    assert "99.0.1" in told_version(raw)


def test_a_canary_that_fails_too_much_is_taken_back_while_its_users_go_on(own_server, tmp_path):
    server = own_server
    alice, bob = (logged_in(server, server.add_user(name)) for name in ("alice", "bob"))
    old = told_version(bob)
    alice.command("s1", "SELECT INBOX")
    server.cli("plugin", "load", str(failing_version(tmp_path, "99.0.2")))
    server.cli("plugin", "canary", "imap", "--user", "alice@example.test")
    assert "99.0.2" in told_version(alice)
    for n in range(4):
        # Each costs its command and nothing else.
        fail(alice, f"f{n}")
        assert alice.command(f"n{n}", "NOOP")[-1].startswith(f"n{n} OK".encode())
    wait_for(lambda: row(server, "99.0.2")["state"] == "failed")
    assert told_version(alice, "v2") == old
    assert alice.command("c1", "EXPUNGE")[-1].startswith(b"c1 OK"), "the folder is selected as before"
    alice.send("i1 IDLE\r\n")
    alice.until("+ ")
    alice.send("DONE\r\n")
    alice.until("i1 OK")
    assert told_version(bob, "v2") == old

    reason = row(server, "99.0.2")["reason"]
    assert re.match(r"4 of \d+ turns failed within 60 s; max_failures = 3", reason), reason
    assert "actions_per_turn = 3" in reason
    assert "was taken back by itself: 4 of" in server.cli("plugin", "status").stdout
    assert "a version is taken back" in server.log_text()
    again = server.cli("plugin", "activate", "imap", "99.0.2", check=False)
    assert again.returncode != 0 and "--force" in again.stderr
    server.cli("plugin", "activate", "imap", "99.0.2", "--force")
    assert "99.0.2" in told_version(bob, "v3")


def test_an_activated_version_that_fails_too_much_gives_all_its_sessions_back(own_server, tmp_path):
    server = own_server
    user = server.add_user("alice")
    clients = [logged_in(server, user) for _ in range(6)]
    old = told_version(clients[0])
    server.cli("plugin", "load", str(failing_version(tmp_path, "99.0.3")))
    server.cli("plugin", "activate", "imap")
    for n, raw in enumerate(clients[:4]):
        fail(raw, f"f{n}")
    wait_for(lambda: row(server, "99.0.3")["sessions"] == 0)
    assert row(server, old.split()[-1])["state"] == "active"
    for raw in clients:
        assert told_version(raw, "v2") == old
    # A new load is a new chance.
    server.cli("plugin", "load", str(tmp_path / "imap-99.0.3"))
    server.cli("plugin", "activate", "imap")
    assert "99.0.3" in told_version(clients[0], "v3")


def test_a_request_is_served_by_the_version_of_its_user(own_server, tmp_path):
    server = own_server
    users = [server.add_user(name) for name in ("alice", "bob")]
    server.cli("plugin", "load", str(next_version(tmp_path, "status", "99.0.1")))
    server.cli("plugin", "canary", "status", "--user", users[0])
    for user, counted in ((users[1], 0), (users[0], 1)):
        credentials = base64.b64encode(f"{user}:{PASSWORD}".encode()).decode()
        connection = http.client.HTTPConnection("localhost", server.ports["http"], timeout=30)
        connection.request("GET", "/events", headers={"Authorization": f"Basic {credentials}"})
        response = connection.getresponse()
        assert response.status == 200
        wait_for(lambda: row(server, "99.0.1", "status")["sessions"] == counted)
        connection.close()


@pytest.mark.parametrize("words", [("imap",), ("imap", "--percent", "0"), ("imap", "--percent", "101"), ("imap", "--stop", "--percent", "5")])
def test_a_canary_for_nobody_is_not_understood(server, words):
    assert server.cli("plugin", "canary", *words, check=False).returncode == 2
