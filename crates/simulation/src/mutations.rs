//! Shows that the simulator can fail: a table of rules of the protocol, each switched off in a copy of the
//! tree, and within how many seeds the simulator must notice.
//!
//! The product has no switches for this. A mutation is a source text that occurs once, and what stands
//! in its place.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

/// One rule, switched off.
pub struct Mutation {
    /// Its name on the command line.
    pub name: &'static str,
    /// The rule, and where the protocol says it.
    pub rule: &'static str,
    /// The file, from the top of the tree.
    pub file: &'static str,
    /// The text; occurs once in the file.
    pub from: &'static str,
    /// What stands in its place.
    pub to: &'static str,
    /// Within how many seeds it is noticed.
    pub seeds: u64,
}

/// All of them.
pub const MUTATIONS: &[Mutation] = &[
    Mutation {
        name: "reserve-commit",
        rule: "B1: nothing is sent on a reserve that is not confirmed",
        file: "crates/payments/src/pay.rs",
        from: "            other => Ok(Reserved::Not(other)),\n        }\n    }\n}\n",
        to: "            Outcome::NotCommitted(_) => Ok(Reserved::Run(Box::new(Run { draft, sent, start }))),\n            \
             other => Ok(Reserved::Not(other)),\n        }\n    }\n}\n",
        seeds: 500,
    },
    Mutation {
        name: "upstream-key",
        rule: "B1: each operation has a key of its own",
        file: "crates/payments/src/operation.rs",
        from: "        reference.push_str(&self.local());\n",
        to: "        reference.push_str(&Self { ordinal: 1, ..*self }.local());\n",
        seeds: 500,
    },
    Mutation {
        name: "claim",
        rule: "B10: a key is claimed by the commit of its first request",
        file: "crates/payments/src/draft.rs",
        from: "        changes.claim = self.claim.take();\n",
        to: "        drop(self.claim.take());\n",
        seeds: 500,
    },
    Mutation {
        name: "claims-answer",
        rule: "B9: whoever settles an operation answers its claim in the same commit",
        file: "crates/payments/src/apply.rs",
        from: "    if told && untold {\n",
        to: "    if told && untold && draft.payment.events < 0 {\n",
        seeds: 200,
    },
    Mutation {
        name: "unknown-is-failed",
        rule: "B5: what may have been sent is unknown, and not failed",
        file: "crates/payments/src/apply.rs",
        from: "        Report::MaybeSent(_) => Said::Nothing,\n",
        to: "        Report::MaybeSent(_) => Said::NotDone,\n",
        seeds: 500,
    },
    Mutation {
        name: "refusal-of-a-repeat",
        rule: "B5: a refusal of a repeat proves nothing of the first send",
        file: "crates/payments/src/apply.rs",
        from: "    let unproven = if maybe_sent { Said::Nothing } else { Said::NotDone };\n",
        to: "    let unproven = if maybe_sent { Said::NotDone } else { Said::NotDone };\n",
        seeds: 1500,
    },
    Mutation {
        name: "monotonic",
        rule: "B8: outcomes only climb",
        file: "crates/payments/src/climb.rs",
        from: "        (S::Unknown | S::ActionRequired | S::Pending | S::NeedsReview, Said::Nothing) => Climb::Stay,\n",
        to: "        (S::Unknown | S::ActionRequired | S::Pending | S::NeedsReview, Said::Nothing) => {\n            \
             Climb::To(S::Unknown)\n        }\n",
        seeds: 1000,
    },
    Mutation {
        name: "late-success",
        rule: "C5: a success after a failure is surplus, and reversed",
        file: "crates/payments/src/surplus.rs",
        from: "    if draft.operation(id).is_none_or(|operation| operation.surplus) {\n        return Ok(());\n",
        to: "    if draft.operation(id).is_none_or(|operation| operation.surplus || approved.amount.minor > 0) {\n        return Ok(());\n",
        seeds: 500,
    },
    Mutation {
        name: "surplus-identity",
        rule: "C5: the reversal of a surplus has its identity from it, so that only one can exist",
        file: "crates/payments/src/give_up.rs",
        from: "    let id = OperationId { kind: OperationKind::Reversal, ..surplus };\n",
        to: "    draft.payment.operations += 1;\n    \
             let id = OperationId { kind: OperationKind::Reversal, ordinal: draft.payment.operations, ..surplus };\n",
        seeds: 1500,
    },
    Mutation {
        name: "refund-reservation",
        rule: "C2: a refund holds its amount until its outcome is known",
        file: "crates/payments/src/decide.rs",
        from: "    draft.payment.amounts.refund_held += minor;\n",
        to: "",
        seeds: 200,
    },
    Mutation {
        name: "refund-bound",
        rule: "C2: no more is refunded than is left",
        file: "crates/payments/src/decide.rs",
        from: "    if minor > available || available == 0 {\n        return Err(Rejection::BeyondRefundable",
        to: "    if minor > draft.payment.amounts.captured || available < -999_999 {\n        return Err(Rejection::BeyondRefundable",
        seeds: 200,
    },
    Mutation {
        name: "capture-reservation",
        rule: "C2: a capture holds its amount until its outcome is known",
        file: "crates/payments/src/decide.rs",
        from: "    draft.payment.amounts.capture_held += held;\n    let new = New { minor, held, exclusive: command.is_final,",
        to: "    let new = New { minor, held, exclusive: command.is_final,",
        seeds: 200,
    },
    Mutation {
        name: "one-charge",
        rule: "C1: an open charge excludes another",
        file: "crates/payments/src/decide.rs",
        from: "    if let Some(open) = draft.payment.open_charge() {\n        return Err(Rejection::OperationOpen(open.id));\n    }\n",
        to: "",
        seeds: 500,
    },
    Mutation {
        name: "order-guard",
        rule: "C1: of one order one payment is open or paid",
        file: "crates/payments/src/decide.rs",
        from: "        draft.inserts.push(guard);\n",
        to: "        drop(guard);\n",
        seeds: 500,
    },
    Mutation {
        name: "cancel-request",
        rule: "C3: a cancel during an open charge undoes it once it is approved",
        file: "crates/payments/src/charge.rs",
        from: "    give_up::undo_after_cancel(draft, id, cancel.claim);\n",
        to: "    drop(cancel);\n",
        seeds: 1000,
    },
    Mutation {
        name: "version-guard",
        rule: "A3: an update carries the version that it read",
        file: "crates/store/src/memory/apply.rs",
        from: "    if before.version != *expected {\n        return Err(Outcome::Conflict);\n    }\n",
        to: "",
        seeds: 500,
    },
    Mutation {
        name: "claim-guard",
        rule: "A1: a claim that exists refuses the commit",
        file: "crates/store/src/memory/apply.rs",
        from: "    if stored(world, placed.table, &key).is_some() {\n",
        to: "    if placed.table != place::CLAIM && stored(world, placed.table, &key).is_some() {\n",
        seeds: 500,
    },
    Mutation {
        name: "indeterminate",
        rule: "A6: until it is known what became of a batch, nobody is told that it stands",
        file: "crates/store/src/memory/mod.rs",
        from: "            Some(Fault::LostBefore) => {\n                self.wait(ASK_AGAIN).await;\n                self.write(batch);\n",
        to: "            Some(Fault::LostBefore) => {\n                self.wait(ASK_AGAIN).await;\n                \
             answer_all(batch, &Outcome::Committed { at: self.database.now() });\n",
        seeds: 1000,
    },
    Mutation {
        name: "indeterminate-written",
        rule: "A6: a batch whose answer was lost is not written again under another decision",
        file: "crates/store/src/memory/mod.rs",
        from: "                self.wait(ASK_AGAIN).await;\n                self.answer(batch, losers);\n            }\n            Some(Fault::LostMeanwhile) => {\n",
        to: "                self.wait(ASK_AGAIN).await;\n                drop(losers);\n                \
             answer_all(batch, &Outcome::Conflict);\n            }\n            Some(Fault::LostMeanwhile) => {\n",
        seeds: 1500,
    },
    Mutation {
        name: "send-deadline",
        rule: "B3: nothing is sent after the deadline",
        file: "crates/payments/src/drive.rs",
        from: "            monotonic: Monotonic(start.monotonic.0 + self.settings.send_deadline),\n            wall: start.wall.plus(self.settings.send_deadline),\n",
        to: "            monotonic: Monotonic(start.monotonic.0 + self.settings.send_deadline * 99),\n            \
             wall: start.wall.plus(self.settings.send_deadline * 99),\n",
        seeds: 1000,
    },
    Mutation {
        name: "driver",
        rule: "B2: whoever has the right to send keeps it until it is due",
        file: "crates/payments/src/resolve.rs",
        from: "        if operation.status == OperationStatus::NeedsReview || operation.due != Due::At(due_at) {\n",
        to: "        if operation.status == OperationStatus::NeedsReview || operation.due == Due::Never {\n",
        seeds: 1000,
    },
    Mutation {
        name: "takeover",
        rule: "B2: a takeover is committed before anything is done with it",
        file: "crates/payments/src/resolve.rs",
        from: "        Ok(Some(draft).filter(|_| taken && open))\n",
        to: "        Ok(Some(draft).filter(|_| taken || open))\n",
        seeds: 2000,
    },
    Mutation {
        name: "resolver",
        rule: "B7: what is unknown is found out",
        file: "crates/payments/src/resolve.rs",
        from: "        futures_util::stream::iter(found)\n",
        to: "        futures_util::stream::iter(found.into_iter().take(0))\n",
        seeds: 100,
    },
    Mutation {
        name: "settle-again",
        rule: "B4: a settle is never refused",
        file: "crates/payments/src/drive.rs",
        from: "                Outcome::Conflict => *draft = self.reload(draft).await?,\n                // A text",
        to: "                Outcome::Conflict => return Ok(Vec::new()),\n                // A text",
        seeds: 2000,
    },
    Mutation {
        name: "contradiction",
        rule: "C6: of two reports that contradict each other the provider says which is true",
        file: "crates/payments/src/drive.rs",
        from: "        if !draft.operation(id).is_some_and(|operation| contradicts(operation, report)) {\n",
        to: "        if !draft.operation(id).is_some_and(|o| contradicts(o, report) && o.postings < 0) {\n",
        seeds: 1500,
    },
    Mutation {
        name: "stored-answer",
        rule: "B10: a key has one answer, whoever wrote it",
        file: "crates/payments/src/drive.rs",
        from: "settled(claim) && !draft.answered.contains(&claim.key)",
        to: "settled(claim) && draft.answered.contains(&claim.key)",
        seeds: 2000,
    },
    Mutation {
        name: "event-numbers",
        rule: "every event is numbered, without a gap",
        file: "crates/payments/src/draft.rs",
        from: "            self.payment.events += 1;\n",
        to: "            self.payment.events += 1 + i64::from(self.payment.amounts.refunded > 0);\n",
        seeds: 500,
    },
    Mutation {
        name: "signature",
        rule: "C7: a notice is verified before it is believed",
        file: "providers/sandbox/src/webhook.rs",
        from: "    signing::verify_timestamped(secret, header, &delivery.body, at, TOLERANCE)?;\n",
        to: "    drop(signing::verify_timestamped(secret, header, &delivery.body, at, TOLERANCE));\n",
        seeds: 1500,
    },
];

/// The folders and files that a copy of the tree needs to build the simulator.
const COPIED: [&str; 5] = ["Cargo.toml", "Cargo.lock", "crates", "providers", "xtask"];

/// Applies each mutation, or those of these names (with commas between), to a copy of the tree in `scratch`, and runs the
/// simulator there. Answers whether each was noticed.
pub fn prove(out: &mut impl Write, top: &Path, scratch: &Path, only: Option<&str>) -> io::Result<bool> {
    let mut all_noticed = true;
    for mutation in MUTATIONS
        .iter()
        .filter(|mutation| only.is_none_or(|names| names.split(',').any(|n| n == mutation.name)))
    {
        copy_tree(top, scratch)?;
        let path = scratch.join(mutation.file);
        let text = fs::read_to_string(&path)?;
        if text.matches(mutation.from).count() != 1 {
            writeln!(out, "{:<24} does not apply to {}", mutation.name, mutation.file)?;
            all_noticed = false;
            continue;
        }
        fs::write(&path, text.replace(mutation.from, mutation.to))?;
        let noticed = noticed(scratch, mutation)?;
        all_noticed &= noticed.is_ok();
        let word = noticed.unwrap_or_else(|why| why);
        writeln!(out, "{:<24} {word}\n{:>24} {}", mutation.name, "", mutation.rule)?;
        out.flush()?;
    }
    Ok(all_noticed)
}

/// `Ok` with the violation, or `Err` with why there is none.
fn noticed(scratch: &Path, mutation: &Mutation) -> io::Result<Result<String, String>> {
    let target = scratch.join("target");
    let built = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--package", "simulation"])
        .current_dir(scratch)
        .env("CARGO_TARGET_DIR", &target)
        .output()?;
    if !built.status.success() {
        let text = String::from_utf8_lossy(&built.stderr);
        return Ok(Err(format!("DOES NOT BUILD: {}", text.lines().take(4).collect::<Vec<_>>().join(" "))));
    }
    let seeds = mutation.seeds.to_string();
    let ran = Command::new(target.join("debug/simulation"))
        .args(["--seeds", &seeds, "--shrink", "0"])
        .current_dir(scratch)
        .output()?;
    let text = String::from_utf8_lossy(&ran.stdout);
    let seed = text.lines().find(|line| line.starts_with("seed ")).unwrap_or_default();
    let violation = text.lines().find(|line| line.starts_with("VIOLATION"));
    Ok(match violation {
        Some(violation) => {
            let short: String = violation.chars().take(150).collect();
            Ok(format!("noticed: {seed} {short}"))
        }
        None => Err(format!("NOT NOTICED in {seeds} seeds")),
    })
}

/// Files that differ are written, so that only what changed is compiled again.
fn copy_tree(top: &Path, scratch: &Path) -> io::Result<()> {
    for name in COPIED {
        copy(&top.join(name), &scratch.join(name))?;
    }
    Ok(())
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    if from.is_dir() {
        fs::create_dir_all(to)?;
        for entry in fs::read_dir(from)? {
            let path: PathBuf = entry?.path();
            if let Some(name) = path.file_name() {
                copy(&path, &to.join(name))?;
            }
        }
        return Ok(());
    }
    let bytes = fs::read(from)?;
    if fs::read(to).ok().as_ref() != Some(&bytes) {
        fs::write(to, bytes)?;
    }
    Ok(())
}
