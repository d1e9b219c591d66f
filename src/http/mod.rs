//! The HTTP front: requests of the Image APIs become calls of the use cases, and their answers
//! become responses.
//!
//! [`Server`] listens, admits connections, speaks HTTP/1.1 and h2, plain or under TLS, and ends
//! gracefully. Everything between a request's head and the use case is here: routes, public address,
//! conditional requests, cross-origin access, problems, health, logs. Pixels, sources and caches are
//! left to `service`. A caller may rely on this: every error is answered, none names a path of the
//! server, and no request costs more than itself.

mod accept;
mod access;
mod activity;
mod admin;
mod answers;
mod base;
mod body;
mod conditional;
mod config;
mod connection;
mod cors;
mod explain;
mod front;
mod gpu;
mod images;
mod info;
mod logs;
mod pages;
mod problem;
mod proxies;
mod request;
mod router;
mod server;
mod status;
mod tls;
mod transport;

pub use access::AccessLog;
pub use config::{
    AccessFormat, AdminConfig, CacheControlConfig, ClientAddress, Config, LogConfig, LogFormat,
    PublicConfig, ServerConfig, Settings, StartPage, TlsConfig, Versionless,
};
pub use explain::{NO_IMAGE, explanation_document};
pub use gpu::gpu_document;
pub use logs::install as install_log;
pub use request::image_request;
pub use server::Server;

#[cfg(test)]
mod tests;
