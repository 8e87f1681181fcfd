//! The model's tables beside the code's, row by row. A change of either fails here until the other follows.

use model::{Climb, Heard, Said, Status};
use payments::OperationStatus;

fn status(status: Status) -> OperationStatus {
    match status {
        Status::Reserved => OperationStatus::Reserved,
        Status::Unknown => OperationStatus::Unknown,
        Status::ActionRequired => OperationStatus::ActionRequired,
        Status::Pending => OperationStatus::Pending,
        Status::NeedsReview => OperationStatus::NeedsReview,
        Status::Succeeded => OperationStatus::Succeeded,
        Status::Declined => OperationStatus::Declined,
        Status::NotDone => OperationStatus::NotDone,
        Status::Cancelled => OperationStatus::Cancelled,
    }
}

fn said(said: Said) -> payments::Said {
    match said {
        Said::Approved => payments::Said::Approved,
        Said::ActionRequired => payments::Said::ActionRequired,
        Said::Pending => payments::Said::Pending,
        Said::Declined => payments::Said::Declined,
        Said::Cancelled => payments::Said::Cancelled,
        Said::NotDone => payments::Said::NotDone,
        Said::Nothing => payments::Said::Nothing,
    }
}

fn heard(heard: Heard) -> payments::Heard {
    match heard {
        Heard::Approved => payments::Heard::Approved,
        Heard::ActionRequired => payments::Heard::ActionRequired,
        Heard::Pending => payments::Heard::Pending,
        Heard::Declined => payments::Heard::Declined,
        Heard::Cancelled => payments::Heard::Cancelled,
        Heard::Refused => payments::Heard::Refused,
        Heard::NotFound => payments::Heard::NotFound,
        Heard::NotSent => payments::Heard::NotSent,
        Heard::MaybeSent => payments::Heard::MaybeSent,
        Heard::Unreadable => payments::Heard::Unreadable,
    }
}

fn climbs(climb: Climb) -> payments::Climb {
    match climb {
        Climb::Stay => payments::Climb::Stay,
        Climb::To(next) => payments::Climb::To(status(next)),
        Climb::LateSuccess => payments::Climb::LateSuccess,
        Climb::Reversed => payments::Climb::Reversed,
    }
}

#[test]
fn both_know_the_same_words() {
    assert_eq!(OperationStatus::ALL.len(), Status::ALL.len());
    assert_eq!(payments::Said::ALL.len(), Said::ALL.len());
    assert_eq!(payments::Heard::ALL.len(), Heard::ALL.len());
}

#[test]
fn both_climb_alike() {
    for from in Status::ALL {
        for report in Said::ALL {
            let ours = climbs(model::climb(from, report));
            assert_eq!(payments::climb(status(from), said(report)), ours, "{from:?} on {report:?}");
        }
    }
}

#[test]
fn both_take_the_same_for_proof() {
    for report in Heard::ALL {
        for maybe_sent in [false, true] {
            for absence in [false, true] {
                let ours = said(model::proves(report, maybe_sent, absence));
                let theirs = payments::proves(heard(report), maybe_sent, absence);
                assert_eq!(theirs, ours, "{report:?}, maybe sent: {maybe_sent}, absence is proof: {absence}");
            }
        }
    }
}

#[test]
fn both_hold_and_answer_in_the_same_statuses() {
    for ours in Status::ALL {
        let theirs = status(ours);
        assert_eq!(theirs.is_open(), ours.is_open(), "{ours:?} is open");
        assert_eq!(theirs.is_told(), ours.is_told(), "{ours:?} is told");
    }
}
