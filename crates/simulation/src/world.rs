//! A run: everything that takes part in it, from the first start to the last check.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::time::Duration;

use kernel::{Actor, Clock, Exchange, Id, Scope, Store};
use parking_lot::Mutex;
use payments::{Caller, PaymentKind};
use provider_kit::Account;
use sandbox_bank::{Bank, BankAccount, BankConfig, InProcess};
use store::{Memory, open_memory_with};
use testkit::{CountedIds, SeededRandom};

use crate::client::Told;
use crate::dice::Dice;
use crate::executor::{Executor, OUTSIDE, Sleep, Stuck};
use crate::log::Log;
use crate::machine::{Machine, Process};
use crate::plan::{Item, Plan, Trouble};
use crate::ports::{MachineClock, wall};
use crate::watch::Watch;
use crate::{client, desk, notices, verdict};

/// How long clients ask and faults happen.
const STORM: Duration = Duration::from_secs(100);
/// How long at most everything then takes to come to rest.
const REST_MAX: Duration = Duration::from_mins(70);
/// Between two looks whether everything has come to rest.
const REST_LOOK: Duration = Duration::from_secs(30);
/// Polls of a run: far more than any needs.
const STEPS_MAX: u64 = 3_000_000;

/// A run in progress.
pub(crate) struct World {
    /// What happens.
    pub(crate) plan: Plan,
    /// Who runs.
    pub(crate) executor: Executor,
    /// What is left behind.
    pub(crate) log: Log,
    /// What must be true at every step.
    pub(crate) watch: Watch,
    /// The rows, without faults.
    pub(crate) database: Arc<Memory>,
    /// What lists filter by, in a database of its own.
    pub(crate) search: Arc<Memory>,
    /// The bank.
    pub(crate) bank: Arc<Bank>,
    /// The way to it, without faults.
    pub(crate) way: InProcess,
    /// Ids of everybody.
    pub(crate) ids: Arc<CountedIds>,
    /// Randomness of everybody.
    pub(crate) random: Arc<SeededRandom>,
    /// Who serves.
    pub(crate) machines: Mutex<Vec<Machine>>,
    /// Whether nothing goes wrong any more.
    pub(crate) calm: Arc<AtomicBool>,
    /// The payments that wishes became, newest last.
    pub(crate) made: Mutex<BTreeMap<usize, Vec<Id<PaymentKind>>>>,
    /// What clients were told.
    pub(crate) told: Mutex<Vec<Told>>,
    /// The merchant's world and its account, once they are there.
    pub(crate) place: Mutex<Option<Place>>,
    counters: Mutex<Counters>,
    happened: Mutex<BTreeSet<usize>>,
    dice: Mutex<Dice>,
}

/// Where the merchant's payments are.
#[derive(Clone)]
pub(crate) struct Place {
    /// The world.
    pub(crate) scope: Scope,
    /// The account at the sandbox.
    pub(crate) account: Id<Account>,
    /// Who that is at the bank.
    pub(crate) identity: Id<BankAccount>,
}

#[derive(Default)]
struct Counters {
    moves: u64,
    reads: u64,
    notices: u64,
}

/// What a run came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// What was not true that must be; the first ones.
    pub violations: Vec<String>,
    /// What was reached, and how often.
    pub marks: BTreeMap<String, u64>,
    /// Line by line, if asked for.
    pub trace: Vec<String>,
    /// How many polls it took.
    pub steps: u64,
}

/// Runs a plan.
pub fn run(plan: Plan, traced: bool) -> Report {
    let world = match World::new(plan, traced) {
        Ok(world) => world,
        Err(error) => return Report { violations: vec![error], ..Report::default() },
    };
    let life = Arc::clone(&world);
    let ended = world.executor.run(async move { life.live().await }, STEPS_MAX);
    let now = world.executor.now();
    match ended {
        Ok(()) => {}
        Err(Stuck::Nothing) => world.log.violation(now, "everything stands still".to_owned()),
        Err(Stuck::Endless) => world.log.violation(now, "it goes on and on".to_owned()),
    }
    let steps = world.executor.steps();
    world.machines.lock().clear();
    world.executor.clear();
    let (trace, marks, violations) = world.log.take();
    Report { violations, marks, trace, steps }
}

impl World {
    fn new(plan: Plan, traced: bool) -> Result<Arc<Self>, String> {
        let executor = Executor::new(Dice::new(plan.seed, 2));
        let calm = Arc::new(AtomicBool::new(false));
        let clock = || Arc::new(MachineClock::new(executor.clone(), Arc::clone(&calm)));
        let (ids, random) = (Arc::new(CountedIds::default()), Arc::new(SeededRandom::new(plan.seed)));
        let schema = node::schema().map_err(|error| error.to_string())?;
        let database = open_memory_with(schema, clock(), None);
        let search = node::search_schema().map_err(|error| error.to_string())?;
        let search = open_memory_with(search, clock(), None);
        let settings = BankConfig {
            notifies_all: plan.notifies_all,
            fee_basis_points: plan.fee_basis_points,
            ..BankConfig::default()
        };
        let bank = Arc::new(Bank::in_memory(settings, random.clone(), ids.clone()));
        let machines = (0..plan.machines).map(|_| Machine::new(clock())).collect();
        Ok(Arc::new(Self {
            log: Log::new(traced),
            watch: Watch::default(),
            way: InProcess::new(Arc::clone(&bank), clock()),
            dice: Mutex::new(Dice::new(plan.seed, 3)),
            plan,
            executor,
            database,
            search,
            bank,
            ids,
            random,
            machines: Mutex::new(machines),
            calm,
            made: Mutex::default(),
            told: Mutex::default(),
            place: Mutex::default(),
            counters: Mutex::default(),
            happened: Mutex::default(),
        }))
    }

    async fn live(self: &Arc<Self>) {
        // The first machine comes up before anything goes wrong: it makes the merchant.
        self.boot(0);
        while self.place.lock().is_none() {
            self.executor.sleep(Duration::from_millis(5)).await;
            self.find_place().await;
        }
        for number in 1..self.plan.machines {
            self.boot(number);
        }
        self.executor.spawn(OUTSIDE, Box::pin(notices::carry(Arc::clone(self))));
        self.begin();
        let begun = self.executor.now();
        self.executor.sleep(STORM).await;
        self.grow_calm();
        loop {
            self.executor.sleep(REST_LOOK).await;
            let late = self.executor.now() > begun + STORM + REST_MAX;
            if late || verdict::is_at_rest(self).await || self.log.is_violated() {
                break;
            }
        }
        // What follows from a violation says less than the violation.
        if !self.log.is_violated() {
            verdict::check(self).await;
        }
    }

    /// Everything heals: whoever is down comes up, and nothing goes wrong any more.
    fn grow_calm(&self) {
        self.log.line(self.executor.now(), || "--- nothing goes wrong any more ---".to_owned());
        self.calm.store(true, Ordering::Relaxed);
        self.executor.be_orderly();
    }

    async fn find_place(&self) {
        let Some((_, payments)) = self.serving(0) else { return };
        let node = self.machines.lock().first().and_then(|machine| machine.node.clone());
        let Some(node) = node else { return };
        let Ok(merchants) = node.identity.merchants().await else { return };
        let Some(merchant) = merchants.first() else { return };
        let scope = merchant.scope(kernel::Mode::Test);
        let Ok(accounts) = payments.accounts(scope).await else { return };
        let Some(account) = accounts.first() else { return };
        let Ok(identity) = Id::parse(&account.identity) else { return };
        *self.place.lock() = Some(Place { scope, account: account.id, identity });
    }

    /// Starts everything that the plan dates.
    fn begin(self: &Arc<Self>) {
        for (_, item) in self.plan.items.clone() {
            let world = Arc::clone(self);
            let work: kernel::BoxFuture<'static, ()> = match item {
                Item::Ask(ask) => Box::pin(client::ask(world, ask)),
                Item::Desk { at, wish, deed } => Box::pin(desk::act(world, at, wish, deed)),
                Item::Jump { machine, at, millis } => Box::pin(async move {
                    world.executor.sleep(at).await;
                    world.log.mark("clock: jumps");
                    world
                        .log
                        .line(world.executor.now(), || format!("n{machine}  clock jumps by {millis} ms"));
                    if let Some(machine) = world.machines.lock().get(machine) {
                        machine.clock.jump(millis);
                    }
                }),
                Item::Stall { machine, at, length } => Box::pin(async move {
                    world.executor.sleep(at).await;
                    let process = world.machines.lock().get(machine).and_then(|m| m.process.clone());
                    let Some(process) = process else { return };
                    world.log.mark("process: put aside");
                    world.line(&process, || format!("is put aside for {length:?}"));
                    world.executor.stall(process.life, length);
                }),
                Item::Wire { .. }
                | Item::Read { .. }
                | Item::Spell { .. }
                | Item::Commit { .. }
                | Item::Conflicts { .. }
                | Item::Outage { .. }
                | Item::Crash { .. }
                | Item::Notice { .. } => continue,
            };
            self.executor.spawn(OUTSIDE, work);
        }
    }

    /// A line of a process.
    pub(crate) fn line(&self, process: &Process, text: impl FnOnce() -> String) {
        self.log.line(self.executor.now(), || format!("n{}  {}", process.machine, text()));
    }

    /// The number of the next call, and what happens to it.
    pub(crate) fn next_call(&self, moves: bool) -> (u64, Option<Trouble>) {
        let nth = {
            let mut counters = self.counters.lock();
            let counter = if moves { &mut counters.moves } else { &mut counters.reads };
            *counter += 1;
            *counter - 1
        };
        if !self.is_stormy() {
            return (nth, None);
        }
        let now = self.executor.now();
        let single = self.plan.items.iter().find_map(|(_, item)| match *item {
            Item::Wire { nth: at, trouble } if moves && at == nth => Some(trouble),
            Item::Read { nth: at, trouble } if !moves && at == nth => Some(trouble),
            _ => None,
        });
        let spell = || {
            self.plan.items.iter().find_map(|(_, item)| match *item {
                Item::Spell { at, length, trouble } if (at..at + length).contains(&now) => Some(trouble),
                _ => None,
            })
        };
        (nth, single.or_else(spell))
    }

    /// The number of the next notice.
    pub(crate) fn next_notice(&self) -> u64 {
        let mut counters = self.counters.lock();
        counters.notices += 1;
        counters.notices - 1
    }

    /// The number of a machine's next commit.
    pub(crate) fn next_commit(&self, machine: usize) -> u64 {
        let mut machines = self.machines.lock();
        machines.get_mut(machine).map_or(0, |machine| {
            machine.commits += 1;
            machine.commits - 1
        })
    }

    /// Whether a machine's database is out of reach now.
    pub(crate) fn is_out_of_reach(&self, machine: usize) -> bool {
        let now = self.executor.now();
        self.is_stormy()
            && self.place.lock().is_some()
            && self.plan.items.iter().any(|(_, item)| match *item {
                Item::Outage { machine: of, at, length } => of == machine && (at..at + length).contains(&now),
                _ => false,
            })
    }

    /// Whether this item happens now: each happens once.
    pub(crate) fn once(&self, number: usize) -> bool {
        self.happened.lock().insert(number)
    }

    /// A length of time in milliseconds.
    pub(crate) fn between(&self, least: u64, most: u64) -> Duration {
        Duration::from_millis(self.dice.lock().between(least, most))
    }

    /// A choice.
    pub(crate) fn roll(&self, sides: u64) -> u64 {
        self.dice.lock().roll(sides)
    }

    /// Waits for a while, in milliseconds.
    pub(crate) fn pause(&self, least: u64, most: u64) -> Sleep {
        self.executor.sleep(self.between(least, most))
    }

    /// A read takes a moment, in which others may run.
    pub(crate) async fn breathe(&self) {
        if self.is_stormy() {
            let micros = self.dice.lock().between(50, 3000);
            self.executor.sleep(Duration::from_micros(micros)).await;
        }
    }

    /// The world's time.
    pub(crate) fn wall(&self) -> kernel::Timestamp {
        wall(&self.executor)
    }

    /// On whose behalf clients ask.
    pub(crate) fn caller(place: &Place) -> Caller {
        Caller {
            scope: place.scope,
            actor: Actor::Key("key_test".to_owned()),
            trace_id: None,
            scenario: None,
        }
    }

    /// The rows, as a store.
    pub(crate) fn rows(&self) -> Arc<dyn Store> {
        Arc::<Memory>::clone(&self.database)
    }
}

/// That the parts fit the ports.
const _: fn(&MachineClock) -> &dyn Clock = |clock| clock;
const _: fn(&InProcess) -> &dyn Exchange = |way| way;
