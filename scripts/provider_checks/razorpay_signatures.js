// Razorpay's own library for Node judges what our end-to-end run left: the fake's notices, those that Florin
// simulates, and what Razorpay's page sends a payer's browser back with.
// usage: node razorpay_signatures.js SIGNED_FILE KEY_SECRET WEBHOOK_SECRET
const fs = require("node:fs");
const Razorpay = require("razorpay");
const { validatePaymentVerification } = require("razorpay/dist/utils/razorpay-utils");

const [file, keySecret, webhookSecret] = process.argv.slice(2);
const { notices, returns } = JSON.parse(fs.readFileSync(file, "utf8"));
if (notices.length < 2 || returns.length < 1) throw new Error("there is nothing to judge");
for (const { body, headers } of notices) {
  const signature = headers["x-razorpay-signature"];
  if (!Razorpay.validateWebhookSignature(body, signature, webhookSecret)) throw new Error(`refused: ${body}`);
  for (const [changed, secret] of [[`${body} `, webhookSecret], [body, "whsec_of_nobody"]]) {
    if (Razorpay.validateWebhookSignature(changed, signature, secret)) throw new Error("accepts a changed notice");
  }
}
for (const { razorpay_order_id, razorpay_payment_id, razorpay_signature } of returns) {
  const judge = (order_id, payment_id) =>
    validatePaymentVerification({ order_id, payment_id }, razorpay_signature, keySecret);
  if (!judge(razorpay_order_id, razorpay_payment_id)) throw new Error("refuses a payer's return");
  if (judge(razorpay_payment_id, razorpay_order_id)) throw new Error("accepts another payer's return");
}
console.log(`Razorpay's own library for Node verified ${notices.length} notices and ${returns.length} returns`);
