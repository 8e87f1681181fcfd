//! Machines that serve: a process each, which dies, is started again, and is put aside.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use kernel::{Outcome, Secret, Store, Tasks};
use node::config::BankPlace;
use node::{Config, Node, Ports, Stores};
use payments::{LateSuccess, Payments};
use store::{Fault, Memory};

use crate::executor::{Life, OUTSIDE};
use crate::plan::{CrashWhen, Item, Plan, StoreFault};
use crate::ports::{MachineClock, ProcessTasks};
use crate::seen::Seen;
use crate::wire::Wire;
use crate::world::World;

/// One process of one machine.
#[derive(Clone)]
pub(crate) struct Process {
    /// Which machine.
    pub(crate) machine: usize,
    /// Its life.
    pub(crate) life: Life,
    /// The life of its connections to the database.
    pub(crate) connections: Life,
    /// The machine's clock.
    pub(crate) clock: Arc<MachineClock>,
}

/// A machine.
pub(crate) struct Machine {
    /// Its clock goes on when a process dies.
    pub(crate) clock: Arc<MachineClock>,
    /// What runs on it.
    pub(crate) process: Option<Process>,
    /// What answers requests, once it is up.
    pub(crate) node: Option<Arc<Node>>,
    /// Batches that its committers began.
    batches: u64,
    /// Commits that it asked for.
    pub(crate) commits: u64,
}

impl Machine {
    /// One that is off.
    pub(crate) const fn new(clock: Arc<MachineClock>) -> Self {
        Self { clock, process: None, node: None, batches: 0, commits: 0 }
    }
}

impl World {
    /// What serves on a machine, if it is up.
    pub(crate) fn serving(&self, machine: usize) -> Option<(Process, Arc<Payments>)> {
        let machines = self.machines.lock();
        let machine = machines.get(machine)?;
        Some((machine.process.clone()?, Arc::clone(&machine.node.as_ref()?.payments)))
    }

    /// What serves on this machine, else on the next one that is up.
    pub(crate) fn any_serving(&self, from: usize) -> Option<(Process, Arc<Payments>)> {
        let count = self.machines.lock().len();
        (0..count).find_map(|step| self.serving((from + step) % count))
    }

    /// Starts a machine's process.
    pub(crate) fn boot(self: &Arc<Self>, number: usize) {
        let (life, connections) = (self.executor.be_born(), self.executor.be_born());
        let process = {
            let mut machines = self.machines.lock();
            let Some(machine) = machines.get_mut(number) else { return };
            let process = Process { machine: number, life, connections, clock: Arc::clone(&machine.clock) };
            machine.process = Some(process.clone());
            machine.node = None;
            process
        };
        self.line(&process, || "starts".to_owned());
        self.arm(&process);
        let world = Arc::clone(self);
        self.executor.spawn(
            life,
            Box::pin(async move {
                loop {
                    match start(&world, &process).await {
                        Ok(node) => return world.serve(&process, node),
                        Err(error) => {
                            world.line(&process, || format!("does not start: {error}"));
                            world.executor.sleep(Duration::from_secs(1)).await;
                        }
                    }
                }
            }),
        );
    }

    fn serve(&self, process: &Process, node: Arc<Node>) {
        node.run_background();
        self.line(process, || "serves".to_owned());
        let mut machines = self.machines.lock();
        if let Some(machine) = machines.get_mut(process.machine) {
            machine.node = Some(node);
        }
    }

    /// Kills a machine's process: at once for itself, after `linger` for what it sent to the database.
    pub(crate) fn crash(self: &Arc<Self>, number: usize, down: Duration, linger: Duration) {
        let (process, node) = {
            let mut machines = self.machines.lock();
            let Some(machine) = machines.get_mut(number) else { return };
            let Some(process) = machine.process.take() else { return };
            (process, machine.node.take())
        };
        self.line(&process, || format!("DIES, is down for {down:?}"));
        self.executor.end(process.life);
        drop(node);
        let world = Arc::clone(self);
        self.executor.spawn(
            OUTSIDE,
            Box::pin(async move {
                world.executor.sleep(linger).await;
                world.executor.end(process.connections);
                world.executor.sleep(down.saturating_sub(linger)).await;
                world.boot(number);
            }),
        );
    }

    /// Lets a process die when the plan says so.
    fn arm(self: &Arc<Self>, process: &Process) {
        for (number, item) in &self.plan.items {
            let Item::Crash { machine, when: CrashWhen::Poll(polls), down, linger } = *item else { continue };
            if machine != process.machine || !self.once(*number) {
                continue;
            }
            let (world, life) = (Arc::clone(self), process.life);
            let polled = self.executor.polled(life, polls);
            self.executor.spawn(
                OUTSIDE,
                Box::pin(async move {
                    polled.await;
                    if world.is_stormy() {
                        world.log.mark("process: dies between two polls");
                        world.crash(machine, down, linger);
                    }
                }),
            );
            return;
        }
    }

    /// Whether the plan lets the process die at this call; if so, it is dead now.
    pub(crate) fn crashes_at_send(self: &Arc<Self>, process: &Process, nth: u64, after: bool) -> bool {
        self.crashes_when(process, CrashWhen::Send { nth, after })
    }

    /// Whether the plan lets the process die at this commit; if so, it is dead now.
    pub(crate) fn crashes_at_commit(self: &Arc<Self>, process: &Process, nth: u64, after: bool) -> bool {
        self.crashes_when(process, CrashWhen::Commit { nth, after })
    }

    fn crashes_when(self: &Arc<Self>, process: &Process, point: CrashWhen) -> bool {
        if !self.is_stormy() || self.executor.is_dead(process.life) {
            return false;
        }
        let of_send = matches!(point, CrashWhen::Send { .. });
        for (number, item) in &self.plan.items {
            let Item::Crash { machine, when, down, linger } = *item else { continue };
            // A call is counted over all machines: whoever makes it dies.
            let hit = when == point && (of_send || machine == process.machine);
            if hit && self.once(*number) {
                self.log.mark(match point {
                    CrashWhen::Send { after: false, .. } => "process: dies before a send",
                    CrashWhen::Send { after: true, .. } => "process: dies after a send",
                    CrashWhen::Commit { after: false, .. } => "process: dies before a commit",
                    _ => "process: dies after a commit",
                });
                self.crash(process.machine, down, linger);
                return true;
            }
        }
        false
    }

    /// What happens to a machine's next batch.
    fn next_batch(self: &Arc<Self>, process: &Process) -> Option<Fault> {
        let nth = {
            let mut machines = self.machines.lock();
            let machine = machines.get_mut(process.machine)?;
            machine.batches += 1;
            machine.batches - 1
        };
        if !self.is_stormy() {
            return None;
        }
        let fault = self.plan.items.iter().find_map(|(_, item)| match *item {
            Item::Commit { machine, nth: at, fault } if machine == process.machine && at == nth => {
                Some(fault)
            }
            Item::Conflicts { machine, from, length }
                if machine == process.machine && (from..from + length).contains(&nth) =>
            {
                self.log.mark("store: a storm of conflicts");
                Some(StoreFault::Conflict)
            }
            _ => None,
        })?;
        self.line(process, || format!("store, batch {nth}: {fault:?}"));
        self.log.mark(store_mark(fault));
        Some(match fault {
            StoreFault::Conflict => Fault::Loses(Outcome::Conflict),
            StoreFault::Overloaded => Fault::Loses(Outcome::Overloaded),
            StoreFault::FailsBefore => Fault::FailsBefore,
            StoreFault::LostBefore => Fault::LostBefore,
            StoreFault::LostAfter => Fault::LostAfter,
            StoreFault::LostMeanwhile => Fault::LostMeanwhile,
            StoreFault::Delay(length) => Fault::Delay(length),
            StoreFault::Closes { written } => {
                // A store closes because its process ends.
                let (world, process) = (Arc::clone(self), process.clone());
                self.executor.spawn(
                    OUTSIDE,
                    Box::pin(async move {
                        world.pause(1, 300).await;
                        if !world.executor.is_dead(process.life) {
                            world.crash(process.machine, Duration::from_secs(2), Duration::ZERO);
                        }
                    }),
                );
                Fault::Closes { written }
            }
        })
    }
}

const fn store_mark(fault: StoreFault) -> &'static str {
    match fault {
        StoreFault::Conflict => "store: conflict",
        StoreFault::Overloaded => "store: overloaded",
        StoreFault::FailsBefore => "store: connection broke, not written",
        StoreFault::LostBefore => "store: answer lost, not written",
        StoreFault::LostAfter => "store: answer lost, written",
        StoreFault::LostMeanwhile => "store: answer lost, written meanwhile",
        StoreFault::Delay(_) => "store: slow",
        StoreFault::Closes { written: true } => "store: indeterminate, written",
        StoreFault::Closes { written: false } => "store: indeterminate, not written",
    }
}

/// Composes what runs on a machine, as the binary does.
async fn start(world: &Arc<World>, process: &Process) -> Result<Arc<Node>, String> {
    let tasks =
        |life| -> Arc<dyn Tasks> { Arc::new(ProcessTasks { executor: world.executor.clone(), life }) };
    let door: Arc<Memory> = world.database.beside(tasks(process.connections));
    let (faults, victim) = (Arc::clone(world), process.clone());
    door.inject_from(move || faults.next_batch(&victim));
    let main: Arc<dyn Store> = Arc::new(Seen { world: Arc::clone(world), process: process.clone(), door });
    let ports = Ports {
        clock: Arc::<MachineClock>::clone(&process.clock),
        ids: world.ids.clone(),
        random: world.random.clone(),
        tasks: tasks(process.life),
    };
    let way = Arc::new(Wire { world: Arc::clone(world), process: process.clone() });
    let search: Arc<dyn Store> = world.search.beside(tasks(process.connections));
    let stores = Stores { main, search, bank: None, vault: None };
    let node = node::start_behind(config(&world.plan)?, ports, stores, way)
        .await
        .map_err(|error| error.to_string())?;
    node.first_start().await.map_err(|error| error.to_string())?;
    Ok(node)
}

/// The defaults, with durations that let a run end within the hour.
fn config(plan: &Plan) -> Result<Config, String> {
    let mut config = Config::defaults().map_err(|error| error.to_string())?;
    config.encryption_key = Some(Secret::new("5a".repeat(32)));
    config.sandbox.bank = BankPlace::Memory;
    config.metrics.enabled = false;
    config.payment.return_url = Some("https://merchant.example/back".to_owned());
    config.payment.expires_in = Duration::from_mins(20);
    if plan.keeps_late {
        config.payment.late_success = LateSuccess::Keep;
    }
    config.limits.daily_volume = plan.daily_volume;
    config.payment.upi.expires_in = Duration::from_mins(3);
    config.operation.lookup_longest = Duration::from_mins(2);
    config.operation.horizon = HORIZON;
    config.operation.repeat_charges_within = Duration::from_mins(3);
    Ok(config)
}

/// After which people decide.
pub(crate) const HORIZON: Duration = Duration::from_mins(40);

impl World {
    /// Whether faults still happen.
    pub(crate) fn is_stormy(&self) -> bool {
        !self.calm.load(Ordering::Relaxed)
    }
}
