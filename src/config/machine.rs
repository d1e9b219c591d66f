//! What the machine, or the control group that this process runs in, gives.

use std::fs;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::thread::available_parallelism;

use crate::service::Resources;

/// Memory assumed where the system does not say: 1 GiB.
const UNKNOWN_MEMORY_BYTES: u64 = 1 << 30;

/// Processors and memory of this process: the control group's limits where it has any.
///
/// Source: Linux, Control Group v2, `memory.max` and `cpu.max` of the group and all above it; the
/// standard library already divides `cpu.max`.
pub fn resources() -> Resources {
    let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let group_limit = group_memory(Path::new("/sys/fs/cgroup"), &groups);
    let machine = fs::read_to_string("/proc/meminfo")
        .ok()
        .and_then(|text| total_memory(&text))
        .unwrap_or(UNKNOWN_MEMORY_BYTES);
    Resources {
        threads: available_parallelism().map_or(1, NonZero::get),
        memory_bytes: group_limit.map_or(machine, |limit| limit.min(machine)),
    }
}

/// The smallest `memory.max` (v2) or `memory.limit_in_bytes` (v1) from the process's group upwards.
fn group_memory(root: &Path, groups: &str) -> Option<u64> {
    let (own, name) = groups.lines().find_map(|line| {
        let mut fields = line.splitn(3, ':');
        let (_, controllers, path) = (fields.next()?, fields.next()?, fields.next()?);
        let path = path.trim_start_matches('/');
        match controllers {
            "" => Some((root.join(path), "memory.max")),
            "memory" => Some((root.join("memory").join(path), "memory.limit_in_bytes")),
            _ => None,
        }
    })?;
    let limit = |folder: PathBuf| {
        let text = fs::read_to_string(folder.join(name)).ok()?;
        text.trim().parse::<u64>().ok()
    };
    own.ancestors()
        .take_while(|folder| folder.starts_with(root))
        .filter_map(|folder| limit(folder.to_owned()))
        .min()
}

fn total_memory(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find(|line| line.starts_with("MemTotal:"))?;
    let kibibytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kibibytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_limit_on_the_way_up_counts() {
        let root = tempfile::tempdir().expect("a folder");
        let service = root.path().join("system.slice/triforium.service");
        fs::create_dir_all(&service).expect("made");
        fs::write(service.join("memory.max"), "max\n").expect("written");
        fs::write(root.path().join("system.slice/memory.max"), "1073741824\n").expect("written");
        let groups = "0::/system.slice/triforium.service\n";
        assert_eq!(group_memory(root.path(), groups), Some(1 << 30));
        fs::write(service.join("memory.max"), "536870912\n").expect("written");
        assert_eq!(group_memory(root.path(), groups), Some(1 << 29));
        assert_eq!(group_memory(root.path(), "0::/elsewhere\n"), None);
    }

    #[test]
    fn meminfo_is_in_kibibytes() {
        assert_eq!(total_memory("MemTotal:       2048 kB\n"), Some(2 << 20));
        assert_eq!(total_memory(""), None);
    }
}
