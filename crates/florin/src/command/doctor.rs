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
            Ok(config) => {
                let mut findings = on_runtime(async { Ok(examine(&config, &node::host::ports()).await) })?;
                findings.push(tls(&config));
                findings
            }
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

/// Whether the server could encrypt its connections, if it is to.
fn tls(config: &Config) -> Finding {
    let (verdict, found, next) = match gateway::Tls::load(&config.server.tls) {
        Ok(None) => (Verdict::Ok, "ends in a proxy: the server itself speaks plain HTTP".to_owned(), None),
        Ok(Some(_)) if config.server.tls.client_ca.is_some() => {
            (Verdict::Ok, "the server's own, and clients show certificates".to_owned(), None)
        }
        Ok(Some(_)) => (Verdict::Ok, "the server's own".to_owned(), None),
        Err(error) => (Verdict::Fail, error.to_string(), Some("correct the file that it names".to_owned())),
    };
    Finding { check: "TLS", verdict, found, next }
}

fn to_json(finding: &Finding) -> Value {
    json!({
        "check": finding.check, "verdict": finding.verdict.as_str(), "found": finding.found,
        "next": finding.next,
    })
}
