"""Payments through the example adapter, from end to end.

usage: adapter_payments.py FLORIN_URL KEY ADAPTER_URL
"""

import json
import sys
import time
import urllib.error
import urllib.request

url, key, adapter = sys.argv[1:4]


def ask(method, path, body=None):
    request = urllib.request.Request(
        url + path,
        None if body is None else json.dumps(body).encode(),
        {"authorization": f"Bearer {key}", "content-type": "application/json"},
        method=method,
    )
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def pay(number, **more):
    card = {"type": "card", "card_number": number, "exp_month": 12, "exp_year": 2037, "cvc": "123"}
    return ask("POST", "/api/v1/payments", {"amount": 1000, "currency": "USD", "gateway": "http",
                                            "payment_method": card} | more)


def wait_for(payment, what, expected):
    for _ in range(100):
        found = ask("GET", f"/api/v1/payments/{payment}")[1]
        if found[what] == expected:
            return found
        time.sleep(0.1)
    raise SystemExit(f"{what} is {found[what]}, not {expected}")


status, held = pay("4242424242424242", capture_method="manual")
assert (status, held["status"], held["provider"]) == (201, "authorized", "http"), held
status, captured = ask("POST", f"/api/v1/payments/{held['id']}/capture", {"amount": 700, "final": True})
assert (status, captured.get("status"), captured.get("amount_captured")) == (200, "paid", 700), captured
status, refunded = ask("POST", f"/api/v1/payments/{held['id']}/refund", {"amount": 200})
assert (status, refunded["status"]) == (201, "succeeded"), refunded
print("create, capture in part, refund in part: done through the adapter")

# A refund at the adapter's own dashboard is told by a signed notice.
hook = f"{url}/webhooks/http/{captured['provider_account_id']}"
body = json.dumps({"charge": captured["provider_reference"], "amount": 300, "url": hook}).encode()
with urllib.request.urlopen(urllib.request.Request(f"{adapter}/dashboard", body)) as answer:
    assert json.load(answer) == {"status": 200}
found = wait_for(held["id"], "amount_refunded", 500)
assert found["status"] == "partially_refunded", found
print("a notice of the adapter is believed, and applied")

status, released = pay("4242424242424242", capture_method="manual")
status, released = ask("POST", f"/api/v1/payments/{released['id']}/cancel", {})
assert (status, released["status"]) == (200, "cancelled"), released
status, declined = pay("4000000000009995")
assert (status, declined["decline_code"]) == (402, "insufficient_funds"), declined
status, refused = ask("POST", f"/api/v1/payments/{held['id']}/increment", {"amount": 100})
assert status in (409, 422), refused
print("a void and a decline are understood; what the adapter has not is refused")

# Nobody without the secret gets anything from the adapter.
try:
    urllib.request.urlopen(f"{adapter}/capabilities")
    raise SystemExit("an unsigned request is answered")
except urllib.error.HTTPError as error:
    assert error.code == 401
print("the adapter refuses what is not signed")
