//! One named root: its rule, its folder, its threads, its health.

use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::Duration;

use super::beneath::{self, Lookup};
use super::config::{Config, RootConfig};
use super::failure::Failure;
use super::file::{FileReader, Version};
use super::io::{Pool, Unanswered};
use super::place::{Found, Place};
use super::probe::{PATIENCE, Pulse, RootHealth, verdict, watch};
use super::rule::Rule;
use crate::error::{ConfigError, Error, Result};

/// A root that is being served.
#[derive(Debug)]
pub(super) struct Root {
    /// Its name.
    pub(super) name: String,
    /// How identifiers name its files.
    pub(super) rule: Arc<Rule>,
    /// Its folder.
    pub(super) place: Arc<Place>,
    access: Access,
    /// Ends the probe when the root goes.
    _watched: Sender<()>,
}

/// The way to a root's files: bounded threads with a deadline. Clones share the threads.
#[derive(Debug, Clone)]
pub(super) struct Access {
    pool: Arc<Pool>,
    pulse: Arc<Pulse>,
    timeout: Duration,
}

impl Access {
    /// What `work` gives within the deadline.
    ///
    /// # Errors
    ///
    /// [`crate::error::ErrorKind::Upstream`] when the root does not answer.
    pub(super) fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T> {
        Ok(self.run_counted(work)?)
    }

    /// As [`Access::run`], with the reason for callers that count them.
    ///
    /// # Errors
    ///
    /// [`Unanswered`]; refused at once when the root is known to hang.
    pub(super) fn run_counted<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Unanswered> {
        if self.pulse.silent_for() > self.timeout {
            return Err(Unanswered::Refused);
        }
        self.pool.run(self.timeout, work)
    }
}

/// A file of a root, open.
#[derive(Debug)]
pub(super) struct OpenedHere {
    pub(super) reader: FileReader,
    pub(super) version: Version,
    /// How it was found, for people.
    pub(super) rule: String,
    /// Every identifier that is known to name it.
    pub(super) names: Vec<String>,
}

impl Root {
    /// The root that `config` describes, looked at once. An absent folder is no error.
    ///
    /// # Errors
    ///
    /// When its path names something that is no folder, or the system gives no thread.
    pub(super) fn new(
        config: &RootConfig,
        index: usize,
        common: &Config,
    ) -> Result<Self, ConfigError> {
        let refuse = |field: &str, rule: &str| ConfigError::new(common.key(index, field), rule);
        let rule = Rule::new(config).map_err(|error| refuse(&error.key, &error.rule))?;
        let lookup = Lookup::new(common.symlinks);
        let check_every = Duration::from_secs_f64(common.check_seconds);
        let place = Arc::new(Place::new(&config.path, lookup, check_every));
        let pool = Pool::new(common.threads);
        let timeout = Duration::from_secs_f64(common.read_timeout_seconds);
        let Some(first) = first_look(&place, &pool, timeout.min(PATIENCE)) else {
            return Err(refuse("path", "must name a folder, not a file"));
        };
        let pulse = Arc::new(Pulse::new(first));
        let watched = watch(Arc::clone(&place), Arc::clone(&pulse))
            .map_err(|cause| refuse("path", &format!("cannot be watched: {cause}")))?;
        Ok(Self {
            name: config.name.clone(),
            rule: Arc::new(rule),
            place,
            access: Access {
                pool: Arc::new(pool),
                pulse,
                timeout,
            },
            _watched: watched,
        })
    }

    /// The file that `identifier` names here, looked at but not open; `None` when it belongs to other
    /// roots or names no file of this one.
    ///
    /// # Errors
    ///
    /// As [`super::FileSource::open`], save for what is not found.
    pub(super) fn find(&self, identifier: &str) -> Result<Option<Found>> {
        self.run_found(identifier, Ok)
    }

    /// The file that `identifier` names here, open.
    ///
    /// # Errors
    ///
    /// As [`Root::find`].
    pub(super) fn open(&self, identifier: &str) -> Result<Option<OpenedHere>> {
        let place = Arc::clone(&self.place);
        let opened = self.run_found(identifier, move |found| {
            let file = beneath::open_to_read(&found.handle)?;
            let path = place.path_below(&found);
            Ok((file, found.version, found.ending, path))
        })?;
        Ok(opened.map(|(file, version, ending, path)| OpenedHere {
            reader: FileReader::new(file, version, self.access.clone()),
            version,
            rule: self.rule.describe(&ending),
            names: self.rule.names(identifier, &ending, path.as_deref()),
        }))
    }

    fn run_found<T: Send + 'static>(
        &self,
        identifier: &str,
        then: impl FnOnce(Found) -> Result<T, Failure> + Send + 'static,
    ) -> Result<Option<T>> {
        let Some(base) = self.rule.base(identifier) else {
            return Ok(None);
        };
        let (place, rule) = (Arc::clone(&self.place), Arc::clone(&self.rule));
        let outcome = self
            .access
            .run(move || place.find(&base, rule.endings()).and_then(then))
            .map_err(|error| error.while_doing(format!("asking root {}", self.name)))?;
        match outcome {
            Ok(found) => Ok(Some(found)),
            Err(Failure::Absent) => Ok(None),
            Err(failure) => {
                Err(Error::from(failure).while_doing(format!("asking root {}", self.name)))
            }
        }
    }

    /// How the root is now.
    pub(super) fn health(&self) -> RootHealth {
        let state = self.access.pulse.state();
        RootHealth {
            name: self.name.clone(),
            ok: state.is_ok(),
            words: state.err().unwrap_or("answers").to_owned(),
        }
    }
}

/// The verdict of the first look; `None` when the path names something that is no folder.
fn first_look(
    place: &Arc<Place>,
    pool: &Pool,
    timeout: Duration,
) -> Option<Result<(), &'static str>> {
    let looked = Arc::clone(place);
    let outcome = pool.run(timeout, move || {
        let verdict = verdict(&looked.renew());
        (verdict.is_ok() || !looked.is_no_folder()).then_some(verdict)
    });
    outcome.unwrap_or(Some(Err("does not answer")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_root_that_hangs_is_refused_at_once_and_answers_again_when_it_is_back() {
        let pulse = Arc::new(Pulse::new(Ok(())));
        let timeout = Duration::from_secs(5);
        let access = Access {
            pool: Arc::new(Pool::new(1)),
            pulse: Arc::clone(&pulse),
            timeout,
        };
        assert_eq!(access.run_counted(|| 7), Ok(7));
        pulse.hang_since(timeout * 2);
        assert_eq!(access.run_counted(|| 7), Err(Unanswered::Refused));
        pulse.hang_since(timeout / 5);
        assert_eq!(access.run_counted(|| 7), Ok(7));
    }
}
