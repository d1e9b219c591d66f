//! Whether the roots are there: looked at in the background, so that asking never waits.

use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

use super::file::Root;
use crate::error::ConfigError;

/// How often each root is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// A look that takes longer means that the root hangs.
const HANGS_AFTER: Duration = Duration::from_secs(5);

/// How one root is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RootHealth {
    /// Its name.
    pub name: String,
    /// Whether it answers.
    pub ok: bool,
    /// The same in words.
    pub words: String,
}

/// What was last seen of every root.
#[derive(Debug)]
pub(super) struct Health {
    looks: Vec<(String, Arc<Mutex<Look>>)>,
}

/// The last look at one root.
#[derive(Debug)]
struct Look {
    there: bool,
    /// When the look under way began.
    since: Option<Instant>,
}

impl Health {
    /// Watches `roots`, a thread for each: one that hangs does not hide the others.
    ///
    /// # Errors
    ///
    /// When the system gives no threads.
    pub(super) fn new(roots: &[Root]) -> Result<Self, ConfigError> {
        let looks = roots
            .iter()
            .map(|root| {
                let look = Arc::new(Mutex::new(Look {
                    there: false,
                    since: Some(Instant::now()),
                }));
                let (folder, watched) = (root.folder.clone(), Arc::downgrade(&look));
                thread::Builder::new()
                    .name("source-health".to_owned())
                    .spawn(move || watch(&watched, || std::fs::read_dir(&folder).is_ok()))
                    .map_err(|cause| {
                        let rule = format!("are more than the system has threads for: {cause}");
                        ConfigError::new("source.file.roots", rule)
                    })?;
                Ok((root.name.clone(), look))
            })
            .collect::<Result<_, ConfigError>>()?;
        Ok(Self { looks })
    }

    /// How the roots were when last looked at.
    pub(super) fn roots(&self) -> Vec<RootHealth> {
        self.looks
            .iter()
            .map(|(name, look)| {
                let look = look.lock().unwrap_or_else(PoisonError::into_inner);
                let hangs = look
                    .since
                    .is_some_and(|since| since.elapsed() > HANGS_AFTER);
                let words = match (look.there, hangs) {
                    (_, true) => "does not answer",
                    (true, false) => "is there",
                    (false, false) => "is not there or may not be read",
                };
                RootHealth {
                    name: name.clone(),
                    ok: look.there && !hangs,
                    words: words.to_owned(),
                }
            })
            .collect()
    }
}

/// Looks again and again until nobody wants to know.
fn watch(look: &Weak<Mutex<Look>>, is_there: impl Fn() -> bool) {
    loop {
        let Some(current) = look.upgrade() else {
            return;
        };
        current.lock().unwrap_or_else(PoisonError::into_inner).since = Some(Instant::now());
        drop(current);
        let there = is_there();
        let Some(current) = look.upgrade() else {
            return;
        };
        *current.lock().unwrap_or_else(PoisonError::into_inner) = Look { there, since: None };
        drop(current);
        thread::sleep(LOOK_EVERY);
    }
}
