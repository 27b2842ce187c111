"""What mailboxes may hold: said on the command line, shown and held to by every protocol."""

import smtplib

import imapclient
import pytest

from waxwing import PASSWORD, deliver_lmtp

MESSAGE = b"From: a@elsewhere.test\r\nSubject: one\r\n\r\n" + b"x" * 958 + b"\r\n"
assert len(MESSAGE) == 1000


@pytest.fixture
def client(server, user):
    client = imapclient.IMAPClient("localhost", server.ports["imaps"], ssl=True, ssl_context=server.tls_context())
    client.login(user, PASSWORD)
    yield client
    client.logout()


def limit(server, target, **limits):
    server.cli("quota", "set", target, *[f"--{name}={value}" for name, value in limits.items()])


def refusal(server, address):
    """What LMTP says to a message."""
    with smtplib.LMTP("localhost", server.ports["lmtp"]) as lmtp, pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        lmtp.sendmail("b@elsewhere.test", [address], MESSAGE)
    ((code, text),) = refused.value.recipients.values()
    return code, text.split()[0]


def test_a_client_sees_the_quota_and_how_much_is_used(server, user, client):
    assert client.has_capability("QUOTA") and client.has_capability("QUOTA=RES-STORAGE")
    assert client.get_quota_root("INBOX")[1] == []
    limit(server, user, storage="10K", messages=5)
    client.append("INBOX", MESSAGE)
    root, quotas = client.get_quota_root("INBOX")
    assert root.quota_roots == [""]
    assert {(q.resource, q.usage, q.limit) for q in quotas} == {("STORAGE", 1, 10), ("MESSAGE", 1, 5)}
    with pytest.raises(imapclient.exceptions.IMAPClientError, match="NOPERM"):
        client.set_quota([quotas[0]])


def test_a_full_mailbox_refuses_append_and_copy_and_says_so(server, user, client):
    limit(server, user, storage="2500")
    client.append("INBOX", MESSAGE)
    client.append("INBOX", MESSAGE)
    with pytest.raises(imapclient.exceptions.IMAPClientError, match="OVERQUOTA"):
        client.append("INBOX", MESSAGE)
    client.select_folder("INBOX")
    with pytest.raises(imapclient.exceptions.IMAPClientError, match="OVERQUOTA"):
        client.copy([1], "Trash")
    client.move([1], "Trash")
    client.select_folder("Trash")
    client.delete_messages([1])
    assert client.folder_status("Trash", ["DELETED-STORAGE", "DELETED"]) == {b"DELETED-STORAGE": 1000, b"DELETED": 1}
    client.expunge()
    client.append("INBOX", MESSAGE)


def test_mail_for_a_full_mailbox_is_refused_with_552_at_once(server, user, client):
    limit(server, user, messages=1)
    deliver_lmtp(server, user, MESSAGE)
    assert refusal(server, user) == (552, b"5.2.2")
    with smtplib.SMTP("localhost", server.ports["smtp"]) as smtp:
        smtp.ehlo("client.test")
        smtp.mail("b@elsewhere.test")
        code, text = smtp.rcpt(user)
        assert code == 552 and text.startswith(b"5.2.2")
        limit(server, user, messages="none", storage=4000)
        assert smtp.rcpt(user)[0] == 250
        smtp.rset()
        smtp.mail("b@elsewhere.test", ["SIZE=5000"])
        assert smtp.rcpt(user)[0] == 552
    assert client.select_folder("INBOX")[b"EXISTS"] == 1


def test_a_domain_has_a_quota_for_all_its_users_and_a_user_another(server, user):
    server.cli("domain", "add", "small.test")
    server.cli("quota", "set", "small.test", "--storage", "1M")
    for name in ("a@small.test", "b@small.test"):
        server.cli("user", "add", name, "--generate")
    limit(server, "b@small.test", storage="2M", messages=7)
    rows = {row["address"]: row for row in server.json("quota", "list", "small.test")}
    assert rows["a@small.test"]["storage_limit"] == 1 << 20 and rows["a@small.test"]["messages_limit"] is None
    assert (rows["b@small.test"]["storage_limit"], rows["b@small.test"]["messages_limit"]) == (2 << 20, 7)
    limit(server, "b@small.test", storage="domain")
    assert server.json("quota", "list", "b@small.test")[0]["storage_limit"] == 1 << 20
    assert "1.0 MB" in server.cli("quota", "list", "small.test").stdout
    server.cli("domain", "remove", "small.test", "--with-users", "--yes")
    assert server.cli("quota", "set", "nobody@small.test", "--storage=1M", check=False).returncode != 0


def test_a_quota_holds_after_a_restart(own_server):
    address = own_server.add_user("kept")
    own_server.cli("quota", "set", address, "--messages=0")
    own_server.stop()
    own_server.start()
    assert refusal(own_server, address) == (552, b"5.2.2")
