//! A report as people read it.

use std::fmt;

use crate::report::{Ended, LatencyReport, Report};

impl Report {
    /// The report as a table of plain text, in lines that end with a newline.
    pub fn render(&self) -> String {
        self.to_string()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let clients = plural(self.concurrency, "client");
        let threads = plural(self.threads, "thread");
        let early = match self.ended {
            Ended::Finished => "",
            Ended::Stopped => " (stopped early)",
        };
        writeln!(f, "{clients} on {threads} against {}", self.targets.join(" and "))?;
        writeln!(
            f,
            "{} by {}, {:.1} s after a warm-up of {:.1} s{early}\n",
            self.mix, self.method, self.window_seconds, self.warm_up_seconds,
        )?;
        self.write_operations(f)?;
        self.write_seconds(f)?;
        write!(
            f,
            "\nretries {} · unanswered {} · connections {}",
            grouped(self.retries),
            grouped(self.unanswered),
            grouped(self.connections),
        )?;
        if let Some(micros) = self.client_cpu_micros_per_answer {
            write!(f, " · the clients' own CPU {micros:.1} µs per answer")?;
        }
        writeln!(f)?;
        self.write_failures(f)
    }
}

impl Report {
    fn write_operations(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<10}{:>11}{:>9}{:>11}{:>10}{:>10}{:>10}{:>10}{:>10}{:>11}",
            "", "answers", "failed", "good/s", "p50 ms", "p90 ms", "p95 ms", "p99 ms", "p99.9 ms", "max ms",
        )?;
        for row in &self.operations {
            let name = row.operation.name();
            write_row(f, name, (row.answers, row.failed, row.rate_per_second), &row.latency)?;
        }
        if self.operations.len() != 1 {
            write_row(f, "all", (self.answers, self.failed, self.rate_per_second), &self.latency)?;
        }
        Ok(())
    }

    /// The extremes tell whether the rate was steady; the whole series is in the JSON form.
    fn write_seconds(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rates: Vec<f64> = self.seconds.iter().map(|second| second.rate_per_second).collect();
        rates.sort_by(f64::total_cmp);
        if let (Some(lowest), Some(median), Some(highest)) =
            (rates.first(), rates.get(rates.len() / 2), rates.last())
        {
            writeln!(
                f,
                "\ngood answers per second: {lowest:.0} in the slowest second, {median:.0} in the median, \
                 {highest:.0} in the fastest",
            )?;
        }
        Ok(())
    }

    fn write_failures(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.broken.is_empty() {
            writeln!(f, "\nsends without an answer")?;
            for row in &self.broken {
                writeln!(f, "{:>11}  {}", grouped(row.count), row.reason)?;
            }
        }
        if !self.errors.is_empty() {
            writeln!(f, "\nanswers that were not what was asked for, warm-up included")?;
            for row in &self.errors {
                writeln!(f, "{:>11}  {} {} {}", grouped(row.count), row.operation, row.status, row.code)?;
                for sample in &row.samples {
                    writeln!(f, "{:>13}{}", "", one_line(sample))?;
                }
            }
        }
        Ok(())
    }
}

fn write_row(
    f: &mut fmt::Formatter<'_>,
    name: &str,
    (answers, failed, rate): (u64, u64, f64),
    latency: &LatencyReport,
) -> fmt::Result {
    let LatencyReport { count: _, p50_ms, p90_ms, p95_ms, p99_ms, p999_ms, max_ms } = latency;
    writeln!(
        f,
        "{name:<10}{:>11}{:>9}{rate:>11.1}{p50_ms:>10.3}{p90_ms:>10.3}{p95_ms:>10.3}{p99_ms:>10.3}\
         {p999_ms:>10.3}{max_ms:>11.3}",
        grouped(answers),
        grouped(failed),
    )
}

/// A body on one line, with nothing in it that a terminal obeys.
fn one_line(sample: &str) -> String {
    sample.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}

fn plural(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

/// Digits in groups of three.
fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::{Method, Operation};
    use crate::report::{BrokenReport, ErrorReport, OperationReport, SecondReport};

    fn latency(count: u64) -> LatencyReport {
        LatencyReport {
            count,
            p50_ms: 1.25,
            p90_ms: 2.5,
            p95_ms: 3.0,
            p99_ms: 10.0,
            p999_ms: 99.5,
            max_ms: 120.125,
        }
    }

    #[test]
    fn a_report_reads_as_a_table() {
        let operation = |operation, answers, failed, rate_per_second| OperationReport {
            operation,
            answers,
            failed,
            rate_per_second,
            latency: latency(answers),
        };
        let report = Report {
            run_id: "17".to_owned(),
            ended: Ended::Stopped,
            targets: vec!["http://127.0.0.1:8000".to_owned(), "http://127.0.0.1:8001".to_owned()],
            concurrency: 64,
            threads: 1,
            mix: "create=8,get=2".to_owned(),
            method: Method::Card,
            warm_up_seconds: 2.0,
            window_seconds: 10.0,
            answers: 1_234_567,
            failed: 3,
            rate_per_second: 123_456.4,
            latency: latency(1_234_567),
            operations: vec![
                operation(Operation::Create, 1_000_000, 3, 99_999.7),
                operation(Operation::Get, 234_567, 0, 23_456.7),
            ],
            retries: 5,
            unanswered: 0,
            connections: 69,
            errors: vec![ErrorReport {
                operation: Operation::Create,
                status: 503,
                code: "overloaded".to_owned(),
                count: 3,
                samples: vec!["{\"code\":\n\"overloaded\"}".to_owned()],
            }],
            broken: vec![BrokenReport { reason: "connection lost: connection reset".to_owned(), count: 5 }],
            seconds: vec![SecondReport {
                from_seconds: 0.0,
                length_seconds: 1.0,
                answers: 123_456,
                failed: 3,
                rate_per_second: 123_453.0,
                p99_ms: 10.0,
            }],
            client_cpu_micros_per_answer: Some(7.25),
        };
        insta::assert_snapshot!(report.render(), @r#"
        64 clients on 1 thread against http://127.0.0.1:8000 and http://127.0.0.1:8001
        create=8,get=2 by card, 10.0 s after a warm-up of 2.0 s (stopped early)

                      answers   failed     good/s    p50 ms    p90 ms    p95 ms    p99 ms  p99.9 ms     max ms
        create      1 000 000        3    99999.7     1.250     2.500     3.000    10.000    99.500    120.125
        get           234 567        0    23456.7     1.250     2.500     3.000    10.000    99.500    120.125
        all         1 234 567        3   123456.4     1.250     2.500     3.000    10.000    99.500    120.125

        good answers per second: 123453 in the slowest second, 123453 in the median, 123453 in the fastest

        retries 5 · unanswered 0 · connections 69 · the clients' own CPU 7.2 µs per answer

        sends without an answer
                  5  connection lost: connection reset

        answers that were not what was asked for, warm-up included
                  3  create 503 overloaded
                     {"code": "overloaded"}
        "#);
    }

    #[test]
    fn digits_in_groups() {
        for (count, shown) in [(0, "0"), (999, "999"), (1_000, "1 000"), (12_345_678, "12 345 678")] {
            assert_eq!(grouped(count), shown);
        }
    }
}
