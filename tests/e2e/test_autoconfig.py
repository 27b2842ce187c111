"""A person types an address and a password: what the plugin tells programs is enough to connect, and true.

The formats are read with Python's own parsers of XML and property lists, and what stands there is used with imaplib, poplib, smtplib and
python-caldav.
"""

import imaplib
import plistlib
import poplib
import smtplib
import urllib.error
import urllib.parse
import urllib.request
import xml.etree.ElementTree as ElementTree

import caldav
import pytest

from waxwing import DOMAIN, PASSWORD


@pytest.fixture
def fetch(server):
    def get(path, host="localhost", **query):
        url = f"https://localhost:{server.ports['https']}{path}?{urllib.parse.urlencode(query)}"
        request = urllib.request.Request(url, headers={"Host": host})
        with urllib.request.urlopen(request, context=server.tls_context(), timeout=60) as answer:
            return answer.headers["Content-Type"], answer.read()

    return get


def connect(server, kind, port, security, user):
    """Logs in as a program would that was told this much; the certificate is good for `localhost` here."""
    context, secure = server.tls_context(), security == "SSL"
    if kind == "imap":
        client = imaplib.IMAP4_SSL("localhost", port, ssl_context=context) if secure else imaplib.IMAP4("localhost", port)
        secure or client.starttls(context)
        assert client.login(user, PASSWORD)[0] == "OK"
        client.logout()
    elif kind == "pop3":
        client = poplib.POP3_SSL("localhost", port, context=context) if secure else poplib.POP3("localhost", port)
        secure or client.stls(context)
        client.user(user)
        assert client.pass_(PASSWORD).startswith(b"+OK")
        client.quit()
    else:
        client = smtplib.SMTP_SSL("localhost", port, context=context) if secure else smtplib.SMTP("localhost", port)
        secure or client.starttls(context=context)
        client.login(user, PASSWORD)
        client.quit()


def test_thunderbird_is_told_of_every_server_and_each_lets_the_person_in(server, user, fetch):
    kind, content = fetch("/mail/config-v1.1.xml", host=f"autoconfig.{DOMAIN}", emailaddress=user)
    assert kind.startswith("text/xml")
    provider = ElementTree.fromstring(content).find("emailProvider")
    assert provider.findtext("domain") == DOMAIN
    found = []
    for element in provider.findall("incomingServer") + provider.findall("outgoingServer"):
        assert element.findtext("hostname") == f"mx.{DOMAIN}"
        name = element.findtext("username").replace("%EMAILADDRESS%", user)
        row = element.get("type"), int(element.findtext("port")), element.findtext("socketType")
        connect(server, *row, name)
        found.append((row[0], row[2]))
    assert found == [(kind, tls) for kind in ("imap", "pop3", "smtp") for tls in ("SSL", "STARTTLS")]


def test_without_an_address_the_hosts_name_is_enough(fetch):
    path = "/.well-known/autoconfig/mail/config-v1.1.xml"
    assert DOMAIN.encode() in fetch(path, host=f"autoconfig.{DOMAIN}")[1]
    with pytest.raises(urllib.error.HTTPError) as refused:
        fetch(path)
    assert refused.value.code == 400


def test_an_apple_profile_sets_up_mail_calendars_and_contacts(server, user, fetch):
    kind, content = fetch("/setup/profile.mobileconfig", address=user)
    assert kind == "application/x-apple-aspen-config"
    profile = plistlib.loads(content)
    assert profile["PayloadType"] == "Configuration"
    parts = {part["PayloadType"]: part for part in profile["PayloadContent"]}
    assert len({part["PayloadUUID"] for part in parts.values()} | {profile["PayloadUUID"]}) == 4
    mail = parts["com.apple.mail.managed"]
    for prefix, kind in (("Incoming", "imap"), ("Outgoing", "smtp")):
        assert mail[f"{prefix}MailServerUseSSL"] is True
        connect(server, kind, mail[f"{prefix}MailServerPortNumber"], "SSL", mail[f"{prefix}MailServerUsername"])
    calendars = parts["com.apple.caldav.account"]
    # A device asks the well-known address of this host and port.
    url = f"https://localhost:{calendars['CalDAVPort']}/.well-known/caldav"
    client = caldav.DAVClient(url, username=calendars["CalDAVUsername"], password=PASSWORD, ssl_verify_cert=server.ca)
    assert client.principal().calendars()
    assert parts["com.apple.carddav.account"]["CardDAVPort"] == server.ports["https"]


def test_nobody_learns_who_has_an_account(user, fetch):
    for path, name in (("/mail/config-v1.1.xml", "emailaddress"), ("/setup", "address")):
        told = fetch(path, **{name: user})[1].decode()
        assert told.replace(urllib.parse.quote(user), "X").replace(user, "X") == fetch(path, **{name: f"nobody@{DOMAIN}"})[1].decode().replace(
            urllib.parse.quote(f"nobody@{DOMAIN}"), "X"
        ).replace(f"nobody@{DOMAIN}", "X")
        with pytest.raises(urllib.error.HTTPError) as refused:
            fetch(path, **{name: "anna@elsewhere.invalid"})
        assert refused.value.code == 404


def test_the_page_tells_a_person_what_to_type(server, user, fetch):
    kind, page = fetch("/setup", address=user)
    page = page.decode()
    assert kind.startswith("text/html") and "profile.mobileconfig" in page
    assert f"mx.{DOMAIN}, port {server.ports['imaps']}, TLS" in page and f"mx.{DOMAIN}, port {server.ports['submissions']}, TLS" in page
    assert str(server.ports["imap"]) not in page, "the best of each is enough"
