"""What Python's own email package thinks a message's ENVELOPE and BODYSTRUCTURE are.

Python decides differently from RFC 9051 in a few places. Each is named in EXPLAINED with its reason, and listed in
docs/mime-differences.md; everything else that differs is reported.
"""

import email.utils
import re

from imapclient.response_types import BodyData

NO_BOUNDARY = "a multipart whose boundary never comes has no parts: it is served as text"
EMPTY_LINE = "a header ends at the empty line; Python ends it at the first line that is no field"
SAME_BOUNDARY = "parts nest under a boundary that their parent uses too"
EMPTY_PART = "two boundary lines in a row enclose an empty part; Python skips it"

# (message, part and what differs) -> why.
EXPLAINED = {
    ("msg_15.txt", "1 count"): SAME_BOUNDARY,
    ("msg_17.txt", "1 type"): NO_BOUNDARY,
    ("msg_19.txt", "1 size"): EMPTY_LINE,
    ("msg_25.txt", "1 type"): NO_BOUNDARY,
    ("msg_31.txt", "1 type"): NO_BOUNDARY,
    ("msg_35.txt", "1 size"): EMPTY_LINE,
    ("msg_37.txt", "1 count"): EMPTY_PART,
    ("msg_38.txt", "1.1.2 size"): EMPTY_LINE,
    ("msg_38.txt", "1.2 size"): EMPTY_LINE,
    ("msg_39.txt", "1.1.1 kind"): SAME_BOUNDARY,
    ("msg_39.txt", "1.1.2 kind"): SAME_BOUNDARY,
    ("msg_39.txt", "1.1.3 kind"): SAME_BOUNDARY,
    ("msg_41.txt", "1 type"): NO_BOUNDARY,
    ("msg_42.txt", "1.2.1 type"): NO_BOUNDARY,
    ("msg_47.txt", "1.1 size"): EMPTY_LINE,
    ("msg_47.txt", "1.2 size"): EMPTY_LINE,
}


def envelope_differences(envelope, parsed):
    def header(name):
        value = parsed.get(name)
        return None if value is None else re.sub(r"\r?\n(?=[ \t])", "", str_bytes(value)).strip()

    def same(what, ours, theirs):
        ours = None if ours is None else ours.decode("utf-8", "surrogateescape").strip()
        if (ours or None) != (theirs or None):
            yield f"{what}: {ours!r} but Python reads {theirs!r}"

    yield from same("subject", envelope.subject, header("Subject"))
    yield from same("message-id", envelope.message_id, header("Message-ID"))
    yield from same("in-reply-to", envelope.in_reply_to, header("In-Reply-To"))
    for what, ours in (("from", envelope.from_), ("to", envelope.to), ("cc", envelope.cc)):
        values = [str_bytes(v) for v in parsed.get_all(what, [])]
        theirs = [a.lower() for _, a in _addresses(values) if "@" in a]
        mine = [
            (a.mailbox + b"@" + a.host).decode("utf-8", "surrogateescape").lower()
            for a in ours or ()
            if a.mailbox and a.host
        ]
        if mine != theirs:
            yield f"{what}: {mine} but Python reads {theirs}"


def _addresses(values):
    """Newer Pythons refuse odd lists unless told not to be strict."""
    try:
        return email.utils.getaddresses(values, strict=False)
    except TypeError:
        return email.utils.getaddresses(values)


def str_bytes(value):
    """compat32 wraps 8-bit headers in Header objects; give them back as the bytes they were, in surrogates."""
    if isinstance(value, str):
        return value
    return "".join(chunk if isinstance(chunk, str) else chunk.decode("latin-1") for chunk, _ in value._chunks)


def bodystructure_differences(ours, parsed, name):
    for difference in _part(ours, parsed, "1"):
        if (name, difference.split(":")[0]) not in EXPLAINED:
            yield difference


def _part(ours, part, path):
    if isinstance(ours[0], list):
        children = part.get_payload() if part.is_multipart() else None
        if children is None:
            yield f"{path} kind: multipart but Python reads {part.get_content_type()}"
            return
        if ours[1].decode().lower() != part.get_content_subtype():
            yield f"{path} subtype: {ours[1]} but Python reads {part.get_content_type()}"
        if len(ours[0]) != len(children):
            yield f"{path} count: {len(ours[0])} parts but Python reads {len(children)}"
            return
        for number, (mine, theirs) in enumerate(zip(ours[0], children), 1):
            yield from _part(mine, theirs, f"{path}.{number}")
        return
    kind = f"{ours[0].decode()}/{ours[1].decode()}".lower()
    if kind != part.get_content_type():
        yield f"{path} type: {kind} but Python reads {part.get_content_type()}"
        return
    encoding = (part.get("Content-Transfer-Encoding") or "7bit").strip().lower()
    if ours[5].decode().lower() != encoding:
        yield f"{path} encoding: {ours[5]} but Python reads {encoding}"
    disposition = part.get_content_disposition()
    if kind == "message/rfc822":
        children = part.get_payload()
        if isinstance(children, list) and children:
            # The client groups the parts of a multipart only where it is not inside a message.
            yield from _part(BodyData.create(ours[8]), children[0], f"{path}.1")
        return
    if not part.is_multipart():
        payload = part.get_payload().encode("utf-8", "surrogateescape")
        if ours[6] != len(payload):
            yield f"{path} size: {ours[6]} but Python reads {len(payload)}"
    tail = 8 if kind.startswith("text/") else 7
    mine = ours[tail + 1][0].decode().lower() if len(ours) > tail + 1 and ours[tail + 1] else None
    if mine != disposition:
        yield f"{path} disposition: {mine} but Python reads {disposition}"
