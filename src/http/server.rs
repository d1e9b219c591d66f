//! The listeners: who is let in, and how everything ends.
//!
//! Each listener admits connections up to its limit and waits at the limit, so that further clients
//! queue in the kernel. When told to drain, the public one closes, what is in flight gets its time,
//! and the admin one stays until the end, so that probes can see it.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{sleep, timeout};

use super::access::AccessLog;
use super::answers::UseCases;
use super::config::Settings;
use super::connection::{self, Phase};
use super::front::{Answers, Door, Front, Peer};
use super::tls::{self, Acceptor};
use super::transport::Stream;
use crate::error::ConfigError;
use crate::metrics;
use crate::service::Service;

/// Connections to the admin listener: a scraper, a few probes, an operator.
const MOST_ADMIN_CONNECTIONS: usize = 64;

/// Sockets that are bound, but not yet served.
#[derive(Debug)]
pub struct Server {
    service: Service,
    settings: watch::Receiver<Arc<Settings>>,
    sockets: Sockets,
}

impl Server {
    /// Binds the sockets, reads the certificate and opens the access log. When `settings` change,
    /// the new ones hold for requests from then on, certificate and access log are read and opened
    /// anew; addresses and the connection limit stay.
    ///
    /// # Errors
    ///
    /// The setting that cannot be met: an address that is taken, a file that cannot be read.
    pub async fn bind(
        service: Service,
        settings: watch::Receiver<Arc<Settings>>,
    ) -> Result<Self, ConfigError> {
        let current = Arc::clone(&settings.borrow());
        let sockets = Sockets::bind(&current).await?;
        Ok(Self {
            service,
            settings,
            sockets,
        })
    }

    /// Where the public listener is.
    pub fn address(&self) -> SocketAddr {
        self.sockets.public.1
    }

    /// Where the admin listener is, if there is one.
    pub fn admin_address(&self) -> Option<SocketAddr> {
        self.sockets.admin.as_ref().map(|(_, address)| *address)
    }

    /// The access log, for whoever hears the signal that asks to reopen it.
    pub fn access_log(&self) -> AccessLog {
        self.sockets.access.clone()
    }

    /// Serves until `drain` is done, then lets requests in flight finish for `server.drain_seconds`,
    /// or until `stop` is done.
    pub async fn run(self, drain: impl Future<Output = ()>, stop: impl Future<Output = ()>) {
        let (phase, seen) = watch::channel(Phase::Serving);
        let answers = UseCases {
            service: self.service,
            phase: seen,
        };
        run(self.sockets, answers, self.settings, phase, drain, stop).await;
    }
}

/// What is opened before the first connection.
#[derive(Debug)]
pub(super) struct Sockets {
    pub(super) public: (TcpListener, SocketAddr),
    pub(super) admin: Option<(TcpListener, SocketAddr)>,
    tls: Option<Acceptor>,
    access: AccessLog,
}

impl Sockets {
    /// Opens everything that `settings` name.
    pub(super) async fn bind(settings: &Settings) -> Result<Self, ConfigError> {
        let config = &settings.config;
        let admin = match config.admin.listen.as_str() {
            "" => None,
            address => Some(bind("admin.listen", address).await?),
        };
        Ok(Self {
            public: bind("server.listen", &config.server.listen).await?,
            admin,
            tls: tls::acceptor(&config.server.tls)?,
            access: AccessLog::open(&config.log)?,
        })
    }
}

async fn bind(key: &str, address: &str) -> Result<(TcpListener, SocketAddr), ConfigError> {
    let wrong = |error: io::Error| {
        ConfigError::new(key, format!("{address} cannot be listened on: {error}"))
    };
    let listener = TcpListener::bind(address).await.map_err(wrong)?;
    let address = listener.local_addr().map_err(wrong)?;
    Ok((listener, address))
}

/// Serves `sockets` with `answers`; see [`Server::run`].
pub(super) async fn run<A: Answers>(
    sockets: Sockets,
    answers: A,
    settings: watch::Receiver<Arc<Settings>>,
    phase: watch::Sender<Phase>,
    drain: impl Future<Output = ()>,
    stop: impl Future<Output = ()>,
) {
    let server = settings.borrow().config.server.clone();
    let (certificate, tls) = watch::channel(sockets.tls);
    let front = Arc::new(Front {
        answers,
        settings: settings.clone(),
        access: sockets.access.clone(),
    });
    let gate = |door, permits| Gate {
        front: Arc::clone(&front),
        door,
        permits: Arc::new(Semaphore::new(permits)),
        tls: tls.clone(),
        phase: phase.subscribe(),
    };
    let public = gate(
        Door::Public,
        server.max_connections.min(Semaphore::MAX_PERMITS),
    );
    let all_left = Arc::clone(&public.permits);
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(follow(settings, certificate, sockets.access));
    tasks.spawn(public.admit(sockets.public.0, Phase::Draining));
    if let Some((listener, _)) = sockets.admin {
        let admin = gate(Door::Admin, MOST_ADMIN_CONNECTIONS);
        tasks.spawn(admin.admit(listener, Phase::Stopping));
    }
    let mut stop = std::pin::pin!(stop);
    tokio::select! {
        () = drain => {}
        () = &mut stop => {}
    }
    phase.send_replace(Phase::Draining);
    tokio::select! {
        () = left(&all_left, server.max_connections) => {}
        () = sleep(server.drain()) => tracing::warn!("requests in flight were cut at the end of the drain"),
        () = stop => {}
    }
    phase.send_replace(Phase::Stopping);
}

/// Waits until every connection has given its permit back.
async fn left(permits: &Semaphore, count: usize) {
    while permits.available_permits() < count {
        sleep(LOOK_AGAIN).await;
    }
}

/// How often a draining server counts its connections.
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// Reads certificate and access log anew whenever the settings were put in place again.
async fn follow(
    mut settings: watch::Receiver<Arc<Settings>>,
    certificate: watch::Sender<Option<Acceptor>>,
    access: AccessLog,
) {
    while settings.changed().await.is_ok() {
        let config = settings.borrow_and_update().config.clone();
        access.switch(&config.log.access_file);
        let read = tokio::task::spawn_blocking(move || tls::acceptor(&config.server.tls)).await;
        match read {
            Ok(Ok(acceptor)) if acceptor.is_some() == certificate.borrow().is_some() => {
                certificate.send_replace(acceptor);
            }
            Ok(Ok(_)) => tracing::error!("TLS is switched on or off by a restart alone"),
            Ok(Err(error)) => tracing::error!("the certificate in use stays: {error}"),
            Err(error) => tracing::error!("the certificate in use stays: {error}"),
        }
    }
}

/// A listener's door: what a connection needs to be served.
#[derive(Debug, Clone)]
struct Gate<A> {
    front: Arc<Front<A>>,
    door: Door,
    permits: Arc<Semaphore>,
    tls: watch::Receiver<Option<Acceptor>>,
    phase: watch::Receiver<Phase>,
}

impl<A: Answers> Gate<A> {
    /// Lets connections in until `last` begins; at the limit it waits and does not accept.
    async fn admit(self, listener: TcpListener, last: Phase) {
        let mut over = self.phase.clone();
        tokio::select! {
            () = self.accept(&listener) => {}
            _ = over.wait_for(|phase| *phase >= last) => {}
        }
    }

    async fn accept(&self, listener: &TcpListener) {
        let mut pause = Pause::default();
        while let Ok(permit) = Arc::clone(&self.permits).acquire_owned().await {
            match listener.accept().await {
                Ok((stream, remote)) => {
                    pause = Pause::default();
                    tokio::spawn(self.clone().serve(stream, remote, permit));
                }
                Err(error) => pause.after(&error).await,
            }
        }
    }

    async fn serve(self, stream: TcpStream, remote: SocketAddr, _permit: OwnedSemaphorePermit) {
        let Ok(local) = stream.local_addr() else {
            return;
        };
        let _open = (self.door == Door::Public).then(Open::count);
        // Small answers leave at once; a socket that refuses still works.
        let _ = stream.set_nodelay(true);
        let settings = Arc::clone(&self.front.settings.borrow());
        let Some((stream, secure)) = self.secured(stream, &settings).await else {
            return;
        };
        let peer = Peer {
            remote,
            local,
            secure,
            door: self.door,
        };
        let front = self.front;
        let answer = move |request, exchange| Arc::clone(&front).answer(peer, request, exchange);
        connection::serve(stream, &settings.config.server, self.phase, answer).await;
    }

    /// The stream after its TLS handshake, if this listener speaks TLS.
    async fn secured(&self, stream: TcpStream, settings: &Settings) -> Option<(Stream, bool)> {
        let acceptor = match self.door {
            Door::Public => self.tls.borrow().clone(),
            Door::Admin => None,
        };
        let Some(acceptor) = acceptor else {
            return Some((Stream::Plain(stream), false));
        };
        let patience = settings.config.server.header_timeout();
        match timeout(patience, acceptor.accept(stream)).await {
            Ok(Ok(stream)) => Some((Stream::Tls(Box::new(stream)), true)),
            Ok(Err(error)) => {
                tracing::debug!("TLS handshake failed: {error}");
                None
            }
            Err(_) => None,
        }
    }
}

/// Counts a connection while it is open.
#[derive(Debug)]
struct Open;

impl Open {
    fn count() -> Self {
        metrics::CONNECTIONS.get().increment(1.0);
        Self
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        metrics::CONNECTIONS.get().decrement(1.0);
    }
}

/// How long to wait after failures to accept: without descriptors the next try fails as well.
#[derive(Debug, Default)]
struct Pause {
    failures: u32,
}

impl Pause {
    /// Longest wait, so that service resumes within a second after descriptors are free.
    const LONGEST: Duration = Duration::from_millis(640);

    async fn after(&mut self, error: &io::Error) {
        if self.failures == 0 {
            tracing::warn!("a connection could not be accepted: {error}");
        }
        if let Some(wait) = self.wait(error.kind()) {
            sleep(wait).await;
        }
    }

    /// The wait after one more failure; none where the failure was that one connection's.
    fn wait(&mut self, kind: io::ErrorKind) -> Option<Duration> {
        let of_one = [
            io::ErrorKind::ConnectionAborted,
            io::ErrorKind::ConnectionReset,
            io::ErrorKind::Interrupted,
        ];
        if of_one.contains(&kind) {
            return None;
        }
        self.failures += 1;
        let doubled = Duration::from_millis(5) * 2_u32.pow(self.failures.min(7));
        Some(doubled.min(Self::LONGEST))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_their_bound_and_a_lost_connection_costs_none() {
        let mut pause = Pause::default();
        assert_eq!(pause.wait(io::ErrorKind::ConnectionAborted), None);
        let waits: Vec<_> = (0..12)
            .filter_map(|_| pause.wait(io::ErrorKind::Other))
            .collect();
        assert_eq!(waits.first(), Some(&Duration::from_millis(10)));
        assert!(waits.is_sorted());
        assert_eq!(waits.last(), Some(&Pause::LONGEST));
    }
}
