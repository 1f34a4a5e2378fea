"""TSIG keys."""
import base64

import dns.name
import dns.tsig


class Key:
    """A TSIG key in the forms that everybody wants."""

    def __init__(self, name, secret=b"a secret of thirty-two octets...", algorithm="SHA256"):
        self.name, self.secret, self.algorithm = name, base64.b64encode(secret).decode(), algorithm

    @property
    def secret_octets(self):
        return base64.b64decode(self.secret)

    @property
    def argument(self):
        """As --key and --keys take it."""
        return "%s:%s:%s" % (self.name.rstrip("."), self.algorithm, self.secret)

    @property
    def line(self):
        """As it stands in a _keys file."""
        number = {"SHA1": 161, "SHA224": 162, "SHA256": 163, "SHA384": 164, "SHA512": 165}[self.algorithm]
        return "%s 3600 IN DNSKEY 0 3 %d %s\n" % (self.name.rstrip(".") + ".", number, self.secret)

    def sign(self, message):
        """Puts the key to a dnspython message."""
        algorithm = getattr(dns.tsig, "HMAC_" + self.algorithm)
        message.use_tsig({dns.name.from_text(self.name): base64.b64decode(self.secret)}, keyname=dns.name.from_text(self.name),
                         algorithm=algorithm)
        return message
