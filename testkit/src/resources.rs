//! What a running process uses, as the kernel reports it.

use std::fs;

/// The resident memory of a process, in KiB.
pub fn resident_kib(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status"));
    let status = status.unwrap_or_else(|e| panic!("process {pid} has no status: {e}"));
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB"));
    let kib = kib.unwrap_or_else(|| panic!("process {pid} has no memory: {status}"));
    kib.parse().expect("the kernel reports a number")
}

/// The number of open descriptors of a process.
pub fn open_descriptors(pid: u32) -> usize {
    let open = fs::read_dir(format!("/proc/{pid}/fd"));
    open.unwrap_or_else(|e| panic!("the descriptors of {pid} cannot be listed: {e}"))
        .count()
}

/// The time that a process has spent on processors, in ticks of 10 ms.
pub fn processor_ticks(pid: u32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"));
    let stat = stat.unwrap_or_else(|e| panic!("process {pid} has no figures: {e}"));
    // The fields follow the name, which may contain anything.
    let fields = stat.rsplit(')').next().unwrap_or_default();
    let mut fields = fields.split_whitespace().skip(11);
    let mut next = || fields.next().and_then(|field| field.parse::<u64>().ok());
    next().unwrap_or_default() + next().unwrap_or_default()
}
