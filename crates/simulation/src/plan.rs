//! What happens in a run, drawn from the seed before it begins: a list of independent items, so that a
//! failing run can be tried again with fewer of them.

use std::fmt;
use std::time::Duration;

use crate::dice::Dice;

/// A run.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Where all other randomness comes from.
    pub seed: u64,
    /// How many machines serve.
    pub machines: usize,
    /// The payments that clients have in mind.
    pub wishes: Vec<Wish>,
    /// Everything else, each with its number in the full plan.
    pub items: Vec<(usize, Item)>,
    /// Whether the bank tells everything by notices, or only what no answer told.
    pub notifies_all: bool,
    /// What the bank keeps of each amount, in ten-thousandths.
    pub fee_basis_points: u32,
    /// Whether the merchant keeps what succeeds after it was told otherwise.
    pub keeps_late: bool,
    /// How much the merchant may take a day, in minor units.
    pub daily_volume: Option<i64>,
}

/// A payment that clients have in mind.
#[derive(Clone, Copy, Debug)]
pub struct Wish {
    /// The test card, or a UPI address.
    pub with: With,
    /// Held first, taken later.
    pub manual: bool,
    /// Charged by the request that makes it.
    pub confirm: bool,
    /// The merchant's order, if it names one.
    pub order: Option<u8>,
    /// Taken by itself after so many seconds.
    pub capture_delay: Option<u32>,
}

/// With what a wish is paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum With {
    /// A card number.
    Card(&'static str),
    /// A payer's address.
    Upi(&'static str),
}

/// One thing that happens.
#[derive(Clone, Debug)]
pub enum Item {
    /// A client asks.
    Ask(Ask),
    /// The network, at the `nth` call that moves money.
    Wire { nth: u64, trouble: Trouble },
    /// The network, at the `nth` other call.
    Read { nth: u64, trouble: Trouble },
    /// The network, at every call for a while: an outage, a rate limiter, a key that was revoked.
    Spell { at: Duration, length: Duration, trouble: Trouble },
    /// The store, at the `nth` batch of a machine.
    Commit { machine: usize, nth: u64, fault: StoreFault },
    /// The store, at so many batches of a machine in a row: somebody else was faster each time.
    Conflicts { machine: usize, from: u64, length: u64 },
    /// A machine's database is out of reach.
    Outage { machine: usize, at: Duration, length: Duration },
    /// A machine's process dies, and is started again after `down`. What it sent to the database is
    /// worked on for `linger` longer.
    Crash { machine: usize, when: CrashWhen, down: Duration, linger: Duration },
    /// A machine's wall clock jumps.
    Jump { machine: usize, at: Duration, millis: i64 },
    /// A machine is put aside.
    Stall { machine: usize, at: Duration, length: Duration },
    /// Something happens to the `nth` notice.
    Notice { nth: u64, how: NoticeFault },
    /// Somebody does something at the bank.
    Desk { at: Duration, wish: usize, deed: Deed },
}

/// A request.
#[derive(Clone, Debug)]
pub struct Ask {
    /// When it is made first.
    pub at: Duration,
    /// About which wish.
    pub wish: usize,
    /// What is asked.
    pub verb: AskVerb,
    /// Equal keys of one verb and wish are one idempotency key.
    pub key: u8,
    /// To which machine it goes first.
    pub machine: usize,
    /// The client hangs up after this, the first time.
    pub hangs_up: Option<Duration>,
    /// How often it is made again until there is an answer.
    pub tries: u8,
}

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AskVerb {
    Create,
    Confirm { with: Option<With> },
    Capture { amount: Option<i64>, is_final: bool },
    Cancel,
    Refund { amount: Option<i64> },
    Increment { amount: i64 },
}

/// What the network does to one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// No connection: not one byte leaves.
    Refused,
    /// It is lost, and no answer comes.
    LostBefore,
    /// It is done, and no answer comes.
    LostAfter,
    /// The connection breaks at once; it is lost.
    ResetBefore,
    /// It is done, and the connection breaks.
    ResetAfter,
    /// An error with a page of HTML; nothing is done.
    ErrorBefore(u16),
    /// An error with a page of HTML; it is done.
    ErrorAfter(u16),
    /// It is done; the answer is cut off in the middle.
    Garbage,
    /// A refusal in the bank's own form; nothing is done.
    Refusal(u16),
    /// The request takes this long to arrive.
    LateThere(Duration),
    /// The answer takes this long to come back: perhaps longer than anybody waits.
    LateBack(Duration),
}

/// What happens to a batch of commits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreFault {
    Conflict,
    Overloaded,
    FailsBefore,
    LostBefore,
    LostAfter,
    LostMeanwhile,
    Delay(Duration),
    /// The store closes while the batch is under way: nobody ever says what became of it.
    Closes {
        written: bool,
    },
}

/// When a process dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CrashWhen {
    /// At the nth of its polls.
    Poll(u64),
    /// At the nth call that moves money, before or after the bank has it.
    Send { nth: u64, after: bool },
    /// At the machine's nth commit, before or after it is written.
    Commit { nth: u64, after: bool },
}

/// What happens to a notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoticeFault {
    /// It comes to two machines.
    Twice,
    /// It comes later than those after it.
    Late(Duration),
    /// It comes, and again later.
    Again(Duration),
    /// Nobody takes it the first time.
    Dropped,
    /// Somebody changed a byte of a copy of it.
    Forged,
}

/// What people do at the bank.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    Refund(i64),
    Dispute,
    Decide {
        won: bool,
    },
    /// The customer answers a challenge, and the browser comes back.
    Challenge(&'static str),
    /// The browser comes back without an answer.
    Return,
}

/// What a wish asks for, in minor units.
pub(crate) const AMOUNT: i64 = 1000;

const PLAIN: With = With::Card("4242424242424242");
const CHALLENGED: &str = "4000000000003220";
const CARDS: [&str; 29] = [
    "4000000000000002", // declined
    CHALLENGED,         // 3-D Secure
    CHALLENGED,
    CHALLENGED,
    CHALLENGED,
    "4000009900002000", // silence before
    "4000009900003008", // silence after
    "4000009900004006", // silence after, not found for 3 s
    "4000009900005003", // 500 before
    "4000009900006001", // 502 after
    "4000009900007009", // garbage
    "4000009900009005", // declined, charged later
    "4000009900010003", // silence, charged later
    "4000009900011001", // three notices
    "4000009900012009", // notices reordered
    "4000009900013007", // the notice first
    "4000009900014005", // half
    "4000009900016000", // contradictory
    "4000009900017008", // 429
    "4000009900018006", // a status that nobody knows
    "4000000000000259", // disputed, lost
    "4000000000002685", // disputed, won
    "4000000000007726", // refund pending
    "4000009900001002", // refund pending, fails
    "4000000000005126", // refund fails late
    "4000009900020002", // capture silence after
    "4000009900024004", // refund silence after
    "4000009900015002", // a tenth more
    "4000009900022008", // void silence after
];
const PAYERS: [&str; 3] = ["success@upi", "failure@upi", "timeout@upi"];

impl Wish {
    /// Whether the bank asks the customer.
    fn is_challenged(self) -> bool {
        self.with == With::Card(CHALLENGED)
    }
}

impl Plan {
    /// The plan of a seed.
    pub fn draw(seed: u64) -> Self {
        let mut dice = Dice::new(seed, 1);
        let dice = &mut dice;
        let machines = 2 + dice.index(2);
        let wishes: Vec<Wish> = (0..dice.between(1, 3)).map(|_| wish(dice)).collect();
        let mut items = Vec::new();
        for number in 0..wishes.len() {
            asks(dice, number, machines, &mut items);
        }
        for (number, wish) in wishes.iter().enumerate() {
            // Who is challenged mostly answers.
            if wish.is_challenged() && !dice.once_in(4) {
                let deed =
                    Deed::Challenge(dice.pick(&["complete", "complete", "fail", "cancel"], "complete"));
                items.push(Item::Desk { at: millis(dice, 1500, 30_000), wish: number, deed });
            }
        }
        for _ in 0..dice.between(0, 14) {
            items.push(fault(dice, machines, wishes.len()));
        }
        Self {
            seed,
            machines,
            wishes,
            items: items.into_iter().enumerate().collect(),
            notifies_all: dice.once_in(2),
            fee_basis_points: if dice.once_in(3) { 290 } else { 0 },
            keeps_late: dice.once_in(4),
            daily_volume: dice.once_in(6).then(|| AMOUNT + dice.small::<i64>(2500)),
        }
    }

    /// The same plan with these items alone.
    #[must_use]
    pub fn only(&self, keep: &[usize]) -> Self {
        let mut plan = self.clone();
        plan.items.retain(|(number, _)| keep.contains(number));
        plan
    }

    /// The numbers of its items.
    pub fn numbers(&self) -> Vec<usize> {
        self.items.iter().map(|(number, _)| *number).collect()
    }
}

fn millis(dice: &mut Dice, least: u64, most: u64) -> Duration {
    Duration::from_millis(dice.between(least, most))
}

fn wish(dice: &mut Dice) -> Wish {
    let with = match dice.roll(10) {
        0..=4 => PLAIN,
        5 => With::Upi(dice.pick(&PAYERS, "success@upi")),
        _ => With::Card(dice.pick(&CARDS, "4242424242424242")),
    };
    let upi = matches!(with, With::Upi(_));
    let manual = !upi && dice.once_in(3);
    let capture_delay = (!upi && !manual && dice.once_in(8)).then(|| 20 + dice.small::<u32>(60));
    Wish { with, manual, confirm: !dice.once_in(6), order: (!dice.once_in(3)).then_some(0), capture_delay }
}

fn asks(dice: &mut Dice, wish: usize, machines: usize, items: &mut Vec<Item>) {
    let create = |dice: &mut Dice, at, key| {
        let hangs_up = dice.once_in(6).then(|| millis(dice, 1, 300));
        let (machine, tries) = (dice.index(machines), 1 + dice.small::<u8>(5));
        Item::Ask(Ask { at, wish, verb: AskVerb::Create, key, machine, hangs_up, tries })
    };
    let at = millis(dice, 0, 1500);
    items.push(create(dice, at, 0));
    if dice.once_in(3) {
        let later = at + millis(dice, 0, 60);
        items.push(create(dice, later, 0));
    }
    if dice.once_in(5) {
        let later = at + millis(dice, 0, 4000);
        items.push(create(dice, later, 1));
    }
    for _ in 0..dice.between(0, 6) {
        let verb = verb(dice);
        let at = at + if dice.once_in(2) { millis(dice, 10, 800) } else { millis(dice, 800, 60_000) };
        let key = dice.small::<u8>(3);
        for _ in 0..if dice.once_in(3) { 2 } else { 1 } {
            let hangs_up = dice.once_in(8).then(|| millis(dice, 1, 300));
            let key = if dice.once_in(2) { key } else { key + 10 };
            let (machine, tries) = (dice.index(machines), 1 + dice.small::<u8>(5));
            items.push(Item::Ask(Ask { at, wish, verb, key, machine, hangs_up, tries }));
        }
    }
}

fn verb(dice: &mut Dice) -> AskVerb {
    let amount = dice.once_in(2).then(|| 1 + dice.small::<i64>(700));
    match dice.roll(12) {
        0..=2 => AskVerb::Capture { amount, is_final: dice.once_in(3) },
        3 | 4 => AskVerb::Cancel,
        5..=8 => AskVerb::Refund { amount },
        9 => AskVerb::Increment { amount: 1 + dice.small::<i64>(500) },
        _ => {
            let other = With::Card(dice.pick(&CARDS, "4242424242424242"));
            AskVerb::Confirm { with: Some(if dice.once_in(2) { PLAIN } else { other }) }
        }
    }
}

fn trouble(dice: &mut Dice) -> Trouble {
    match dice.roll(13) {
        0 => Trouble::Refused,
        1 | 2 => Trouble::LostBefore,
        3 | 4 => Trouble::LostAfter,
        5 => Trouble::ResetBefore,
        6 => Trouble::ResetAfter,
        7 => Trouble::ErrorBefore(dice.pick(&[500, 502, 503], 500)),
        8 => Trouble::ErrorAfter(dice.pick(&[500, 502, 504], 502)),
        9 => Trouble::Garbage,
        10 => Trouble::Refusal(dice.pick(&[401, 403, 404, 409, 429], 429)),
        11 => Trouble::LateThere(millis(dice, 500, 4500)),
        _ => Trouble::LateBack(millis(dice, 500, 24_000)),
    }
}

fn store_fault(dice: &mut Dice) -> StoreFault {
    match dice.roll(9) {
        0 | 1 => StoreFault::Conflict,
        2 => StoreFault::Overloaded,
        3 => StoreFault::FailsBefore,
        4 => StoreFault::LostBefore,
        5 => StoreFault::LostAfter,
        6 => StoreFault::LostMeanwhile,
        7 => StoreFault::Delay(millis(dice, 10, 14_000)),
        _ => StoreFault::Closes { written: dice.once_in(2) },
    }
}

fn fault(dice: &mut Dice, machines: usize, wishes: usize) -> Item {
    let machine = dice.index(machines);
    match dice.roll(18) {
        17 => {
            let whole = [
                Trouble::Refused,
                Trouble::LostBefore,
                Trouble::LostAfter,
                Trouble::ErrorBefore(503),
                Trouble::ErrorAfter(502),
                Trouble::Refusal(429),
                Trouble::Refusal(401),
            ];
            let trouble = dice.pick(&whole, Trouble::LostBefore);
            Item::Spell { at: millis(dice, 0, 8000), length: millis(dice, 1000, 60_000), trouble }
        }
        16 => {
            // A storm: one commit after another loses.
            let (from, length) = (dice.roll(20), dice.between(3, 9));
            Item::Conflicts { machine, from, length }
        }
        0..=3 => Item::Wire { nth: dice.roll(7), trouble: trouble(dice) },
        4 => Item::Read { nth: dice.roll(12), trouble: trouble(dice) },
        5..=7 => Item::Commit { machine, nth: dice.roll(30), fault: store_fault(dice) },
        8 => Item::Outage { machine, at: millis(dice, 0, 5000), length: millis(dice, 100, 20_000) },
        9 | 10 => {
            let when = match dice.roll(4) {
                0 | 1 => CrashWhen::Poll(dice.between(40, 900)),
                2 => CrashWhen::Send { nth: dice.roll(6), after: dice.once_in(2) },
                _ => CrashWhen::Commit { nth: dice.roll(30), after: dice.once_in(2) },
            };
            let linger = if dice.once_in(2) { Duration::ZERO } else { millis(dice, 1, 200) };
            Item::Crash { machine, when, down: millis(dice, 50, 40_000), linger }
        }
        11 => {
            let millis_back = dice.small::<i64>(120_001) - 60_000;
            Item::Jump { machine, at: millis(dice, 0, 20_000), millis: millis_back }
        }
        12 => Item::Stall { machine, at: millis(dice, 0, 6000), length: millis(dice, 500, 60_000) },
        13 => {
            let how = match dice.roll(6) {
                0 => NoticeFault::Twice,
                1 | 2 => NoticeFault::Late(millis(dice, 500, 40_000)),
                3 => NoticeFault::Again(millis(dice, 500, 40_000)),
                4 => NoticeFault::Forged,
                _ => NoticeFault::Dropped,
            };
            Item::Notice { nth: dice.roll(8), how }
        }
        _ => {
            let deed = match dice.roll(9) {
                0..=2 => Deed::Refund(1 + dice.small::<i64>(600)),
                3 => Deed::Dispute,
                4 => Deed::Decide { won: dice.once_in(2) },
                5 => Deed::Return,
                _ => Deed::Challenge(dice.pick(&["complete", "complete", "fail", "cancel"], "complete")),
            };
            Item::Desk { at: millis(dice, 300, 60_000), wish: dice.index(wishes), deed }
        }
    }
}

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}
