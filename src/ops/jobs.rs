//! How many units at once.

/// Memory that one unit's tool may take, in bytes: Terraform with a plugin, or Ansible with its forks.
const A_UNIT: u64 = 300 << 20;

/// As many as there are cores, and no more than memory allows.
pub(super) fn default_jobs() -> usize {
    let cores = std::thread::available_parallelism().map_or(2, usize::from);
    let free = std::fs::read_to_string("/proc/meminfo").ok().and_then(|text| available(&text));
    let by_memory = free.map_or(cores, |bytes| usize::try_from(bytes / A_UNIT).unwrap_or(cores));
    cores.min(by_memory).max(1)
}

fn available(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find(|l| l.starts_with("MemAvailable:"))?;
    let kilobytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_read_in_bytes() {
        assert_eq!(available("MemTotal: 4 kB\nMemAvailable:    1024 kB\n"), Some(1 << 20));
        assert!(default_jobs() >= 1);
    }
}
