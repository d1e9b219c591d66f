//! A token that says whether a piece of work is still wanted and still in time.
//!
//! Decoders, passes and encoders check it between strips, codec tiles and block rows. It is set by
//! whoever counts the waiters of a render, and by the deadline it was made with.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use crate::error::{Error, ErrorKind, Result};

/// Says whether work should go on. Clones share one state.
#[derive(Debug, Clone, Default)]
pub struct Cancel {
    cancelled: Arc<AtomicBool>,
    deadline: Option<Instant>,
}

impl Cancel {
    /// A token without a deadline.
    pub fn new() -> Self {
        Self::default()
    }

    /// A token that runs out at `deadline`.
    pub fn with_deadline(deadline: Instant) -> Self {
        Self {
            cancelled: Arc::default(),
            deadline: Some(deadline),
        }
    }

    /// Stops the work at its next check.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    /// When the work has to be done, if it has a limit.
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// Goes on, or says why not.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Cancelled`] when nobody waits any more, [`ErrorKind::Timeout`] past the deadline.
    pub fn check(&self) -> Result<()> {
        if self.cancelled.load(Ordering::Relaxed) {
            return Err(Error::new(
                ErrorKind::Cancelled,
                "the request was withdrawn",
            ));
        }
        if self
            .deadline
            .is_some_and(|deadline| Instant::now() >= deadline)
        {
            return Err(Error::new(
                ErrorKind::Timeout,
                "the image could not be made in time; ask for a smaller region or size",
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clone_is_cancelled_with_its_original() {
        let token = Cancel::new();
        let clone = token.clone();
        assert!(clone.check().is_ok());
        token.cancel();
        assert_eq!(clone.check().unwrap_err().kind(), ErrorKind::Cancelled);
    }

    #[test]
    fn a_passed_deadline_is_a_timeout() {
        let token = Cancel::with_deadline(Instant::now());
        assert_eq!(token.check().unwrap_err().kind(), ErrorKind::Timeout);
    }
}
