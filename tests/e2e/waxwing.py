"""A real `waxwing serve` on loopback ports, for tests that drive it with other people's clients.

Owns: one data directory, one server process, its users. Everything an administrator does goes through the same
command line an operator has; nothing here reaches into the server.
"""

import imaplib
import json
import os
import pathlib
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time

WORKSPACE = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("WAXWING_BIN", WORKSPACE / "target/release/waxwing"))
# One folder a package: plugin.toml and plugin.wasm.
PACKAGES = pathlib.Path(os.environ.get("WAXWING_PACKAGES", WORKSPACE / "target/packages"))
# Packages that a server does not have unless a test loads them.
EXAMPLES = ("hello", "house-rules")
PASSWORD = "correct horse battery"
DOMAIN = "example.test"

CONFIG = """\
data_dir = "{data}"
host_name = "mx.{domain}"
default_domain = "{domain}"

[directory]
no_penalty_from = {trusted}

{listeners}
{extra}
"""

LISTENER = """\
[[listener]]
name = "{name}"
protocol = "{protocol}"
address = "127.0.0.1:{port}"
tls = "{tls}"
{extra}
"""

# name -> (protocol, TLS mode)
LISTENERS = {
    "imap": ("imap", "starttls"),
    "imaps": ("imap", "implicit"),
    "pop3": ("pop3", "starttls"),
    "pop3s": ("pop3", "implicit"),
    "smtp": ("smtp", "starttls"),
    "smtps": ("smtp", "implicit"),
    "submission": ("submission", "starttls"),
    "submissions": ("submission", "implicit"),
    "lmtp": ("lmtp", "starttls"),
    "managesieve": ("managesieve", "starttls"),
    "http": ("http", "none"),
    "https": ("http", "implicit"),
}


# Seconds after which a client, a command or a start counts as hung, for whom nothing else stands there: long, since a
# machine that is busy with something else is no fault of the server.
PATIENCE = 300


def free_ports(count):
    """Ports nobody listens on now; all are held open until all are known, so that none comes twice."""
    sockets = []
    for _ in range(count):
        s = socket.socket()
        s.bind(("127.0.0.1", 0))
        sockets.append(s)
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


class Server:
    def __init__(self, extra_config="", listener_extra="", trusted=("127.0.0.0/8",), domain=True, disk=None):
        """`disk` makes the data directory (given its path) something else than a folder of the test's."""
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="waxwing-e2e-"))
        self.data = self.root / "data"
        self.data.mkdir()
        self.disk = disk(self.data) if disk else None
        self.ports = dict(zip(LISTENERS, free_ports(len(LISTENERS))))
        self.config = self.root / "waxwing.toml"
        listeners = "\n".join(
            LISTENER.format(name=name, protocol=protocol, port=self.ports[name], tls=tls, extra=listener_extra)
            for name, (protocol, tls) in LISTENERS.items()
        )
        self.config.write_text(
            CONFIG.format(
                data=self.data, domain=DOMAIN, trusted=json.dumps(list(trusted)), listeners=listeners, extra=extra_config
            )
        )
        self.log_path = self.root / "server.log"
        self.process = None
        for package in sorted(PACKAGES.iterdir()):
            if (package / "plugin.toml").exists() and package.name not in EXAMPLES:
                self.cli("plugin", "load", str(package))
                self.cli("plugin", "activate", package.name)
        if domain:
            self.cli("domain", "add", DOMAIN)

    # -- administration -------------------------------------------------------------------------

    def cli(self, *arguments, stdin=None, check=True):
        command = [str(BINARY), "--config", str(self.config), *arguments]
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=PATIENCE)
        if check and done.returncode != 0:
            raise AssertionError(f"{' '.join(command)}: {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done

    def json(self, *arguments):
        return json.loads(self.cli(*arguments, "--json").stdout)

    def add_user(self, name):
        self.cli("user", "add", f"{name}@{DOMAIN}", "--password-stdin", stdin=PASSWORD + "\n")
        return f"{name}@{DOMAIN}"

    # -- the process ----------------------------------------------------------------------------

    def launch(self):
        """Starts the process and does not wait until it answers."""
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [str(BINARY), "--config", str(self.config), "serve"], stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )

    def start(self):
        self.launch()
        deadline = time.monotonic() + PATIENCE
        for port in self.ports.values():
            while True:
                if self.process.poll() is not None:
                    raise AssertionError(f"the server ended with {self.process.returncode}:\n{self.log_path.read_text()}")
                try:
                    socket.create_connection(("127.0.0.1", port), timeout=1).close()
                    break
                except OSError:
                    assert time.monotonic() < deadline, f"the server did not start in {PATIENCE} s"
                    time.sleep(0.05)
        return self

    def stop(self, sig=signal.SIGTERM):
        if self.process and self.process.poll() is None:
            self.process.send_signal(sig)
            try:
                self.process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                raise AssertionError("the server did not stop within 30 s of SIGTERM")
        code = self.process.returncode if self.process else 0
        self.process = None
        return code

    def destroy(self):
        self.stop()
        if self.disk:
            self.disk.unmount()
        shutil.rmtree(self.root, ignore_errors=True)

    def log_text(self):
        return self.log_path.read_text(errors="replace")

    # -- what clients need ----------------------------------------------------------------------

    @property
    def ca(self):
        return str(self.data / "tls" / "ca.pem")

    def tls_context(self):
        return ssl.create_default_context(cafile=self.ca)

    def imap(self, user=None):
        """An imaplib client over TLS, logged in when a user is named."""
        client = imaplib.IMAP4_SSL("localhost", self.ports["imaps"], ssl_context=self.tls_context(), timeout=60)
        if user:
            client.login(user, PASSWORD)
        return client

    def raw(self, listener, tls=None):
        """A bare connection: tests that send what no client would."""
        sock = socket.create_connection(("127.0.0.1", self.ports[listener]), timeout=30)
        if tls if tls is not None else LISTENERS[listener][1] == "implicit":
            sock = self.tls_context().wrap_socket(sock, server_hostname="localhost")
        return Raw(sock)


class Raw:
    """Lines and bytes over a socket."""

    def __init__(self, sock):
        self.sock = sock
        self.file = sock.makefile("rb")

    def send(self, data):
        self.sock.sendall(data.encode() if isinstance(data, str) else data)

    def line(self):
        return self.file.readline()

    def read(self, count):
        return self.file.read(count)

    def until(self, prefix):
        """All lines up to the one that begins with `prefix`, which is the last."""
        lines = []
        prefix = prefix.encode() if isinstance(prefix, str) else prefix
        while True:
            line = self.file.readline()
            if not line:
                raise AssertionError(f"closed before {prefix!r}; got {lines[-5:]!r}")
            lines.append(line)
            if line.startswith(prefix):
                return lines

    def command(self, tag, text):
        self.send(f"{tag} {text}\r\n")
        return self.until(f"{tag} ")

    def close(self):
        self.file.close()
        self.sock.close()


def deliver_lmtp(server, recipient, message, sender="sender@elsewhere.test"):
    """One message through LMTP with smtplib's bytes left alone (smtplib itself rewrites line ends)."""
    with_dots = b"\r\n".join(b"." + line if line.startswith(b".") else line for line in message.split(b"\r\n"))
    raw = server.raw("lmtp")
    raw.until("220 ")
    for command, reply in (
        ("LHLO client.test", "250 "),
        (f"MAIL FROM:<{sender}> BODY=8BITMIME", "250 "),
        (f"RCPT TO:<{recipient}>", "250 "),
        ("DATA", "354 "),
    ):
        raw.send(command + "\r\n")
        raw.until(reply)
    raw.send(with_dots + (b"" if message.endswith(b"\r\n") else b"\r\n") + b".\r\n")
    raw.until("250 ")
    raw.send("QUIT\r\n")
    raw.close()
