//! What the operating system says of this process, under the names that Prometheus clients use.
//! Linux alone says it; elsewhere nothing is shown.

use std::fmt::Write as _;
use std::fs;

/// Ticks a second in `/proc`: fixed by the kernel's interface, see proc(5) and sysconf(3).
const TICKS: u64 = 100;

/// One figure's name, what it is, what it says, and its value.
type Figure = (&'static str, &'static str, &'static str, Option<String>);

/// The figures as text for Prometheus.
pub(crate) fn figures() -> String {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The second field is the name in parentheses, which may hold blanks.
    let fields: Vec<&str> =
        stat.rsplit_once(')').map(|(_, rest)| rest.split_whitespace().collect()).unwrap_or_default();
    // Numbered as in proc(5), where the state after the name is the third.
    let field = |number: usize| fields.get(number - 3).and_then(|text| text.parse::<u64>().ok());
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let open = fs::read_dir("/proc/self/fd").ok().map(|entries| entries.count().to_string());
    let cpu = field(14).zip(field(15)).map(|(user, system)| seconds(user + system));
    let figures: [Figure; 7] = [
        ("process_cpu_seconds_total", "counter", "CPU time, user and system.", cpu),
        ("process_resident_memory_bytes", "gauge", "Memory that is in RAM.", kilobytes(&status, "VmRSS:")),
        ("process_virtual_memory_bytes", "gauge", "Address space.", kilobytes(&status, "VmSize:")),
        ("process_threads", "gauge", "Threads.", field(20).map(|count| count.to_string())),
        ("process_open_fds", "gauge", "Open files and sockets.", open),
        ("process_max_fds", "gauge", "The most that may be open.", limit(&limits, "Max open files")),
        ("process_start_time_seconds", "gauge", "When it began, in Unix time.", started(field(22))),
    ];
    let mut text = String::new();
    for (name, kind, help, value) in figures {
        if let Some(value) = value {
            let _ = write!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}\n\n");
        }
    }
    let version = env!("CARGO_PKG_VERSION");
    let _ = write!(
        text,
        "# HELP florin_build_info The version that runs.\n# TYPE florin_build_info gauge\n\
         florin_build_info{{version=\"{version}\"}} 1\n"
    );
    text
}

fn seconds(ticks: u64) -> String {
    format!("{}.{:02}", ticks / TICKS, ticks % TICKS)
}

/// A line of `/proc/self/status` such as `VmRSS:  1234 kB`, in bytes.
fn kilobytes(status: &str, name: &str) -> Option<String> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    let count: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some((count * 1024).to_string())
}

/// The soft limit of a line of `/proc/self/limits`.
fn limit(limits: &str, name: &str) -> Option<String> {
    let line = limits.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next().filter(|soft| soft.parse::<u64>().is_ok()).map(str::to_owned)
}

/// Ticks after the machine's start, as Unix time.
fn started(ticks: Option<u64>) -> Option<String> {
    let stat = fs::read_to_string("/proc/stat").ok()?;
    let boot: u64 = stat.lines().find_map(|line| line.strip_prefix("btime "))?.trim().parse().ok()?;
    Some(seconds(boot * TICKS + ticks?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_running_process_has_all_figures() {
        let text = figures();
        for name in [
            "process_cpu_seconds_total",
            "process_resident_memory_bytes",
            "process_virtual_memory_bytes",
            "process_threads",
            "process_open_fds",
            "process_max_fds",
            "process_start_time_seconds",
        ] {
            let line = text.lines().find_map(|line| line.strip_prefix(&format!("{name} ")));
            let value: Option<f64> = line.and_then(|value| value.parse().ok());
            assert!(
                cfg!(not(target_os = "linux")) || value.is_some_and(|value| value >= 0.0),
                "{name}\n{text}"
            );
        }
    }

    #[test]
    fn lines_of_proc_are_read() {
        assert_eq!(kilobytes("Name: x\nVmRSS:\t   12 kB\n", "VmRSS:").as_deref(), Some("12288"));
        assert_eq!(
            limit("Max open files            1024  4096  files\n", "Max open files").as_deref(),
            Some("1024")
        );
        assert_eq!(limit("Max open files  unlimited unlimited files", "Max open files"), None);
        assert_eq!(seconds(1234), "12.34");
    }
}
