//! Every code that an answer can carry: one table, from which the documentation lists them.
//!
//! A [`super::Problem`] can only be made from an entry of this table, so no code can be missing here.

/// One code.
#[derive(Debug)]
pub struct Entry {
    /// The word in `code`, and the fragment in `type`.
    pub code: &'static str,
    /// HTTP status.
    pub status: u16,
    /// The same for every occurrence.
    pub title: &'static str,
    /// What leads to it.
    pub cause: &'static str,
    /// What the caller can do.
    pub remedy: &'static str,
    /// Whether the same request may succeed later.
    pub retryable: bool,
}

macro_rules! catalogue {
    ($(
        $name:ident = $code:literal, $status:literal, $retryable:ident,
        $title:literal, $cause:literal, $remedy:literal;
    )+) => {
        $(
            #[doc = $title]
            pub static $name: Entry = Entry {
                code: $code, status: $status, title: $title, cause: $cause, remedy: $remedy,
                retryable: catalogue!(@ $retryable),
            };
        )+

        /// All of them, in the order of the documentation.
        pub static CATALOGUE: &[&Entry] = &[$(&$name,)+];
    };
    (@ once) => { false };
    (@ again) => { true };
}

catalogue! {
    INVALID_JSON = "invalid_json", 400, once,
        "The body cannot be read as JSON",
        "The body breaks the rules of RFC 8259: a syntax error, invalid UTF-8, a name that stands \
         twice in its object, or more than 32 levels.",
        "Correct the body at the given `line` and `column`; `param` points to the value that was \
         being read.";
    INVALID_IDEMPOTENCY_KEY = "invalid_idempotency_key", 400, once,
        "The idempotency key cannot be used",
        "`Idempotency-Key` is not 1 to 255 visible ASCII characters, or stands twice.",
        "Send one key, for example a UUID.";
    INVALID_REQUEST = "invalid_request", 400, once,
        "The request cannot be read",
        "The body broke off, or a header cannot be read.",
        "Send the request again, whole.";

    MISSING_API_KEY = "missing_api_key", 401, once,
        "No API key was given",
        "The request has no `Authorization: Bearer …` header.",
        "Send your secret key as a bearer token.";
    INVALID_API_KEY = "invalid_api_key", 401, once,
        "The API key is not valid",
        "The key is unknown, was revoked or has expired.",
        "Check the key, or make a new one.";

    MONITORING_KEY_REQUIRED = "monitoring_key_required", 401, once,
        "The monitoring key is needed",
        "`X-API-Key` is absent or is not the configured `monitoring.api_key` (MONITORING_API_KEY); without \
         one configured, nobody is let in.",
        "Send the configured key in the header `X-API-Key`.";

    CARD_DECLINED = "card_declined", 402, once,
        "The payment was declined",
        "The issuer, the payer or the provider decided against it; `decline_code` and `advice` say more.",
        "Do what `advice` says; the payment can be confirmed again with another method.";
    PAYMENT_DECLINED = "payment_declined", 402, once,
        "The payment was declined",
        "The payer or the provider decided against it; `decline_code` and `advice` say more.",
        "Do what `advice` says; the payment can be confirmed again with another method.";
    OPERATION_DECLINED = "operation_declined", 402, once,
        "The provider decided against it",
        "A capture, void or refund was declined; its amount is free again.",
        "See `decline_code`.";
    PARTIALLY_APPROVED = "partially_approved", 402, once,
        "Less than was asked was approved",
        "The issuer approved only a part; that part is given back.",
        "Confirm the payment again with another method.";
    OPERATION_FAILED = "operation_failed", 402, once,
        "The operation failed",
        "The provider did not carry it out; no money moved.",
        "See the payment's `last_error`.";
    NOT_SENT = "not_sent", 402, again,
        "The provider could not be reached",
        "Nothing was sent to the provider; no money moved.",
        "Try again with a new idempotency key.";
    PROVIDER_REFUSED = "provider_refused", 402, once,
        "The provider refused the request",
        "The provider did not take the request on, by a rule of its own. It is no decline of the payer's.",
        "Compare the request with what the provider takes; the payment's timeline has the provider's words.";
    PROVIDER_CREDENTIALS = "provider_credentials", 402, once,
        "The provider does not know us by our credentials",
        "The provider account's credentials are wrong, have ended or may not do this. No money moved, and no \
         other payment method helps.",
        "Have the operator put the account's credentials right: `florin provider test` says whether they \
         work. Then charge again with a new idempotency key.";
    PROVIDER_RATE_LIMITED = "provider_rate_limited", 402, again,
        "The provider takes no more requests for now",
        "The account is over the provider's own limit of requests. No money moved.",
        "Charge again later, with a new idempotency key.";
    UNKNOWN_TOKEN = "unknown_token", 402, once,
        "The provider knows nothing under this token",
        "The token of the payment method is misspelt, was deleted at the provider, or is another account's \
         or mode's.",
        "Send another payment method.";
    EXPIRED = "expired", 402, again,
        "Nobody finished it in time",
        "The customer did not act before the charge lapsed.",
        "Confirm the payment again, or make a new one.";
    CANCELLED = "cancelled", 402, again,
        "It was given up before it was finished",
        "The charge was cancelled at the provider.",
        "Confirm the payment again, or make a new one.";

    PUBLISHABLE_KEY = "publishable_key_not_allowed", 403, once,
        "A publishable key cannot do this",
        "The route needs a secret key; publishable keys are for browsers.",
        "Use a secret key, on your server.";
    CLIENT_SECRET_REQUIRED = "client_secret_required", 403, once,
        "A publishable key needs the payment's client secret",
        "With a publishable key a payment can be read or confirmed only together with its \
         `client_secret`.",
        "Send `client_secret` as the server got it with the payment: in the body, or in the query of \
         a GET.";
    WRONG_CLIENT_SECRET = "wrong_client_secret", 403, once,
        "The client secret is not this payment's",
        "`client_secret` belongs to another payment or another mode, or was changed.",
        "Send the `client_secret` that came with this payment.";
    MISSING_SCOPE = "missing_scope", 403, once,
        "The key may not do this",
        "The key was made with scopes, and the one that this route needs is not among them.",
        "Use another key, or make one with that scope.";
    WRONG_SIGNATURE = "wrong_signature", 403, once,
        "The signature is not right",
        "What came is not signed with the secret that is shared for this address, or was changed on the way.",
        "Compare the secret on both sides, and sign exactly the bytes that are sent.";
    BEYOND_OWN_KEY = "beyond_own_key", 403, once,
        "The new key could do what this one cannot",
        "A key makes, and rotates, only keys whose scopes, addresses and end lie within its own.",
        "Ask for less, use a key that can do as much, or the command line.";
    ADDRESS_NOT_ALLOWED = "address_not_allowed", 403, once,
        "The key cannot be used from this address",
        "The key was made with `allowed_ips`, and the request came from elsewhere.",
        "Call from an allowed address; behind a proxy, name it in `server.trusted_proxies`.";
    INSECURE_TRANSPORT = "insecure_transport", 403, once,
        "A live key came over plain HTTP",
        "Live keys are refused over plain HTTP from other machines.",
        "Use TLS, of the server or in front of it. Treat the key as leaked and replace it.";

    METRICS_NOT_HERE = "metrics_not_here", 403, once,
        "The metrics are not shown to this caller",
        "`/metrics` on the port of the API is for this machine and private networks, without a proxy \
         between.",
        "Set `metrics.port`, and let the monitoring read that port.";
    NOT_FOUND = "not_found", 404, once,
        "No such object",
        "The id is malformed, unknown, or another merchant's; or it belongs to the other mode.",
        "Check the id, and that the key is of the same merchant and mode.";
    ROUTE_NOT_FOUND = "route_not_found", 404, once,
        "No such route",
        "Nothing is served at this path.",
        "Check the path.";
    METHOD_NOT_ALLOWED = "method_not_allowed", 405, once,
        "The route has no such method",
        "The path exists, the method does not.",
        "Use a method that `Allow` lists.";
    REQUEST_TIMEOUT = "request_timeout", 408, again,
        "The body came too slowly",
        "The whole body must arrive within `server.read_timeout`, 30 seconds by default.",
        "Send the request again.";

    EVENT_NOT_FRESH = "event_not_fresh", 408, once,
        "The signature's time is not now",
        "It was signed too long ago (`webhooks.max_age` for signed events, the provider's own rule for its \
         notices) or more than a minute ahead: perhaps a replay.",
        "Sign it again with the time of sending, and compare the clocks of both sides.";

    INVALID_STATE = "invalid_state", 409, once,
        "The payment's status does not allow this",
        "For example a capture of a payment that is not `authorized`.",
        "Read the payment and decide anew.";
    OPERATION_OPEN = "operation_open", 409, again,
        "Another operation of the payment is still open",
        "An operation whose outcome is not known yet excludes this one.",
        "Wait until that operation is decided, then try again.";
    ORDER_ALREADY_CHARGED = "order_already_charged", 409, once,
        "The order has been charged already",
        "Another payment of the same `order_id` is open or paid.",
        "Use that payment, or send `allow_duplicate_order: true` if the order is really to be charged \
         twice.";
    PAYMENT_METHOD_STATE = "payment_method_state", 409, once,
        "The payment method's state does not allow this",
        "It belongs to another customer, or is detached already.",
        "Read the payment method and decide anew.";
    CUSTOMER_EXISTS = "customer_exists", 409, once,
        "There is a customer of this reference",
        "`reference` is unique among a merchant's customers, and one has it.",
        "Use that customer: every route takes the reference in place of the id.";
    TRANSACTION_DIFFERS = "transaction_differs", 409, once,
        "The transaction is known with another amount or currency",
        "An event of the same `tx_id` came before and said something else. The first one stands.",
        "Send another `tx_id` for another transaction.";
    API_KEY_ENDED = "api_key_ended", 409, once,
        "The key has ended",
        "It was revoked, or its time has passed: nothing can follow it.",
        "Make a new key.";
    API_KEY_IN_USE = "api_key_in_use", 409, once,
        "The key that asks would end itself",
        "A key does not revoke itself, nor rotate itself with less than an hour of overlap: a mistake would \
         lock you out.",
        "Use another key or the command line, or leave more overlap.";
    IDEMPOTENCY_KEY_IN_USE = "idempotency_key_in_use", 409, again,
        "The first request with this idempotency key is still running",
        "The same key was sent again before its first request was answered.",
        "Wait as long as `Retry-After` says and send the same request again.";
    BUSY = "busy", 409, again,
        "Other commands on this payment are waiting",
        "Commands on one payment run one after another, and this one waited too long.",
        "Wait as long as `Retry-After` says and send the same request again.";

    BODY_TOO_LARGE = "body_too_large", 413, once,
        "The body is too large",
        "A request body has at most 256 KiB.",
        "Send less, for example less metadata.";
    UNSUPPORTED_MEDIA_TYPE = "unsupported_media_type", 415, once,
        "The body is not declared as JSON",
        "`Content-Type` is something other than `application/json`, or the body is compressed.",
        "Send JSON in UTF-8 with `Content-Type: application/json`.";

    MISSING_FIELD = "missing_field", 422, once,
        "A field is missing",
        "A field that the request needs is absent or null.",
        "Add the field that `param` names.";
    UNKNOWN_FIELD = "unknown_field", 422, once,
        "There is no such field",
        "A field is misspelt, or belongs to another request.",
        "Correct or remove the field that `param` names; `detail` names the nearest known one.";
    UNSUPPORTED_FIELD = "unsupported_field", 422, once,
        "The field is not served yet",
        "The field is known, but this version cannot honour it.",
        "Leave the field out; it is never ignored silently.";
    CONFLICTING_FIELDS = "conflicting_fields", 422, once,
        "Two fields say the same thing",
        "Two names of one field were given.",
        "Send only one of them.";
    INVALID_TYPE = "invalid_type", 422, once,
        "A field has the wrong type",
        "For example a string where a number is expected.",
        "Send what `detail` says.";
    INVALID_VALUE = "invalid_value", 422, once,
        "A field has a value that is not allowed",
        "The value has the right type but is not one of the allowed ones.",
        "Send what `detail` says.";
    INVALID_AMOUNT = "invalid_amount", 422, once,
        "The amount cannot be as it is",
        "Amounts are whole numbers of minor units from 1 to 999999999999999; 0 only with \
         `purpose: verification`.",
        "Send USD 10.00 as `1000`, JPY 1000 as `1000`.";
    INVALID_CURRENCY = "invalid_currency", 422, once,
        "The currency cannot be as it is",
        "Not an ISO 4217 code in upper case, or not one that fits the rest of the request.",
        "Send a code such as `USD`.";
    CURRENCY_NOT_SUPPORTED = "currency_not_supported", 422, once,
        "Payments of this currency are not taken here",
        "The operator's `payment.supported_currencies` does not list the currency.",
        "Send another currency, or ask the operator to add this one.";
    RAW_CARD_NOT_ALLOWED = "raw_card_not_allowed", 422, once,
        "Raw card numbers are not taken with a secret key",
        "The operator set `PCI_COMPLIANCE_MODE`: card numbers may not pass through a merchant's server.",
        "Let the browser send the card with a publishable key, or send a token.";
    INVALID_CARD_NUMBER = "invalid_card_number", 422, once,
        "The card number is wrong",
        "No brand has a number of this prefix and length, or the check digit is wrong.",
        "Ask the customer for the number again.";
    INVALID_EXPIRY = "invalid_expiry", 422, once,
        "The card's expiry cannot be as it is",
        "The month is not 1 to 12, or the year is not one of two or four digits.",
        "Ask the customer for the expiry again.";
    INVALID_CVC = "invalid_cvc", 422, once,
        "The card's security code cannot be as it is",
        "American Express has four digits, all others three.",
        "Ask the customer for the code again.";
    INVALID_VPA = "invalid_vpa", 422, once,
        "The UPI address cannot be as it is",
        "A virtual payment address is `name@handle`.",
        "Ask the customer for the address again.";
    INVALID_URL = "invalid_url", 422, once,
        "The URL cannot be used",
        "It is not an absolute `http` or `https` URL in visible ASCII, without user information.",
        "Send a URL such as `https://shop.example/done`.";
    INVALID_TEXT = "invalid_text", 422, once,
        "A text cannot be stored as it is",
        "It is empty, too long, or has control characters.",
        "Send what `detail` says.";
    INVALID_METADATA = "invalid_metadata", 422, once,
        "The metadata cannot be stored as they are",
        "At most 50 entries; names of 1 to 40 characters; values are strings of up to 500 characters, \
         numbers or booleans.",
        "Send less, or keep it on your side.";
    INVALID_SCENARIO = "invalid_scenario", 422, once,
        "The scenario cannot be played",
        "`X-Florin-Sandbox-Scenario` names no scenario of the sandbox bank, or came with a live key.",
        "Send one of the names that `detail` lists, with a test key.";
    CARD_NUMBER_IN_TEXT = "card_number_in_text", 422, once,
        "A card number stands in a text",
        "A description, name, reason or metadata entry holds a card number. Nothing was stored.",
        "Remove it, and find out how it came there.";
    UNKNOWN_PARAMETER = "unknown_parameter", 422, once,
        "There is no such query parameter",
        "A query parameter is misspelt, stands twice, or belongs to another route.",
        "Correct or remove the parameter that `param` names.";
    UNSUPPORTED_PARAMETER = "unsupported_parameter", 422, once,
        "The query parameter is not served yet",
        "The filter is known, but this version cannot honour it.",
        "Leave it out; it is never ignored silently.";
    INVALID_PARAMETER = "invalid_parameter", 422, once,
        "A query parameter cannot be as it is",
        "For example a `limit` beyond 100, or a `cursor` that this server did not give.",
        "Send what `detail` says.";
    NO_PROVIDER_ACCOUNT = "no_provider_account", 422, once,
        "There is no provider account for this",
        "The merchant has no account at the asked provider in this mode, or none at all.",
        "Add a provider account, or ask for another provider.";
    TEST_MODE_ONLY = "test_mode_only", 422, once,
        "Only a test world has this",
        "The key is a live one. The clock of a live world is the real one and cannot be moved.",
        "Use a key that begins with `sk_test_`.";
    PAYMENT_METHOD_NOT_USABLE = "payment_method_not_usable", 422, once,
        "The payment method cannot be used for this",
        "It was detached, belongs to another customer, has no token at the provider that is to charge, or \
         the customer has no default one; `detail` says which.",
        "Send another payment method.";
    TOO_MANY_PAYMENT_METHODS = "too_many_payment_methods", 422, once,
        "The customer has as many payment methods as one can have",
        "A customer has at most 200 payment methods.",
        "Delete some that are not used any more.";
    BEYOND_CAPTURABLE = "beyond_capturable", 422, once,
        "More than can be captured",
        "The amount exceeds what is authorized and neither captured, released nor held by an open capture.",
        "Capture at most what `detail` says.";
    BEYOND_REFUNDABLE = "beyond_refundable", 422, once,
        "More than can be refunded",
        "The amount exceeds what is captured and neither refunded, disputed nor held by an open refund.",
        "Refund at most what `detail` says.";
    LIMIT_EXCEEDED = "limit_exceeded", 422, once,
        "The merchant's limit does not leave room for this",
        "The amount is above the merchant's limit of one payment, or what is left of its day or month \
         (UTC). Nothing was sent.",
        "Charge at most what `detail` says, wait for the next period, or have the limit raised.";
    TOO_MANY_OPERATIONS = "too_many_operations", 422, once,
        "The payment has had its operations",
        "A payment can have 99 operations.",
        "Make a new payment.";
    IDEMPOTENCY_KEY_REUSED = "idempotency_key_reused", 422, once,
        "The idempotency key stands for another request",
        "The same key came with another body or on another route.",
        "Use a new key for a new request.";

    RATE_LIMITED = "rate_limited", 429, again,
        "Too many requests",
        "A rate limit is used up: of the key, of the address, or of attempts to charge one order, \
         customer or payer. Nothing was done, and no idempotency key was used.",
        "Wait as long as `Retry-After` says and send the same request again.";

    INTERNAL = "internal", 500, again,
        "Something went wrong on our side",
        "A fault of the server; its log has the `request_id`.",
        "Try again with the same idempotency key; report the `request_id` if it persists.";
    OVERLOADED = "overloaded", 503, again,
        "Too much is queued",
        "The server sheds new work so that what it has begun can be finished.",
        "Wait as long as `Retry-After` says and send the same request again.";
    STORAGE_FULL = "storage_full", 503, again,
        "The server has no room to write",
        "The disk of the database is full. What cannot be written down is not sent to a provider: nothing \
         happened. Reading works.",
        "Send the same request again later. The operator must make room on the disk that holds the database \
         (`database.folder`, or PostgreSQL's); no restart is needed.";
    UNDECIDED = "undecided", 503, again,
        "It is not known yet whether this was done",
        "The database did not answer in time. The request may have been written down, and is carried out \
         then.",
        "Send the same request again with the same idempotency key: it is done at most once. Without a key, \
         look whether the payment is there before you ask anew.";
    UNAVAILABLE = "unavailable", 503, again,
        "The server cannot reach its database",
        "Nothing was written and nothing was sent.",
        "Wait as long as `Retry-After` says and send the same request again.";
}

/// The entry of a code that another room gave as text.
pub fn find(code: &str) -> Option<&'static Entry> {
    CATALOGUE.iter().copied().find(|entry| entry.code == code)
}
