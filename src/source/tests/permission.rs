//! What this process may not read. Root may read everything, so under root the test runs itself again
//! as nobody.

use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use super::*;

const FOLDER: &str = "TRIFORIUM_TEST_FOLDER";
const NOBODY: u32 = 65534;

#[test]
fn what_may_not_be_read_is_forbidden_and_a_root_that_may_not_be_entered_is_away() {
    if let Some(folder) = std::env::var_os(FOLDER) {
        check(Path::new(&folder));
        return;
    }
    let tree = Tree::new();
    tree.file("open.tif", b"open");
    mode(&tree.file("closed.tif", CANARY), 0o000);
    mode(
        tree.file("folder/a.tif", CANARY)
            .parent()
            .expect("a folder"),
        0o000,
    );
    mode(
        tree.outside("closed/a.tif", CANARY)
            .parent()
            .expect("a folder"),
        0o000,
    );
    mode(tree.0.path(), 0o755);
    mode(&tree.root(), 0o755);
    let own = tree.outside("own/a.tif", b"own");
    let own = own.parent().expect("a folder");
    if rustix::process::geteuid().is_root() {
        chown(own, Some(NOBODY), Some(NOBODY)).expect("root may");
        check_as_nobody(tree.0.path());
    } else {
        check(tree.0.path());
    }
    mode(&tree.root().join("folder"), 0o755);
    mode(&tree.0.path().join("closed"), 0o755);
}

fn check_as_nobody(folder: &Path) {
    // The build folder may be closed to nobody.
    let program = folder.join("tests");
    std::fs::copy(std::env::current_exe().expect("a path"), &program).expect("a copy");
    mode(&program, 0o755);
    let name = "what_may_not_be_read_is_forbidden_and_a_root_that_may_not_be_entered_is_away";
    let output = Command::new(program)
        .arg(name)
        .env(FOLDER, folder)
        .current_dir("/")
        .uid(NOBODY)
        .gid(NOBODY)
        .output()
        .expect("runs");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && text.contains("1 passed"),
        "{text}"
    );
}

fn check(folder: &Path) {
    let source = |path: PathBuf| {
        FileSource::new(&Config {
            root: path,
            ..Config::default()
        })
        .expect("valid")
    };
    let root = source(folder.join("masters"));
    assert_eq!(bytes_of(&root, "open").expect("readable"), b"open");
    assert_eq!(kind_of(&root, "closed"), ErrorKind::Forbidden);
    assert_eq!(kind_of(&root, "folder/a"), ErrorKind::Forbidden);
    assert_eq!(kind_of(&root, "absent"), ErrorKind::NotFound);

    let closed = source(folder.join("closed"));
    assert_eq!(kind_of(&closed, "a"), ErrorKind::Upstream);
    let [health] = &closed.health()[..] else {
        panic!("one root");
    };
    assert_eq!(
        (health.ok, health.words.as_str()),
        (false, "may not be entered")
    );

    // A root that is closed while its folder is still believed.
    let own = folder.join("own");
    let config = Config {
        root: own.clone(),
        check_seconds: 3600.0,
        ..Config::default()
    };
    let believed = FileSource::new(&config).expect("valid");
    assert_eq!(bytes_of(&believed, "a").expect("readable"), b"own");
    mode(&own, 0o000);
    assert_eq!(kind_of(&believed, "a"), ErrorKind::Upstream);
    mode(&own, 0o755);
    assert_eq!(bytes_of(&believed, "a").expect("readable again"), b"own");
}

fn mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("its owner may");
}
