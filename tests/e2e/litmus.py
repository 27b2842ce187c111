"""Between litmus and a calendar: litmus puts texts into collections in collections, and a calendar takes events in a home.

A text goes in as an event that carries it, and comes out as the text; `a/b/c` is the object `c` of the calendar `a.b`. Nothing else is
changed: methods, conditions, locks and statuses are what the server answers.
"""

import base64
import hashlib
import http.client
import http.server
import re
import threading

_TEXT = re.compile(rb"X-LITMUS:([A-Za-z0-9+/=]*)")
_PASSED_ON = {"connection", "host", "content-length", "transfer-encoding", "keep-alive", "te"}


def as_event(path, text):
    uid = hashlib.sha256(path.encode()).hexdigest()
    return (
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//litmus//EN\r\nBEGIN:VEVENT\r\n"
        f"UID:{uid}\r\nDTSTAMP:20260101T000000Z\r\nDTSTART:20260101T000000Z\r\n"
        f"X-LITMUS:{base64.b64encode(text).decode()}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    ).encode()


class Between:
    """Listens on a port of its own, in front of a home of calendars."""

    def __init__(self, port, home):
        self.port, self.home, self.made = port, home, set()
        between = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *arguments):
                pass

            def __getattr__(self, name):
                if name.startswith("do_"):
                    return lambda: between.pass_on(self)
                raise AttributeError(name)

        self.listener = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.listener.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.listener.server_address[1]}{self.home}"

    def stop(self):
        self.listener.shutdown()
        self.listener.server_close()

    def inside(self, path):
        """Where on the server something is."""
        if not path.startswith(self.home):
            return path
        segments = path[len(self.home):].split("/")
        collection, name = segments[:-1], segments[-1]
        return self.home + (".".join(collection) + "/" if collection else "") + name

    def outside(self, octets):
        """Paths in an answer, as litmus knows them."""
        home = re.escape(self.home.encode())
        dotted = rb"(?<=%s)[^/<>\s]+(?=/)" % home
        return re.sub(dotted, lambda found: found[0].replace(b".", b"/"), octets)

    def field(self, name, value):
        if name.lower() not in ("destination", "if"):
            return value
        local = re.compile(r"http://[^/>\s]+(/[^>\s]*)")
        return local.sub(lambda found: f"http://127.0.0.1:{self.port}{self.inside(found[1])}", value)

    def pass_on(self, handler):
        length = int(handler.headers.get("content-length") or 0)
        body = handler.rfile.read(length)
        path = self.inside(handler.path)
        fields = {name: self.field(name, value) for name, value in handler.headers.items() if name.lower() not in _PASSED_ON}
        if handler.command == "PUT":
            body = as_event(path, body)
            fields["Content-Type"] = "text/calendar"
        upstream = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        upstream.request(handler.command, path, body=body or None, headers=fields)
        answer = upstream.getresponse()
        octets = answer.read()
        carried = _TEXT.search(octets)
        octets = base64.b64decode(carried[1]) if carried and handler.command == "GET" else self.outside(octets)
        handler.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in _PASSED_ON:
                handler.send_header(name, self.outside(value.encode()).decode())
        if answer.status not in (204, 304):
            handler.send_header("Content-Length", str(len(octets)))
        handler.end_headers()
        if handler.command != "HEAD":
            handler.wfile.write(octets)
        upstream.close()
