//! SQLite on a disk that is full, that fails, or that lost the end of the log.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::bank::Bank;
use crate::cards::{APPROVED, card, check_books};
use crate::server::{Place, Server};
use crate::witness::{EVERYTHING, Load, SOON, all, check, random};

/// The settings of a node with a bank of its own.
fn settings(bank: &Bank) -> Vec<(&str, &str)> {
    let mut settings = SOON.to_vec();
    settings.push(("FLORIN_SANDBOX__BANK", &bank.url));
    settings
}

/// A small file system in memory under the data folder. Only root can make one.
struct Volume(PathBuf);

impl Volume {
    fn mount(place: &Place) -> Option<Self> {
        let folder = place.folder.join("florin-data");
        std::fs::create_dir_all(&folder).unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=24m,mode=700", "florin-test"]).arg(&folder);
        let mounted = mount.stderr(Stdio::null()).status().is_ok_and(|status| status.success());
        if !mounted {
            eprintln!("only root can mount: a full disk was not tested");
        }
        mounted.then_some(Self(folder))
    }

    /// Takes all the room that is left.
    fn fill(&self) {
        let mut filler = File::create(self.0.join("filler")).unwrap();
        while filler.write_all(&[0; 4096]).is_ok() {}
    }

    fn make_room(&self) {
        std::fs::remove_file(self.0.join("filler")).unwrap();
    }
}

impl Drop for Volume {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

/// Reads go on, whatever becomes of writes.
fn reads(server: &Server) {
    let payments = all(server, "/api/v1/payments");
    let (id, _) = payments.first_key_value().unwrap();
    assert_eq!(server.get(&format!("/api/v1/payments/{id}"))["id"], id.as_str());
    assert_eq!(server.ask("GET", "/health", &[], "").status, 200);
}

#[test]
fn a_full_disk_is_said_and_forgotten() {
    let place = Place::sqlite("disk_full");
    let Some(volume) = Volume::mount(&place) else { return };
    let bank = Bank::serve(&place);
    let server = place.serve(&settings(&bank), None);
    let load = Load::start(&place, &[&server], EVERYTHING, 8);
    for _ in 0..2 {
        load.wait_for_good(30);
        volume.fill();
        load.wait_for_code("storage_full", 20);
        reads(&server);
        let told = server.post("/api/v1/payments", &card(1000, APPROVED));
        assert_eq!((told.status, &told.json()["code"]), (503, &"storage_full".into()), "{told:?}");
        assert!(told.header("retry-after").is_some(), "{told:?}");
        volume.make_room();
    }
    load.wait_for_good(30);
    let journal = load.stop();
    check(&place, &server, &bank, &journal);
    assert!(server.logs().contains("the disk is full: make room"), "{}", server.logs());
    server.stop();
    drop(volume);
}

/// Not full, but refusing writes: SQLite cannot tell then whether a commit stands in its log.
#[test]
fn a_disk_that_fails_is_waited_for() {
    let place = Place::sqlite("disk_fails");
    let bank = Bank::serve(&place);
    let server = place.serve_limited(&settings(&bank));
    let limit = |bytes: &str| {
        let mut prlimit = Command::new("prlimit");
        prlimit.args(["--pid", &server.pid()]).arg(format!("--fsize={bytes}:"));
        prlimit.status().is_ok_and(|status| status.success())
    };
    let load = Load::start(&place, &[&server], EVERYTHING, 8);
    let log = place.folder.join("florin-data/florin.db-wal");
    for _ in 0..2 {
        load.wait_for_good(30);
        let bytes = std::fs::metadata(&log).unwrap().len() + 64 * 1024;
        // The soft limit alone: it can be lifted again.
        if !limit(&bytes.to_string()) {
            eprintln!("there is no prlimit here: a failing disk was not tested");
            return;
        }
        load.wait_for_code("unavailable", 20);
        reads(&server);
        assert!(limit("unlimited"));
    }
    load.wait_for_good(30);
    let journal = load.stop();
    check(&place, &server, &bank, &journal);
    assert!(server.logs().contains("the disk takes writes again"), "{}", server.logs());
    server.stop();
}

fn write_at(file: &Path, offset: u64, bytes: &[u8]) {
    let mut file = OpenOptions::new().write(true).open(file).unwrap();
    file.seek(SeekFrom::Start(offset)).unwrap();
    file.write_all(bytes).unwrap();
}

#[test]
fn a_torn_log_keeps_what_was_whole_and_a_damaged_one_is_refused() {
    let place = Place::sqlite("torn_log");
    let bank = Bank::serve(&place);
    let server = place.serve(&settings(&bank), None);
    let load = Load::start(&place, &[&server], "create", 4);
    load.wait_for_good(40);
    let earlier = load.lines();
    let log = place.folder.join("florin-data/florin.db-wal");
    let whole = std::fs::metadata(&log).unwrap().len();
    load.wait_for_good(40);
    let key = server.key.clone();
    server.kill();
    let mut bytes = Vec::new();
    File::open(&log).unwrap().read_to_end(&mut bytes).unwrap();
    let end = bytes.len() as u64;
    assert!(end > whole, "the log was begun anew in between: {end} {whole}");

    // In front of what was confirmed: refused, by every command, and nothing is touched.
    write_at(&log, whole / 2, b"scribbled");
    let said = place.try_serve(&settings(&bank), Some(&key)).err().expect("it must not start");
    assert!(said.contains("florin.db-wal is damaged at frame"), "{said}");
    let checked = place.run(&["ledger", "check"]);
    assert!(!checked.status.success(), "{checked:?}");
    let mut kept = Vec::new();
    File::open(&log).unwrap().read_to_end(&mut kept).unwrap();
    assert_eq!(kept.len() as u64, end, "the damaged log is still there");

    // The tail is gone, in the middle of a frame or between two: what was whole before is kept.
    std::fs::write(&log, &bytes).unwrap();
    let torn = whole + random(end - whole);
    OpenOptions::new().write(true).open(&log).unwrap().set_len(torn).unwrap();
    let server = place.serve(&settings(&bank), Some(&key));
    let payments = all(&server, "/api/v1/payments");
    let told = earlier.iter().filter(|line| line["payment_status"] == "paid");
    for line in told {
        let payment = &payments[line["payment_id"].as_str().unwrap()];
        assert_eq!((&payment["status"], &payment["amount"]), (&"paid".into(), &line["amount"]), "{torn}");
    }
    check_books(&place);
    server.stop();
}
