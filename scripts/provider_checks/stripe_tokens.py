"""Payments by tokens that Stripe itself gives for tests: against localstripe, and against Stripe's own test world
where a key of it is in the environment (STRIPE_TEST_SECRET_KEY).

usage: stripe_tokens.py FLORIN_URL FLORIN_KEY [live]
"""

import json
import sys
import urllib.error
import urllib.request

url, key = sys.argv[1:3]
is_live = sys.argv[3:] == ["live"]


def ask(path, body):
    request = urllib.request.Request(url + path, json.dumps(body).encode())
    request.add_header("authorization", f"Bearer {key}")
    request.add_header("content-type", "application/json")
    try:
        with urllib.request.urlopen(request, timeout=40) as response:
            return response.status, json.loads(response.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


def pay(token, **more):
    method = {"type": "card", "token": token}
    return ask("/api/v1/payments", {"amount": 1000, "currency": "USD", "gateway": "stripe", "payment_method": method, **more})


code, paid = pay("pm_card_visa")
assert (code, paid["status"]) == (201, "paid"), paid
code, refund = ask(f"/api/v1/payments/{paid['id']}/refund", {"amount": 300})
assert (code, refund["status"]) == (201, "succeeded"), refund
code, held = pay("pm_card_visa", capture_method="manual")
assert (code, held["status"]) == (201, "authorized"), held
code, captured = ask(f"/api/v1/payments/{held['id']}/capture", {"amount": 400, "final": True})
assert (code, captured["amount_captured"]) == (200, 400), captured
code, declined = pay("pm_card_chargeCustomerFail")
assert (code, declined["code"]) == (402, "card_declined"), declined
if is_live:
    code, asked = pay("pm_card_authenticationRequired", return_url="https://shop.example/done")
    assert asked["next_action"]["type"] == "three_d_secure", asked
    code, given_up = ask(f"/api/v1/payments/{asked['id']}/cancel", {})
    assert given_up["status"] == "cancelled", given_up
print("tokens: sale, refund, authorization, capture, decline" + (", 3-D Secure, cancel" if is_live else ""))
