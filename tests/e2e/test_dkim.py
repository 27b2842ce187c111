"""Signatures on what leaves, verified by dkimpy with the records that the server prints; and what is published, by a real DNS server."""

import email
import smtplib

import dkim
import pytest

from sink import queue_is_empty, route, settings
from waxwing import DOMAIN, PASSWORD, PATIENCE, Server
from zone import Zone

MESSAGE = (
    "From: Anna <anna@example.test>\r\nTo: ok@sink.test\r\nSubject: grüße\r\n  aus Köln\r\nDate: Fri, 27 Nov 2026 10:00:00 +0000\r\n"
    "Message-ID: <1@example.test>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
    "Content-Transfer-Encoding: 8bit\r\n\r\n.dot\r\nübergroß  \r\nno end\r\n\r\n\r\n"
).encode()


@pytest.fixture
def zone():
    z = Zone().start()
    yield z
    z.stop()


@pytest.fixture
def server(zone, sink):
    s = Server(extra_config=zone.settings() + settings(route("sink.test", sink))).start()
    s.add_user("anna")
    yield s
    s.destroy()


def submit(server, recipient, message=MESSAGE):
    with smtplib.SMTP_SSL("localhost", server.ports["submissions"], timeout=PATIENCE, context=server.tls_context()) as client:
        client.login(f"anna@{DOMAIN}", PASSWORD)
        client.sendmail(f"anna@{DOMAIN}", [recipient], message, mail_options=["BODY=8BITMIME"])


def signatures(message):
    return [field for name, field in email.message_from_bytes(message).items() if name == "DKIM-Signature"]


def verified(message, keys):
    """How many signatures there are; every one must verify, with what the server wants published and nothing else."""
    records = {key["record"]["name"] + ".": key["record"]["value"].encode() for key in keys}
    count = len(signatures(message))
    for index in range(count):
        checker = dkim.DKIM(message)
        assert checker.verify(idx=index, dnsfunc=lambda name, timeout=5: records[name.decode()]), signatures(message)[index]
    return count


def create(server, *options):
    return server.json("domain", "dkim", DOMAIN, "create", *options)


def test_what_somebody_submits_leaves_with_a_signature_of_each_kind(server, sink):
    submit(server, "ok@sink.test")
    keys = create(server)
    assert sorted(key["algorithm"] for key in keys) == ["ed25519", "rsa2048"]
    submit(server, "ok@sink.test")
    queue_is_empty(server)
    before, after = (taken.content for taken in sink.taken)
    assert signatures(before) == []
    assert verified(after, keys) == 2
    kinds = {dict(t.strip().split("=", 1) for t in s.split(";") if "=" in t)["a"] for s in signatures(after)}
    assert kinds == {"rsa-sha256", "ed25519-sha256"}


def test_a_changed_message_is_known(server, sink):
    keys = create(server)
    submit(server, "ok@sink.test")
    queue_is_empty(server)
    with pytest.raises((AssertionError, dkim.DKIMException)):
        verified(sink.taken[0].content.replace(b"no end", b"no End"), keys)
    with pytest.raises((AssertionError, dkim.DKIMException)):
        verified(sink.taken[0].content.replace(b"To: ok", b"From: x@example.test\r\nTo: ok"), keys)


def test_lone_line_ends_are_signed_as_they_leave(server, sink):
    keys = create(server)
    raw = server.raw("submissions")
    raw.until("220 ")
    token = __import__("base64").b64encode(f"\0anna@{DOMAIN}\0{PASSWORD}".encode()).decode()
    size = len(body := b"From: anna@example.test\nSubject: a\n\none\ntwo\rthree\r\n")
    for command, reply in (
        ("EHLO client.test", "250 "),
        (f"AUTH PLAIN {token}", "235 "),
        (f"MAIL FROM:<anna@{DOMAIN}>", "250 "),
        ("RCPT TO:<ok@sink.test>", "250 "),
    ):
        raw.send(command + "\r\n")
        raw.until(reply)
    raw.send(f"BDAT {size} LAST\r\n".encode() + body)
    raw.until("250 ")
    raw.close()
    queue_is_empty(server)
    assert verified(sink.taken[0].content, keys) == 2


def test_a_message_of_several_pieces_is_signed_whole(server, sink):
    keys = create(server, "--algorithm", "ed25519")
    lines = b"".join(b"%06d " % number + b"x" * 60 + b"\r\n" for number in range(12_000))
    submit(server, "ok@sink.test", MESSAGE + lines)
    queue_is_empty(server)
    assert len(sink.taken[0].content) > 3 * 256 * 1024 and verified(sink.taken[0].content, keys) == 1


def test_a_group_and_a_mailbox_here_get_it_signed_too(server, sink):
    keys = create(server)
    server.cli("group", "add", f"all@{DOMAIN}", f"anna@{DOMAIN}", "ok@sink.test")
    submit(server, f"all@{DOMAIN}")
    queue_is_empty(server)
    assert verified(sink.taken[0].content, keys) == 2
    client = server.imap(f"anna@{DOMAIN}")
    client.select("INBOX")
    stored = client.fetch("1", "(BODY[])")[1][0][1]
    client.logout()
    assert verified(stored, keys) == 2


def test_what_only_claims_to_be_ours_is_sent_on_without_our_signature(server, sink):
    create(server)
    server.cli("alias", "add", f"away@{DOMAIN}", "ok@sink.test")
    with smtplib.SMTP("localhost", server.ports["smtp"], timeout=PATIENCE) as client:
        client.sendmail(f"anna@{DOMAIN}", [f"away@{DOMAIN}"], MESSAGE, mail_options=["BODY=8BITMIME"])
    queue_is_empty(server)
    assert signatures(sink.taken[0].content) == []


def test_a_report_is_signed_for_the_domain_of_this_server(server, sink):
    keys = create(server)
    server.cli("alias", "add", f"away@{DOMAIN}", "never@sink.test")
    with smtplib.SMTP("localhost", server.ports["smtp"], timeout=PATIENCE) as client:
        client.sendmail("ok@sink.test", [f"away@{DOMAIN}"], MESSAGE, mail_options=["BODY=8BITMIME"])
    queue_is_empty(server)
    (report,) = sink.taken
    assert report.sender in ("", "<>") and verified(report.content, keys) == 2


def test_the_next_key_signs_once_its_record_is_published(server, sink, zone):
    (old,) = create(server, "--algorithm", "ed25519", "--selector", "old")
    zone.txt(old["record"]["name"], old["record"]["value"])
    (new,) = server.json("domain", "dkim", DOMAIN, "rotate")
    refused = server.cli("domain", "dkim", DOMAIN, "rotate", check=False)
    assert refused.returncode == 1 and new["record"]["name"] in refused.stderr
    submit(server, "ok@sink.test")
    zone.txt(new["record"]["name"], new["record"]["value"])
    shown = server.json("domain", "dkim", DOMAIN)
    assert [key["record"]["state"] for key in shown] == ["ok", "ok"]
    rotated = server.json("domain", "dkim", DOMAIN, "rotate")
    assert {key["selector"]: key["state"] for key in rotated} == {"old": "retired", new["selector"]: "active"}
    submit(server, "ok@sink.test")
    queue_is_empty(server)
    selectors = [s for taken in sink.taken for s in signatures(taken.content)]
    assert "s=old" in selectors[0] and f"s={new['selector']}" in selectors[1]
    assert [verified(taken.content, rotated) for taken in sink.taken] == [1, 1]
    server.cli("domain", "dkim", DOMAIN, "remove", "--selector", "old")
    assert [key["selector"] for key in server.json("domain", "dkim", DOMAIN, "list")] == [new["selector"]]


def test_keys_survive_a_restart_and_a_wrong_record_is_told(server, sink, zone):
    keys = create(server)
    for key in keys:
        zone.txt(key["record"]["name"], key["record"]["value"].replace("p=", "p=AAAA"))
    shown = server.cli("domain", "dkim", DOMAIN, "show", check=False)
    assert shown.returncode == 1 and "WRONG" in shown.stdout
    assert server.stop() == 0
    server.start()
    submit(server, "ok@sink.test")
    queue_is_empty(server)
    assert verified(sink.taken[0].content, keys) == 2


def test_what_a_domain_publishes_can_be_put_into_a_zone_as_it_is_printed(server, zone):
    create(server)
    missing = server.cli("domain", "dns", DOMAIN, "--check", check=False)
    assert missing.returncode == 1 and "NOT PUBLISHED" in missing.stdout
    zone.add(server.cli("domain", "dns", DOMAIN).stdout)
    rows = server.json("domain", "dns", DOMAIN, "--check")
    assert {row["state"] for row in rows} == {"ok"}
    names = {row["name"] for row in rows}
    for name in ("_dmarc", "_smtp._tls", "_mta-sts", "_imaps._tcp", "_submissions._tcp", "_pop3s._tcp", "_sieve._tcp", "autoconfig"):
        assert f"{name}.{DOMAIN}" in names
    (mx,) = [row for row in rows if row["kind"] == "MX"]
    assert mx["value"] == f"10 mx.{DOMAIN}"
