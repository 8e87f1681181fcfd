//! Where cards are kept.

use crate::config::key::DefaultValue::{Is, Unset};
use crate::config::key::{Section, key};
use crate::config::read::{BOOLEAN, FILE, PASSPHRASE};

pub(super) const SECTION: Section = Section {
    name: "vault",
    about: "Where cards are kept, in a store of their own (vault.db in the folder, the schema florin_vault \
            on PostgreSQL), under keys that are not in it.",
    keys: &[
        key!(
            "vault.enabled",
            [],
            BOOLEAN => vault.enabled,
            Is("true"),
            "Whether card numbers are taken at all. Without them only providers' tokens and other methods \
             are."
        ),
        key!(
            "vault.keystore",
            [],
            FILE => vault.keystore,
            Unset("\"/etc/florin/vault.keystore\""),
            "The file with the keys that cards are under, the same on all nodes; `florin vault init` makes \
             it. Without it, SQLite makes vault.keystore and vault.key in its folder; on PostgreSQL cards \
             then stay with the providers alone."
        ),
        key!(
            "vault.key_file",
            [],
            FILE => vault.key_file,
            Unset("\"/run/secrets/vault.key\""),
            "What opens the keystore: a file of mode 0600. Without it and without a passphrase, vault.key \
             beside the keystore."
        ),
        key!(
            "vault.passphrase",
            [],
            PASSPHRASE => vault.passphrase,
            Unset("\"\""),
            "What opens the keystore instead of a key file."
        ),
        key!(
            "vault.save_cards",
            [],
            BOOLEAN => vault.save_cards,
            Is("true"),
            "Whether the card of a payment method that is kept goes to the vault too, so that it can be \
             charged at further providers. A merchant's own setting (vault_cards) goes before."
        ),
    ],
};
