"""Mail from other servers: what SPF, DKIM, DMARC and ARC say about it, with a real DNS server and messages that dkimpy has signed."""

import email
import email.policy
import re
import smtplib
import time

import authres
import dkim
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from sink import queue_is_empty, route, settings
from waxwing import DOMAIN, PATIENCE, Server
from zone import Zone

NAME = f"mx.{DOMAIN}"
MESSAGE = (
    b"From: Bob <bob@sender.test>\r\nTo: anna@example.test\r\nSubject: hello\r\nDate: Fri, 27 Nov 2026 10:00:00 +0000\r\n"
    b"Message-ID: <1@sender.test>\r\n\r\nhello\r\n"
)
# What is published for 127.0.0.1, from where all tests send.
RECORDS = """\
pass.test. IN TXT "v=spf1 ip4:127.0.0.1 -all"
fail.test. IN TXT "v=spf1 ip4:192.0.2.1 -all"
helo.test. IN TXT "v=spf1 a -all"
helo.test. IN A 127.0.0.1
1.0.0.127.in-addr.arpa. IN PTR helo.test.
loops.test. IN TXT "v=spf1 include:loops.test -all"
sender.test. IN TXT "v=spf1 ip4:192.0.2.1 -all"
"""


class Signer:
    """A key of sender.test, and messages signed with it by dkimpy."""

    def __init__(self, zone, domain="sender.test", selector="s"):
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.domain, self.selector = domain.encode(), selector.encode()
        self.pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
        )
        public = key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        record = f"v=DKIM1; k=rsa; p={__import__('base64').b64encode(public).decode()}"
        zone.txt(f"{selector}._domainkey.{domain}", record)

    def signed(self, message=MESSAGE):
        return dkim.sign(message, self.selector, self.domain, self.pem) + message


@pytest.fixture
def zone():
    z = Zone(RECORDS).start()
    yield z
    z.stop()


@pytest.fixture
def house(zone, sink):
    """Makes servers whose `[authentication]` is what a test says."""
    servers = []

    def make(keys='mode = "enforce"\n'):
        authentication = f"[authentication]\nunchecked_from = []\ntimeout_seconds = 3\n{keys}"
        s = Server(extra_config=zone.settings() + authentication + settings(route("sink.test", sink))).start()
        servers.append(s)
        s.add_user("anna")
        return s

    yield make
    for s in servers:
        s.destroy()


def send(server, sender, message, helo="helo.test", recipient=f"anna@{DOMAIN}"):
    """The answer to the end of the message."""
    with smtplib.SMTP("localhost", server.ports["smtp"], timeout=PATIENCE, local_hostname=helo) as client:
        client.ehlo()
        code, said = client.mail(sender)
        assert code == 250, said
        code, said = client.rcpt(recipient)
        assert code == 250, said
        return client.data(message)


def folder(server, name="INBOX"):
    client = server.imap(f"anna@{DOMAIN}")
    status, found = client.select(name)
    messages = []
    if status == "OK":
        messages = [client.fetch(str(at + 1), "(BODY[])")[1][0][1] for at in range(int(found[0]))]
    client.logout()
    return messages


def results(message, name=NAME):
    """method -> results of the one field that is ours, read by authres."""
    fields = email.message_from_bytes(message, policy=email.policy.compat32).get_all("Authentication-Results") or []
    ours = [authres.AuthenticationResultsHeader.parse_value(re.sub(r"\s+", " ", field)) for field in fields]
    (field,) = [field for field in ours if field.authserv_id == name]
    found = {}
    for result in field.results:
        found.setdefault(result.method, []).append(result.result)
    return found


def test_what_a_signed_message_of_its_own_server_is_found_to_be(house, zone):
    signer = Signer(zone)
    zone.add('_dmarc.sender.test. IN TXT "v=DMARC1; p=reject"')
    server = house()
    assert send(server, "bob@pass.test", signer.signed())[0] == 250
    (stored,) = folder(server)
    assert results(stored) == {
        "iprev": ["pass"], "spf": ["pass", "pass"], "dkim": ["pass"], "dmarc": ["pass"],
    }  # fmt: skip


def test_a_policy_of_reject_refuses_what_only_claims_to_be_of_a_domain(house, zone):
    signer = Signer(zone)
    zone.add('_dmarc.sender.test. IN TXT "v=DMARC1; p=reject"')
    server = house()
    code, said = send(server, "bob@pass.test", MESSAGE)
    assert code == 550 and b"5.7.26" in said and b"sender.test" in said
    code, _ = send(server, "bob@fail.test", signer.signed().replace(b"hello\r\n", b"hallo\r\n"))
    assert code == 550
    assert folder(server) == []


def test_a_policy_of_quarantine_is_junk_with_a_reason(house, zone):
    zone.add('_dmarc.sender.test. IN TXT "v=DMARC1; p=quarantine"')
    server = house()
    assert send(server, "bob@fail.test", MESSAGE)[0] == 250
    assert folder(server) == []
    (junk,) = folder(server, "Junk")
    assert email.message_from_bytes(junk)["X-Quarantine-Reason"] == "the DMARC policy of sender.test"
    assert results(junk)["spf"] == ["pass", "fail"] and results(junk)["dmarc"] == ["fail"]


@pytest.mark.parametrize("mode", ["check", "off"])
def test_where_policies_are_not_enforced_everything_arrives(house, zone, mode):
    zone.add('_dmarc.sender.test. IN TXT "v=DMARC1; p=reject"')
    server = house(f'mode = "{mode}"\nname = "{DOMAIN}"\n')
    forged = f"Authentication-Results: {DOMAIN}; dmarc=pass\r\n".encode()
    other = b"Authentication-Results: elsewhere.test; dmarc=pass\r\n"
    assert send(server, "bob@fail.test", forged + other + MESSAGE)[0] == 250
    (stored,) = folder(server)
    assert b"elsewhere.test; dmarc=pass" in stored and forged not in stored
    if mode == "check":
        assert results(stored, DOMAIN)["dmarc"] == ["fail"]


def test_dns_that_fails_is_a_temporary_error_and_no_reason_to_refuse(house, zone):
    signer = Signer(zone)
    zone.add('_dmarc.sender.test. IN TXT "v=DMARC1; p=reject"')
    zone.broken |= {"fail.test", "s._domainkey.sender.test"}
    server = house()
    assert send(server, "bob@fail.test", signer.signed())[0] == 250
    (stored,) = folder(server)
    found = results(stored)
    assert found["spf"][1] == "temperror" and found["dkim"] == ["temperror"]
    assert found["dmarc"] == ["temperror"]


def test_a_dns_server_that_is_silent_holds_nobody_up_for_long(house, zone):
    server = house()
    zone.stop()
    began = time.monotonic()
    assert send(server, "bob@pass.test", MESSAGE)[0] == 250
    assert time.monotonic() - began < 30
    assert results(folder(server)[0])["spf"] == ["temperror", "temperror"]


def test_a_record_that_includes_itself_has_an_end(house, zone):
    server = house()
    assert send(server, "bob@loops.test", MESSAGE)[0] == 250
    assert results(folder(server)[0])["spf"][1] == "permerror"
    assert len([name for name, kind in zone.asked if name == "loops.test." and kind == "TXT"]) < 30


def test_the_null_sender_is_checked_by_its_helo(house, zone):
    server = house()
    assert send(server, "", MESSAGE)[0] == 250
    assert results(folder(server)[0])["spf"] == ["pass"]


def test_lmtp_and_people_who_are_logged_in_are_not_checked(house):
    from waxwing import PASSWORD, deliver_lmtp

    server = house()
    deliver_lmtp(server, f"anna@{DOMAIN}", MESSAGE)
    with smtplib.SMTP_SSL("localhost", server.ports["submissions"], timeout=PATIENCE, context=server.tls_context()) as client:
        client.login(f"anna@{DOMAIN}", PASSWORD)
        message = MESSAGE.replace(b"bob@sender.test", f"anna@{DOMAIN}".encode())
        client.sendmail(f"anna@{DOMAIN}", [f"anna@{DOMAIN}"], message)
    for stored in folder(server):
        assert b"Authentication-Results" not in stored


def test_what_is_sent_on_is_sealed_so_that_the_next_server_knows_what_it_was(house, zone, sink):
    signer = Signer(zone)
    server = house()
    keys = server.json("domain", "dkim", DOMAIN, "create", "--algorithm", "rsa2048")
    zone.txt(keys[0]["record"]["name"], keys[0]["record"]["value"])
    server.cli("alias", "add", f"away@{DOMAIN}", "ok@sink.test")
    assert send(server, "bob@pass.test", signer.signed(), recipient=f"away@{DOMAIN}")[0] == 250
    queue_is_empty(server)
    (taken,) = sink.taken
    fields = email.message_from_bytes(taken.content)
    assert "dkim=pass" in fields["ARC-Authentication-Results"] and "i=1" in fields["ARC-Authentication-Results"]

    def published(name, timeout=5):
        found = [record for record in zone.records if str(record.rname) == name.decode()]
        return b"".join(b"".join(record.rdata.data) for record in found) if found else None

    status, sets, reason = dkim.ARC(taken.content).verify(dnsfunc=published)
    assert status == dkim.CV_Pass, (reason, sets)
    # The author's own signature holds as well.
    assert dkim.verify(taken.content, dnsfunc=published)


def test_a_chain_grows_and_a_trusted_sealer_saves_what_dmarc_would_refuse(house, zone, sink):
    signer, lists = Signer(zone), Signer(zone, "lists.test", "l")
    zone.add('_dmarc.sender.test. IN TXT "v=DMARC1; p=reject"')
    changed = signer.signed().replace(b"Subject: hello", b"Subject: [list] hello")
    heard = b"Authentication-Results: lists.test; dkim=pass header.d=sender.test; dmarc=pass header.from=sender.test\r\n"
    sealed = b"".join(dkim.arc_sign(heard + changed, lists.selector, lists.domain, lists.pem, b"lists.test")) + heard + changed
    strict = house()
    assert send(strict, "list@fail.test", sealed)[0] == 550
    server = house('mode = "enforce"\ntrusted_sealers = ["lists.test"]\n')
    keys = server.json("domain", "dkim", DOMAIN, "create", "--algorithm", "rsa2048")
    zone.txt(keys[0]["record"]["name"], keys[0]["record"]["value"])
    server.cli("alias", "add", f"away@{DOMAIN}", "ok@sink.test")
    assert send(server, "list@fail.test", sealed)[0] == 250
    found = results(folder(server)[0])
    assert found["arc"] == ["pass"] and found["dmarc"] == ["fail"]
    assert send(server, "list@fail.test", sealed, recipient=f"away@{DOMAIN}")[0] == 250
    queue_is_empty(server)
    assert b"i=2; " in sink.taken[0].content and b"cv=pass" in sink.taken[0].content


def test_two_authors_are_refused(house):
    server = house()
    code, said = send(server, "bob@pass.test", b"From: eve@evil.test\r\n" + MESSAGE)
    assert code == 550 and b"From" in said
