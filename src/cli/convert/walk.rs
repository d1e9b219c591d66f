//! IN and OUT → which master becomes which file.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use crate::codec::is_master;

/// Bytes that tell a format.
const HEAD_BYTES: u64 = 64;

/// The extension of what is written.
const EXTENSION: &str = "tif";

/// A master and the file that it becomes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Task {
    pub(super) input: PathBuf,
    pub(super) output: PathBuf,
    /// Length of the master.
    pub(super) bytes: u64,
    /// Another master that becomes the same file.
    pub(super) rival: Option<PathBuf>,
}

/// Why there is nothing to do.
#[derive(Debug)]
pub(super) enum Refused {
    /// IN and OUT do not go together.
    Usage(String),
    /// A file or folder cannot be read.
    Unreadable(String),
}

/// The work that `input` and `output` ask for, in the order of the masters' paths.
pub(super) fn tasks(input: &Path, output: &Path) -> Result<Vec<Task>, Refused> {
    let metadata = fs::metadata(input).map_err(|cause| unreadable(input, &cause))?;
    if !metadata.is_dir() {
        let output = if output.is_dir() {
            output.join(renamed(Path::new(input.file_name().unwrap_or_default())))
        } else {
            output.to_owned()
        };
        return Ok(vec![Task {
            input: input.to_owned(),
            output,
            bytes: metadata.len(),
            rival: None,
        }]);
    }
    check_apart(input, output)?;
    let mut found = Vec::new();
    walk(input, Path::new(""), &mut found)?;
    found.sort();
    Ok(pair(input, output, found))
}

/// A folder of results inside the masters' would be converted by the next run.
fn check_apart(input: &Path, output: &Path) -> Result<(), Refused> {
    if output.exists() && !output.is_dir() {
        return Err(Refused::Usage(
            "IN is a folder and OUT is a file: OUT has to be a folder too".to_owned(),
        ));
    }
    let masters = fs::canonicalize(input).map_err(|cause| unreadable(input, &cause))?;
    // What does not exist yet lies where the nearest folder above it lies.
    let absolute = std::path::absolute(output).map_err(|cause| unreadable(output, &cause))?;
    let results = absolute
        .ancestors()
        .find_map(|above| fs::canonicalize(above).ok());
    if results.is_some_and(|results| results.starts_with(&masters)) {
        return Err(Refused::Usage(
            "OUT lies inside IN: its pyramids would be masters of the next run".to_owned(),
        ));
    }
    Ok(())
}

fn pair(input: &Path, output: &Path, found: Vec<(PathBuf, u64)>) -> Vec<Task> {
    let mut taken: BTreeMap<PathBuf, PathBuf> = BTreeMap::new();
    let mut tasks = Vec::with_capacity(found.len());
    for (relative, bytes) in found {
        let target = renamed(&relative);
        let rival = taken.get(&target).cloned();
        let task = Task {
            input: input.join(&relative),
            output: output.join(&target),
            bytes,
            rival,
        };
        taken.entry(target).or_insert(relative);
        tasks.push(task);
    }
    tasks
}

fn renamed(path: &Path) -> PathBuf {
    path.with_extension(EXTENSION)
}

/// Adds every master below `root` joined with `below`, by its path from `root`. Hidden names are passed
/// over, and linked folders: they may lead round in a circle.
fn walk(root: &Path, below: &Path, found: &mut Vec<(PathBuf, u64)>) -> Result<(), Refused> {
    let folder = root.join(below);
    let entries = fs::read_dir(&folder).map_err(|cause| unreadable(&folder, &cause))?;
    for entry in entries {
        let entry = entry.map_err(|cause| unreadable(&folder, &cause))?;
        let name = entry.file_name();
        if name.as_encoded_bytes().starts_with(b".") {
            continue;
        }
        let relative = below.join(&name);
        let kind = entry
            .file_type()
            .map_err(|cause| unreadable(&folder, &cause))?;
        if kind.is_dir() {
            walk(root, &relative, found)?;
        } else if let Some(bytes) = master_bytes(&root.join(&relative)) {
            found.push((relative, bytes));
        }
    }
    Ok(())
}

/// The length of a file that begins as a master; a file that cannot be read counts as one, so that the
/// run says so.
fn master_bytes(path: &Path) -> Option<u64> {
    let metadata = fs::metadata(path).ok()?;
    if !metadata.is_file() {
        return None;
    }
    let mut head = Vec::new();
    let read = fs::File::open(path).and_then(|file| file.take(HEAD_BYTES).read_to_end(&mut head));
    (read.is_err() || is_master(&head)).then_some(metadata.len())
}

fn unreadable(path: &Path, cause: &std::io::Error) -> Refused {
    Refused::Unreadable(format!("{} cannot be read: {cause}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_master_below_goes_to_the_same_relative_path() {
        let folder = tempfile::tempdir().unwrap();
        let (input, output) = (folder.path().join("in"), folder.path().join("out"));
        fs::create_dir_all(input.join("a/b")).unwrap();
        for (name, bytes) in [
            ("one.jpg", &b"\xff\xd8\xff\xe0"[..]),
            ("a/b/two.png", b"\x89PNG\r\n\x1a\n"),
            ("a/b/two.jpeg", b"\xff\xd8\xff"),
            ("a/notes.txt", b"no master"),
            (".hidden.jpg", b"\xff\xd8\xff"),
        ] {
            fs::write(input.join(name), bytes).unwrap();
        }
        let tasks = tasks(&input, &output).unwrap();
        let pairs: Vec<_> = tasks
            .iter()
            .map(|task| {
                (
                    task.input.strip_prefix(&input).unwrap().to_str().unwrap(),
                    task.output.strip_prefix(&output).unwrap().to_str().unwrap(),
                    task.rival.is_some(),
                )
            })
            .collect();
        assert_eq!(
            pairs,
            [
                ("a/b/two.jpeg", "a/b/two.tif", false),
                ("a/b/two.png", "a/b/two.tif", true),
                ("one.jpg", "one.tif", false)
            ]
        );
    }

    #[test]
    fn results_never_go_among_the_masters() {
        let folder = tempfile::tempdir().unwrap();
        let input = folder.path().join("in");
        fs::create_dir(&input).unwrap();
        for inside in [input.clone(), input.join("out"), input.join("deep/out")] {
            let refused = tasks(&input, &inside).unwrap_err();
            assert!(matches!(refused, Refused::Usage(_)), "{}", inside.display());
        }
        assert_eq!(tasks(&input, folder.path()).unwrap(), []);
    }
}
