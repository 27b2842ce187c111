"""MTA-STS (RFC 8461) and what a sender says of TLS (RFC 8689): real DNS, HTTPS and SMTP on loopback addresses, with the ports that the protocols have.

The next hops are aiosmtpd with certificates made by openssl; the policies come from Python's web server. Ports below 1024 need a privilege,
as those of Debian's programs do.
"""

import http.server
import smtplib
import ssl
import subprocess
import threading

import pytest

from sink import Sink, queue_is_empty, settings
from waxwing import DOMAIN, PASSWORD, PATIENCE, Server
from zone import Zone

REMOTE = "remote.test"
MX, WEB = "127.0.25.1", "127.0.25.2"
MESSAGE = b"From: anna@example.test\r\nTo: bob@remote.test\r\nSubject: secret\r\n\r\ntext\r\n"
POLICY = "version: STSv1\r\nmode: {mode}\r\nmx: {mx}\r\nmax_age: 86400\r\n"


def openssl(folder, *arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, cwd=folder)


class Authority:
    def __init__(self, folder):
        self.folder = folder
        self.file = folder / "authority.pem"
        openssl(folder, "req", "-x509", *self.key("authority"), "-days", "2", "-subj", "/CN=authority", "-out", self.file)

    @staticmethod
    def key(name):
        return "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", f"{name}.key"

    def server(self, name):
        """A TLS context whose certificate is good for a name."""
        folder = self.folder
        openssl(folder, "req", *self.key(name), "-subj", f"/CN={name}", "-out", f"{name}.csr")
        (folder / f"{name}.ext").write_text(f"subjectAltName=DNS:{name}\n")
        openssl(folder, "x509", "-req", "-in", f"{name}.csr", "-CA", self.file, "-CAkey", "authority.key", "-days", "2",
                "-extfile", f"{name}.ext", "-out", f"{name}.pem")  # fmt: skip
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / f"{name}.pem", folder / f"{name}.key")
        return context


class Web:
    """Answers every GET with `text`."""

    def __init__(self, context):
        self.text, self.status, self.asked = "", 200, []
        web = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                web.asked.append((self.headers["Host"], self.path))
                content = web.text.encode()
                self.send_response(web.status)
                self.send_header("Content-Type", "text/plain; charset=utf-8")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer((WEB, 443), Handler)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class House:
    """Our server, and a domain elsewhere with a policy."""

    def __init__(self, folder):
        self.authority = Authority(folder)
        self.zone = Zone(
            f"{REMOTE}. MX 10 mx.{REMOTE}.\nmx.{REMOTE}. A {MX}\nmta-sts.{REMOTE}. A {WEB}\n"
        ).txt(f"_mta-sts.{REMOTE}", "v=STSv1; id=1;").start()
        self.web = Web(self.authority.server(f"mta-sts.{REMOTE}"))
        self.sinks = []
        transport = settings(retry=(1,), more=f'ca_file = "{self.authority.file}"')
        self.server = Server(extra_config=transport + self.zone.settings())
        self.anna = self.server.add_user("anna")
        self.server.start()

    def mx(self, tls, knows_requiretls=False):
        for sink in self.sinks:
            sink.stop()
        self.sinks.append(Sink(tls=tls, port=25, host=MX, knows_requiretls=knows_requiretls).start())
        return self.sinks[-1]

    def policy(self, mode, mx):
        self.web.text = POLICY.format(mode=mode, mx=mx)

    def send(self, options=(), message=MESSAGE):
        with smtplib.SMTP_SSL("localhost", self.server.ports["submissions"], context=self.server.tls_context(), timeout=PATIENCE) as client:
            client.login(self.anna, PASSWORD)
            client.sendmail(self.anna, f"bob@{REMOTE}", message, mail_options=options)

    def report(self):
        """What anna is told of a message that was not delivered."""
        with self.server.imap(self.anna) as client:
            for _ in range(PATIENCE * 10):
                client.select("INBOX")
                found = client.search(None, "ALL")[1][0].split()
                if found:
                    return client.fetch(found[-1], "(BODY.PEEK[])")[1][0][1]
                threading.Event().wait(0.1)
        raise AssertionError("no report came")

    def waits_because(self, text):
        """The one message in the queue says so."""
        for _ in range(PATIENCE * 10):
            rows = self.server.json("queue", "list")
            assert rows, "the message left"
            said = str(rows)
            if text in said:
                return
            threading.Event().wait(0.1)
        raise AssertionError(said)

    def close(self):
        for sink in self.sinks:
            sink.stop()
        self.server.destroy()
        self.web.stop()
        self.zone.stop()


@pytest.fixture
def house(tmp_path):
    made = House(tmp_path)
    yield made
    log = made.server.log_text()
    made.close()
    assert "panicked" not in log


def test_a_host_that_proves_its_name_gets_the_mail_and_the_policy_is_asked_for_once(house):
    house.policy("enforce", f"*.{REMOTE}")
    sink = house.mx(house.authority.server(f"mx.{REMOTE}"))
    for _ in range(3):
        house.send()
    taken = sink.wait(3)
    queue_is_empty(house.server)
    assert all(message.encrypted for message in taken)
    assert house.web.asked == [(f"mta-sts.{REMOTE}", "/.well-known/mta-sts.txt")]


def test_a_host_that_cannot_prove_its_name_gets_nothing_until_it_can(house):
    house.policy("enforce", f"mx.{REMOTE}")
    wrong = house.mx(house.authority.server("mx.elsewhere.test"))
    house.send()
    house.waits_because("TLS failed")
    assert not wrong.taken
    plain = house.mx(None)
    house.server.cli("queue", "retry", "--all")
    house.waits_because("MTA-STS policy asks for")
    assert not plain.taken
    right = house.mx(house.authority.server(f"mx.{REMOTE}"))
    house.server.cli("queue", "retry", "--all")
    assert right.wait(1)[0].encrypted
    queue_is_empty(house.server)


def test_a_host_that_only_dns_names_gets_nothing(house):
    house.policy("enforce", f"other.{REMOTE}")
    sink = house.mx(house.authority.server(f"mx.{REMOTE}"))
    house.send()
    house.waits_because("MTA-STS policy")
    assert not sink.taken


def test_a_new_id_brings_the_new_policy(house):
    house.policy("enforce", f"other.{REMOTE}")
    sink = house.mx(house.authority.server(f"mx.{REMOTE}"))
    house.send()
    house.waits_because("MTA-STS policy")
    house.policy("enforce", f"mx.{REMOTE}")
    house.zone.remove(f"_mta-sts.{REMOTE}")
    house.zone.txt(f"_mta-sts.{REMOTE}", "v=STSv1; id=2;")
    sink.wait(1)
    assert len(house.web.asked) == 2


@pytest.mark.parametrize("mode", ["testing", "none"])
def test_a_policy_that_is_not_enforced_changes_nothing(house, mode):
    house.policy(mode, f"other.{REMOTE}")
    sink = house.mx(None)
    house.send()
    assert not sink.wait(1)[0].encrypted


def test_a_policy_that_cannot_be_had_holds_nothing_up(house):
    house.web.status = 404
    sink = house.mx(None)
    house.send()
    sink.wait(1)
    assert "cannot be had" in house.server.log_text()


# -- REQUIRETLS and TLS-Required (RFC 8689) -------------------------------------------------------


def test_what_requires_tls_goes_to_a_host_that_is_proved_and_asks_the_same(house):
    house.policy("enforce", f"mx.{REMOTE}")
    sink = house.mx(house.authority.server(f"mx.{REMOTE}"), knows_requiretls=True)
    house.send()
    house.send(["REQUIRETLS"])
    assert [message.requires_tls for message in sink.wait(2)].count(True) == 1
    assert all(message.encrypted for message in sink.taken)
    queue_is_empty(house.server)


def test_what_requires_tls_comes_back_from_a_host_that_does_not_promise_it(house):
    house.policy("enforce", f"mx.{REMOTE}")
    sink = house.mx(house.authority.server(f"mx.{REMOTE}"))
    house.send(["REQUIRETLS"])
    report = house.report()
    assert b"5.7.30" in report and b"does not offer" in report
    assert b"Subject: secret" in report and b"text\r\n" not in report, "only the header comes back"
    assert not sink.taken


def test_what_requires_tls_does_not_go_where_only_dns_says(house):
    house.web.status = 404
    sink = house.mx(house.authority.server(f"mx.{REMOTE}"), knows_requiretls=True)
    house.send(["REQUIRETLS"])
    report = house.report()
    assert b"5.7.30" in report and b"no enforced MTA-STS policy" in report
    assert not sink.taken


def test_who_would_rather_have_it_arrive_gets_that(house):
    house.policy("enforce", f"mx.{REMOTE}")
    sink = house.mx(None)
    house.send(message=b"TLS-Required: No\r\n" + MESSAGE)
    house.send()
    assert not sink.wait(1)[0].encrypted
    house.waits_because("MTA-STS policy asks for")
    assert len(sink.taken) == 1, "one sender's wish is nobody else's"


def test_our_own_policy_is_served(house):
    out = subprocess.run(
        ["curl", "-s", "--cacert", house.server.ca, "--connect-to", f"::localhost:{house.server.ports['https']}",
         f"https://mta-sts.{DOMAIN}/.well-known/mta-sts.txt"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert out.splitlines() == ["version: STSv1", "mode: testing", f"mx: mx.{DOMAIN}", "max_age: 604800"]
