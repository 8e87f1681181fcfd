//! `florin doctor`.

use clap::Args;
use node::Config;
use node::doctor::{Finding, Verdict, examine};
use serde_json::{Value, json};

use super::on_runtime;
use crate::failure::Failure;
use crate::output;

/// Tries out everything that a start needs, and says what to do about each fault.
#[derive(Debug, Args)]
pub(crate) struct Doctor {
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

impl Doctor {
    /// A configuration that cannot be used is a finding like any other, and the only one.
    pub(crate) fn run(&self, load: impl FnOnce() -> Result<Config, Failure>) -> Result<(), Failure> {
        let findings = match load() {
            Ok(config) => on_runtime(async { Ok(examine(&config, &node::host::ports()).await) })?,
            Err(failure) => vec![Finding {
                check: "configuration",
                verdict: Verdict::Fail,
                found: failure.to_string(),
                next: Some("correct it: `florin config default` explains every setting".to_owned()),
            }],
        };
        let worst = findings.iter().map(|finding| finding.verdict).max().unwrap_or(Verdict::Ok);
        if self.json {
            let checks: Vec<Value> = findings.iter().map(to_json).collect();
            output::json(&json!({"verdict": worst.as_str(), "checks": checks}));
        } else {
            for finding in &findings {
                let verdict = finding.verdict.as_str();
                output::line(&format!("{verdict:<5} {:<14} {}", finding.check, finding.found));
                if let Some(next) = &finding.next {
                    output::line(&format!("{:<20} -> {next}", ""));
                }
            }
        }
        match findings.iter().filter(|finding| finding.verdict == Verdict::Fail).count() {
            0 => Ok(()),
            failed => Err(Failure::Failed(format!("{failed} of {} checks failed", findings.len()))),
        }
    }
}

fn to_json(finding: &Finding) -> Value {
    json!({
        "check": finding.check, "verdict": finding.verdict.as_str(), "found": finding.found,
        "next": finding.next,
    })
}
