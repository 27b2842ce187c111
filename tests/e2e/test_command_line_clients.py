"""curl, mbsync, swaks, msmtp, smtp-source and imapflow: programs, not libraries."""

import json
import pathlib
import re
import subprocess

import pytest

from corpus import generated
from waxwing import PASSWORD

HERE = pathlib.Path(__file__).parent


def run(*command, stdin=None, timeout=300, cwd=None, env=None):
    done = subprocess.run([str(c) for c in command], input=stdin, capture_output=True, timeout=timeout, cwd=cwd, env=env)
    assert done.returncode == 0, f"{command}: {done.returncode}\n{done.stdout.decode()[-3000:]}\n{done.stderr.decode()[-3000:]}"
    return done.stdout


MESSAGE = b"From: a@elsewhere.test\r\nTo: b@example.test\r\nSubject: by hand\r\n\r\nhello\r\n"


@pytest.mark.parametrize("scheme", ["imaps", "imap"])
def test_curl_appends_lists_searches_and_fetches(server, user, tmp_path, scheme):
    (tmp_path / "m.eml").write_bytes(MESSAGE)
    base = f"{scheme}://localhost:{server.ports[scheme]}"
    curl = ["curl", "-sS", "--fail", "--ssl-reqd", "--cacert", server.ca, "-u", f"{user}:{PASSWORD}"]
    run(*curl, "-T", tmp_path / "m.eml", f"{base}/INBOX")
    assert run(*curl, f"{base}/INBOX/;UID=1") == MESSAGE
    assert run(*curl, f"{base}/INBOX/;UID=1/;SECTION=TEXT") == b"hello\r\n"
    assert b"* SEARCH 1" in run(*curl, f"{base}/INBOX?SUBJECT%20hand")
    assert b"INBOX" in run(*curl, f"{base}/")


def test_curl_sends_over_smtp_with_starttls(server, user, tmp_path):
    (tmp_path / "m.eml").write_bytes(MESSAGE)
    run(
        "curl", "-sS", "--ssl-reqd", "--cacert", server.ca, f"smtp://localhost:{server.ports['smtp']}/client.test",
        "--mail-from", "a@elsewhere.test", "--mail-rcpt", user, "-T", tmp_path / "m.eml",
    )  # fmt: skip
    client = server.imap(user)
    assert client.select("INBOX") == ("OK", [b"1"])
    body = client.fetch("1", "(BODY[])")[1][0][1]
    assert body.endswith(MESSAGE) and body.startswith(b"Return-Path: <a@elsewhere.test>\r\nReceived: from client.test ")


@pytest.mark.parametrize("arguments", [["--tls"], ["--tls-on-connect"], ["--protocol", "LMTP"], []])
def test_swaks_delivers_in_every_tls_mode(server, user, arguments):
    listener = {"--tls-on-connect": "smtps", "--protocol": "lmtp"}.get(arguments[0] if arguments else "", "smtp")
    out = run(
        "swaks", "--server", "localhost", "--port", server.ports[listener], "--from", "a@elsewhere.test", "--to", user,
        "--tls-ca-path", server.ca, "--header", "Subject: from swaks", "--body", ".leading dot\n..two\n.\nend", *arguments,
    )  # fmt: skip
    assert b"250 2." in out
    client = server.imap(user)
    client.select("INBOX")
    assert b".leading dot\r\n..two\r\n.\r\nend" in client.fetch("1", "(BODY[TEXT])")[1][0][1]


def test_msmtp_delivers(server, user, tmp_path):
    config = tmp_path / "msmtprc"
    config.write_text(
        f"account default\nhost localhost\nport {server.ports['smtp']}\ntls on\ntls_starttls on\ntls_trust_file {server.ca}\n"
        "from a@elsewhere.test\nauth off\n"
    )
    config.chmod(0o600)
    run("msmtp", "-C", config, user, stdin=MESSAGE.replace(b"\r\n", b"\n"))
    client = server.imap(user)
    assert client.select("INBOX") == ("OK", [b"1"])


@pytest.mark.parametrize("listener,flag", [("smtp", []), ("lmtp", ["-L"])])
def test_smtp_source_delivers_two_hundred_messages_on_ten_connections(server, user, listener, flag):
    run("/usr/sbin/smtp-source", *flag, "-s", "10", "-m", "200", "-l", "8000", "-f", "a@elsewhere.test", "-t", user,
        f"inet:127.0.0.1:{server.ports[listener]}")  # fmt: skip
    client = server.imap(user)
    assert client.select("INBOX") == ("OK", [b"200"])
    assert len(client.uid("SEARCH", "LARGER", "7000")[1][0].split()) == 200


def test_imapflow_works_through_a_mailbox(server, user):
    facts = {"port": server.ports["imaps"], "ca": server.ca, "user": user, "password": PASSWORD}
    out = run("node", HERE / "imapflow.mjs", json.dumps(facts))
    seen = json.loads(out.decode().splitlines()[-1])
    assert seen["exists"] == 3 and seen["subjects"] == ["one", "two ä", "three"]
    assert seen["source"].endswith("text three\r\n") and seen["flags"] == ["\\Flagged", "\\Seen"]
    assert seen["structure"] == "multipart/alternative" and seen["moved"] == 1 and seen["idleExists"] == 4


MBSYNC = """\
IMAPAccount waxwing
Host localhost
Port {port}
User {user}
Pass "{password}"
{tls_key} IMAPS
CertificateFile {ca}

IMAPStore far
Account waxwing

MaildirStore near
Path {root}/mail/
Inbox {root}/mail/INBOX
SubFolders Verbatim

Channel all
Far :far:
Near :near:
Patterns *
Create Both
Remove None
Expunge Both
SyncState *
"""


def flags_by_message_id(client, folder):
    client.select(folder, readonly=True)
    rows = client.uid("FETCH", "1:*", "(FLAGS BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])")[1]
    out = {}
    for row in rows:
        if isinstance(row, tuple):
            key = row[1].split(b":", 1)[1].strip()
            flags = row[0].split(b"FLAGS (")[1].split(b")")[0].split()
            out[key] = frozenset(f for f in flags if f in (rb"\Seen", rb"\Flagged", rb"\Answered"))
    return out


def maildir_flags(root):
    out = {}
    for f in list((root / "cur").iterdir()) + list((root / "new").iterdir()):
        header = f.read_bytes().split(b"\n\n")[0]
        key = next(l for l in header.splitlines() if l.lower().startswith(b"message-id:")).split(b":", 1)[1].strip()
        letters = f.name.split(":2,")[1] if ":2," in f.name else ""
        names = {"S": rb"\Seen", "F": rb"\Flagged", "R": rb"\Answered"}
        out[key] = frozenset(names[c] for c in letters if c in names)
    return out


def test_mbsync_syncs_two_thousand_messages_both_ways(server, user, tmp_path):
    mail = tmp_path / "mail"
    mail.mkdir()
    config = tmp_path / "mbsyncrc"
    # isync renamed the key in 1.5.
    version = run("mbsync", "--version").decode()
    tls_key = "SSLType" if re.search(r"\b1\.[0-4]\b", version) else "TLSType"
    config.write_text(MBSYNC.format(tls_key=tls_key, port=server.ports["imaps"], user=user, password=PASSWORD, ca=server.ca, root=tmp_path))
    messages = generated(2000)
    source = tmp_path / "mbox-source"
    for part in ("cur", "new", "tmp"):
        (source / part).mkdir(parents=True)
    for n, message in enumerate(messages[:1500]):
        (source / "cur" / f"{n}.host:2,{'S' if n % 3 == 0 else ''}").write_bytes(message)
    server.cli("import", "--user", user, str(source))
    mbsync = ["mbsync", "-c", config, "-a"]
    run(*mbsync)
    near = mail / "INBOX"
    assert len(maildir_flags(near)) == 1500
    # Changes on both sides: new mail and flags near, flags and an expunge far.
    for n, message in enumerate(messages[1500:]):
        (near / "new" / f"new{n}.host").write_bytes(message.replace(b"\r\n", b"\n"))
    touched = sorted((near / "cur").iterdir())[:50]
    for f in touched:
        base, letters = f.name.split(":2,")
        f.rename(f.with_name(f"{base}:2,{''.join(sorted(set(letters) | {'F'}))}"))
    client = server.imap(user)
    client.select("INBOX")
    client.uid("STORE", "1400:1449", "+FLAGS", r"(\Answered)")
    client.uid("STORE", "1450:1499", "+FLAGS", r"(\Deleted)")
    client.expunge()
    client.close()
    run(*mbsync)
    run(*mbsync)
    assert len(maildir_flags(near)) == 1950
    assert maildir_flags(near) == flags_by_message_id(client, "INBOX")
    assert sum(rb"\Flagged" in f for f in maildir_flags(near).values()) == 50
    assert sum(rb"\Answered" in f for f in maildir_flags(near).values()) == 50
    client.logout()
