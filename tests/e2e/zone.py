"""A DNS server on loopback (dnslib) with the records that a test puts in, over UDP and TCP."""

import dnslib
from dnslib import QTYPE, RCODE, RR
from dnslib.server import BaseResolver, DNSServer

from waxwing import free_ports


class Quiet:
    """dnslib prints every question."""

    def __getattr__(self, _):
        return lambda *_: None


class Zone(BaseResolver):
    """`broken` names answer SERVFAIL; a name that is below another record exists without records."""

    def __init__(self, lines=""):
        self.records = []
        self.broken = set()
        self.asked = []
        self.servers = []
        self.port = None
        self.add(lines)

    def add(self, lines):
        """Lines of a zone file, with absolute names."""
        self.records.extend(RR.fromZone(lines, ttl=1))
        return self

    def txt(self, name, text):
        strings = [text[at : at + 255] for at in range(0, len(text), 255)]
        self.records.append(RR(name, QTYPE.TXT, ttl=1, rdata=dnslib.TXT([s.encode() for s in strings])))
        return self

    def remove(self, name):
        self.records = [record for record in self.records if str(record.rname) != f"{name}."]

    def resolve(self, request, handler):
        name = str(request.q.qname).lower()
        self.asked.append((name, QTYPE[request.q.qtype]))
        reply = request.reply()
        if name.rstrip(".") in self.broken:
            reply.header.rcode = RCODE.SERVFAIL
            return reply
        same = [record for record in self.records if str(record.rname).lower() == name]
        for record in same:
            if record.rtype in (request.q.qtype, QTYPE.CNAME):
                reply.add_answer(record)
        exists = same or any(str(record.rname).lower().endswith("." + name) for record in self.records)
        if not exists:
            reply.header.rcode = RCODE.NXDOMAIN
        return reply

    def start(self):
        self.port = self.port or free_ports(1)[0]
        for tcp in (False, True):
            server = DNSServer(self, port=self.port, address="127.0.0.1", tcp=tcp, logger=Quiet())
            server.start_thread()
            self.servers.append(server)
        return self

    def stop(self):
        for server in self.servers:
            server.stop()
            server.server.server_close()
        self.servers = []

    def settings(self):
        """`[dns]` of a server that asks here."""
        return f'[dns]\nservers = ["127.0.0.1:{self.port}"]\ntimeout_ms = 1000\nattempts = 1\n'
