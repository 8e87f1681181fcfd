"""A notice of our fake, judged by PayPal's own library: what is signed, and with which certificate.

Its roots are pinned and old, so that it cannot judge a chain: our tests do that.

usage: paypal_signatures.py FAKE_URL NOTICE_FILE
"""

import json
import sys
import urllib.request

from OpenSSL import crypto
from paypalrestsdk.notifications import WebhookEvent

fake, notice_file = sys.argv[1:3]
notice = json.load(open(notice_file))
headers, body = notice["headers"], notice["body"]
pem = urllib.request.urlopen(headers["paypal-cert-url"]).read()
certificate = crypto.load_certificate(crypto.FILETYPE_PEM, pem)
assert WebhookEvent._is_common_name_valid(certificate), "the certificate is not in PayPal's name"


def is_genuine(body, webhook="1JE4291016473214C", transmission=headers["paypal-transmission-id"]):
    return WebhookEvent._verify_signature(
        transmission, headers["paypal-transmission-time"], webhook, body, certificate,
        headers["paypal-transmission-sig"], "sha256",
    )


assert is_genuine(body), "PayPal's library refuses our notice"
for what, wrong in [
    ("another body", is_genuine(body + " ")),
    ("another endpoint", is_genuine(body, webhook="0WW00000000000000")),
    ("another delivery", is_genuine(body, transmission="x")),
]:
    assert not wrong, f"PayPal's library accepts {what}"
print("PayPal's own library accepts our notices, and refuses changed ones")
