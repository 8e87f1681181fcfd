"""Signatures of Stripe's webhooks: the official library judges ours, and ours judges the official one's.

usage: stripe_signatures.py FLORIN_URL ACCOUNT WEBHOOK_SECRET
"""

import hashlib
import hmac
import json
import sys
import time
import urllib.error
import urllib.request

import stripe

url, account, secret = sys.argv[1:4]


def ours(body, at, key):
    """Stripe's scheme as our tests make it: HMAC-SHA256 in hexadecimal over `t.body`."""
    mac = hmac.new(key.encode(), f"{at}.{body}".encode(), hashlib.sha256).hexdigest()
    return f"t={at},v1={mac}"


body = json.dumps({"id": "evt_check", "object": "event", "type": "payout.paid", "data": {"object": {}}})
now = int(time.time())
event = stripe.Webhook.construct_event(body, ours(body, now, secret), secret)
assert event["id"] == "evt_check"
for wrong, header in [
    ("another secret", ours(body, now, "whsec_other")),
    ("an old signature", ours(body, now - 301, secret)),
    ("no signature", f"t={now}"),
]:
    try:
        stripe.Webhook.construct_event(body, header, secret)
    except stripe.SignatureVerificationError:
        continue
    raise SystemExit(f"the official library accepts {wrong}")

official = stripe.WebhookSignature._compute_signature(f"{now}.{body}", secret)
request = urllib.request.Request(
    f"{url}/webhooks/stripe/{account}",
    body.encode(),
    {"content-type": "application/json", "stripe-signature": f"t={now},v1={official}"},
)
assert urllib.request.urlopen(request).status == 200
print("the official Python library accepts our signatures, and refuses wrong ones")
