"""Hooks in the mail flow, with swaks and smtplib: `examples/house-rules` does each thing that a hook may do, and, built with
`fault-injection`, fails as a message says."""

import email
import email.message
import smtplib
import subprocess
import threading

import pytest

from sink import Sink, queue_is_empty, route, settings
from test_faults import FAULTY
from test_swap import next_version, wait_for
from waxwing import DOMAIN, PACKAGES, PASSWORD, PATIENCE, Server, deliver_lmtp

MESSAGE = b"From: bob@sender.test\r\nTo: anna@example.test\r\nSubject: %s\r\n%s\r\na secret\r\n"
RULES = """
[plugin.house-rules.config]
reject_senders = ["mallory@sender.test"]
quarantine_names = [".exe"]
tag_word = "invoice"
tag = "[billing]"
stamp = "seen"
replace = "secret"
with = "******"
file_word = "newsletter"
file_into = "News/Today"
file_flag = "$News"
"""
LIMITS = """
[plugin.house-rules.limits]
cpu_per_turn_ms = 500
memory = 33554432
[plugin.house-rules.slo]
max_failures = 1000
"""


def message(subject=b"lunch", fields=b""):
    return MESSAGE % (subject, fields)


def attached(name):
    mail = email.message.EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "bob@sender.test", "anna@example.test", "look"
    mail.set_content("see there\n")
    mail.add_attachment(b"MZ", maintype="application", subtype="octet-stream", filename=name)
    return mail.as_bytes().replace(b"\n", b"\r\n")


def with_hook(server, package=PACKAGES / "house-rules"):
    server.cli("plugin", "load", str(package))
    server.cli("plugin", "activate", "house-rules")
    server.anna, server.carl = server.add_user("anna"), server.add_user("carl")
    return server


@pytest.fixture(scope="module")
def sink():
    s = Sink().start()
    yield s
    s.stop()


@pytest.fixture(scope="module")
def ruled(sink):
    s = Server(extra_config=settings(route("sink.test", sink)) + RULES).start()
    yield with_hook(s)
    s.destroy()


@pytest.fixture
def server(ruled, sink):
    """The same with a mailbox that nobody has used."""
    sink.taken.clear()
    ruled.number = getattr(ruled, "number", 0) + 1
    ruled.anna = ruled.add_user(f"anna{ruled.number}")
    return ruled


@pytest.fixture
def house():
    servers = []

    def make(keys, package=FAULTY / "house-rules"):
        config = f"[plugin.house-rules]\n{keys}\n" + LIMITS + RULES
        servers.append(Server(extra_config=config).start())
        return with_hook(servers[-1], package)

    yield make
    for s in servers:
        s.destroy()


def send(server, content, *recipients, sender="bob@sender.test"):
    with smtplib.SMTP("localhost", server.ports["smtp"], timeout=PATIENCE, local_hostname="helo.test") as client:
        client.ehlo()
        assert client.mail(sender)[0] == 250
        for recipient in recipients or (server.anna,):
            assert client.rcpt(recipient)[0] == 250
        return client.data(content)


def folder(server, user=None, name="INBOX"):
    client = server.imap(user or server.anna)
    status, found = client.select(name)
    count = int(found[0]) if status == "OK" else 0
    fetched = [client.fetch(str(at + 1), "(FLAGS BODY[])")[1][0] for at in range(count)]
    client.logout()
    return fetched


def stored(server, user=None, name="INBOX"):
    return [email.message_from_bytes(fetched[1]) for fetched in folder(server, user, name)]


def test_swaks_is_refused_by_its_address(server):
    def swaks(sender):
        return subprocess.run(
            ["swaks", "--server", "localhost", "--port", str(server.ports["smtp"]), "--from", sender, "--to", server.anna],
            capture_output=True, text=True, timeout=PATIENCE,
        )  # fmt: skip

    refused = swaks("mallory@sender.test")
    assert refused.returncode != 0 and "550 5.7.1 We do not take mail from you" in refused.stdout, refused.stdout
    assert swaks("bob@sender.test").returncode == 0
    assert len(folder(server)) == 1


def test_a_message_is_tagged_stamped_and_rewritten(server):
    assert send(server, message(b"your invoice"))[0] == 250
    (mail,) = stored(server)
    assert mail.get_all("Subject") == ["[billing] your invoice"] and mail["X-House-Rules"] == "seen"
    assert mail.get_payload() == "a ******\r\n"


def test_what_comes_over_lmtp_is_asked_about_too(server):
    deliver_lmtp(server, server.anna, message(b"your invoice"))
    assert stored(server)[0]["Subject"] == "[billing] your invoice"


def test_mail_is_filed_and_flagged(server):
    assert send(server, message(b"the newsletter"))[0] == 250
    assert folder(server) == []
    ((about, content),) = folder(server, name="News/Today")
    assert b"$News" in about and b"the newsletter" in content


def test_what_is_submitted_is_changed_before_it_is_signed(server, sink):
    server.cli("domain", "dkim", DOMAIN, "create", "--algorithm", "ed25519")
    with smtplib.SMTP_SSL("localhost", server.ports["submissions"], timeout=PATIENCE, context=server.tls_context()) as client:
        client.login(server.anna, PASSWORD)
        client.sendmail(server.anna, ["ok@sink.test"], message().replace(b"bob@sender.test", server.anna.encode()))
    queue_is_empty(server)
    (taken,) = sink.taken
    mail = email.message_from_bytes(taken.content)
    assert mail["X-House-Rules"] == "seen" and mail.get_payload() == "a ******\r\n"
    import dkim

    (key,) = server.json("domain", "dkim", DOMAIN, "list")
    assert dkim.verify(taken.content, dnsfunc=lambda name, timeout=5: key["record"]["value"].encode())


def quarantined(server):
    return [row for row in server.json("transport", "quarantine", "list") if server.anna in row["recipients"]]


def test_an_attachment_goes_into_quarantine_and_can_be_released(server):
    assert send(server, attached("invoice.EXE"))[0] == 250
    assert folder(server) == []
    (row,) = quarantined(server)
    assert row["hook"] == "house-rules" and row["stage"] == "on-message-in" and "invoice.EXE" in row["reason"]
    assert row["sender"] == "bob@sender.test" and row["recipients"] == [server.anna]
    shown = server.cli("transport", "quarantine", "show", str(row["id"])).stdout
    assert "invoice.EXE" in shown and "Subject: look" in shown
    server.cli("transport", "quarantine", "release", str(row["id"]))
    (mail,) = stored(server)
    assert [part.get_filename() for part in mail.walk()][-1] == "invoice.EXE"
    assert quarantined(server) == []


def test_what_is_deleted_from_quarantine_is_gone(server):
    assert send(server, attached("a.exe"))[0] == 250
    (row,) = quarantined(server)
    wrong = server.cli("transport", "quarantine", "delete", str(row["id"]), "999999", check=False)
    assert wrong.returncode == 1 and "no message 999999 is in quarantine" in wrong.stderr
    server.cli("transport", "quarantine", "delete", str(row["id"]))
    assert quarantined(server) == [] and folder(server) == []


def test_what_is_in_quarantine_survives_sigkill_and_is_bounded(house):
    server = house('on_failure = "open"', PACKAGES / "house-rules")
    assert send(server, attached("a.exe"))[0] == 250
    server.process.kill()
    server.process.wait()
    server.config.write_text(server.config.read_text() + "\n[transport]\nquarantine_messages = 1\n")
    server.start()
    (row,) = quarantined(server)
    assert send(server, attached("b.exe"))[0] == 452
    server.cli("transport", "quarantine", "release", str(row["id"]))
    assert len(folder(server)) == 1
    assert send(server, attached("b.exe"))[0] == 250


FAULTS = {"trap": "traps", "loop": "timeouts", "memory": "limits"}


def row(server, version):
    return next(row for row in server.json("plugin", "status", "house-rules") if row["version"] == version)


@pytest.mark.parametrize("keys, code", [("", 451), ('on_failure = "closed"', 451), ('on_failure = "open"', 250)])
def test_a_hook_that_fails_does_what_the_operator_says(house, keys, code):
    server = house(keys)
    for number, (fault, counter) in enumerate(FAULTS.items()):
        before = row(server, "0.1.0")[counter]
        assert send(server, message(fields=b"X-Fault: %s\r\n" % fault.encode()))[0] == code, fault
        assert row(server, "0.1.0")[counter] == before + 1, fault
        assert len(folder(server)) == (number + 1 if code == 250 else 0)
    assert send(server, message())[0] == 250
    assert stored(server)[-1]["X-House-Rules"] == "seen"
    assert 'hook="house-rules"' in server.log_text() or "hook=house-rules" in server.log_text()


def test_the_version_before_stands_in(house, tmp_path):
    server = house('on_failure = "previous"', PACKAGES / "house-rules")
    server.cli("plugin", "load", str(next_version(tmp_path, "house-rules", "99.0.1", FAULTY)))
    server.cli("plugin", "activate", "house-rules")
    assert send(server, message(fields=b"X-Fault: trap\r\n"))[0] == 250
    assert stored(server)[0]["X-House-Rules"] == "seen"
    assert row(server, "99.0.1")["traps"] == 1


def test_a_version_that_fails_too_much_is_taken_back(tmp_path):
    server = Server(extra_config="[plugin.house-rules.slo]\nmax_failures = 2\n" + RULES).start()
    try:
        with_hook(server)
        server.cli("plugin", "load", str(next_version(tmp_path, "house-rules", "99.0.1", FAULTY)))
        server.cli("plugin", "activate", "house-rules")
        for _ in range(3):
            assert send(server, message(fields=b"X-Fault: trap\r\n"))[0] in (451, 250)
        wait_for(lambda: row(server, "99.0.1")["state"] == "failed")
        assert send(server, message(fields=b"X-Fault: trap\r\n"))[0] == 250
    finally:
        server.destroy()


def test_a_hook_is_replaced_under_load_and_no_message_is_lost(server, tmp_path):
    answers, stopping = [], threading.Event()

    def load(number):
        count = 0
        while not stopping.is_set():
            answers.append(send(server, message(b"invoice %d-%d" % (number, count)))[0])
            count += 1

    senders = [threading.Thread(target=load, args=(number,)) for number in range(4)]
    for sender in senders:
        sender.start()
    for version in ("99.1.0", "99.2.0", "99.3.0"):
        before = len(answers)
        server.cli("plugin", "load", str(next_version(tmp_path, "house-rules", version)))
        server.cli("plugin", "activate", "house-rules", version)
        wait_for(lambda: len(answers) > before + 10, seconds=PATIENCE)
    stopping.set()
    for sender in senders:
        sender.join()
    assert set(answers) == {250}
    subjects = [mail["Subject"] for mail in stored(server)]
    assert len(subjects) == len(answers) == len(set(subjects))
    assert all(subject.startswith("[billing] ") for subject in subjects)
    assert row(server, "99.3.0")["state"] == "active" and row(server, "99.3.0")["turns"] > 0


def test_hooks_are_asked_by_their_priority(tmp_path):
    second = next_version(tmp_path, "house-rules", "0.1.1")
    manifest = second / "plugin.toml"
    manifest.write_text(manifest.read_text().replace('name = "house-rules"', 'name = "second-rules"'))
    config = (
        '[plugin.house-rules]\npriority = 20\n[plugin.house-rules.config]\ntag_word = "[first]"\ntag = "[second]"\n'
        '[plugin.second-rules]\npriority = 10\n[plugin.second-rules.config]\ntag_word = "x"\ntag = "[first]"\n'
    )
    server = Server(extra_config=config).start()
    try:
        with_hook(server)
        server.cli("plugin", "load", str(second))
        server.cli("plugin", "activate", "second-rules")
        assert send(server, message(b"x"))[0] == 250
        assert stored(server)[0]["Subject"] == "[second] [first] x"
    finally:
        server.destroy()


def explained(server, tmp_path, content, *arguments):
    path = tmp_path / "message.eml"
    path.write_bytes(content)
    return server.json("transport", "explain", str(path), *arguments)


def test_explain_tells_each_step_and_what_decides_and_delivers_nothing(server, tmp_path):
    server.cli("alias", "add", f"info-{server.anna}", server.anna)
    rows = explained(server, tmp_path, message(b"a newsletter with an invoice"), "--to", f"info-{server.anna}", "--offline")
    steps = [row["step"] for row in rows]
    assert steps == ["on-envelope", "authentication", "on-message-in", "recipient", "on-deliver", "script", "folder"]
    assert [(row["who"], row["answer"]) for row in rows if row["decides"]] == [(server.anna, "News/Today, flags $News")]
    assert "adds Subject: [billing] a newsletter" in rows[2]["answer"]
    assert folder(server) == folder(server, name="News/Today") == []
    real = send(server, message(b"a newsletter with an invoice"), f"info-{server.anna}")
    assert real[0] == 250 and len(folder(server, name="News/Today")) == 1


@pytest.mark.parametrize(
    "content, arguments, decides",
    [
        (message(), ["--from", "mallory@sender.test"], ("on-envelope", "refuses it: 550 5.7.1 We do not take mail from you")),
        (attached("a.exe"), [], ("on-message-in", "into quarantine: an attachment is called a.exe")),
        (message(), ["--to", "nobody@example.test"], ("recipient", "550 5.1.1 <nobody@example.test> does not exist here")),
    ],
)
def test_explain_names_what_stops_a_message(server, tmp_path, content, arguments, decides):
    if "--to" not in arguments:
        arguments = [*arguments, "--to", server.anna]
    rows = explained(server, tmp_path, content, *arguments)
    assert [(row["step"], row["answer"]) for row in rows if row["decides"]] == [decides]
    assert quarantined(server) == []


def test_explain_follows_what_is_submitted_as_a_table(server, tmp_path):
    path = tmp_path / "message.eml"
    path.write_bytes(message().replace(b"bob@sender.test", server.anna.encode()).replace(b"\r\n", b"\n"))
    table = server.cli("transport", "explain", str(path), "--submission", server.anna, "--to", "x@sink.test").stdout
    assert "on-message-out" in table and "to another server, by the queue" in table
    assert any(line.startswith("*") and "x@sink.test" in line for line in table.splitlines())
    other = server.cli("transport", "explain", str(path), "--submission", server.carl, "--to", "x@sink.test").stdout
    assert "550 5.7.1" in other
