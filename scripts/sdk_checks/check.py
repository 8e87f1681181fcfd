"""Creates, captures, refunds and lists through the client that openapi-python-client makes."""

import sys
import time

from florin_client import AuthenticatedClient
from florin_client.api.payments import capture_payment, create_payment, get_payment, list_payments, refund_payment
from florin_client.models import (
    CapturePayment,
    CardInput,
    CardInputType,
    CreatePayment,
    CreatePaymentCaptureMethod,
    Currency,
    Payment,
    PaymentList,
    Problem,
    Refund,
    RefundPayment,
)

url, key = sys.argv[1:]
client = AuthenticatedClient(base_url=url, token=key)

card = CardInput(
    type_=CardInputType.CARD, card_number="4242424242424242", exp_month=12, exp_year=2037, cvc="123"
)
body = CreatePayment(
    amount=1000,
    currency=Currency.USD,
    capture_method=CreatePaymentCaptureMethod.MANUAL,
    payment_method=card,
)
payment = create_payment.sync(client=client, body=body, idempotency_key="python-1")
assert isinstance(payment, Payment) and payment.status == "authorized", payment

captured = capture_payment.sync(payment.id, client=client, body=CapturePayment(amount=700))
assert isinstance(captured, Payment) and captured.amount_captured == 700, captured

refund = refund_payment.sync(payment.id, client=client, body=RefundPayment(amount=200, reason="broken"))
assert isinstance(refund, Refund) and refund.amount == 200, refund

# Lists by anything but time, customer and order may be a second behind.
for _ in range(50):
    page = list_payments.sync(client=client, limit=1, currency=Currency.USD)
    if not isinstance(page, PaymentList) or page.data:
        break
    time.sleep(0.2)
assert isinstance(page, PaymentList) and [each.id for each in page.data] == [payment.id], page

refused = get_payment.sync("pay_none", client=client)
assert isinstance(refused, Problem) and refused.code == "not_found", refused
print("Python: created, captured, refunded, listed")
