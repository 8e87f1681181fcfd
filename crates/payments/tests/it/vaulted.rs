//! Cards that are kept of ours: put into the vault with the method, tokenized from there at another
//! provider, destroyed with the method; and what becomes of them when either store fails.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use kernel::{Credentials, Distilled, Id, Query, Reply, Row};
use payments::{
    ConfirmPayment, CreatePayment, CustomerRef, MethodInput, MethodSummary, NewAccount, NewMethod,
    PaymentMethod, PaymentMethodKind, PaymentStatus, PaymentsError, Rejection, SettingsPatch,
};
use provider_kit::{
    Account, Call, Context, Delivery, Incoming, Profile, Provider, ProviderAccount, Registry, Step,
    WebhookError,
};
use sandbox_bank::Keys;
use store::{Fault, Memory, Schema};
use testkit::{CountedIds, ManualClock, SeededRandom};
use vault::ServerSecret;
use vault::cards::{CardVault, KeystorePorts, MIGRATIONS, SoftwareKeystore, TABLES, Unlock, VaultPorts};

use crate::world::{World, card, card_payment};

const VISA: &str = "4242424242424242";

/// The sandbox under another name: another provider, as far as anybody can tell.
struct Elsewhere(Arc<dyn Provider>);

static PROFILE: LazyLock<Profile> = LazyLock::new(|| {
    let registry = provider_registry::all();
    let known = registry.get("sandbox").unwrap().profile();
    Profile {
        id: "elsewhere",
        name: "Elsewhere",
        methods: known.methods,
        currencies: known.currencies,
        limits: known.limits,
        amount_steps: known.amount_steps,
        capabilities: known.capabilities,
        repeats: known.repeats,
        visibility: known.visibility,
        authorization_valid_for: known.authorization_valid_for,
        secrets: known.secrets,
        tokenizes_cards: known.tokenizes_cards,
        plays_scenarios: known.plays_scenarios,
    }
});

impl Provider for Elsewhere {
    fn profile(&self) -> &'static Profile {
        &PROFILE
    }

    fn step(&self, cx: &Context, account: &ProviderAccount, call: &Call, replies: &[Distilled]) -> Step {
        self.0.step(cx, account, call, replies)
    }

    fn distill(&self, step: &str, reply: &Reply) -> Distilled {
        self.0.distill(step, reply)
    }

    fn webhook(
        &self,
        cx: &Context,
        account: &ProviderAccount,
        credentials: &Credentials,
        delivery: &Delivery,
        replies: &[Distilled],
    ) -> Result<Incoming, WebhookError> {
        self.0.webhook(cx, account, credentials, delivery, replies)
    }
}

pub(crate) fn registry() -> Registry {
    let all = provider_registry::all();
    let sandbox = Arc::clone(all.get("sandbox").unwrap());
    Registry::new(all.iter().cloned().chain([Arc::new(Elsewhere(sandbox)) as Arc<dyn Provider>]).collect())
}

/// A card vault with a store of its own.
pub(crate) struct CardsOf {
    pub(crate) cards: Arc<CardVault>,
    pub(crate) memory: Arc<Memory>,
    clock: ManualClock,
    folder: PathBuf,
}

impl CardsOf {
    async fn new(name: &str) -> Self {
        let clock = ManualClock::new("2026-11-21T10:00:00Z".parse().unwrap());
        let schema = Schema::new(&TABLES, &[&MIGRATIONS]).unwrap();
        let memory = store::open_memory_with(schema, Arc::new(clock.clone()), None);
        let folder =
            PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let (ids, random) = (Arc::new(CountedIds::default()), Arc::new(SeededRandom::new(11)));
        let ports = KeystorePorts {
            clock: Arc::new(clock.clone()),
            ids: Arc::<CountedIds>::clone(&ids),
            random: Arc::<SeededRandom>::clone(&random),
        };
        let unlock = Unlock::KeyFile(folder.join("vault.key"));
        let keystore =
            SoftwareKeystore::open_or_create(&folder.join("vault.keystore"), &unlock, ports).unwrap();
        let ports = VaultPorts {
            store: Arc::<Memory>::clone(&memory),
            keys: Arc::new(keystore),
            clock: Arc::new(clock.clone()),
            ids,
            random,
        };
        Self { cards: CardVault::open(ports).await.unwrap(), memory, clock, folder }
    }

    async fn rows(&self, table: usize) -> Vec<Row> {
        let store: &dyn kernel::Store = self.memory.as_ref();
        store.find(Query::everywhere(TABLES[table], 100)).await.unwrap()
    }

    /// Cards that can be opened.
    async fn kept(&self) -> usize {
        self.rows(1).await.iter().filter(|row| row.columns[0] != kernel::Cell::Null).count()
    }

    async fn holders(&self) -> usize {
        self.rows(2).await.len()
    }
}

impl Drop for CardsOf {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

async fn world(name: &str) -> World {
    World::over(|_| {}, |_| {}, Some(CardsOf::new(name).await)).await
}

/// Gives the merchant an account at the other provider.
async fn elsewhere(world: &World) -> Id<Account> {
    // The oldest account is the default one.
    world.clock.advance(Duration::from_secs(10));
    let keys = Keys::draw(&SeededRandom::new(99));
    let new = NewAccount {
        provider: "elsewhere".to_owned(),
        identity: keys.identity.to_string(),
        settings: BTreeMap::new(),
        secrets: vec![
            ("api_key".to_owned(), keys.api_key),
            ("webhook_secret".to_owned(), keys.webhook_secret),
        ],
    };
    world.payments.ensure_account(world.scope, new).await.unwrap().account.id
}

async fn method(world: &World, customer: Option<&str>) -> Id<PaymentMethodKind> {
    let customer = customer.map(|name| CustomerRef::Reference(name.to_owned()));
    let new = NewMethod { method: card(VISA), customer, display_name: None, provider: None };
    world.payments.method_tokenize(&world.caller, new, None).await.unwrap().object.method.id
}

fn charging(method: Id<PaymentMethodKind>, provider: Option<&str>) -> CreatePayment {
    CreatePayment {
        method: Some(MethodInput::Stored(method)),
        provider: provider.map(str::to_owned),
        ..card_payment(1000, VISA)
    }
}

fn saving(number: &str) -> CreatePayment {
    let customer = Some(CustomerRef::Reference("anna".to_owned()));
    CreatePayment { stores_credential: true, customer, ..card_payment(1000, number) }
}

/// At how many accounts the method has a token.
async fn tokens(world: &World, id: Id<PaymentMethodKind>) -> usize {
    let found = world.store.of(world.scope).get::<PaymentMethod>(vec![id.into()]).await.unwrap().unwrap();
    serde_json::to_value(&found.record).unwrap()["tokens"].as_array().map_or(0, Vec::len)
}

#[tokio::test]
async fn a_stored_card_is_charged_at_another_provider_and_tokenized_there_once() {
    let world = world("another").await;
    let id = method(&world, Some("anna")).await;
    let other = elsewhere(&world).await;
    assert_eq!((tokens(&world, id).await, *world.wire.cards_sent.lock()), (1, 1));
    for charges in 1..=3 {
        let paid = world.create(charging(id, Some("elsewhere"))).await.unwrap().payment;
        assert_eq!(paid.status(), PaymentStatus::Paid, "{:?}", paid.last_error);
        let operations = world.payments.operations(world.scope, paid.id).await.unwrap();
        assert!(operations.iter().all(|operation| operation.account == other));
        assert_eq!((tokens(&world, id).await, *world.wire.cards_sent.lock()), (2, 2), "{charges}");
    }
    // Where nobody asks, it stays where it has its token.
    let paid = world.create(charging(id, None)).await.unwrap().payment;
    let operations = world.payments.operations(world.scope, paid.id).await.unwrap();
    assert_eq!(operations[0].account, world.account);
    world.quiet().await;
    world.assert_agreement().await;
}

/// What the stored rows say of a card besides its first six and last four digits cannot be computed from
/// the server secret: whoever has that and the database would try out the digits between.
#[tokio::test]
async fn the_fingerprint_of_a_card_is_of_the_vaults_key_or_absent() {
    let world = world("fingerprint").await;
    let shown = world.vault.as_ref().unwrap().cards.shown_fingerprint(world.scope, VISA);
    let paid = world.pay(VISA).await.payment;
    assert_eq!(fingerprint(paid.method.as_ref().unwrap()), Some(shown.as_str()));
    let id = method(&world, None).await;
    let stored = world.create(charging(id, None)).await.unwrap().payment;
    assert_eq!(fingerprint(stored.method.as_ref().unwrap()), Some(shown.as_str()), "the same card");
    let secret = ServerSecret::parse(&"5a".repeat(32)).unwrap();
    let of_secret = vault::Keys::derive(&secret, world.scope.mode).unwrap().fingerprint(VISA);
    assert_ne!(of_secret, shown);
    let rows = world.store.find(Query::everywhere(payments::TABLES[0], 10)).await.unwrap();
    for row in &rows {
        let text = String::from_utf8_lossy(&row.state).into_owned();
        assert!(text.contains(&shown) && !text.contains(&of_secret), "{text}");
    }

    let without = World::new().await;
    let paid = without.pay(VISA).await.payment;
    assert_eq!(fingerprint(paid.method.as_ref().unwrap()), None);
}

fn fingerprint(method: &MethodSummary) -> Option<&str> {
    match method {
        MethodSummary::Card(card) => card.fingerprint.as_deref(),
        MethodSummary::Upi { .. } | MethodSummary::Paypal | MethodSummary::Hosted { .. } => None,
    }
}

#[tokio::test]
async fn charges_that_race_to_another_provider_are_all_made_and_leave_one_token() {
    let world = world("racing").await;
    let id = method(&world, Some("anna")).await;
    elsewhere(&world).await;
    let charges = (0..5).map(|_| world.create(charging(id, Some("elsewhere"))));
    for charged in futures_util::future::join_all(charges).await {
        assert_eq!(charged.unwrap().payment.status(), PaymentStatus::Paid);
    }
    assert_eq!(tokens(&world, id).await, 2);
}

#[tokio::test]
async fn a_method_that_is_nobodys_or_confirmed_later_goes_elsewhere_too() {
    let world = world("nobodys").await;
    elsewhere(&world).await;
    let id = method(&world, None).await;
    let paid = world.create(charging(id, Some("elsewhere"))).await.unwrap().payment;
    assert_eq!((paid.status(), tokens(&world, id).await), (PaymentStatus::Paid, 2));
    // Attached in the reserve that learns its token.
    let id = method(&world, None).await;
    let customer = Some(CustomerRef::Reference("bert".to_owned()));
    let attaching = CreatePayment { stores_credential: true, customer, ..charging(id, Some("elsewhere")) };
    let paid = world.create(attaching).await.unwrap().payment;
    assert_eq!((paid.status(), tokens(&world, id).await), (PaymentStatus::Paid, 2));
    let owned = world.payments.method_get(world.scope, id).await.unwrap();
    assert!(owned.customer.is_some());
    // Made now, charged later.
    let id = method(&world, None).await;
    let later = CreatePayment { confirm: false, ..charging(id, Some("elsewhere")) };
    let made = world.create(later).await.unwrap().payment;
    let confirmed = world.payments.confirm(&world.caller, made.id, ConfirmPayment::default(), None).await;
    assert_eq!(confirmed.unwrap().payment.status(), PaymentStatus::Paid);
    let open = CreatePayment { confirm: false, method: None, ..charging(id, None) };
    let made = world.create(open).await.unwrap().payment;
    let with = ConfirmPayment {
        method: Some(MethodInput::Stored(id)),
        provider: Some("elsewhere".to_owned()),
        ..ConfirmPayment::default()
    };
    let confirmed = world.payments.confirm(&world.caller, made.id, with, None).await.unwrap();
    assert_eq!((confirmed.payment.status(), tokens(&world, id).await), (PaymentStatus::Paid, 2));
}

#[tokio::test]
async fn only_what_is_kept_goes_to_the_vault_and_only_where_it_is_wanted() {
    let world = world("wanted").await;
    let vault = world.vault.as_ref().unwrap();
    world.pay(VISA).await;
    assert_eq!((vault.kept().await, vault.holders().await), (0, 0), "a card that nobody keeps");
    world.create(saving(VISA)).await.unwrap();
    assert_eq!((vault.kept().await, vault.holders().await), (1, 1));
    world.create(saving(VISA)).await.unwrap();
    assert_eq!((vault.kept().await, vault.holders().await), (1, 2), "once per number");
    let open = CreatePayment { confirm: false, method: None, stores_credential: false, ..saving(VISA) };
    let made = world.create(open).await.unwrap().payment;
    let with = ConfirmPayment {
        method: Some(card("5555555555554444")),
        stores_credential: true,
        ..ConfirmPayment::default()
    };
    world.payments.confirm(&world.caller, made.id, with, None).await.unwrap();
    assert_eq!((vault.kept().await, vault.holders().await), (2, 3));
    let patch = SettingsPatch { vault_cards: payments::Patch::Set(false), ..SettingsPatch::default() };
    world.payments.change_settings(&world.caller, patch).await.unwrap();
    let id = method(&world, None).await;
    assert_eq!((vault.kept().await, vault.holders().await), (2, 3), "not this merchant's");
    elsewhere(&world).await;
    let refused = world.create(charging(id, Some("elsewhere"))).await.unwrap_err();
    assert!(matches!(refused, PaymentsError::Rejected(Rejection::MethodNotUsable(_))), "{refused:?}");
}

#[tokio::test]
async fn the_card_goes_with_its_method_and_nothing_opens_it_again() {
    let world = world("goes").await;
    let vault = world.vault.as_ref().unwrap();
    elsewhere(&world).await;
    let anna = CustomerRef::Reference("anna".to_owned());
    let (deleted, detached) = (method(&world, None).await, method(&world, Some("bert")).await);
    let (own, _) = (method(&world, Some("anna")).await, method(&world, Some("anna")).await);
    assert_eq!((vault.kept().await, vault.holders().await), (1, 4));
    world.payments.method_delete(&world.caller, deleted, None).await.unwrap();
    world.payments.method_detach(&world.caller, detached, None).await.unwrap();
    assert_eq!(world.payments.release_cards(10).await.unwrap(), 2);
    assert_eq!((vault.kept().await, vault.holders().await), (1, 2), "others still hold it");
    let paid = world.create(charging(own, Some("elsewhere"))).await.unwrap().payment;
    assert_eq!(paid.status(), PaymentStatus::Paid);
    world.payments.customer_delete(&world.caller, &anna, None).await.unwrap();
    assert_eq!(world.payments.release_cards(10).await.unwrap(), 1);
    assert_eq!((vault.kept().await, vault.holders().await), (0, 0));
    let proof = String::from_utf8(vault.rows(1).await[0].state.clone()).unwrap();
    assert!(proof.contains("destroyed_at") && !proof.contains("kept"), "{proof}");
    assert_eq!(world.payments.release_cards(10).await.unwrap(), 0);
    for gone in [deleted, detached, own] {
        let refused = world.create(charging(gone, Some("elsewhere"))).await.unwrap_err();
        assert!(matches!(refused, PaymentsError::Rejected(_)), "{refused:?}");
    }
}

#[tokio::test]
async fn a_method_that_nobody_attached_goes_with_its_card_and_no_other_does() {
    let world = world("unattached").await;
    let vault = world.vault.as_ref().unwrap();
    let day = Duration::from_hours(24);
    let (nobodys, attached, detached) =
        (method(&world, None).await, method(&world, None).await, method(&world, None).await);
    let own = method(&world, Some("anna")).await;
    let anna = CustomerRef::Reference("anna".to_owned());
    let attach =
        |id| world.payments.method_attach(&world.caller, &anna, payments::Attaching::Stored(id), None);
    attach(attached).await.unwrap();
    attach(detached).await.unwrap();
    world.payments.method_detach(&world.caller, detached, None).await.unwrap();
    world.payments.release_cards(10).await.unwrap();
    world.advance(day * 6).await;
    let paid = world.create(charging(nobodys, None)).await.unwrap().payment;
    assert_eq!(paid.status(), PaymentStatus::Paid, "until then it can be charged");
    assert_eq!(vault.holders().await, 3);
    world.advance(day).await;
    let gone = world.payments.method_get(world.scope, nobodys).await.unwrap_err();
    assert!(matches!(gone, PaymentsError::Rejected(Rejection::NotFound(_))), "{gone:?}");
    for stays in [attached, detached, own] {
        world.payments.method_get(world.scope, stays).await.unwrap();
    }
    assert_eq!(world.payments.release_cards(10).await.unwrap(), 1);
    assert_eq!(vault.holders().await, 2);
    assert_eq!(world.get(paid.id).await.method_id, Some(nobodys), "payments keep what they show of it");
    assert_eq!(world.payments.run_schedules(10).await.unwrap(), 0, "each job is done");
}

#[tokio::test]
async fn a_deletion_that_is_lost_is_made_once_more() {
    for fault in [Fault::FailsBefore, Fault::LostBefore, Fault::LostAfter] {
        let world = world("unattached-again").await;
        let id = method(&world, None).await;
        let week = Duration::from_hours(7 * 24);
        world.payments.move_clock(&world.caller, payments::MoveClock::By(week), None).await.unwrap();
        for _ in 0..3 {
            world.memory.inject(fault.clone());
        }
        let mut released = 0;
        for _ in 0..8 {
            world.clock.advance(Duration::from_mins(30));
            world.quiet().await;
            released += world.payments.release_cards(10).await.unwrap();
        }
        assert!(world.payments.method_get(world.scope, id).await.is_err(), "{fault:?}");
        assert!(released >= 1, "{fault:?}");
        assert_eq!(world.vault.as_ref().unwrap().holders().await, 0);
    }
}

#[tokio::test]
async fn a_release_that_fails_is_done_again() {
    let world = world("again").await;
    let vault = world.vault.as_ref().unwrap();
    let id = method(&world, None).await;
    world.payments.method_delete(&world.caller, id, None).await.unwrap();
    vault.memory.inject(Fault::FailsBefore);
    world.payments.release_cards(10).await.unwrap();
    assert_eq!(vault.kept().await, 1);
    world.clock.advance(Duration::from_mins(10));
    // Released, and the end of the job is lost: the next worker does it again, and nothing happens.
    world.memory.inject(Fault::FailsBefore);
    world.payments.release_cards(10).await.unwrap();
    assert_eq!(vault.kept().await, 0);
    world.clock.advance(Duration::from_mins(30));
    assert_eq!(world.payments.release_cards(10).await.unwrap(), 1);
    assert_eq!(world.payments.release_cards(10).await.unwrap(), 0);
}

#[tokio::test]
async fn a_card_whose_method_was_never_written_is_released_and_the_others_confirmed() {
    let world = world("orphan").await;
    let vault = world.vault.as_ref().unwrap();
    let kept = method(&world, None).await;
    world.memory.inject(Fault::FailsBefore);
    let new =
        NewMethod { method: card("5555555555554444"), customer: None, display_name: None, provider: None };
    let failed = world.payments.method_tokenize(&world.caller, new, None).await.unwrap_err();
    assert!(matches!(failed, PaymentsError::Unavailable(_)), "{failed:?}");
    world.memory.inject(Fault::FailsBefore);
    world.create(saving("4111111111111111")).await.unwrap_err();
    assert_eq!((vault.kept().await, vault.holders().await), (3, 3));
    assert_eq!(world.payments.confirm_cards(10).await.unwrap(), 0, "not before its time");
    vault.clock.advance(Duration::from_mins(61));
    assert_eq!(world.payments.confirm_cards(10).await.unwrap(), 3);
    assert_eq!((vault.kept().await, vault.holders().await), (1, 1));
    assert_eq!(world.payments.confirm_cards(10).await.unwrap(), 0);
    elsewhere(&world).await;
    let paid = world.create(charging(kept, Some("elsewhere"))).await.unwrap().payment;
    assert_eq!(paid.status(), PaymentStatus::Paid);
}

#[tokio::test]
async fn while_the_vault_fails_nothing_is_charged_and_payments_without_it_go_on() {
    let world = world("down").await;
    let vault = world.vault.as_ref().unwrap();
    vault.memory.inject(Fault::FailsBefore);
    let failed = world.create(saving(VISA)).await.unwrap_err();
    assert!(matches!(&failed, PaymentsError::Unavailable(_)), "{failed:?}");
    assert!(!format!("{failed:?}").contains("4242"));
    assert!(world.wire.sent.lock().is_empty(), "no money moved");
    assert!(world.payments.list(world.scope, None, 10).await.unwrap().items.is_empty());
    vault.memory.inject(Fault::FailsBefore);
    assert_eq!(world.pay(VISA).await.payment.status(), PaymentStatus::Paid);
}

#[tokio::test]
async fn a_provider_that_does_not_take_the_card_is_not_charged_and_leaves_no_token() {
    let world = world("declined").await;
    let id = method(&world, Some("anna")).await;
    elsewhere(&world).await;
    let vault = world.vault.as_ref().unwrap();
    // The card is gone from the vault, and the method does not know yet.
    let holder = Id::from_uuid(id.uuid());
    vault.cards.release(world.scope, holder).await.unwrap();
    let sent = world.wire.sent.lock().len();
    let refused = world.create(charging(id, Some("elsewhere"))).await.unwrap_err();
    assert!(matches!(refused, PaymentsError::Rejected(Rejection::MethodNotUsable(_))), "{refused:?}");
    assert_eq!((tokens(&world, id).await, world.wire.sent.lock().len()), (1, sent));
    assert_eq!(world.create(charging(id, None)).await.unwrap().payment.status(), PaymentStatus::Paid);
}
