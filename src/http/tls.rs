//! TLS from PEM files: certificate chain and key to an acceptor that offers h2 and HTTP/1.1.
//!
//! Files are read at start and again when the settings are swapped, so that a renewed certificate
//! needs no restart.

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;

use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{self, ServerConfig};
use tokio_rustls::server::TlsStream;

use super::config::TlsConfig;
use crate::error::ConfigError;

/// The server's end of TLS handshakes.
#[derive(Clone)]
pub(super) struct Acceptor(TlsAcceptor);

impl Acceptor {
    /// Begins TLS on `stream`.
    ///
    /// # Errors
    ///
    /// The handshake's.
    pub(super) async fn accept(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        self.0.accept(stream).await
    }
}

impl fmt::Debug for Acceptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Acceptor")
    }
}

/// Reads certificate and key; nothing where TLS is off.
///
/// # Errors
///
/// A file cannot be read, holds no such thing, or key and certificate do not belong together.
pub(super) fn acceptor(config: &TlsConfig) -> Result<Option<Acceptor>, ConfigError> {
    if config.certificate.as_os_str().is_empty() {
        return Ok(None);
    }
    let chain = chain(&config.certificate)?;
    let key = PrivateKeyDer::from_pem_file(&config.key)
        .map_err(|error| wrong("server.tls.key", &config.key, &error))?;
    let mut server = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
        .map_err(|error: rustls::Error| {
            wrong("server.tls.certificate", &config.certificate, &error)
        })?;
    server.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Some(Acceptor(TlsAcceptor::from(Arc::new(server)))))
}

fn chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, ConfigError> {
    let key = "server.tls.certificate";
    let chain: Result<Vec<_>, _> = CertificateDer::pem_file_iter(path).and_then(Iterator::collect);
    let chain = chain.map_err(|error| wrong(key, path, &error))?;
    if chain.is_empty() {
        return Err(wrong(key, path, &"no certificate in it"));
    }
    Ok(chain)
}

fn wrong(key: &str, path: &Path, reason: &dyn fmt::Display) -> ConfigError {
    ConfigError::new(key, format!("{} is not usable: {reason}", path.display()))
}
