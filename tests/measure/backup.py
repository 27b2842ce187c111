"""What a backup costs those who use the mailbox meanwhile: what `docs/performance.md` quotes.

    WAXWING_BIN=target/release/waxwing python3 tests/measure/backup.py

Starts a server of its own with 20,000 messages, and appends to the mailbox alone, during a first backup, and during a second.
"""

import json
import pathlib
import random
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
from waxwing import BINARY, Server  # noqa: E402

RANDOM = random.Random(1)


def lines(octets):
    text = RANDOM.randbytes(octets).hex().encode()
    return b"\n".join(text[at : at + 76] for at in range(0, len(text), 76))


def appends(server, user, until):
    client, times = server.imap(user), []
    message = b"Subject: x\r\n\r\n" + RANDOM.randbytes(4000).hex().encode() + b"\r\n"
    while not until():
        begun = time.monotonic()
        client.append("Archive", None, None, message + str(len(times)).encode())
        times.append((time.monotonic() - begun) * 1000)
    client.logout()
    times.sort()
    return f"{len(times)} appends, median {times[len(times) // 2]:.1f} ms, slowest {times[-1]:.1f} ms"


def alone(server, user):
    end = time.monotonic() + 8
    print("no backup:", appends(server, user, lambda: time.monotonic() > end))


def run(server, *command):
    return subprocess.Popen([str(BINARY), "--config", str(server.config), *command, "--json"], stdout=subprocess.PIPE)


def main(folder):
    server = Server()
    user, other = server.add_user("alice"), server.add_user("bob")
    server.start()
    source = pathlib.Path(folder, "mail.mbox")
    with open(source, "wb") as file:
        for number in range(20_000):
            head = b"From a Thu Jan  1 00:00:01 1970\nSubject: m%d\nFrom: a@b.test\n\n" % number
            file.write(head + lines(RANDOM.choice([1000, 4000, 9000])) + b"\n\n")
    assert run(server, "import", "--user", user, str(source)).wait() == 0
    alone(server, user)
    for which in ("first", "second"):
        begun = time.monotonic()
        backup = run(server, "mailbox", "backup", user, "--to", f"{folder}/backup")
        during = appends(server, user, lambda: backup.poll() is not None)
        row = json.loads(backup.stdout.read())["mailboxes"][0]
        print(f"{which} backup: {time.monotonic() - begun:.1f} s, {row['copied_octets']} octets copied of {row['octets']};", during)
    alone(server, user)
    begun = time.monotonic()
    assert run(server, "mailbox", "restore", user, "--from", f"{folder}/backup", "--as", other).wait() == 0
    print(f"restored to another user in {time.monotonic() - begun:.1f} s")
    server.destroy()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        main(folder)
