//! How it is reached.

use crate::config::key::DefaultValue::{Is, Unset};
use crate::config::key::{Section, key};
use crate::config::read::{BOOLEAN, COUNT, DURATION, FILE, NETWORKS, ORIGINS, PORT, TEXT, WEB_ADDRESS};

pub(super) const SECTION: Section = Section {
    name: "server",
    about: "How it is reached.",
    keys: &[
        key!(
            "server.host",
            ["SERVER_HOST"],
            TEXT => server.host,
            Is("\"127.0.0.1\""),
            "The address to listen on; 0.0.0.0 is every address of the machine."
        ),
        key!(
            "server.port",
            ["SERVER_PORT"],
            PORT => server.port,
            Is("8000"),
            "The port to listen on; 0 takes a free one."
        ),
        key!(
            "server.public_url",
            [],
            WEB_ADDRESS => server.public_url,
            Unset("\"https://pay.example.com\""),
            "Where browsers and providers reach this installation. Without it: http:// (https:// with \
             server.tls) and the address above."
        ),
        key!(
            "server.answer_within",
            ["TRANSACTION_TIMEOUT_SECONDS"],
            DURATION => server.answer_within,
            Is("\"25s\""),
            "After which a call whose outcome is not known yet is answered with 202. The work goes on."
        ),
        key!(
            "server.read_timeout",
            ["SERVER_READ_TIMEOUT"],
            DURATION => server.read_timeout,
            Is("\"30s\""),
            "How long the head or the body of a request may take. An idle connection is kept twice as long."
        ),
        key!(
            "server.write_timeout",
            ["SERVER_WRITE_TIMEOUT"],
            DURATION => server.write_timeout,
            Is("\"30s\""),
            "How long a client may take no byte of its answer before it is cut off."
        ),
        key!(
            "server.requests_at_once",
            [],
            COUNT => server.requests_at_once,
            Unset("384"),
            "How many requests are worked on at once, those that wait for a provider not counted. More are \
             answered 503 with Retry-After at once, so that what was taken keeps its latency; reads go on \
             until twice as many. Without it: 192 for each processor."
        ),
        key!(
            "server.stop_delay",
            [],
            DURATION => server.stop_delay,
            Is("\"0s\""),
            "After the signal to stop, how long requests are still taken while /ready answers 503 already: \
             as long as a load balancer takes to notice."
        ),
        key!(
            "server.trusted_proxies",
            [],
            NETWORKS => server.trusted_proxies,
            Is("[]"),
            "Proxies whose X-Forwarded-For (or Forwarded) says who is calling, and whose X-Forwarded-Proto \
             says whether it came over TLS. From all others these headers count for nothing. Live keys are \
             refused over plain HTTP except from here and from this machine."
        ),
        key!(
            "server.allowed_origins",
            [],
            ORIGINS => server.allowed_origins,
            Is("[]"),
            "Pages of these origins may call, with a publishable key, what such a key may do: tokenize a \
             card, and confirm and read a payment by its client secret. Without any, browsers keep every \
             answer from pages of other origins. In the environment with commas between."
        ),
        key!(
            "server.pci_compliance_mode",
            ["PCI_COMPLIANCE_MODE"],
            BOOLEAN => server.pci_compliance_mode,
            Is("false"),
            "Refuses raw card numbers that come with a secret key, so that no system of the merchant's can \
             send any: cards come from browsers, with a publishable key, or as tokens."
        ),
    ],
};

pub(super) const TLS: Section = Section {
    name: "server.tls",
    about: "TLS of the API's own port; it then speaks no plain HTTP. The files are read at the start.",
    keys: &[
        key!(
            "server.tls.cert",
            [],
            FILE => server.tls.cert,
            Unset("\"/etc/florin/tls/tls.crt\""),
            "The server's certificate in PEM, followed by those between it and its root."
        ),
        key!(
            "server.tls.key",
            [],
            FILE => server.tls.key,
            Unset("\"/etc/florin/tls/tls.key\""),
            "Its private key in PEM, without a passphrase."
        ),
        key!(
            "server.tls.client_ca",
            [],
            FILE => server.tls.client_ca,
            Unset("\"/etc/florin/tls/clients.crt\""),
            "Certificates in PEM: every client must show one that one of these signed, beside its API key. \
             Without it clients show none."
        ),
    ],
};
