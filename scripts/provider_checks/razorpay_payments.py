"""Payments through Razorpay from end to end: Florin over HTTP, our fake of Razorpay behind it.

usage: razorpay_payments.py FLORIN_URL FLORIN_KEY FAKE_URL SIGNED_FILE; writes what was signed there.
"""

import json
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

url, key, fake, signed_file = sys.argv[1:5]
done, signed = [], {"notices": [], "returns": []}


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
    body = {"amount": 50000, "currency": "INR", "payment_method": method, "gateway": "razorpay", **more}
    return ask("POST", "/api/v1/payments", body)


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


def post(address, fields):
    """A browser that sends a form, and where it is led on to."""
    try:
        urllib.request.build_opener(NoRedirect).open(address, urllib.parse.urlencode(fields).encode())
    except urllib.error.HTTPError as error:
        assert error.code == 303, (address, error.code, error.read())
        return error.headers["location"]
    return None


def at_razorpay(payment):
    """The payer's browser at Razorpay's page: what it is sent back with."""
    action = payment["next_action"]
    assert action["type"] == "form", payment
    form = urllib.parse.urlencode(action["fields"]).encode()
    with urllib.request.urlopen(f"{action['url']}?method=netbanking", form) as response:
        told = json.loads(response.read())
    signed["returns"].append({name: told[name] for name in told if name.startswith("razorpay_")})
    return told.pop("callback_url"), told


def deliveries():
    with urllib.request.urlopen(f"{fake}/_fake/deliveries") as response:
        return json.loads(response.read())


def tell(account, notices):
    signed["notices"] += notices
    for notice in notices:
        request = urllib.request.Request(f"{url}/webhooks/razorpay/{account}", notice["body"].encode(), notice["headers"])
        assert urllib.request.urlopen(request).status == 200


PAGE = {"type": "checkout"}

# The browser comes back before any notice.
asked = expect("asked", pay(PAGE, return_url="https://shop.example/done"), 201, status="authorizing", provider="razorpay")
account = asked["provider_account_id"]
back, told = at_razorpay(asked)
assert back == f"{url}/return/{asked['id']}?account={account}", back
assert post(back, told).startswith("https://shop.example/done"), "the browser is led on"
sale = wait("paid by the return", asked["id"], status="paid", amount_captured=50000)
notices = deliveries()
tell(account, notices + notices)
time.sleep(2)
expect("notices change nothing", ask("GET", f"/api/v1/payments/{asked['id']}"), 200, status="paid", amount_captured=50000)

# Only the notice tells.
asked = expect("asked again", pay(PAGE), 201, status="authorizing")
at_razorpay(asked)
tell(account, deliveries())
wait("paid by the notice", asked["id"], status="paid", amount_captured=50000)

# All at once: the browser twice, the notices twice.
asked = expect("asked a third time", pay(PAGE), 201, status="authorizing")
back, told = at_razorpay(asked)
notices = deliveries()
at_once = [threading.Thread(target=post, args=(back, told)) for _ in range(2)]
at_once += [threading.Thread(target=tell, args=(account, notices)) for _ in range(2)]
for thread in at_once:
    thread.start()
for thread in at_once:
    thread.join()
wait("taken once", asked["id"], status="paid", amount_captured=50000)

held = expect("to be held", pay(PAGE, capture_method="manual"), 201, status="authorizing")
at_razorpay(held)
tell(account, deliveries())
held = wait("held", held["id"], status="authorized", amount_capturable=50000)
expect("no part is captured", ask("POST", f"/api/v1/payments/{held['id']}/capture", {"amount": 300}), 422, param="/amount")
expect("captured", ask("POST", f"/api/v1/payments/{held['id']}/capture", {}), 200, status="paid", amount_captured=50000)
other = expect("to be released", pay(PAGE, capture_method="manual"), 201, status="authorizing")
at_razorpay(other)
tell(account, deliveries())
wait("held too", other["id"], status="authorized")
expect("released", ask("POST", f"/api/v1/payments/{other['id']}/cancel", {}), 200, status="cancelled")

id = sale["id"]
expect("partial refund", ask("POST", f"/api/v1/payments/{id}/refund", {"amount": 20000, "reason": "damaged"}), 201,
       status="succeeded", amount=20000)
expect("rest refunded", ask("POST", f"/api/v1/payments/{id}/refund", {}), 201, status="succeeded", amount=30000)
tell(account, deliveries())
time.sleep(2)
expect("refunded once", ask("GET", f"/api/v1/payments/{id}"), 200, status="refunded", amount_refunded=50000)

asked = expect("a code", pay({"type": "upi"}), 201, status="pending")
assert asked["next_action"]["payload"].startswith("upi://pay?"), asked
payment = asked["next_action"]["payload"].split("&tr=")[1].split("&")[0]
urllib.request.urlopen(urllib.request.Request(f"{fake}/_fake/decide?payment={payment}", b""))
tell(account, deliveries())
wait("paid by a code", asked["id"], status="paid")
asked = expect("a request to an address", pay({"type": "upi", "vpa": "success@razorpay"}), 201, status="pending")
tell(account, deliveries())
wait("paid by request", asked["id"], status="paid")
asked = expect("refused by its payer", pay({"type": "upi", "vpa": "failure@razorpay"}), 201, status="pending")
tell(account, deliveries())
wait("not paid", asked["id"], status="failed")
for method, code in [("net_banking", "HDFC"), ("wallet", "payzapp"), ("emi", "earlysalary")]:
    asked = expect(method, pay({"type": method, "provider_code": code}), 201, status="authorizing")
    assert asked["next_action"]["type"] == "redirect", asked
    urllib.request.urlopen(asked["next_action"]["url"])
    tell(account, deliveries())
    wait(f"paid by {method}", asked["id"], status="paid")

asked = expect("given up", pay(PAGE), 201, status="authorizing")
expect("cancelled while it waits", ask("POST", f"/api/v1/payments/{asked['id']}/cancel", {}), 200, status="cancelled")
at_razorpay(asked)
tell(account, deliveries())
time.sleep(2)
expect("late money is not taken", ask("GET", f"/api/v1/payments/{asked['id']}"), 200, status="cancelled", amount_captured=0)

# Its owner agrees to later charges; then the merchant charges with nobody there.
asked = expect("stored", pay(PAGE, save_payment_method=True, customer_id="ada"), 201, status="authorizing")
at_razorpay(asked)
tell(account, deliveries())
stored = wait("agreed", asked["id"], status="paid")
method = stored["payment_method"]["id"]
expect("off session", pay({"id": method}, off_session=True, customer_id="ada"), 201, status="paid", amount_captured=50000)

disputed = expect("to be disputed", pay({"id": method}, off_session=True, customer_id="ada"), 201, status="paid")
deliveries()
order = disputed["provider_reference"]
for word, status in [("created", "disputed"), ("won", "paid")]:
    urllib.request.urlopen(urllib.request.Request(f"{fake}/_fake/dispute/{word}?order={order}", b""))
    tell(account, deliveries())
    wait(f"dispute {word}", disputed["id"], status=status)

card = {"type": "card", "card_number": "4111111111111111", "exp_month": 12, "exp_year": 2030, "cvc": "737"}
expect("no card number is sent", pay(card), 402, code="provider_refused")
refused = expect("a tenth of a fils", pay(PAGE, amount=99991, currency="KWD"), 422)
assert refused["param"] == "/amount" and "multiples of 10" in refused["detail"], refused
expect("a currency that Razorpay has not", pay(PAGE, currency="CLF"), 422, param="/currency")
expect("less than a rupee", pay(PAGE, amount=99), 422, param="/amount")
expect("a field that nobody knows", pay({"type": "checkout", "bank": "x"}), 422, code="unknown_field")
json.dump(signed, open(signed_file, "w"))
print(f"{len(done)} checks: " + ", ".join(done))
