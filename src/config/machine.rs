//! What the machine, or the control group that this process runs in, gives.

use std::fs;
use std::num::NonZero;
use std::path::Path;
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

/// The smallest `memory.max` (v2) or `memory.limit_in_bytes` (v1) from the process's groups upwards.
fn group_memory(root: &Path, groups: &str) -> Option<u64> {
    groups
        .lines()
        .filter_map(|line| {
            let mut fields = line.splitn(3, ':').skip(1);
            let (controllers, path) = (fields.next()?, fields.next()?);
            let path = path.trim_start_matches('/');
            match controllers {
                "" => smallest(root, &root.join(path), "memory.max"),
                "memory" => {
                    let root = root.join("memory");
                    smallest(&root, &root.join(path), "memory.limit_in_bytes")
                }
                _ => None,
            }
        })
        .min()
}

/// The smallest limit in files called `name` from `group` up to `root`.
fn smallest(root: &Path, group: &Path, name: &str) -> Option<u64> {
    group
        .ancestors()
        .take_while(|folder| folder.starts_with(root))
        .filter_map(|folder| {
            let text = fs::read_to_string(folder.join(name)).ok()?;
            text.trim().parse::<u64>().ok()
        })
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
        let first = root.path().join("memory/box");
        fs::create_dir_all(&first).expect("made");
        fs::write(first.join("memory.limit_in_bytes"), "268435456\n").expect("written");
        let both = "0::/elsewhere\n4:memory:/box\n3:cpu,cpuacct:/box\n";
        assert_eq!(group_memory(root.path(), both), Some(1 << 28));
    }

    #[test]
    fn meminfo_is_in_kibibytes() {
        assert_eq!(total_memory("MemTotal:       2048 kB\n"), Some(2 << 20));
        assert_eq!(total_memory(""), None);
    }
}
