//! `kill -9` under load: what was answered is so, what was not answered is decided, and books and bank
//! agree to the cent. One node on SQLite, two on one PostgreSQL; the bank is a process of its own and
//! survives. Ten kills; two hundred with FLORIN_TEST_LONG=1.

use std::thread;
use std::time::Duration;

use crate::bank::Bank;
use crate::on_both_stores;
use crate::server::{Place, Server};
use crate::witness::{EVERYTHING, Load, SOON, check, is_long, random};

on_both_stores!(killed_again_and_again);

fn kills() -> u64 {
    if is_long() { 200 } else { 10 }
}

/// A node that comes back under its address.
struct Node<'p> {
    place: &'p Place,
    settings: Vec<(&'static str, String)>,
    running: Option<Server>,
}

impl<'p> Node<'p> {
    fn start(place: &'p Place, bank: &Bank, key: Option<&str>) -> Self {
        let mut settings: Vec<_> = SOON.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        settings.push(("FLORIN_SANDBOX__BANK", bank.url.clone()));
        let mut node = Self { place, settings, running: None };
        node.run(key);
        let port = node.server().url.rsplit(':').next().unwrap().to_owned();
        node.settings.push(("FLORIN_SERVER__PORT", port));
        node
    }

    fn run(&mut self, key: Option<&str>) {
        let settings: Vec<_> = self.settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
        self.running = Some(self.place.serve(&settings, key));
    }

    fn server(&self) -> &Server {
        self.running.as_ref().unwrap()
    }

    /// Dies, and is started again after a moment.
    fn kill(&mut self) {
        let key = self.server().key.clone();
        self.running.take().unwrap().kill();
        thread::sleep(Duration::from_millis(random(200)));
        self.run(Some(&key));
    }

    /// Stands still until others have taken over what it was about, and then goes on as if nothing were.
    fn freeze(&self) {
        self.server().signal("STOP");
        thread::sleep(Duration::from_secs(2));
        self.server().signal("CONT");
    }
}

fn killed_again_and_again(place: &Place) {
    let bank = Bank::serve(place);
    let mut nodes = vec![Node::start(place, &bank, None)];
    if place.database.is_some() {
        let key = nodes[0].server().key.clone();
        nodes.push(Node::start(place, &bank, Some(&key)));
    }
    let servers: Vec<&Server> = nodes.iter().map(Node::server).collect();
    let load = Load::start(place, &servers, EVERYTHING, 16);
    let count = nodes.len() as u64;
    for kill in 1..=kills() {
        load.wait_for(30);
        // Never at the same point of the load.
        thread::sleep(Duration::from_millis(random(150)));
        let victim = usize::try_from(random(count)).unwrap();
        nodes[victim].kill();
        if kill % 5 == 0 {
            nodes[victim].freeze();
        }
    }
    load.wait_for(30);
    let journal = load.stop();
    check(place, nodes[0].server(), &bank, &journal);
    for node in nodes {
        node.running.unwrap().stop();
    }
}
