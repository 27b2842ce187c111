"""What an operator types, and what a browser sees."""

import base64
import http.client
import json
import mailbox
import os
import signal
import ssl
import subprocess
import time

import pytest

from corpus import generated
from waxwing import BINARY, DOMAIN, PASSWORD, deliver_lmtp

MESSAGE = b"Subject: one\r\n\r\nbody\r\n"


def test_users_and_domains_are_added_listed_and_removed_while_the_server_runs(server):
    server.cli("domain", "add", "second.test")
    assert "second.test" in [d["name"] for d in server.json("domain", "list")]
    server.cli("user", "add", "carol@second.test", "--password-stdin", stdin=PASSWORD + "\n")
    assert "carol@second.test" in [u["address"] for u in server.json("user", "list")]
    assert server.imap("carol@second.test").noop()[0] == "OK"
    server.cli("user", "passwd", "carol@second.test", "--password-stdin", stdin="another one\n")
    client = server.imap()
    with pytest.raises(client.error):
        client.login("carol@second.test", PASSWORD)
    assert server.cli("domain", "remove", "second.test", check=False).returncode != 0, "it still has a user"
    server.cli("user", "remove", "carol@second.test", "--yes")
    server.cli("domain", "remove", "second.test")
    assert "second.test" not in [d["name"] for d in server.json("domain", "list")]
    missing = server.cli("user", "add", "dave@nowhere.test", "--password-stdin", stdin="x y z w\n", check=False)
    assert missing.returncode != 0 and "domain add nowhere.test" in missing.stderr


def test_an_unknown_key_of_the_configuration_is_named_with_its_neighbour(tmp_path):
    config = tmp_path / "waxwing.toml"
    config.write_text('data_dir = "x"\nhost_nam = "mx.example.test"\n')
    done = subprocess.run([str(BINARY), "--config", str(config), "config", "check"], capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "host_nam" in done.stderr and "did you mean" in done.stderr and "host_name" in done.stderr


@pytest.mark.parametrize("form", ["mbox", "maildir", "eml"])
def test_an_import_brings_everything_once(server, user, tmp_path, form):
    messages = generated(60, seed=len(form))
    if form == "mbox":
        source = tmp_path / "mail.mbox"
        box = mailbox.mbox(source)
        for m in messages:
            box.add(mailbox.mboxMessage(m.replace(b"\r\n", b"\n")))
        box.close()
    elif form == "maildir":
        source = tmp_path / "Maildir"
        box = mailbox.Maildir(source)
        for n, m in enumerate(messages):
            message = mailbox.MaildirMessage(m)
            message.set_subdir("cur")
            message.set_flags("S" if n % 2 else "")
            (box if n < 40 else box.get_folder("Sub") if "Sub" in box.list_folders() else box.add_folder("Sub")).add(message)
    else:
        source = tmp_path / "eml"
        source.mkdir()
        for n, m in enumerate(messages):
            (source / f"{n}.eml").write_bytes(m)
    for _ in range(2):
        server.cli("import", "--user", user, str(source))
    client = server.imap(user)
    total = 0
    for row in client.list()[1]:
        name = row.decode().split(' "/" ')[1]
        total += int(client.select(name, readonly=True)[1][0])
    assert total == 60
    if form == "maildir":
        client.select("INBOX", readonly=True)
        assert len(client.search(None, "SEEN")[1][0].split()) == 20


def test_mail_survives_a_restart_and_a_kill(own_server):
    server = own_server
    user = server.add_user("alice")
    for _ in range(5):
        deliver_lmtp(server, user, MESSAGE)
    server.stop(signal.SIGKILL)
    server.start()
    client = server.imap(user)
    assert client.select("INBOX") == ("OK", [b"5"])
    deliver_lmtp(server, user, MESSAGE)
    assert server.stop() == 0
    offline = server.json("mailbox", "check", user)
    report = offline[0] if isinstance(offline, list) else offline
    assert report["findings"] == []
    server.start()
    assert server.imap(user).select("INBOX") == ("OK", [b"6"])


def test_check_finds_and_repairs_a_blob_that_is_gone(own_server):
    server = own_server
    user = server.add_user("alice")
    client = server.imap(user)
    big = b"Subject: big\r\n\r\n" + os.urandom(200_000).hex().encode() + b"\r\n"
    client.append("INBOX", None, None, big)
    client.append("INBOX", None, None, MESSAGE)
    server.stop()
    blobs = [p for p in server.data.rglob("blobs/**/*") if p.is_file()]
    assert len(blobs) == 1
    blobs[0].unlink()
    assert server.cli("mailbox", "check", user, check=False).returncode != 0
    server.cli("mailbox", "check", user, "--repair", check=False)
    server.start()
    client = server.imap(user)
    assert client.select("INBOX")[0] == "OK"
    assert client.search(None, "SUBJECT", "one")[1][0] != b""


def http_request(server, path, headers=None, method="GET", body=None):
    connection = http.client.HTTPSConnection("localhost", server.ports["https"], context=server.tls_context(), timeout=30)
    connection.request(method, path, body=body, headers=headers or {})
    return connection.getresponse()


def basic(user):
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{PASSWORD}".encode()).decode()}


def test_the_status_page_is_served_over_both_http_versions(server):
    response = http_request(server, "/status")
    assert response.status == 200 and b"Waxwing" in response.read()
    assert http_request(server, "/STATUS", method="HEAD").status == 200
    assert http_request(server, "/nowhere").status == 404
    out = subprocess.run(
        ["curl", "-sS", "--http2", "--cacert", server.ca, "-w", "%{http_version} %{http_code}", "-o", os.devnull, f"https://localhost:{server.ports['https']}/status"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert out.stdout == "2 200"


def test_what_does_not_hold_together_in_the_configuration_is_told_in_json_too(tmp_path):
    config = tmp_path / "waxwing.toml"
    listener = '[[listener]]\nname = "{}"\nprotocol = "imap"\naddress = "127.0.0.1:143"\n'
    config.write_text(listener.format("a") + listener.format("b"))
    done = subprocess.run([str(BINARY), "--config", str(config), "config", "check", "--json"], capture_output=True, text=True)
    assert done.returncode == 1
    assert "same address" in json.loads(done.stdout)["problems"][0]


@pytest.mark.parametrize("path, status", [("status", "200"), ("events", "401"), ("nowhere", "404")])
@pytest.mark.parametrize("version", ["--http1.1", "--http2"])
def test_head_is_answered_without_a_body_whatever_the_answer_is(server, path, status, version):
    out = subprocess.run(
        ["curl", "-sS", version, "--head", "--cacert", server.ca, f"https://localhost:{server.ports['https']}/{path}"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert out.stdout.split()[1] == status and "content-length: 0" not in out.stdout.lower()


def test_events_ask_for_a_password_then_park_and_wake_with_the_mail(server, user):
    refused = http_request(server, "/events")
    assert refused.status == 401 and refused.headers["WWW-Authenticate"].startswith("Basic")
    response = http_request(server, "/events", basic(user))
    assert response.status == 200 and response.headers["Content-Type"].startswith("text/event-stream")
    time.sleep(0.5)
    deliver_lmtp(server, user, MESSAGE)
    seen = b""
    deadline = time.monotonic() + 20
    while b"event: mail" not in seen or b"1" not in seen.split(b"event: mail")[-1].split(b"\n\n")[0]:
        assert time.monotonic() < deadline, seen
        seen += response.readline()
    response.close()


def test_a_new_certificate_is_served_without_a_restart(own_server):
    server = own_server

    def serial():
        sock = server.raw("imaps").sock
        return sock.getpeercert()["serialNumber"]

    first = serial()
    certificate, key = server.data / "tls" / "cert.pem", server.data / "tls" / "key.pem"
    ca_key = server.data / "tls" / "ca-key.pem"
    assert ca_key.exists(), "the local CA's key stands beside it"
    request, new_key = server.root / "r.pem", server.root / "k.pem"
    subprocess.run(["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", new_key, "-out", request, "-subj", "/CN=localhost"], check=True, capture_output=True)
    extensions = server.root / "ext"
    extensions.write_text("subjectAltName=DNS:localhost\nextendedKeyUsage=serverAuth\nauthorityKeyIdentifier=keyid,issuer\nsubjectKeyIdentifier=hash\nbasicConstraints=CA:FALSE\n")
    new_certificate = server.root / "c.pem"
    subprocess.run(["openssl", "x509", "-req", "-in", request, "-CA", server.ca, "-CAkey", ca_key, "-days", "30", "-extfile", extensions, "-out", new_certificate], check=True, capture_output=True)
    held = server.imap(server.add_user("alice"))
    key.write_bytes(new_key.read_bytes())
    certificate.write_bytes(new_certificate.read_bytes())
    server.process.send_signal(signal.SIGHUP)
    deadline = time.monotonic() + 20
    while serial() == first:
        assert time.monotonic() < deadline, "the new certificate was not taken up"
        time.sleep(0.2)
    assert held.noop()[0] == "OK"


def test_a_busy_port_is_named_with_the_key_that_changes_it(own_server):
    second = own_server.root / "second.toml"
    second.write_text(own_server.config.read_text().replace(str(own_server.data), str(own_server.root / "data2")))
    (own_server.root / "data2").mkdir()
    done = subprocess.run([str(BINARY), "--config", str(second), "serve"], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode != 0
    assert "address" in done.stderr and "127.0.0.1:" in done.stderr


def test_a_second_process_on_the_same_data_is_refused(own_server):
    done = subprocess.run([str(BINARY), "--config", str(own_server.config), "serve"], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode != 0 and "data" in done.stderr


def test_proxy_protocol_from_a_trusted_address_sets_the_client_address():
    from waxwing import Server

    server = Server(listener_extra='proxy_protocol_from = ["127.0.0.1"]')
    try:
        server.start()
        user = server.add_user("alice")
        raw = server.raw("smtp")
        raw.send(b"PROXY TCP4 192.0.2.7 127.0.0.1 4711 25\r\n")
        raw.until("220 ")
        raw.send(f"EHLO c.test\r\nMAIL FROM:<a@elsewhere.test>\r\nRCPT TO:<{user}>\r\nDATA\r\n")
        raw.until("354 ")
        raw.send(b"Subject: proxied\r\n\r\nx\r\n.\r\n")
        raw.until("250 2.")
        assert json.dumps(server.json("user", "list")).count("alice") >= 1
        inbox = server.raw("imaps", tls=False)
        inbox.send(b"PROXY TCP4 192.0.2.7 127.0.0.1 4711 993\r\n")
        inbox.sock = ssl.create_default_context(cafile=server.ca).wrap_socket(inbox.sock, server_hostname="localhost")
        inbox.file = inbox.sock.makefile("rb")
        inbox.until("* OK")
        inbox.command("a", f'LOGIN {user} "{PASSWORD}"')
        inbox.command("b", "SELECT INBOX")
        assert b"192.0.2.7" in b"".join(inbox.command("c", "FETCH 1 BODY[HEADER]"))
        assert DOMAIN in user
    finally:
        server.destroy()


def test_users_come_from_a_file(server, tmp_path):
    # Of "correct horse battery", at the least cost.
    known = "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$p15c/TOJ3ovY07sMZYG2VvFjxPpwKMT5GPQgPMRev2o"
    people = tmp_path / "people.txt"
    people.write_text(f"# everybody\numa@example.test:{{ARGON2ID}}{known}:Uma U\nvic@example.test\nwim@example.test:$6$a$b\n")
    done = server.cli("user", "add", "--from", str(people), "--json", check=False)
    assert done.returncode == 1
    told = json.loads(done.stdout)
    assert (told["added"], told["present"]) == (2, 0)
    assert [(problem["line"], problem["address"]) for problem in told["problems"]] == [(4, "wim@example.test")]
    assert server.imap("uma@example.test").noop()[0] == "OK"
    again = server.cli("user", "add", "--from", "-", stdin=people.read_text(), check=False)
    assert "0 users added, 2 there already, 1 failed" in again.stdout and "line 4: wim@example.test" in again.stdout
