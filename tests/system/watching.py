"""Whoever asks a daemon for its metrics: reads the text, and reads the page as a browser would."""
import base64
import hashlib
import html.parser
import http.client
import re

import servers

OPENMETRICS = "application/openmetrics-text; version=1.0.0"
SAMPLE = re.compile(r'^([a-z_]+)(?:\{(.*)\})? (\S+)$')
LABEL = re.compile(r'([a-z_]+)="((?:[^"\\]|\\.)*)"(?:,|$)')


def get(port, path="/metrics", method="GET", accept=None, timeout=30):
    """(status, headers, text)"""
    connection = http.client.HTTPConnection(servers.ADDRESS, port, timeout=timeout)
    connection.request(method, path, headers={"Accept": accept} if accept else {})
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, answer.headers, text


def values(text):
    """{(name, ((label, value), …)): number}"""
    found = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            name, labels, number = SAMPLE.match(line).groups()
            key = name, tuple((n, v.encode().decode("unicode_escape")) for n, v in LABEL.findall(labels or ""))
            assert key not in found, line
            found[key] = float(number)
    return found


class Values:
    """What a daemon tells, at one moment."""

    def __init__(self, port):
        status, _, text = get(port)
        assert status == 200
        self.all = values(text)

    def get(self, name, **labels):
        return self.all.get((name, tuple(labels.items())))

    def sum(self, name, **labels):
        return sum(v for (n, have), v in self.all.items() if n == name and set(labels.items()) <= set(have))

    def names(self):
        return {name for name, _ in self.all}


class Page(html.parser.HTMLParser):
    """The page: its elements, the rows of its tables, and its texts."""
    VOID = {"meta", "path", "polygon", "polyline"}

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.elements, self.open, self.rows, self.text, self.style = [], [], [], "", ""
        self.feed(text)
        self.close()
        assert not self.open, self.open

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data
        if self.open and self.open[-1] in ("td", "th"):
            self.rows[-1][-1] += data
        if self.open and self.open[-1] == "style":
            self.style += data

    def policy_of_style(self):
        return "'sha256-%s'" % base64.b64encode(hashlib.sha256(self.style.encode()).digest()).decode()
