"""Razorpay's own library for Python, against the fake that our tests use: create, pay, query, capture, refund,
and the signatures of a payer's return and of notices.

usage: razorpay_library.py FAKE_URL KEY_ID KEY_SECRET WEBHOOK_SECRET
"""

import json
import sys
import urllib.parse
import urllib.request

import razorpay
from razorpay.errors import BadRequestError, SignatureVerificationError

url, key_id, key_secret, webhook_secret = sys.argv[1:5]
client = razorpay.Client(auth=(key_id, key_secret), base_url=url)


def refused(what, error, call):
    try:
        call()
    except error:
        return
    raise SystemExit(f"{what} is not refused")


def pay(order, method="netbanking"):
    """What Razorpay's page does with its form, and what it sends the browser on with."""
    fields = {
        "key_id": key_id, "order_id": order["id"], "amount": order["amount"], "currency": order["currency"],
        "name": "Ada's shop", "callback_url": "https://shop.example/done",
    }
    form = urllib.parse.urlencode(fields).encode()
    with urllib.request.urlopen(f"{url}/v1/checkout/embedded?method={method}", form) as response:
        return json.loads(response.read())


def order(receipt, capture):
    return client.order.create({
        "amount": 50000, "currency": "INR", "receipt": receipt, "notes": {"of": "the library"},
        "payment": {"capture": capture, "capture_options": {"manual_expiry_period": 7200, "refund_speed": "normal"}},
    })


made = order("library-1", "manual")
assert made["status"] == "created" and made["amount_due"] == 50000, made
told = pay(made)
seen = {name: told[name] for name in ("razorpay_order_id", "razorpay_payment_id", "razorpay_signature")}
assert client.utility.verify_payment_signature(seen), "Razorpay's library refuses our fake's return"
for name in seen:
    wrong = {**seen, name: seen[name][:-1] + ("0" if seen[name][-1] != "0" else "1")}
    refused(f"a return with another {name}", SignatureVerificationError,
            lambda wrong=wrong: client.utility.verify_payment_signature(wrong))
payment = client.payment.fetch(told["razorpay_payment_id"])
assert payment["status"] == "authorized" and payment["order_id"] == made["id"], payment
tried = client.order.payments(made["id"])["items"]
assert sorted(found["status"] for found in tried) == ["authorized", "failed"], tried
refused("a part", BadRequestError, lambda: client.payment.capture(payment["id"], 100, {"currency": "INR"}))
taken = client.payment.capture(payment["id"], 50000, {"currency": "INR"})
assert taken["status"] == "captured" and taken["fee"] == 1180, taken
refused("a second capture", BadRequestError, lambda: client.payment.capture(payment["id"], 50000, {"currency": "INR"}))
assert client.order.fetch(made["id"])["status"] == "paid"
assert [found["id"] for found in client.order.all({"receipt": "library-1"})["items"]] == [made["id"]]

part = client.payment.refund(payment["id"], {"amount": 20000, "speed": "normal", "receipt": "part"})
assert (part["status"], part["amount"], part["receipt"]) == ("processed", 20000, "part"), part
assert client.refund.fetch(part["id"])["payment_id"] == payment["id"]
refused("too much", BadRequestError, lambda: client.payment.refund(payment["id"], {"amount": 40000}))
client.payment.refund(payment["id"], {"amount": 30000, "receipt": "rest"})
assert client.payment.fetch(payment["id"])["status"] == "refunded"
assert len(client.payment.fetch_multiple_refund(payment["id"])["items"]) == 2

at_once = order("library-2", "automatic")
assert client.payment.fetch(pay(at_once)["razorpay_payment_id"])["status"] == "captured"
refused("another's key", BadRequestError, lambda: razorpay.Client(auth=(key_id, "x"), base_url=url).order.all({}))

with urllib.request.urlopen(f"{url}/_fake/deliveries") as response:
    notices = json.loads(response.read())
names = {json.loads(notice["body"])["event"] for notice in notices}
assert {"order.paid", "payment.authorized", "payment.captured", "payment.failed", "refund.processed"} <= names, names
for notice in notices:
    signature = notice["headers"]["x-razorpay-signature"]
    assert client.utility.verify_webhook_signature(notice["body"], signature, webhook_secret)
    refused("a changed notice", SignatureVerificationError,
            lambda: client.utility.verify_webhook_signature(notice["body"] + " ", signature, webhook_secret))
print(f"Razorpay's own library for Python: an order paid, captured and refunded, {len(notices)} notices verified")
