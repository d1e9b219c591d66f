//! Processor time and memory of a server's processes, from `/proc`.

use std::collections::BTreeSet;
use std::fs;

/// The kernel counts processor time for `/proc` in these parts of a second: `USER_HZ`, 100 on every
/// architecture that Rust's standard library supports on Linux.
const TICKS_PER_SECOND: f64 = 100.0;

/// Processes with all that they started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tree {
    roots: Vec<u32>,
}

/// What `/proc/PID/stat` says of a process.
struct Stat {
    pid: u32,
    parent: u32,
    /// User and system time, its own and that of children that have ended.
    ticks: u64,
}

impl Tree {
    /// The tree below `roots`.
    pub(super) const fn new(roots: Vec<u32>) -> Self {
        Self { roots }
    }

    /// Its process numbers now.
    pub(super) fn members(&self) -> Vec<u32> {
        self.stats().into_iter().map(|stat| stat.pid).collect()
    }

    /// User and system time of all of it since each process began, in seconds.
    pub(super) fn cpu_seconds(&self) -> f64 {
        let ticks: u64 = self.stats().iter().map(|stat| stat.ticks).sum();
        ticks as f64 / TICKS_PER_SECOND
    }

    fn stats(&self) -> Vec<Stat> {
        let all = all();
        let mut found: BTreeSet<u32> = self.roots.iter().copied().collect();
        loop {
            let before = found.len();
            let children = all.iter().filter(|stat| found.contains(&stat.parent));
            let children: Vec<u32> = children.map(|stat| stat.pid).collect();
            found.extend(children);
            if found.len() == before {
                break;
            }
        }
        all.into_iter()
            .filter(|stat| found.contains(&stat.pid))
            .collect()
    }
}

/// Resident memory of `processes` together, in bytes.
pub(super) fn resident_bytes(processes: &[u32]) -> u64 {
    processes.iter().filter_map(|pid| resident(*pid)).sum()
}

fn resident(pid: u32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix(" kB")?.trim().parse().ok()?;
    Some(kib << 10)
}

fn all() -> Vec<Stat> {
    let Ok(entries) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    names.filter_map(|name| stat(name.parse().ok()?)).collect()
}

/// Source: `proc_pid_stat(5)`; the name in parentheses may hold anything, so fields count from its end.
fn stat(pid: u32) -> Option<Stat> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, fields) = text.rsplit_once(") ")?;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    let ticks = fields
        .get(11..15)?
        .iter()
        .filter_map(|field| field.parse::<u64>().ok());
    Some(Stat {
        pid,
        parent: fields.get(1)?.parse().ok()?,
        ticks: ticks.sum(),
    })
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn a_tree_holds_what_a_process_started_and_counts_its_time() {
        let me = Tree::new(vec![std::process::id()]);
        let mut child = Command::new("sleep")
            .arg("60")
            .stdout(Stdio::null())
            .spawn()
            .expect("sleep");
        let members = me.members();
        let alone = Tree::new(vec![child.id()]).members();
        let memory = resident_bytes(&alone);
        child.kill().expect("it runs");
        child.wait().expect("it ends");
        assert!(members.contains(&child.id()) && members.contains(&std::process::id()));
        assert_eq!(alone, [child.id()]);
        assert!(memory > 100 << 10, "{memory}");
        let before = me.cpu_seconds();
        let mut sum = 0_u64;
        while me.cpu_seconds() < before + 0.03 {
            sum = std::hint::black_box(sum + 1);
        }
        assert_eq!(Tree::new(vec![u32::MAX]).members(), [0_u32; 0]);
    }
}
