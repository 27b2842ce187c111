"""Backups made under load, restored elsewhere and in place, and compared octet for octet."""

import email
import imaplib
import json
import mailbox
import os
import pathlib
import random
import re
import signal
import subprocess
import threading
import time

import pytest

from corpus import generated
from waxwing import BINARY, DOMAIN, PASSWORD, Server


def everything(server, user, folders=None):
    """Folder -> {UID: (flags, internal date, octets)}, as a client sees it."""
    client = server.imap(user)
    found = {}
    for row in client.list()[1]:
        name = row.decode().split(' "/" ')[1].strip('"')
        if folders and name not in folders:
            continue
        client.select(f'"{name}"', readonly=True)
        found[name] = {}
        _, rows = client.uid("FETCH", "1:*", "(FLAGS INTERNALDATE BODY.PEEK[])")
        for piece in rows:
            if not isinstance(piece, tuple):
                continue
            head, octets = piece
            uid = int(re.search(rb"UID (\d+)", head)[1])
            flags = frozenset(re.search(rb"FLAGS \(([^)]*)\)", head)[1].split()) - {b"\\Recent"}
            date = re.search(rb'INTERNALDATE "([^"]*)"', head)[1]
            found[name][uid] = (flags, date, octets)
    client.logout()
    return found


def status(server, user, folder="INBOX"):
    answer = server.imap(user).status(folder, "(UIDVALIDITY UIDNEXT MESSAGES HIGHESTMODSEQ)")[1][0].decode()
    return {name: int(value) for name, value in re.findall(r"([A-Z]+) (\d+)", answer)}


def fill(server, user, messages, folder="INBOX", flags=("", "\\Seen", "\\Flagged work")):
    client = server.imap(user)
    for number, message in enumerate(messages):
        date = imaplib.Time2Internaldate(1_600_000_000 + number * 60)
        client.append(folder, f"({flags[number % len(flags)]})", date, message)
    client.logout()


def big(number, octets=300_000):
    return b"Subject: big %d\r\n\r\n" % number + random.Random(number).randbytes(octets // 2).hex().encode() + b"\r\n"


def files(folder):
    return {p: p.stat().st_size for p in pathlib.Path(folder).rglob("*") if p.is_file()}


def checked(server, user):
    report = server.json("mailbox", "check", user)[0]
    assert report["error"] is None and report["findings"] == [], report


class Load:
    """A client that appends, flags, expunges and moves until told to stop; nothing of it touches the folder `Quiet`."""

    def __init__(self, server, user, seed):
        self.server, self.user, self.random = server, user, random.Random(seed)
        self.stopped = threading.Event()
        self.appended, self.slowest, self.error = 0, 0.0, None
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        try:
            client = self.server.imap(self.user)
            client.select("INBOX")
            while not self.stopped.is_set():
                begun = time.monotonic()
                assert client.append("INBOX", None, None, big(self.random.randrange(10**9), self.random.choice([500, 9000, 200_000])))[0] == "OK"
                self.slowest = max(self.slowest, time.monotonic() - begun)
                self.appended += 1
                uids = client.uid("SEARCH", None, "ALL")[1][0].split()
                if len(uids) > 40:
                    some = b",".join(self.random.sample(uids, 10)).decode()
                    client.uid("STORE", some, "+FLAGS", self.random.choice(["\\Flagged", "\\Seen", "work"]))
                    client.uid("STORE", b",".join(self.random.sample(uids, 5)).decode(), "+FLAGS", "\\Deleted")
                    client.expunge()
            client.logout()
        except Exception as error:  # noqa: BLE001 - shown by stop()
            self.error = error

    def stop(self):
        self.stopped.set()
        self.thread.join()
        assert self.error is None, self.error


def test_a_backup_under_load_is_one_moment_of_the_mailbox(own_server, tmp_path):
    server = own_server
    user = server.add_user("alice")
    fill(server, user, generated(120, seed=3))
    client = server.imap(user)
    client.create("Quiet")
    fill(server, user, [*generated(40, seed=4), big(1), big(2, 3_000_000)], "Quiet")
    quiet = everything(server, user, ["Quiet"])
    loads = [Load(server, user, seed) for seed in (1, 2)]
    time.sleep(1)
    made = []
    for _ in range(3):
        made += server.json("mailbox", "backup", user, "--to", str(tmp_path / "b"))["mailboxes"]
        time.sleep(0.5)
    for load in loads:
        load.stop()
        assert load.appended > 5 and load.slowest < 10
    assert [row["missing"] for row in made] == [0, 0, 0]
    assert made[0]["change_number"] < made[1]["change_number"] < made[2]["change_number"]
    # The next to last commit is known exactly: nothing moves any more.
    now = everything(server, user)
    made += server.json("mailbox", "backup", user, "--to", str(tmp_path / "b"))["mailboxes"]
    client.append("INBOX", None, None, b"Subject: later\r\n\r\nx\r\n")
    other = Server()
    try:
        other.add_user("alice")
        other.start()
        for row in made:
            other.cli("mailbox", "restore", user, "--from", str(tmp_path / "b"), "--generation", row["generation"], "--replace", "--yes")
            checked(other, user)
            found = everything(other, user)
            assert found["Quiet"] == quiet["Quiet"]
            items = sum(len(folder) for folder in found.values())
            assert items == row["items"]
        assert found == now
    finally:
        other.destroy()
    checked(server, user)


def test_a_second_run_copies_little(own_server, tmp_path):
    server = own_server
    user = server.add_user("alice")
    fill(server, user, [*generated(300, seed=5), big(1, 2_000_000)])
    to = tmp_path / "b"
    first = server.json("mailbox", "backup", user, "--to", str(to))["mailboxes"][0]
    before = files(to)
    assert first["copied_octets"] > 1_000_000
    again = server.json("mailbox", "backup", user, "--to", str(to))["mailboxes"][0]
    assert again["copied_octets"] == 0
    new = {p: size for p, size in files(to).items() if p not in before}
    assert len(new) == 1 and sum(new.values()) < 20_000, new
    client = server.imap(user)
    client.select("INBOX")
    client.copy("301", "Archive")
    client.append("INBOX", None, None, b"Subject: one more\r\n\r\nx\r\n")
    third = server.json("mailbox", "backup", user, "--to", str(to))["mailboxes"][0]
    assert third["copied_octets"] * 10 < first["copied_octets"], "the copy of the large message shares its octets"
    listed = server.json("mailbox", "backup", "list", str(to))
    assert [row["generation"] for row in listed] == [row["generation"] for row in (first, again, third)]
    assert [row["items"] for row in listed] == [301, 301, 303]
    fourth = server.json("mailbox", "backup", user, "--keep", "2", "--to", str(to))["mailboxes"][0]
    listed = server.json("mailbox", "backup", "list", str(to))
    assert [row["generation"] for row in listed] == [third["generation"], fourth["generation"]]
    assert server.cli("mailbox", "backup", "verify", str(to)).returncode == 0


@pytest.mark.parametrize("online", [True, False], ids=["server", "files"])
def test_a_killed_backup_is_none_and_goes_on(own_server, tmp_path, online):
    server = own_server
    user = server.add_user("alice")
    fill(server, user, [big(number, 1_500_000) for number in range(60)])
    expected = everything(server, user)
    if not online:
        assert server.stop() == 0
    to = tmp_path / "b"
    run = subprocess.Popen(
        [str(BINARY), "--config", str(server.config), "mailbox", "backup", user, "--to", str(to)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 60
    while not list(to.glob("mailboxes/*/packs/*.pack")):
        assert time.monotonic() < deadline and run.poll() is None, "the backup was over before it could be killed"
        time.sleep(0.005)
    if online:
        server.stop(signal.SIGKILL)
        run.wait(timeout=30)
        server.start()
    else:
        run.kill()
        run.wait()
    assert not list(to.glob("mailboxes/*/generations/*")), "a half-written backup is taken for a whole one"
    assert json.loads(server.cli("mailbox", "backup", "list", str(to), "--json").stdout) == []
    there = sum(files(to).values())
    row = server.json("mailbox", "backup", user, "--to", str(to))["mailboxes"][0]
    assert there > 10_000_000 and row["copied_octets"] < sum(files(to).values()) - there / 2, "it did not go on"
    assert server.cli("mailbox", "backup", "verify", str(to)).returncode == 0
    server.cli("mailbox", "restore", user, "--from", str(to), "--replace", "--yes")
    if not online:
        server.start()
    assert everything(server, user) == expected
    checked(server, user)


def test_verify_finds_a_flipped_octet(own_server, tmp_path):
    server = own_server
    user = server.add_user("alice")
    fill(server, user, [*generated(50, seed=6), big(7)])
    to = tmp_path / "b"
    server.cli("mailbox", "backup", user, "--to", str(to))
    assert server.json("mailbox", "backup", "verify", str(to))["damaged_objects"] == 0
    (pack,) = to.glob("mailboxes/*/packs/*.pack")
    octets = bytearray(pack.read_bytes())
    octets[len(octets) // 2] ^= 0x10
    pack.write_bytes(octets)
    found = server.cli("mailbox", "backup", "verify", str(to), check=False)
    assert found.returncode == 1 and user in found.stdout and "damaged" in found.stdout
    assert server.cli("mailbox", "backup", "verify", "--repair", str(to), check=False).returncode == 1
    server.cli("mailbox", "backup", user, "--to", str(to))
    assert server.cli("mailbox", "backup", "verify", str(to)).returncode == 0


def test_a_replaced_mailbox_is_seen_by_sessions_that_run(own_server, tmp_path):
    server = own_server
    user = server.add_user("alice")
    fill(server, user, generated(20, seed=8))
    before = everything(server, user)
    server.cli("mailbox", "backup", user, "--to", str(tmp_path / "b"))
    client = server.imap(user)
    client.select("INBOX")
    idle = server.raw("imaps")
    idle.until("* OK")
    idle.command("a", f'LOGIN {user} "{PASSWORD}"')
    idle.command("b", "SELECT Archive")
    idle.send("c IDLE\r\n")
    idle.until("+ ")
    fill(server, user, generated(10, seed=9))
    client.store("1:5", "+FLAGS", "\\Deleted")
    client.expunge()
    told = status(server, user)
    refused = server.cli("mailbox", "restore", user, "--from", str(tmp_path / "b"), check=False)
    assert refused.returncode == 1 and "--replace" in refused.stderr and "--into" in refused.stderr
    server.cli("mailbox", "restore", user, "--from", str(tmp_path / "b"), "--replace", "--yes")
    now = status(server, user)
    assert now["UIDVALIDITY"] > told["UIDVALIDITY"] and now["HIGHESTMODSEQ"] > told["HIGHESTMODSEQ"]
    # The sessions' folder is of a mailbox that is no more: they are told so, and end.
    assert b"UNAVAILABLE" in idle.until("* BYE")[-1]
    with pytest.raises(client.abort, match="UNAVAILABLE"):
        for _ in range(3):
            assert client.fetch("1:*", "(FLAGS)")[0] == "NO"
    client = server.imap(user)
    assert client.select("INBOX") == ("OK", [b"20"])
    assert everything(server, user) == before
    client.append("INBOX", None, None, b"Subject: on\r\n\r\nx\r\n")
    assert client.noop()[0] == "OK" and client.select("INBOX") == ("OK", [b"21"])
    checked(server, user)


def test_a_folder_comes_back_beside_what_is_there(own_server, tmp_path):
    server = own_server
    user = server.add_user("alice")
    client = server.imap(user)
    client.create("Projects")
    client.create("Projects/Moon")
    fill(server, user, generated(10, seed=10), "Projects/Moon")
    fill(server, user, generated(3, seed=11))
    lost = everything(server, user)["Projects/Moon"]
    server.cli("mailbox", "backup", user, "--to", str(tmp_path / "b"))
    client.delete("Projects/Moon")
    before = status(server, user)
    command = ("mailbox", "restore", user, "--from", str(tmp_path / "b"), "--into", "Back/Then", "--folder", "Projects")
    server.cli(*command)
    found = everything(server, user)
    assert list(found["Back/Then/Projects/Moon"].values()) == list(lost.values())
    assert "Back/Then/INBOX" not in found
    assert status(server, user) == before, "the rest stays as it was"
    again = server.cli(*command, check=False)
    assert again.returncode == 1 and "Back/Then already" in again.stderr
    bob = server.add_user("bob")
    server.cli("mailbox", "restore", user, "--from", str(tmp_path / "b"), "--as", bob)
    assert everything(server, bob)["Projects/Moon"] == lost
    checked(server, user)
    checked(server, bob)


def test_everything_is_restored_on_an_empty_machine(own_server, tmp_path):
    server = own_server
    users = [server.add_user(name) for name in ("alice", "bob", "carol")]
    server.cli("alias", "add", f"info@{DOMAIN}", users[0])
    server.cli("group", "add", f"all@{DOMAIN}", *users[:2])
    for seed, user in enumerate(users):
        fill(server, user, [*generated(20, seed=seed), big(seed)])
    expected = {user: everything(server, user) for user in users}
    server.cli("mailbox", "backup", "--all", "--to", str(tmp_path / "b"))
    aliases, groups, people = (server.json(noun, "list") for noun in ("alias", "group", "user"))
    server.stop()
    other = Server(domain=False)
    try:
        command = ("mailbox", "restore", "--all", "--from", str(tmp_path / "b"))
        # Killed on the way, it is started again and goes on.
        run = subprocess.Popen([str(BINARY), "--config", str(other.config), *command], stdout=subprocess.DEVNULL)
        while not list(other.data.glob("mailboxes/??/*/mailbox.sqlite")) and run.poll() is None:
            time.sleep(0.005)
        run.kill()
        if run.wait() != 0:
            other.cli(*command)
        other.start()
        assert [other.json(noun, "list") for noun in ("alias", "group", "user")] == [aliases, groups, people]
        for user in users:
            assert everything(other, user) == expected[user]
            checked(other, user)
        again = other.cli(*command, check=False)
        assert again.returncode == 1 and "empty data directory" in again.stderr
        other.cli("mailbox", "backup", "--all", "--to", str(tmp_path / "b"))
    finally:
        other.destroy()


def test_what_cannot_be_done_says_what_to_do(server, user, tmp_path):
    (tmp_path / "thesis.tex").write_text("x")
    refused = server.cli("mailbox", "backup", user, "--to", str(tmp_path), check=False)
    assert refused.returncode == 1 and "not empty" in refused.stderr
    assert "--to" in server.cli("mailbox", "backup", user, check=False).stderr
    assert server.cli("mailbox", "backup", "--to", str(tmp_path), check=False).returncode == 2
    nothing = server.cli("mailbox", "restore", user, "--from", str(tmp_path), check=False)
    assert nothing.returncode == 1 and "no backup" in nothing.stderr
    to = tmp_path / "b"
    server.cli("mailbox", "backup", user, "--to", str(to))
    assert os.stat(to).st_mode & 0o077 == 0, "mail is for nobody else"
    unknown = server.cli("mailbox", "restore", f"nobody@{DOMAIN}", "--from", str(to), "--as", user, check=False)
    assert unknown.returncode == 1 and "nothing of nobody" in unknown.stderr
    wrong = server.cli("mailbox", "restore", user, "--from", str(to), "--generation", "20200101T000000Z", "--replace", "--yes", check=False)
    assert wrong.returncode == 1 and "no such generation" in wrong.stderr
    assert PASSWORD not in wrong.stderr


ODD = [
    b"Subject: no end of line\r\n\r\nlast",
    b"From: From a line\r\nSubject: From\r\n\r\nFrom the start\r\n>From quoted\r\n>>From twice\r\n",
    b"Subject: bare\r\n\r\none\ntwo\r\n",
    b"Status: RO\r\nX-Status: AF\r\nX-Keywords: theirs\r\nSubject: has their own\r\n\r\nx\r\n",
    b"Subject: empty lines\r\n\r\n\r\n\r\n",
]


@pytest.mark.parametrize("form", ["mbox", "maildir", "eml"])
def test_an_export_is_imported_as_what_it_was(server, user, tmp_path, form):
    client = server.imap(user)
    for folder in ("Work", "Work/Old.Stuff", "&AMQ-pfel", "Empty"):
        client.create(folder)
    fill(server, user, [*generated(40, seed=12), *ODD, big(1)])
    fill(server, user, generated(15, seed=13), "Work", ("\\Answered $Forwarded", "\\Draft", "\\Deleted \\Seen a,b $MDNSent"))
    fill(server, user, generated(5, seed=14), "Work/Old.Stuff")
    fill(server, user, generated(5, seed=15), "&AMQ-pfel")
    to = tmp_path / "out"
    server.cli("mailbox", "export", user, "--format", form, "--to", str(to))
    other = server.add_user(f"copy-{form}-{user.split('@')[0]}")
    summary = server.json("import", "--user", other, str(to))
    assert (summary["failed"], summary["problems"]) == (0, [])
    # UIDs may be given in another order.
    plain = lambda found: {name: sorted(map(repr, rows.values())) for name, rows in found.items() if rows}
    assert plain(everything(server, other)) == plain(everything(server, user))
    refused = server.cli("mailbox", "export", user, "--format", form, "--to", str(to), check=False)
    assert refused.returncode == 1 and "not empty" in refused.stderr
    part = tmp_path / "part"
    server.cli("mailbox", "export", user, "--format", form, "--folder", "Work", "--to", str(part))
    third = server.add_user(f"part-{form}-{user.split('@')[0]}")
    server.cli("import", "--user", third, str(part))
    assert {name for name, rows in everything(server, third).items() if rows} == {"Work", "Work/Old.Stuff"}
    checked(server, other)


def test_python_reads_what_is_exported(server, user, tmp_path):
    messages = [*generated(30, seed=16), *(m for m in ODD if b"bare" not in m and b"their own" not in m)]
    fill(server, user, messages)
    server.cli("mailbox", "export", user, "--format", "mbox", "--to", str(tmp_path / "mbox"))
    server.cli("mailbox", "export", user, "--format", "maildir", "--to", str(tmp_path / "maildir"))
    lf = [m.replace(b"\r\n", b"\n") for m in messages]
    box = mailbox.Maildir(tmp_path / "maildir", create=False)
    assert sorted(box.get_bytes(key) for key in box.keys()) == sorted(lf)
    assert sum("S" in m.get_flags() for m in box) == sum("F" not in m.get_flags() and "S" in m.get_flags() for m in box) > 5
    assert {m.get_date() for m in box} == {1_600_000_000 + n * 60 for n in range(len(messages))}
    box = mailbox.mbox(tmp_path / "mbox" / "INBOX.mbox", create=False)
    assert len(box) == len(messages)
    subjects = lambda texts: [email.message_from_bytes(text)["Subject"] for text in texts]
    assert subjects(box.get_bytes(key) for key in box.keys()) == subjects(lf)
    assert [m.get_flags().replace("O", "") for m in box][:3] == ["", "R", "F"]
    assert all(m.get_payload() is not None for m in box)


def test_a_mailbox_whose_file_is_destroyed_is_replaced(own_server, tmp_path):
    server = own_server
    user, other = server.add_user("alice"), server.add_user("bob")
    fill(server, user, [*generated(20, seed=17), big(1)])
    before = everything(server, user)
    server.cli("mailbox", "backup", "--all", "--to", str(tmp_path / "b"))
    server.stop()
    guid = next(row["mailbox"] for row in server.json("mailbox", "list") if row["owner"] == user)
    file = server.data / "mailboxes" / guid[:2] / guid / "mailbox.sqlite"
    file.write_bytes(os.urandom(file.stat().st_size))
    server.start()
    failed = server.cli("mailbox", "backup", "--all", "--to", str(tmp_path / "b"), check=False)
    assert failed.returncode == 1 and f"{user}: not backed up" in failed.stdout and "1 mailboxes" in failed.stdout
    server.cli("mailbox", "restore", user, "--from", str(tmp_path / "b"), "--replace", "--yes")
    assert everything(server, user) == before
    checked(server, user)
    checked(server, other)


def test_an_administrator_who_goes_away_breaks_the_backup_off(own_server, tmp_path):
    server = own_server
    user = server.add_user("alice")
    fill(server, user, [big(number, 1_500_000) for number in range(60)])
    to = tmp_path / "b"
    command = [str(BINARY), "--config", str(server.config), "mailbox", "backup", user, "--to", str(to)]
    run = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not list(to.glob("mailboxes/*/packs/*")):
        assert run.poll() is None, "the backup was over before it could be broken off"
        time.sleep(0.005)
    # Not SIGINT, which who starts tests in the background has them ignore.
    run.send_signal(signal.SIGTERM)
    run.wait(timeout=30)
    deadline = time.monotonic() + 30
    while (again := server.cli(*command[3:], check=False)).returncode != 0:
        assert "wait for it" in again.stderr and time.monotonic() < deadline, again.stderr
    listed = server.json("mailbox", "backup", "list", str(to))
    assert len(listed) == 1, "what was broken off is no generation"
    assert server.cli("mailbox", "backup", "verify", str(to)).returncode == 0
    checked(server, user)
