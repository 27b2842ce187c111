"""Mail to test with: CPython's own test_email corpus, and generated messages of every shape mail comes in."""

import base64
import pathlib
import random


def cpython_corpus():
    """Every message of CPython's test_email data, as CRLF text: the form mail has on the wire."""
    candidates = []
    try:
        import test.test_email as package

        candidates.append(pathlib.Path(package.__file__).parent / "data")
    except ImportError:
        pass
    # Debian ships the corpus apart from the interpreter, in libpython3.11-testsuite.
    candidates.append(pathlib.Path("/usr/lib/python3.11/test/test_email/data"))
    for folder in candidates:
        files = sorted(folder.glob("msg_*.txt"))
        if files:
            return {f.name: crlf(f.read_bytes()) for f in files}
    raise AssertionError("CPython's test_email corpus is missing: install libpython3.11-testsuite")


def crlf(data):
    data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\n", b"\r\n")
    return data if data.endswith(b"\r\n") else data + b"\r\n"


WORDS = "waxwing cedar berry flock winter rowan crest plume thicket ember".split()
NAMES = ['"Bohemian, W."', "=?utf-8?q?J=C3=BCrgen?=", "Plain Name", '"quoted \\"inner\\""', "=?iso-8859-1?b?5fbk?="]


def generated(count, seed=48):
    """`count` messages, the same ones for the same seed."""
    rng = random.Random(seed)
    return [_message(rng, number) for number in range(count)]


def _message(rng, number):
    shape = rng.choice([_plain, _plain, _alternative, _mixed, _nested, _eight_bit, _bare])
    headers, body = shape(rng)
    text = " ".join(rng.choice(WORDS) for _ in range(rng.randint(1, 6)))
    subject = rng.choice([text, f"Re: {text}", "=?utf-8?b?" + base64.b64encode(f"ä {text}".encode()).decode() + "?=", ""])
    common = [
        f"From: {rng.choice(NAMES)} <from{number}@elsewhere.test>",
        "To: " + ", ".join(f"{rng.choice(NAMES)} <to{i}@example.test>" for i in range(rng.randint(1, 4))),
        f"Subject: {subject}",
        f"Date: {rng.choice(['Mon', 'Tue'])}, {rng.randint(1, 28)} {rng.choice(['Jan', 'Feb', 'Nov'])} {rng.randint(1998, 2026)} "
        f"{rng.randint(0, 23):02}:{rng.randint(0, 59):02}:{rng.randint(0, 59):02} {rng.choice(['+0000', '-0830', '+1245', '+0100'])}",
        f"Message-ID: <{number}.{rng.getrandbits(64):x}@elsewhere.test>",
    ]
    if rng.random() < 0.3:
        common.append("Cc: Group: one@example.test, two@example.test;")
    if rng.random() < 0.3:
        common.append("X-Folded: " + "\r\n ".join(rng.choice(WORDS) for _ in range(5)))
    return ("\r\n".join(common + headers) + "\r\n\r\n").encode() + body


def _lines(rng, count):
    out = []
    for _ in range(count):
        line = " ".join(rng.choice(WORDS) for _ in range(rng.randint(0, 12)))
        out.append(rng.choice(["", ".", "..", "."]) + line if rng.random() < 0.1 else line)
    return "\r\n".join(out).encode() + b"\r\n"


def _plain(rng):
    return ["MIME-Version: 1.0", 'Content-Type: text/plain; charset="utf-8"'], _lines(rng, rng.randint(0, 60))


def _bare(rng):
    return [], _lines(rng, rng.randint(1, 10))


def _eight_bit(rng):
    headers = ["MIME-Version: 1.0", "Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: 8bit"]
    return headers, "Grüße vom Seidenschwanz, 連雀\r\n".encode() * rng.randint(1, 20)


def _boundary(rng):
    return f"=_{rng.getrandbits(48):x}"


def _multipart(rng, subtype, parts):
    boundary = _boundary(rng)
    body = b"preamble\r\n" if rng.random() < 0.3 else b""
    for headers, content in parts:
        body += f"--{boundary}\r\n".encode() + "".join(h + "\r\n" for h in headers).encode() + b"\r\n" + content
        if not content.endswith(b"\r\n"):
            body += b"\r\n"
    body += f"--{boundary}--\r\n".encode()
    return ["MIME-Version: 1.0", f'Content-Type: multipart/{subtype}; boundary="{boundary}"'], body


def _alternative(rng):
    return _multipart(
        rng,
        "alternative",
        [
            (["Content-Type: text/plain; charset=us-ascii"], _lines(rng, 5)),
            (["Content-Type: text/html; charset=utf-8", "Content-Transfer-Encoding: quoted-printable"], b"<p>Gr=C3=BC=C3=9Fe</p>\r\n"),
        ],
    )


def _mixed(rng):
    blob = base64.encodebytes(rng.randbytes(rng.randint(10, 4000))).replace(b"\n", b"\r\n")
    return _multipart(
        rng,
        "mixed",
        [
            (["Content-Type: text/plain"], _lines(rng, 8)),
            (
                [
                    'Content-Type: application/octet-stream; name="file name.bin"',
                    "Content-Transfer-Encoding: base64",
                    'Content-Disposition: attachment; filename="file name.bin"; size=12',
                    "Content-ID: <part@elsewhere.test>",
                    "Content-Description: some octets",
                ],
                blob,
            ),
        ],
    )


def _nested(rng):
    inner_headers, inner_body = _alternative(rng)
    inner = ("From: inner@elsewhere.test\r\nTo: x@example.test\r\nSubject: inner\r\n" + "\r\n".join(inner_headers) + "\r\n\r\n").encode() + inner_body
    return _multipart(
        rng,
        "mixed",
        [(["Content-Type: text/plain"], _lines(rng, 2)), (["Content-Type: message/rfc822"], inner)],
    )
