"""PayPal's own library for servers, against the fake that our tests use: create, approve, capture, query, refund,
authorize, capture in parts, void, and cards in the vault.

usage: paypal_library.py FAKE_URL
"""

import sys
import urllib.request

from paypalserversdk.configuration import Configuration, Environment, Server
from paypalserversdk.exceptions.api_exception import ApiException
from paypalserversdk.http.auth.o_auth_2 import ClientCredentialsAuthCredentials
from paypalserversdk.paypal_serversdk_client import PaypalServersdkClient

url = sys.argv[1]
Configuration.environments[Environment.SANDBOX][Server.DEFAULT] = url


def client(secret):
    return PaypalServersdkClient(
        environment=Environment.SANDBOX,
        client_credentials_auth_credentials=ClientCredentialsAuthCredentials(
            o_auth_client_id="AZDxjDScFpQtjWTOUtWKbyN_bDt4OgqaF4eYXlewfBP4", o_auth_client_secret=secret
        ),
    )


paypal = client("EGnHDxD_qRPdaLdZz8iCr8N7_MzF-YHPTkjs6NKYQvQSBngp4PTTVWkPZRbL")
orders, payments, vault = paypal.orders, paypal.payments, paypal.vault


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *arguments):
        return None


def approve(link):
    try:
        urllib.request.build_opener(NoRedirect).open(link)
    except urllib.error.HTTPError as error:
        return error.headers["location"]
    raise SystemExit("the payer is not led on")


def order(key, intent, value, source=True):
    body = {
        "intent": intent,
        "purchase_units": [{"amount": {"currency_code": "USD", "value": value}, "custom_id": key}],
    }
    if source:
        context = {"return_url": "https://shop.example/done", "cancel_url": "https://shop.example/no"}
        body["payment_source"] = {"paypal": {"experience_context": context}}
    options = {"body": body, "paypal_request_id": key, "prefer": "return=representation"}
    made = orders.create_order(options).body
    again = orders.create_order(options).body
    assert made.id == again.id, "the same key makes one order"
    return made


made = order("library-1", "CAPTURE", "10.00")
assert made.status == "PAYER_ACTION_REQUIRED", made.status
link = next(link.href for link in made.links if link.rel == "payer-action")
try:
    orders.capture_order({"id": made.id, "prefer": "return=representation"})
    raise SystemExit("an order that nobody approved was captured")
except ApiException as error:
    assert error.response_code == 422, error
assert approve(link).startswith("https://shop.example/done?token=")
assert orders.get_order({"id": made.id}).body.status == "APPROVED"
done = orders.capture_order({"id": made.id, "prefer": "return=representation"}).body
capture = done.purchase_units[0].payments.captures[0]
assert (done.status, capture.status, capture.amount.value) == ("COMPLETED", "COMPLETED", "10.00")
part = {"amount": {"currency_code": "USD", "value": "4.00"}}
refund = payments.refund_captured_payment({"capture_id": capture.id, "body": part, "paypal_request_id": "library-r"}).body
assert refund.status == "COMPLETED", refund
assert payments.get_refund({"refund_id": refund.id}).body.amount.value == "4.00"
rest = payments.refund_captured_payment({"capture_id": capture.id}).body
assert rest.amount.value == "6.00", "without an amount all that is left"
assert payments.get_captured_payment({"capture_id": capture.id}).body.status == "REFUNDED"

held = order("library-2", "AUTHORIZE", "10.00")
approve(next(link.href for link in held.links if link.rel == "payer-action"))
done = orders.authorize_order({"id": held.id, "prefer": "return=representation"}).body
authorization = done.purchase_units[0].payments.authorizations[0]
body = {"amount": {"currency_code": "USD", "value": "4.00"}, "final_capture": False}
payments.capture_authorized_payment({"authorization_id": authorization.id, "body": body})
now = payments.get_authorized_payment({"authorization_id": authorization.id}).body
assert now.status == "PARTIALLY_CAPTURED", now.status
payments.void_payment({"authorization_id": authorization.id, "prefer": "return=representation"})
assert payments.get_authorized_payment({"authorization_id": authorization.id}).body.status == "VOIDED"

source = {"card": {"number": "4111111111111111", "expiry": "2030-12", "security_code": "737"}}
token = vault.create_payment_token({"body": {"payment_source": source}}).body
paid = order("library-3", "CAPTURE", "10.00", source=False)
card = {"payment_source": {"card": {"vault_id": token.id}}}
done = orders.capture_order({"id": paid.id, "body": card, "prefer": "return=representation"}).body
assert done.status == "COMPLETED", done.status

try:
    client("wrong").orders.get_order({"id": paid.id})
    raise SystemExit("a wrong secret opens the fake")
except ApiException as error:
    assert error.response_code == 401, error
except Exception as error:
    assert type(error).__name__ == "AuthValidationException", repr(error)
print("PayPal's own library paid, queried, refunded, held, captured in parts and voided at our fake")
