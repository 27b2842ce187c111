"""SCRAM-SHA-256 (RFC 7677) with a client written from the RFC, and with those of others."""

import base64
import hashlib
import hmac
import poplib
import subprocess

import pytest

from waxwing import PASSWORD


def mac(key, message):
    return hmac.digest(key, message, "sha256")


class Scram:
    """A client without channel binding; `signed` tells whether the server has proved itself."""

    def __init__(self, user, password, header=b"n,,"):
        self.password, self.header, self.signed = password.encode(), header, False
        self.bare = b"n=" + user.replace("=", "=3D").replace(",", "=2C").encode() + b",r=fyko+d2lbbFgONRv9qkxdawL"
        self.steps = [self.first, self.last, self.end]

    def answer(self, challenge):
        return self.steps.pop(0)(challenge)

    def first(self, _):
        return self.header + self.bare

    def last(self, challenge):
        fields = dict(field.split(b"=", 1) for field in challenge.split(b","))
        salted = hashlib.pbkdf2_hmac("sha256", self.password, base64.b64decode(fields[b"s"]), int(fields[b"i"]))
        without_proof = b"c=" + base64.b64encode(self.header) + b",r=" + fields[b"r"]
        whole = b",".join((self.bare, challenge, without_proof))
        key = mac(salted, b"Client Key")
        proof = bytes(a ^ b for a, b in zip(key, mac(hashlib.sha256(key).digest(), whole)))
        self.expected = b"v=" + base64.b64encode(mac(mac(salted, b"Server Key"), whole))
        return without_proof + b",p=" + base64.b64encode(proof)

    def end(self, challenge):
        self.signed = challenge == self.expected
        return b""


def imap_with(server, user, password, **more):
    client, scram = server.imap(), Scram(user, password, **more)
    assert "AUTH=SCRAM-SHA-256" in client.capabilities and "AUTH=SCRAM-SHA-256-PLUS" in client.capabilities
    client.authenticate("SCRAM-SHA-256", scram.answer)
    assert scram.signed
    return client


def test_a_password_is_proved_without_being_sent(server, user):
    client = imap_with(server, user, PASSWORD)
    assert client.select("INBOX") == ("OK", [b"0"])
    with pytest.raises(client.error, match="AUTHENTICATIONFAILED"):
        imap_with(server, user, "wrong")
    with pytest.raises(client.error, match="AUTHENTICATIONFAILED"):
        imap_with(server, "nobody@example.test", PASSWORD)


def test_an_app_password_and_a_new_password_are_proved_too(server, user):
    made = server.json("app-password", "add", user, "phone")
    imap_with(server, user, made["password"])
    server.cli("user", "passwd", user, "--password-stdin", stdin="quite another\n")
    imap_with(server, user, "quite another")
    imap_with(server, user, made["password"])
    with pytest.raises(Exception, match="AUTHENTICATIONFAILED"):
        imap_with(server, user, PASSWORD)


def test_a_list_of_mechanisms_that_somebody_has_cut_short_is_noticed(server, user):
    """The client can bind the channel and was not told that the server can."""
    with pytest.raises(Exception, match="AUTHENTICATIONFAILED"):
        imap_with(server, user, PASSWORD, header=b"y,,")


def test_pop3_takes_it_with_an_initial_response(server, user):
    client = poplib.POP3_SSL("localhost", server.ports["pop3s"], context=server.tls_context(), timeout=60)
    assert {"SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"} <= set(client.capa()["SASL"])
    scram = Scram(user, PASSWORD)
    client._putcmd("AUTH SCRAM-SHA-256 " + base64.b64encode(scram.answer(b"")).decode())
    for _ in range(2):
        line = client.file.readline()
        assert line.startswith(b"+ "), line
        client._putcmd(base64.b64encode(scram.answer(base64.b64decode(line[2:]))).decode())
    assert client._getresp().startswith(b"+OK Logged in") and scram.signed
    client.quit()


@pytest.mark.parametrize("mechanism,binding", [("SCRAM-SHA-256-PLUS", []), ("SCRAM-SHA-256", ["--no-cb"])])
@pytest.mark.parametrize("password", [PASSWORD, "wrong"])
def test_gsasl_binds_the_channel(server, user, mechanism, binding, password):
    done = subprocess.run(
        ["gsasl", *binding, "--client", "--imap", "--mechanism", mechanism, "--x509-ca-file", server.ca, "--authentication-id", user, "--authorization-id", user, "--password", password, "localhost", str(server.ports["imap"])],
        capture_output=True, timeout=300, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    out = (done.stdout + done.stderr).decode()
    assert f"AUTHENTICATE {mechanism}" in out, out
    assert ("Logged in" in out) == (password == PASSWORD), out
