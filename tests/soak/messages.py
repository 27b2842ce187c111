"""Messages that can be known again: the key stands in a header field, and decides every octet."""

import base64
import random

KEY = b"X-Soak-Key"


def message(key):
    """Mostly small, some of which a mailbox keeps as files (above 64 KiB packed). Deterministic."""
    r = random.Random("message " + key)
    size = r.choices((r.randint(0, 4_000), r.randint(4_000, 60_000), r.randint(90_000, 250_000)), (12, 3, 1))[0]
    noise = base64.b64encode(r.randbytes(size * 3 // 4))
    lines = b"".join(noise[at : at + 76] + b"\r\n" for at in range(0, len(noise), 76))
    head = (
        f"From: {key} <soak@elsewhere.test>\r\nTo: somebody@example.test\r\nSubject: soak {key}\r\n"
        f"Message-ID: <{key}@elsewhere.test>\r\nX-Soak-Key: {key}\r\n\r\n"
    ).encode()
    return head + lines



def is_message(key, octets):
    """Delivery puts fields in front, and changes nothing else."""
    wanted = message(key)
    return octets == wanted or (octets.endswith(b"\r\n" + wanted) and octets.startswith(b"Return-Path: <"))
