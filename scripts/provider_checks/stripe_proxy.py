"""Stands between Florin and localstripe, and adds what Stripe has and localstripe has not.

localstripe refuses parameters that it does not know, has no search, no redirect for 3-D Secure, no balance and
no idempotency keys, writes no metadata at a capture, and says no type of an error. What is added here is
therefore not judged by localstripe: it is listed by `--list`, and printed by the check that uses it.
"""

import http.client
import http.server
import json
import sys
import threading
import urllib.parse

ADDED = [
    "return_url, description, setup_future_usage, payment_method_types: taken and dropped",
    "search of payment intents by metadata: answered here",
    "redirect for 3-D Secure: made here of `use_stripe_sdk`, finished by localstripe's `_authenticate`",
    "idempotency keys: kept here",
    "metadata of a capture: written by a second request",
    "type and payment_intent of an error: added here",
    "GET /v1/balance and /v1/account: answered here",
]
DROPPED = ("return_url", "description", "setup_future_usage", "payment_method_types")

upstream = None
own = None
answers = {}
known = []
secrets = {}
lock = threading.Lock()


def call(method, path, body, headers):
    connection = http.client.HTTPConnection("127.0.0.1", upstream, timeout=10)
    kept = {"authorization": headers.get("authorization", "")}
    if body:
        kept["content-type"] = "application/x-www-form-urlencoded"
    connection.request(method, path, body, kept)
    response = connection.getresponse()
    text = response.read()
    connection.close()
    return response.status, json.loads(text) if text else {}


def dress(answer):
    if not isinstance(answer, dict):
        return answer
    action = answer.get("next_action") or {}
    if action.get("type") == "use_stripe_sdk":
        secrets[answer["id"]] = answer["client_secret"]
        url = f"http://127.0.0.1:{own}/challenge/{answer['id']}"
        answer["next_action"] = {"type": "redirect_to_url", "redirect_to_url": {"url": url}}
    if answer.get("object") == "payment_intent":
        charge = answer.get("latest_charge")
        taken = isinstance(charge, dict) and charge.get("captured")
        # localstripe keeps a refund of what a part capture released, and says no amount_received.
        part = answer["metadata"].get("proxy_captured")
        answer["amount_received"] = int(part) if part else (answer["amount"] if taken else 0)
    return answer


class Proxy(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def do_GET(self):
        self.serve("GET")

    def do_POST(self):
        self.serve("POST")

    def send(self, status, answer):
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def serve(self, method):
        with lock:
            self.serve_alone(method)

    def serve_alone(self, method):
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(int(headers.get("content-length", 0))).decode()
        path, _, query = self.path.partition("?")
        key = headers.get("idempotency-key")
        if key in answers:
            (asked, answer) = answers[key]
            if asked == (self.path, body):
                return self.send(*answer)
            return self.send(400, {"error": {"type": "idempotency_error", "message": "another request"}})
        if path.startswith("/challenge/"):
            intent = path.split("/")[2]
            finish = f"client_secret={secrets[intent]}&success=true"
            auth = {"authorization": "Bearer sk_test_check"}
            return self.send(*call("POST", f"/v1/payment_intents/{intent}/_authenticate", finish, auth))
        if path == "/v1/balance":
            return self.send(200, {"object": "balance", "livemode": False})
        if path == "/v1/account":
            return self.send(200, {"object": "account", "id": "acct_check", "charges_enabled": True})
        answer = self.answer(method, path, query, body, headers)
        if key:
            answers[key] = ((self.path, body), answer)
        self.send(*answer)

    def answer(self, method, path, query, body, headers):
        if path == "/v1/payment_intents/search":
            wanted = urllib.parse.parse_qs(query)["query"][0].split("'")[3]
            found = []
            for intent in known:
                status, whole = call("GET", f"/v1/payment_intents/{intent}?expand[]=latest_charge", None, headers)
                if status == 200 and whole["metadata"].get("florin_reference") == wanted:
                    found.append(dress(whole))
            return 200, {"object": "search_result", "data": found, "has_more": False}
        fields = urllib.parse.parse_qsl(body)
        expand = [f for f in fields if f[0].startswith("expand")]
        metadata = [f for f in fields if f[0].startswith("metadata")]
        fields = [f for f in fields if not f[0].startswith(("expand",) + DROPPED)]
        is_capture = path.endswith("/capture")
        if is_capture:
            fields = [f for f in fields if not f[0].startswith("metadata")]
        if path == "/v1/payment_methods":
            fields = [f for f in fields if not f[0].startswith("billing_details")]
        if path.endswith("/refunds") or path.endswith("/cancel"):
            fields = [f for f in fields if f[0] != "reason"]
        target = path + (f"?{query}" if query else "")
        status, answer = call(method, target, urllib.parse.urlencode(fields) if method == "POST" else None, headers)
        if is_capture and status == 200:
            taken = dict(fields)["amount_to_capture"]
            more = urllib.parse.urlencode(metadata + [("metadata[proxy_captured]", taken)])
            status, answer = call("POST", path.removesuffix("/capture"), more, headers)
        if status >= 400:
            error = answer.get("error", {})
            error["type"] = "card_error" if status == 402 else "invalid_request_error"
            if status == 404:
                error["code"] = "resource_missing"
            answer = {"error": error}
        elif answer.get("object") == "payment_intent":
            if answer["id"] not in known:
                known.append(answer["id"])
            if expand:
                _, answer = call("GET", f"/v1/payment_intents/{answer['id']}?expand[]=latest_charge.balance_transaction",
                                 None, headers)
        return status, dress(answer)


if sys.argv[1:] == ["--list"]:
    print("\n".join(ADDED))
else:
    upstream = int(sys.argv[1])
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
    own = server.server_address[1]
    print(own, flush=True)
    server.serve_forever()
