"""Payments through PayPal from end to end: Florin over HTTP, our fake of PayPal behind it.

usage: paypal_payments.py FLORIN_URL FLORIN_KEY FAKE_URL NOTICE_FILE; writes one notice with its headers there.
"""

import json
import sys
import threading
import time
import urllib.error
import urllib.request

url, key, fake, notice_file = sys.argv[1:5]
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


def pay(method, **more):
    body = {"amount": 1000, "currency": "USD", "payment_method": method, "gateway": "paypal", **more}
    return ask("POST", "/api/v1/payments", body)


def card(number):
    return {"type": "card", "card_number": number, "exp_month": 12, "exp_year": 2030, "cvc": "737"}


def expect(name, answer, expected, **fields):
    code, body = answer
    found = {field: body.get(field) for field in fields}
    assert code == expected and found == fields, f"{name}: {code} {json.dumps(body, indent=1)}"
    done.append(name)
    return body


def wait(name, payment, **fields):
    for _ in range(120):
        code, body = ask("GET", f"/api/v1/payments/{payment}")
        if all(body.get(field) == value for field, value in fields.items()):
            done.append(name)
            return body
        time.sleep(0.25)
    raise SystemExit(f"{name}: {json.dumps(body, indent=1)}")


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *arguments):
        return None


def follow(address):
    """One step of a browser: the address that it is sent to."""
    try:
        urllib.request.build_opener(NoRedirect).open(address)
    except urllib.error.HTTPError as error:
        assert error.code in (302, 303), (address, error.code, error.read())
        return error.headers["location"]
    raise SystemExit(f"{address} leads nowhere")


def deliveries():
    with urllib.request.urlopen(f"{fake}/_fake/deliveries") as response:
        return json.loads(response.read())


def tell(account, notices):
    for notice in notices:
        headers = {name: value for name, value in notice["headers"].items()}
        request = urllib.request.Request(f"{url}/webhooks/paypal/{account}", notice["body"].encode(), headers)
        assert urllib.request.urlopen(request).status == 200


WALLET = {"type": "paypal"}

# The browser comes back before any notice.
asked = expect("asked", pay(WALLET, return_url="https://shop.example/done"), 201, status="authorizing", provider="paypal")
assert asked["next_action"]["type"] == "redirect", asked
account = asked["provider_account_id"]
back = follow(asked["next_action"]["url"])
assert back.startswith(f"{url}/return/{asked['id']}?account={account}&token="), back
assert follow(back).startswith("https://shop.example/done"), "the browser is led on"
sale = wait("paid by the return", asked["id"], status="paid", amount_captured=1000)
order = sale["provider_reference"]
notices = deliveries()
json.dump(next(notice for notice in notices if "PAYMENT.CAPTURE.COMPLETED" in notice["body"]), open(notice_file, "w"))
tell(account, notices + notices)
time.sleep(2)
expect("notices change nothing", ask("GET", f"/api/v1/payments/{asked['id']}"), 200, status="paid", amount_captured=1000)

# Only the notice tells.
asked = expect("asked again", pay(WALLET), 201, status="authorizing")
follow(asked["next_action"]["url"])
told = deliveries()
tell(account, told)
wait("paid by the notice", asked["id"], status="paid", amount_captured=1000)

# All at once: the browser twice, the notice twice.
asked = expect("asked a third time", pay(WALLET, capture_method="manual"), 201, status="authorizing")
back = follow(asked["next_action"]["url"])
told = deliveries()
at_once = [threading.Thread(target=follow, args=(back,)) for _ in range(2)]
at_once += [threading.Thread(target=tell, args=(account, told)) for _ in range(2)]
for thread in at_once:
    thread.start()
for thread in at_once:
    thread.join()
held = wait("held once", asked["id"], status="authorized", amount_capturable=1000)
expect("part captured", ask("POST", f"/api/v1/payments/{held['id']}/capture", {"amount": 300, "final": False}), 200,
       amount_captured=300)
expect("rest captured", ask("POST", f"/api/v1/payments/{held['id']}/capture", {}), 200, status="paid", amount_captured=1000)
expect("more than one capture refunded", ask("POST", f"/api/v1/payments/{held['id']}/refund", {}), 402)
expect("one capture refunded", ask("POST", f"/api/v1/payments/{held['id']}/refund", {"amount": 700}), 201, status="succeeded")
expect("the other too", ask("POST", f"/api/v1/payments/{held['id']}/refund", {"amount": 300}), 201, status="succeeded")
expect("all given back", ask("GET", f"/api/v1/payments/{held['id']}"), 200, status="refunded", amount_refunded=1000)

id = sale["id"]
expect("partial refund", ask("POST", f"/api/v1/payments/{id}/refund", {"amount": 400, "reason": "damaged"}), 201,
       status="succeeded", amount=400)
expect("rest refunded", ask("POST", f"/api/v1/payments/{id}/refund", {}), 201, status="succeeded", amount=600)

paid = expect("card", pay(card("4111111111111111")), 201, status="paid", amount_captured=1000)
assert paid["payment_method"]["card"]["last4"] == "1111", paid
declined = expect("decline", pay(card("4000000000009995")), 402, code="card_declined",
                  decline_code="insufficient_funds", advice="retry_later")
asked = expect("3-D Secure", pay(card("4000000000003220")), 201, status="authorizing")
assert asked["next_action"]["type"] == "three_d_secure", asked
follow(asked["next_action"]["url"])
tell(account, deliveries())
wait("paid after the challenge", asked["id"], status="paid", amount_captured=1000)

held = expect("authorization", pay(card("4111111111111111"), capture_method="manual"), 201, status="authorized")
expect("void", ask("POST", f"/api/v1/payments/{held['id']}/cancel", {}), 200, status="cancelled")

asked = expect("given up", pay(WALLET), 201, status="authorizing")
expect("cancelled while it waits", ask("POST", f"/api/v1/payments/{asked['id']}/cancel", {}), 200, status="cancelled")
follow(asked["next_action"]["url"])
tell(account, deliveries())
time.sleep(2)
expect("a late approval takes nothing", ask("GET", f"/api/v1/payments/{asked['id']}"), 200, status="cancelled", amount_captured=0)

# Its owner agrees to later charges; then the merchant charges with nobody there.
asked = expect("stored", pay(WALLET, save_payment_method=True, customer_id="ada"), 201, status="authorizing")
follow(asked["next_action"]["url"])
tell(account, deliveries())
stored = wait("agreed", asked["id"], status="paid")
method = stored["payment_method"]["id"]
expect("off session", pay({"id": method}, off_session=True, customer_id="ada"), 201, status="paid", amount_captured=1000)

disputed = expect("to be disputed", pay(card("4111111111111111")), 201, status="paid")
deliveries()
urllib.request.urlopen(urllib.request.Request(f"{fake}/_fake/dispute?order={disputed['provider_reference']}", b""))
tell(account, deliveries())
wait("disputed", disputed["id"], status="disputed")

refused = expect("half a forint", pay(WALLET, amount=105050, currency="HUF"), 422)
assert refused["param"] == "/amount" and "multiples of 100" in refused["detail"], refused
expect("a currency that PayPal has not", pay(WALLET, currency="KWD"), 422, param="/currency")
expect("a field that nobody knows", pay({"type": "paypal", "tokn": "x"}), 422, code="unknown_field")
print(f"{len(done)} checks: " + ", ".join(done))
