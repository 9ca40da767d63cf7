//! What the benches and the load tools share: looking at a process and at samples.

use std::fs;
use std::time::Duration;

/// CPU time that a process has used so far, user and system, all threads; `None` when it is gone.
/// The kernel counts in ticks of 10 ms.
#[must_use]
pub fn cpu_time(pid: u32) -> Option<Duration> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name stands in parentheses and may hold anything.
    let fields = stat.rsplit(')').next()?;
    let ticks = fields.split_whitespace().skip(11).take(2).map(str::parse::<u64>);
    let ticks = ticks.sum::<Result<u64, _>>().ok()?;
    Some(Duration::from_millis(ticks * 10))
}

/// Resident memory of a process in KiB; `None` when it is gone.
#[must_use]
pub fn resident_kib(pid: u32) -> Option<u64> {
    let statm = fs::read_to_string(format!("/proc/{pid}/statm")).ok()?;
    let pages: u64 = statm.split(' ').nth(1)?.parse().ok()?;
    Some(pages * 4)
}

/// Time that all processors spent on anything but idling since the start of the machine.
#[must_use]
pub fn machine_busy() -> Option<Duration> {
    let stat = fs::read_to_string("/proc/stat").ok()?;
    let ticks: Vec<u64> =
        stat.lines().next()?.split_whitespace().skip(1).flat_map(str::parse).collect();
    let busy: u64 = [0, 1, 2, 5, 6].iter().filter_map(|&column| ticks.get(column)).sum();
    Some(Duration::from_millis(busy * 10))
}

/// A share of a sorted list, such as 0.99 for the 99th percentile; 0 of an empty one.
#[must_use]
pub fn percentile(sorted: &[u32], share: f64) -> u32 {
    let at = (sorted.len() as f64 * share) as usize;
    sorted.get(at.min(sorted.len().saturating_sub(1))).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_the_value_that_so_many_stay_below() {
        let hundred: Vec<u32> = (1..=100).collect();

        assert_eq!(percentile(&hundred, 0.5), 51);
        assert_eq!(percentile(&hundred, 0.99), 100);
        assert_eq!(percentile(&hundred, 1.0), 100);
        assert_eq!(percentile(&[], 0.5), 0);
    }

    #[test]
    fn a_process_that_is_gone_has_no_figures() {
        assert!(cpu_time(std::process::id()).is_some());
        assert!(resident_kib(std::process::id()).is_some_and(|kib| kib > 0));
        assert_eq!(cpu_time(u32::MAX), None);
    }
}
