"""Payments through Stripe from end to end: Florin over HTTP, localstripe behind it.

usage: stripe_payments.py FLORIN_URL FLORIN_KEY LOCALSTRIPE_PORT WEBHOOK_SECRET; prints the account's id on the last line.
"""

import json
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

url, key, localstripe, secret = sys.argv[1:5]
done = []


def ask(method, path, body=None):
    request = urllib.request.Request(url + path, method=method)
    request.add_header("authorization", f"Bearer {key}")
    if body is not None:
        request.add_header("content-type", "application/json")
        request.data = json.dumps(body).encode()
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            return response.status, json.loads(response.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


def pay(number, **more):
    card = {"type": "card", "card_number": number, "exp_month": 12, "exp_year": 2030, "cvc": "737"}
    body = {"amount": 1000, "currency": "USD", "payment_method": card, "gateway": "stripe", **more}
    return ask("POST", "/api/v1/payments", body)


def expect(name, answer, expected, **fields):
    code, body = answer
    found = {field: body.get(field) for field in fields}
    assert code == expected and found == fields, f"{name}: {code} {json.dumps(body, indent=1)}"
    done.append(name)
    return body


def wait(name, payment, **fields):
    for _ in range(60):
        code, body = ask("GET", f"/api/v1/payments/{payment}")
        if all(body.get(field) == value for field, value in fields.items()):
            done.append(name)
            return body
        time.sleep(0.25)
    raise SystemExit(f"{name}: {json.dumps(body, indent=1)}")


sale = expect("sale", pay("4111111111111111"), 201, status="paid", amount_captured=1000, provider="stripe")
assert sale["provider_reference"].startswith("pi_"), sale
assert sale["payment_method"]["card"]["last4"] == "1111", sale
account = sale["provider_account_id"]
hook = urllib.parse.urlencode({"url": f"{url}/webhooks/stripe/{account}", "secret": secret}).encode()
urllib.request.urlopen(f"http://127.0.0.1:{localstripe}/_config/webhooks/check", hook)

id = sale["id"]
expect("partial refund", ask("POST", f"/api/v1/payments/{id}/refund", {"amount": 400, "reason": "damaged"}), 201,
       status="succeeded", amount=400)
expect("rest refunded", ask("POST", f"/api/v1/payments/{id}/refund", {}), 201, status="succeeded", amount=600)
expect("refunded", ask("GET", f"/api/v1/payments/{id}"), 200, status="refunded", amount_refunded=1000)

held = expect("authorization", pay("4111111111111111", capture_method="manual"), 201, status="authorized",
              amount_capturable=1000)
expect("part captured", ask("POST", f"/api/v1/payments/{held['id']}/capture", {"amount": 400, "final": True}), 200, status="paid",
       amount_captured=400)

held = expect("second authorization", pay("4111111111111111", capture_method="manual"), 201, status="authorized")
expect("void", ask("POST", f"/api/v1/payments/{held['id']}/cancel", {}), 200, status="cancelled")

declined = expect("decline", pay("4000000000000341"), 402, code="card_declined", decline_code="generic_decline",
                  advice="other_method")
expect("declined payment", ask("GET", f"/api/v1/payments/{declined['payment_id']}"), 200, status="failed")

# The challenge is passed, and only Stripe's notice tells of it.
asked = expect("3-D Secure", pay("4000000000003220"), 201, status="authorizing")
assert asked["next_action"]["type"] == "three_d_secure", asked
urllib.request.urlopen(asked["next_action"]["url"]).read()
wait("told by webhook", asked["id"], status="paid", amount_captured=1000)

# The browser comes back before any notice could.
asked = expect("3-D Secure again", pay("4000000000003220", return_url="https://shop.example/done"), 201,
               status="authorizing")
urllib.request.urlopen(asked["next_action"]["url"]).read()


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *arguments):
        return None


try:
    urllib.request.build_opener(NoRedirect).open(f"{url}/return/{asked['id']}?account={account}")
    raise SystemExit("the browser is not led on")
except urllib.error.HTTPError as error:
    assert error.code == 303 and error.headers["location"].startswith("https://shop.example/done"), error.headers
expect("told by the return", ask("GET", f"/api/v1/payments/{asked['id']}"), 200, status="paid")

refused = expect("a third decimal", pay("4111111111111111", amount=1234, currency="KWD"), 422)
assert refused["param"] == "/amount" and "multiples of 10" in refused["detail"], refused
expect("a currency that Stripe has not", pay("4111111111111111", currency="IRR"), 422, param="/currency")
expect("below the minimum", pay("4111111111111111", amount=49), 422, param="/amount")
expect("a token of somebody else's", ask("POST", "/api/v1/payments", {
    "amount": 1000, "currency": "USD", "gateway": "stripe",
    "payment_method": {"type": "card", "token": "cnon:card-nonce-ok"}}), 402)

print(f"{len(done)} checks: " + ", ".join(done))
print(account)
