"""Rough figures of a running server: what `docs/performance.md` quotes.

    python3 tests/measure/spine.py PORT USER PASSWORD SERVER_PID

PORT is a plaintext or STARTTLS IMAP listener on loopback; USER's inbox should hold some thousand messages.
"""

import imaplib
import socket
import sys
import time

PORT, USER, PASSWORD, PID = int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4]
IDLE = 1000


def resident_kib():
    with open(f"/proc/{PID}/status") as status:
        return int(next(line for line in status if line.startswith("VmRSS")).split()[1])


def timed(name, messages, call):
    start = time.perf_counter()
    call()
    seconds = time.perf_counter() - start
    print(f"{name:48} {messages / seconds:10.0f} messages/s {seconds * 1000:8.1f} ms")


def idle_connection():
    sock = socket.create_connection(("127.0.0.1", PORT))
    lines = sock.makefile("rb")
    lines.readline()
    sock.sendall(f'a LOGIN {USER} "{PASSWORD}"\r\n'.encode())
    lines.readline()
    sock.sendall(b"b SELECT INBOX\r\nc IDLE\r\n")
    while not lines.readline().startswith(b"+"):
        pass
    return sock, lines


client = imaplib.IMAP4("localhost", PORT)
client.login(USER, PASSWORD)
count = int(client.select("INBOX")[1][0])
print(f"{count} messages")
for items in ("(FLAGS)", "(FLAGS INTERNALDATE RFC822.SIZE ENVELOPE)", "(BODY.PEEK[])"):
    timed(f"FETCH 1:* {items}", count, lambda: client.fetch("1:*", items))
timed("SEARCH SUBJECT", count, lambda: client.search(None, "SUBJECT", '"nothing"'))
timed("STORE 1:* +FLAGS", count, lambda: client.store("1:*", "+FLAGS", r"(\Flagged)"))
before = resident_kib()
held = [idle_connection() for _ in range(IDLE)]
time.sleep(2)
print(f"{IDLE} connections in IDLE: {(resident_kib() - before) / IDLE:.1f} KiB of the server each")
