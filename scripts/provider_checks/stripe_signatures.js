// The official Node library makes and judges signatures of the scheme that `providers/stripe` verifies.
// usage: node stripe_signatures.js WEBHOOK_SECRET; prints headers that our own tests hold as vectors.
const crypto = require("node:crypto");
const Stripe = require("stripe");

const secret = process.argv[2];
const stripe = new Stripe("sk_test_unused");
const payload = JSON.stringify({ id: "evt_check", object: "event", type: "payout.paid" });
const timestamp = Math.floor(Date.now() / 1000);
const mac = crypto.createHmac("sha256", secret).update(`${timestamp}.${payload}`).digest("hex");
const ours = `t=${timestamp},v1=${mac}`;
const official = stripe.webhooks.generateTestHeaderString({ payload, secret, timestamp });
if (!official.startsWith(ours)) throw new Error(`ours: ${ours}, the official library's: ${official}`);
if (stripe.webhooks.constructEvent(payload, ours, secret).id !== "evt_check") throw new Error("another event");
for (const wrong of [ours.replace(/.$/, (c) => (c === "0" ? "1" : "0")), `t=${timestamp}`, "v1=00"]) {
  let accepted = true;
  try {
    stripe.webhooks.constructEvent(payload, wrong, secret);
  } catch {
    accepted = false;
  }
  if (accepted) throw new Error(`the official library accepts ${wrong}`);
}
console.log("the official Node library makes the same signatures as ours");
