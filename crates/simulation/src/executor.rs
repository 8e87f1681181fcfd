//! One thread, one queue, one clock: what runs next is drawn from the seed, and time passes only when
//! nobody can run.
//!
//! Every task belongs to a life: a process, or what outlives all of them. Ending a life drops its tasks
//! where they stand, between two polls: that is what a killed process leaves behind. A stalled life is
//! not polled, while its timers run on, like a process that the machine has put aside.

use std::collections::{BTreeMap, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use kernel::BoxFuture;
use parking_lot::Mutex;

use crate::dice::Dice;

/// The life of what outlives every process: clients, the bank, the network.
pub(crate) const OUTSIDE: Life = Life(0);

/// What one poll costs on the clock.
const STEP: Duration = Duration::from_micros(1);

/// Names a process from its start to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Life(usize);

/// Names a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TaskId(u64);

/// Why a run did not come to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Stuck {
    /// Nobody can run, and nothing is awaited.
    Nothing,
    /// It went on and on.
    Endless,
}

/// The executor. Clones are the same one.
#[derive(Clone)]
pub(crate) struct Executor(Arc<Inner>);

struct Inner {
    state: Mutex<State>,
}

struct State {
    now: Duration,
    counter: u64,
    timers: BTreeMap<(Duration, u64), Alarm>,
    tasks: BTreeMap<TaskId, Task>,
    ready: VecDeque<TaskId>,
    lives: Vec<Being>,
    dice: Dice,
    steps: u64,
    orderly: bool,
}

enum Alarm {
    Wake(Waker),
    Ready(TaskId),
}

struct Task {
    life: Life,
    /// Away while it is polled.
    future: Option<BoxFuture<'static, ()>>,
    queued: bool,
}

#[derive(Default)]
struct Being {
    dead: bool,
    stalled_until: Duration,
    polls: u64,
    /// At which poll it ends, and who wants to know.
    ends_at: Option<(u64, Waker)>,
}

struct Knock {
    executor: Executor,
    task: TaskId,
}

impl Wake for Knock {
    fn wake(self: Arc<Self>) {
        self.executor.0.state.lock().queue(self.task);
    }
}

impl State {
    fn queue(&mut self, id: TaskId) {
        if let Some(task) = self.tasks.get_mut(&id)
            && !task.queued
        {
            task.queued = true;
            self.ready.push_back(id);
        }
    }

    fn next_number(&mut self) -> u64 {
        self.counter += 1;
        self.counter
    }

    /// Who runs next: mostly whoever waits longest, sometimes anybody.
    fn choose(&mut self) -> Option<TaskId> {
        if !self.orderly && self.ready.len() > 1 && self.dice.once_in(3) {
            let other = self.dice.index(self.ready.len());
            self.ready.swap(0, other);
        }
        self.ready.pop_front()
    }

    fn dead(&self, life: Life) -> bool {
        self.lives.get(life.0).is_none_or(|being| being.dead)
    }
}

impl Executor {
    /// An empty one; `dice` chooses who runs.
    pub(crate) fn new(dice: Dice) -> Self {
        let state = State {
            now: Duration::ZERO,
            counter: 0,
            timers: BTreeMap::new(),
            tasks: BTreeMap::new(),
            ready: VecDeque::new(),
            lives: vec![Being::default()],
            dice,
            steps: 0,
            orderly: false,
        };
        Self(Arc::new(Inner { state: Mutex::new(state) }))
    }

    /// Time since the beginning.
    pub(crate) fn now(&self) -> Duration {
        self.0.state.lock().now
    }

    /// How many polls there were.
    pub(crate) fn steps(&self) -> u64 {
        self.0.state.lock().steps
    }

    /// From now on whoever waits longest runs next.
    pub(crate) fn be_orderly(&self) {
        self.0.state.lock().orderly = true;
    }

    /// A new process.
    pub(crate) fn be_born(&self) -> Life {
        let mut state = self.0.state.lock();
        state.lives.push(Being::default());
        Life(state.lives.len() - 1)
    }

    /// Whether it has ended.
    pub(crate) fn is_dead(&self, life: Life) -> bool {
        self.0.state.lock().dead(life)
    }

    /// Ends a process: its tasks are dropped where they stand.
    pub(crate) fn end(&self, life: Life) {
        let gone: Vec<Task> = {
            let mut state = self.0.state.lock();
            if let Some(being) = state.lives.get_mut(life.0) {
                being.dead = true;
            }
            let (gone, stay) =
                std::mem::take(&mut state.tasks).into_iter().partition(|(_, task)| task.life == life);
            state.tasks = stay;
            let gone: BTreeMap<TaskId, Task> = gone;
            gone.into_values().collect()
        };
        // Dropping wakes others, and takes the lock for it.
        drop(gone);
    }

    /// Puts a process aside for so long.
    pub(crate) fn stall(&self, life: Life, length: Duration) {
        let mut state = self.0.state.lock();
        let until = state.now + length;
        if let Some(being) = state.lives.get_mut(life.0) {
            being.stalled_until = being.stalled_until.max(until);
        }
    }

    /// Completes when this process has been polled `polls` times.
    pub(crate) fn polled(&self, life: Life, polls: u64) -> impl Future<Output = ()> + Send + 'static {
        let executor = self.clone();
        std::future::poll_fn(move |context| {
            let mut state = executor.0.state.lock();
            let Some(being) = state.lives.get_mut(life.0) else { return Poll::Pending };
            if being.polls >= polls {
                return Poll::Ready(());
            }
            being.ends_at = Some((polls, context.waker().clone()));
            Poll::Pending
        })
    }

    /// Runs `work` as part of a process. Does nothing if that has ended.
    pub(crate) fn spawn(&self, life: Life, work: BoxFuture<'static, ()>) -> TaskId {
        let mut state = self.0.state.lock();
        let id = TaskId(state.next_number());
        if state.dead(life) {
            drop(state);
            drop(work);
            return id;
        }
        state.tasks.insert(id, Task { life, future: Some(work), queued: false });
        state.queue(id);
        id
    }

    /// Ends one task where it stands.
    pub(crate) fn abort(&self, id: TaskId) {
        let gone = self.0.state.lock().tasks.remove(&id);
        drop(gone);
    }

    /// Completes after `length`.
    pub(crate) fn sleep(&self, length: Duration) -> Sleep {
        let until = self.now() + length;
        Sleep { executor: self.clone(), until, key: None }
    }

    /// Runs everything until `work` is done.
    pub(crate) fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
        steps_max: u64,
    ) -> Result<T, Stuck> {
        let done = Arc::new(Mutex::new(None));
        let place = Arc::clone(&done);
        self.spawn(OUTSIDE, Box::pin(async move { *place.lock() = Some(work.await) }));
        let last = self.steps() + steps_max;
        loop {
            if let Some(result) = done.lock().take() {
                return Ok(result);
            }
            if self.steps() >= last {
                return Err(Stuck::Endless);
            }
            if !self.step() {
                return Err(Stuck::Nothing);
            }
        }
    }

    /// Drops everything, so that what refers to each other goes.
    pub(crate) fn clear(&self) {
        let (tasks, timers) = {
            let mut state = self.0.state.lock();
            for being in &mut state.lives {
                being.dead = true;
            }
            (std::mem::take(&mut state.tasks), std::mem::take(&mut state.timers))
        };
        drop(tasks);
        drop(timers);
    }

    /// Lets time pass if nobody can run, then polls one task. `false` if nothing is left.
    fn step(&self) -> bool {
        if !self.ring() {
            return false;
        }
        let mut state = self.0.state.lock();
        let Some(id) = state.choose() else { return true };
        let now = state.now;
        let Some(task) = state.tasks.get_mut(&id) else { return true };
        let life = task.life;
        let stalled_until = state.lives.get(life.0).map_or(now, |being| being.stalled_until);
        if stalled_until > now {
            let number = state.next_number();
            state.timers.insert((stalled_until, number), Alarm::Ready(id));
            return true;
        }
        let Some(task) = state.tasks.get_mut(&id) else { return true };
        task.queued = false;
        let Some(mut future) = task.future.take() else { return true };
        state.steps += 1;
        state.now += STEP;
        drop(state);

        let waker = Waker::from(Arc::new(Knock { executor: self.clone(), task: id }));
        let polled = future.as_mut().poll(&mut Context::from_waker(&waker));

        let mut state = self.0.state.lock();
        let mut watcher = None;
        if let Some(being) = state.lives.get_mut(life.0) {
            being.polls += 1;
            let polls = being.polls;
            watcher = being.ends_at.take_if(|(at, _)| polls >= *at).map(|(_, waker)| waker);
        }
        let mut gone = None;
        match polled {
            Poll::Ready(()) => gone = state.tasks.remove(&id),
            // A task whose life ended meanwhile is not there any more, and its future goes here.
            Poll::Pending => {
                if let Some(task) = state.tasks.get_mut(&id) {
                    task.future = Some(future);
                    drop(state);
                    wake(watcher);
                    return true;
                }
            }
        }
        drop(state);
        wake(watcher);
        drop(gone);
        true
    }

    /// Rings what is due; if nobody can run, time passes to the next alarm first.
    fn ring(&self) -> bool {
        loop {
            let mut state = self.0.state.lock();
            let Some((&key, _)) = state.timers.first_key_value() else { return !state.ready.is_empty() };
            if key.0 > state.now {
                if !state.ready.is_empty() {
                    return true;
                }
                state.now = key.0;
            }
            match state.timers.remove(&key) {
                Some(Alarm::Ready(id)) => state.ready.push_back(id),
                Some(Alarm::Wake(waker)) => {
                    drop(state);
                    waker.wake();
                }
                None => {}
            }
        }
    }
}

fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}

/// See [`Executor::sleep`].
pub(crate) struct Sleep {
    executor: Executor,
    until: Duration,
    key: Option<(Duration, u64)>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let executor = self.executor.clone();
        let mut state = executor.0.state.lock();
        if let Some(key) = self.key.take() {
            state.timers.remove(&key);
        }
        if state.now >= self.until {
            return Poll::Ready(());
        }
        let key = (self.until, state.next_number());
        state.timers.insert(key, Alarm::Wake(context.waker().clone()));
        self.key = Some(key);
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            let gone = self.executor.0.state.lock().timers.remove(&key);
            drop(gone);
        }
    }
}
