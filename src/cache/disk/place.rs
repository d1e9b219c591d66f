//! Whether a cache's directory would lie among the masters.

use std::path::{Component, Path, PathBuf};

/// Whether `directory` is one of `folders`, or lies in or above one, links followed as far as there are
/// files.
pub fn overlaps(directory: &Path, folders: &[PathBuf]) -> bool {
    let directory = resolved(directory);
    folders.iter().any(|folder| {
        let folder = resolved(folder);
        directory.starts_with(&folder) || folder.starts_with(&directory)
    })
}

/// `path` without links; what is not there yet is appended as it is written.
fn resolved(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                plain.pop();
            }
            Component::CurDir => {}
            Component::Prefix(_) | Component::RootDir | Component::Normal(_) => plain.push(part),
        }
        if let Ok(real) = plain.canonicalize() {
            plain = real;
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_above_and_through_links() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        std::fs::create_dir_all(at("masters/deep")).expect("made");
        std::os::unix::fs::symlink(at("masters"), at("link")).expect("made");
        let roots = [at("masters")];
        for inside in [
            "masters",
            "masters/deep/cache",
            "link/cache",
            "x/../masters/y",
            "",
        ] {
            assert!(overlaps(&at(inside), &roots), "{inside}");
        }
        for outside in ["cache", "masters-cache", "link/../cache"] {
            assert!(!overlaps(&at(outside), &roots), "{outside}");
        }
        assert!(!overlaps(&at("cache"), &[]));
    }
}
