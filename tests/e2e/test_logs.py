"""One session id leads through all lines about a connection, whichever part of the server wrote them."""

import json
import os
import re

import pytest

from test_operator import basic, http_request
from test_swap import logged_in, wait_for
from waxwing import Server, deliver_lmtp

MESSAGE = b"Subject: one\r\n\r\nbody\r\n"


def lines(server):
    """Every line of the log so far; each must be one JSON object."""
    return [json.loads(line) for line in server.log_text().splitlines() if line.startswith("{")]


def of_session(server, session):
    return [line for line in lines(server) if line.get("session") == session]


@pytest.fixture
def logging_server():
    s = Server(extra_config='[log]\nformat = "json"\nlevel = "debug"')
    s.start()
    yield s
    s.destroy()


def test_a_message_leads_to_the_lines_of_the_session_that_brought_it(logging_server):
    server = logging_server
    user = server.add_user("alice")
    deliver_lmtp(server, user, MESSAGE)
    raw = logged_in(server, user)
    raw.command("a2", "SELECT INBOX")
    header = b"".join(raw.command("a3", "FETCH 1 BODY[HEADER]")).decode()
    session = re.search(r"\bid ([0-9a-f]{16})\b", header).group(1)
    wait_for(lambda: any(line.get("message") == "connection ended" for line in of_session(server, session)))
    told = of_session(server, session)
    assert told[0]["message"] == "connection accepted" and told[-1]["message"] == "connection ended"
    (delivery,) = [line for line in told if line.get("message") == "delivery"]
    assert delivery["target"].startswith("waxwing_transport") and delivery["plugin"] == "smtp"
    assert {line["protocol"] for line in told} == {"lmtp"}


def test_log_in_store_trouble_and_the_end_of_a_connection_have_its_session(logging_server):
    server = logging_server
    user = server.add_user("alice")
    client = server.imap(user)
    client.append("INBOX", None, None, b"Subject: big\r\n\r\n" + os.urandom(200_000).hex().encode() + b"\r\n")
    client.logout()
    server.stop()
    (blob,) = [path for path in server.data.rglob("blobs/**/*") if path.is_file()]
    blob.unlink()
    server.start()
    raw = server.raw("imaps")
    raw.until("* OK")
    raw.command("a0", f'LOGIN {user} "wrong"')
    raw.command("a1", f'LOGIN {user} "correct horse battery"')
    raw.command("a2", "SELECT INBOX")
    raw.send("a3 FETCH 1 (BODY.PEEK[])\r\na4 LOGOUT\r\n")
    raw.file.read()
    raw.close()
    denied = [line for line in lines(server) if line.get("message") == "log-in denied"][-1]
    session = denied["session"]
    wait_for(lambda: any(line.get("message") == "connection ended" for line in of_session(server, session)))
    told = of_session(server, session)
    rooms = {line["target"].split("::")[0] for line in told}
    assert {"waxwing_net", "waxwing_directory"} <= rooms, rooms
    assert any(line.get("message") == "logged in" and line["user"] == user for line in told)
    trouble = [line for line in told if line["level"] == "ERROR"]
    assert trouble, told
    assert told[-1]["principal"] == user
    assert all(line["session"] == session for line in lines(server) if line.get("principal") == user and line in told)


def test_a_request_is_a_session_on_a_connection(logging_server):
    server = logging_server
    user = server.add_user("alice")
    assert http_request(server, "/status").status == 200
    wait_for(lambda: any(line.get("message") == "request" for line in lines(server)))
    (request,) = [line for line in lines(server) if line.get("message") == "request"]
    assert request["path"] == "/status" and request["session"] != request["connection"]
    ended = lambda: [line for line in lines(server) if line.get("message") == "connection ended" and line.get("connection") == request["connection"]]  # noqa: E731
    wait_for(ended)
    refused = http_request(server, "/nowhere", basic(user))
    session = refused.headers["Request-Id"]
    wait_for(lambda: of_session(server, session))
    assert of_session(server, session)[-1]["status"] == 404


def test_the_text_format_has_the_same_session_in_every_line(own_server):
    server = own_server
    user = server.add_user("alice")
    deliver_lmtp(server, user, MESSAGE)
    raw = logged_in(server, user)
    raw.command("a2", "SELECT INBOX")
    header = b"".join(raw.command("a3", "FETCH 1 BODY[HEADER]")).decode()
    session = re.search(r"\bid ([0-9a-f]{16})\b", header).group(1)
    wait_for(lambda: any("connection ended" in line and f"session={session}" in line for line in server.log_text().splitlines()))
    (delivery,) = [line for line in server.log_text().splitlines() if " delivery " in line and user in line]
    assert f"session={session}" in delivery
