//! Stored bytes on their way into an answer, as they are or put together anew.
//!
//! What the page cache holds is read where the request runs, without a thread of its own: that costs less
//! than asking for one. Only what has to be waited for is read elsewhere.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::mpsc;

use super::Shared;
use super::answer::Pieces;
use super::masters::{Master, run_blocking};
use super::strips::PIECE_BYTES;
use crate::cancel::Cancel;
use crate::codec::{Mosaic, Passage, Stored};
use crate::error::Result;
use crate::iiif::Identifier;
use crate::reader::RangeReader as _;

/// Pieces of a long passage that wait for its reader: reading again costs little.
const PIECES_AHEAD: usize = 4;

/// Fills a buffer from an offset of the master, or says that it cannot now.
type Read<'a> = &'a mut dyn FnMut(u64, &mut [u8]) -> Result<bool>;

/// A master whose bytes are passed.
#[derive(Debug, Clone)]
pub(super) struct Passing {
    pub(super) shared: Arc<Shared>,
    pub(super) identifier: Identifier,
    pub(super) master: Arc<Master>,
}

impl Passing {
    /// The answer; none where the bytes turn out not to be one.
    ///
    /// # Errors
    ///
    /// Those of the source; [`crate::error::ErrorKind::Busy`] when too much is being read.
    pub(super) async fn whole(&self, stored: &Stored) -> Result<Option<Bytes>> {
        let reader = &self.master.reader;
        let passage = stored.gather(|offset, buffer| reader.read_now(offset, buffer))?;
        let stored = stored.clone();
        self.or_fetched(passage, move |read| stored.gather(read))
            .await
    }

    /// Tiles put together to the answer; none where they turn out not to fit.
    ///
    /// # Errors
    ///
    /// Those of the source and of `cancel`; [`crate::error::ErrorKind::Busy`] when too much is under way.
    pub(super) async fn composed(
        &self,
        mosaic: &Arc<Mosaic>,
        cancel: &Cancel,
    ) -> Result<Option<Bytes>> {
        let (again, token) = (Arc::clone(mosaic), cancel.clone());
        let (mosaic, cancel) = (Arc::clone(mosaic), cancel.clone());
        let master = Arc::clone(&self.master);
        let work = move || {
            let mut read = |offset, buffer: &mut [u8]| master.reader.read_now(offset, buffer);
            mosaic.compose(&mut read, &cancel)
        };
        let passage = self.shared.encoders.run(work).await?;
        self.or_fetched(passage, move |read| again.compose(read, &token))
            .await
    }

    /// What `passage` came to; where its bytes are away, what `gather` gives that waits for them.
    async fn or_fetched(
        &self,
        passage: Passage,
        gather: impl FnOnce(Read<'_>) -> Result<Passage> + Send + 'static,
    ) -> Result<Option<Bytes>> {
        Ok(match passage {
            Passage::Bytes(bytes) => Some(bytes),
            Passage::Unfit => None,
            Passage::Away => match self.fetched(gather).await? {
                Passage::Bytes(bytes) => Some(bytes),
                Passage::Away | Passage::Unfit => None,
            },
        })
    }

    /// What `gather` gives, where reading has to be waited for.
    async fn fetched(
        &self,
        gather: impl FnOnce(Read<'_>) -> Result<Passage> + Send + 'static,
    ) -> Result<Passage> {
        let _permit = self.shared.info_lane.admit(0).await?;
        let master = Arc::clone(&self.master);
        let read = run_blocking("source", move || {
            let passage = gather(&mut |offset, buffer| {
                master.reader.read(offset, buffer)?;
                Ok(true)
            })?;
            master.confirm()?;
            Ok(passage)
        });
        self.or_forget(read.await)
    }

    /// The answer piece by piece, within `patience`.
    ///
    /// # Errors
    ///
    /// What keeps the first piece from being read.
    pub(super) async fn pieces(self, stored: Stored, patience: Duration) -> Result<Pieces> {
        let (sender, pieces) = mpsc::channel(PIECES_AHEAD);
        let cancel = Cancel::with_deadline(Instant::now() + patience);
        tokio::spawn(async move {
            let sent = self.send(stored, &sender, &cancel).await;
            let last = sent.map(|()| Bytes::new());
            // A reader that left needs no answer.
            let _ = sender.send(last).await;
        });
        Pieces::begin(pieces).await
    }

    async fn send(
        &self,
        stored: Stored,
        pieces: &mpsc::Sender<Result<Bytes>>,
        cancel: &Cancel,
    ) -> Result<()> {
        let (head, mut offset, mut left) = stored.pieces();
        let mut piece = head;
        loop {
            if !piece.is_empty() && pieces.send(Ok(piece)).await.is_err() {
                return Ok(());
            }
            if left == 0 {
                return Ok(());
            }
            cancel.check()?;
            let length = usize::try_from(left).map_or(PIECE_BYTES, |left| left.min(PIECE_BYTES));
            piece = self.piece(offset, length).await?;
            offset += length as u64;
            left -= length as u64;
        }
    }

    /// Bytes of the version that was opened, however they are read.
    async fn piece(&self, offset: u64, length: usize) -> Result<Bytes> {
        let mut piece = vec![0; length];
        if self.master.reader.read_now(offset, &mut piece)? {
            return Ok(piece.into());
        }
        let master = Arc::clone(&self.master);
        let read = run_blocking("source", move || {
            master.reader.read(offset, &mut piece)?;
            master.confirm()?;
            Ok(Bytes::from(piece))
        });
        self.or_forget(read.await)
    }

    fn or_forget<T>(&self, read: Result<T>) -> Result<T> {
        if read.is_err() {
            self.shared.masters.forget(&self.identifier);
        }
        read
    }
}
