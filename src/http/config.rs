//! The settings of the HTTP front: listeners, limits, public address, caching, logs.
//!
//! [`Config`] is what a file, the environment or a flag says; [`Settings`] is the same, checked and
//! compiled once, and is what every request reads. A wrong value never gets past [`Settings::new`].

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use hyper::Uri;
use hyper::header::HeaderValue;
use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use crate::error::ConfigError;

/// All sections of this room.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The public listener and its limits.
    pub server: ServerConfig,
    /// The admin listener.
    pub admin: AdminConfig,
    /// What the public address looks like.
    pub public: PublicConfig,
    /// `Cache-Control` by class of answer.
    pub cache_control: CacheControlConfig,
    /// Logs.
    pub log: LogConfig,
}

/// `server.*`: the public listener and its limits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ServerConfig {
    /// Address and port of the public listener; port 0 takes a free one.
    pub listen: String,
    /// TLS by PEM files; both empty for plain HTTP.
    pub tls: TlsConfig,
    /// Connections served at once; further ones wait in the kernel's backlog.
    pub max_connections: usize,
    /// Seconds from a connection's start, or from a request's first byte, to the end of its head.
    pub header_timeout_seconds: u64,
    /// Seconds that a connection may stay open without a request.
    pub idle_timeout_seconds: u64,
    /// Seconds after which a reader that takes no byte is cut.
    pub write_timeout_seconds: u64,
    /// Seconds that requests in flight get to finish when the server is told to end.
    pub drain_seconds: u64,
    /// Longest request target in bytes; longer ones are 414. Image API 1.x has 1024 at most.
    pub max_target_bytes: usize,
}

/// `server.tls.*`: where certificate and key are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TlsConfig {
    /// PEM file with the certificate chain, leaf first; empty for plain HTTP.
    pub certificate: PathBuf,
    /// PEM file with the private key (PKCS #8, PKCS #1 or SEC 1).
    pub key: PathBuf,
}

/// `admin.*`: the listener for metrics and health.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdminConfig {
    /// Address and port of the admin listener; empty for none.
    pub listen: String,
}

/// `public.*`: the addresses that clients see.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PublicConfig {
    /// The address under which clients reach this server, up to the slash before `iiif`
    /// (`https://images.example.org/collection`). Empty: taken from each request.
    pub base_uri: String,
    /// Path before every route of this server (`/collection`); empty for none.
    pub prefix: String,
    /// Which Image API answers under `/iiif/{identifier}/…`.
    pub versionless: Versionless,
    /// Where the start page is served.
    pub start_page: StartPage,
    /// Text that stands for a slash inside identifiers, for front ends that cannot pass `%2F`;
    /// empty for none.
    pub slash_substitute: String,
    /// Networks whose `Forwarded` and `X-Forwarded-*` headers are believed (`10.0.0.0/8`).
    pub trusted_proxies: Vec<String>,
    /// Whether answers carry `Server-Timing`.
    pub server_timing: bool,
}

/// Which Image API answers without a version in the path.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Versionless {
    /// None: such paths are 404.
    #[default]
    #[serde(rename = "off")]
    Off,
    /// Image API 3.
    #[serde(rename = "3")]
    Three,
    /// Image API 2.
    #[serde(rename = "2")]
    Two,
}

/// Where the start page is served.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StartPage {
    /// On the public listener.
    #[default]
    On,
    /// Nowhere; no folder is ever walked.
    Off,
    /// On the admin listener alone.
    Admin,
}

/// `cache_control.*`: the header by class of answer; empty for no header.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CacheControlConfig {
    /// Images.
    pub image: String,
    /// Information documents and redirects to them.
    pub info: String,
    /// 404, the one error that is certain.
    pub not_found: String,
}

/// `log.*`: the program's log and the access log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogConfig {
    /// Least level: `error`, `warn`, `info`, `debug`, `trace`, or directives by module.
    pub level: String,
    /// Shape of the program's log.
    pub format: LogFormat,
    /// Shape of the access log.
    pub access: AccessFormat,
    /// File of the access log, reopened on signal; empty for standard output.
    pub access_file: PathBuf,
    /// How much of a client's address the access log keeps.
    pub client_address: ClientAddress,
}

/// Shape of the program's log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Lines for people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// Shape of the access log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AccessFormat {
    /// None is written.
    #[default]
    Off,
    /// The combined log format of Apache and nginx.
    Combined,
    /// One JSON object a line.
    Json,
}

/// How much of a client's address is kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ClientAddress {
    /// All of it.
    Full,
    /// The network: /24 of IPv4, /48 of IPv6.
    #[default]
    Truncated,
    /// Nothing.
    None,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:8182".to_owned(),
            tls: TlsConfig::default(),
            max_connections: 10_000,
            header_timeout_seconds: 10,
            idle_timeout_seconds: 60,
            write_timeout_seconds: 60,
            drain_seconds: 30,
            max_target_bytes: 8192,
        }
    }
}

impl Default for AdminConfig {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:8183".to_owned(),
        }
    }
}

impl Default for PublicConfig {
    fn default() -> Self {
        Self {
            base_uri: String::new(),
            prefix: String::new(),
            versionless: Versionless::Off,
            start_page: StartPage::On,
            slash_substitute: String::new(),
            trusted_proxies: Vec::new(),
            server_timing: true,
        }
    }
}

impl Default for CacheControlConfig {
    fn default() -> Self {
        Self {
            image: "public, max-age=86400".to_owned(),
            info: "public, max-age=3600".to_owned(),
            not_found: "public, max-age=60".to_owned(),
        }
    }
}

impl Default for LogConfig {
    fn default() -> Self {
        Self {
            level: "info".to_owned(),
            format: LogFormat::Text,
            access: AccessFormat::Off,
            access_file: PathBuf::new(),
            client_address: ClientAddress::Truncated,
        }
    }
}

impl ServerConfig {
    /// [`ServerConfig::header_timeout_seconds`].
    pub(super) const fn header_timeout(&self) -> Duration {
        Duration::from_secs(self.header_timeout_seconds)
    }

    /// [`ServerConfig::idle_timeout_seconds`].
    pub(super) const fn idle_timeout(&self) -> Duration {
        Duration::from_secs(self.idle_timeout_seconds)
    }

    /// [`ServerConfig::write_timeout_seconds`].
    pub(super) const fn write_timeout(&self) -> Duration {
        Duration::from_secs(self.write_timeout_seconds)
    }

    /// [`ServerConfig::drain_seconds`].
    pub(super) const fn drain(&self) -> Duration {
        Duration::from_secs(self.drain_seconds)
    }

    fn check(&self) -> Result<(), ConfigError> {
        check_listen("server.listen", &self.listen)?;
        let tls = [&self.tls.certificate, &self.tls.key].map(|path| path.as_os_str().is_empty());
        if tls.first() != tls.last() {
            return Err(ConfigError::new(
                "server.tls",
                "certificate and key are given together or not at all",
            ));
        }
        at_least_one("server.max_connections", self.max_connections > 0)?;
        at_least_one(
            "server.header_timeout_seconds",
            self.header_timeout_seconds > 0,
        )?;
        at_least_one("server.idle_timeout_seconds", self.idle_timeout_seconds > 0)?;
        at_least_one(
            "server.write_timeout_seconds",
            self.write_timeout_seconds > 0,
        )?;
        if !(256..=MOST_TARGET_BYTES).contains(&self.max_target_bytes) {
            return Err(ConfigError::new(
                "server.max_target_bytes",
                format!("must be from 256 to {MOST_TARGET_BYTES}"),
            ));
        }
        Ok(())
    }
}

/// Longest target that can be set: half of what the protocol library may hold of one head.
const MOST_TARGET_BYTES: usize = 32 * 1024;

fn at_least_one(key: &str, holds: bool) -> Result<(), ConfigError> {
    if holds {
        Ok(())
    } else {
        Err(ConfigError::new(key, "must be at least 1"))
    }
}

fn check_listen(key: &str, listen: &str) -> Result<(), ConfigError> {
    let port = listen.rsplit_once(':').map(|(host, port)| {
        let bracketed = !host.contains(':') || (host.starts_with('[') && host.ends_with(']'));
        !host.is_empty() && bracketed && port.parse::<u16>().is_ok()
    });
    match port {
        Some(true) => Ok(()),
        Some(false) | None => Err(ConfigError::new(
            key,
            "must be an address and a port: 127.0.0.1:8182 or [::]:8182",
        )),
    }
}

/// The settings of this room, checked and compiled.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The settings as they were given.
    pub config: Config,
    pub(super) trusted: Vec<IpNet>,
    pub(super) base_uri: Option<String>,
    pub(super) prefix: String,
    pub(super) cache_image: Option<HeaderValue>,
    pub(super) cache_info: Option<HeaderValue>,
    pub(super) cache_not_found: Option<HeaderValue>,
}

impl Settings {
    /// Checks `config`.
    ///
    /// # Errors
    ///
    /// The first key that breaks its rule.
    pub fn new(config: Config) -> Result<Self, ConfigError> {
        config.server.check()?;
        if !config.admin.listen.is_empty() {
            check_listen("admin.listen", &config.admin.listen)?;
        }
        check_substitute(&config.public.slash_substitute)?;
        let cache = &config.cache_control;
        Ok(Self {
            trusted: networks(&config.public.trusted_proxies)?,
            base_uri: base_uri(&config.public.base_uri)?,
            prefix: prefix(&config.public.prefix)?,
            cache_image: header("cache_control.image", &cache.image)?,
            cache_info: header("cache_control.info", &cache.info)?,
            cache_not_found: header("cache_control.not_found", &cache.not_found)?,
            config,
        })
    }

    /// Whether the peer's forwarding headers are believed.
    pub(super) fn trusts(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.trusted.iter().any(|net| net.contains(&address))
    }
}

impl Config {
    /// Checks every key of this room.
    ///
    /// # Errors
    ///
    /// The first key that breaks its rule.
    pub fn check(&self) -> Result<(), ConfigError> {
        Settings::new(self.clone()).map(drop)
    }
}

fn networks(texts: &[String]) -> Result<Vec<IpNet>, ConfigError> {
    let network = |text: &String| {
        let single = text.parse::<IpAddr>().map(IpNet::from);
        text.parse::<IpNet>().ok().or(single.ok()).ok_or_else(|| {
            ConfigError::new(
                "public.trusted_proxies",
                format!("{text:?} must be a network: 10.0.0.0/8 or fd00::/8"),
            )
        })
    };
    texts.iter().map(network).collect()
}

fn base_uri(text: &str) -> Result<Option<String>, ConfigError> {
    if text.is_empty() {
        return Ok(None);
    }
    let rule = "must be http:// or https://, a host, and no query: https://images.example.org";
    let wrong = || ConfigError::new("public.base_uri", rule);
    let uri = text.parse::<Uri>().ok().ok_or_else(wrong)?;
    let scheme = matches!(uri.scheme_str(), Some("http" | "https"));
    if !scheme || uri.query().is_some() || text.contains(['#', '@']) {
        return Err(wrong());
    }
    Ok(Some(text.trim_end_matches('/').to_owned()))
}

fn prefix(text: &str) -> Result<String, ConfigError> {
    let trimmed = text.trim_matches('/');
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._~/".contains(c);
    if !trimmed.chars().all(plain) || trimmed.split('/').any(|part| part == "..") {
        return Err(ConfigError::new(
            "public.prefix",
            "must be path segments of letters, digits, '-', '.', '_' and '~'",
        ));
    }
    if trimmed.is_empty() {
        return Ok(String::new());
    }
    Ok(format!("/{trimmed}"))
}

fn check_substitute(text: &str) -> Result<(), ConfigError> {
    let plain = |c: char| c.is_ascii_graphic() && !"%/?#[]@".contains(c);
    if text.chars().all(plain) {
        return Ok(());
    }
    Err(ConfigError::new(
        "public.slash_substitute",
        "must be visible ASCII characters other than %/?#[]@",
    ))
}

fn header(key: &str, text: &str) -> Result<Option<HeaderValue>, ConfigError> {
    if text.is_empty() {
        return Ok(None);
    }
    let value = HeaderValue::from_str(text).ok();
    let rule = "must be a header value: visible ASCII characters";
    value.map(Some).ok_or_else(|| ConfigError::new(key, rule))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key_of(change: impl FnOnce(&mut Config)) -> String {
        let mut config = Config::default();
        change(&mut config);
        config.check().expect_err("the setting is wrong").key
    }

    #[test]
    fn the_defaults_are_valid() {
        assert_eq!(Config::default().check(), Ok(()));
    }

    #[test]
    fn a_wrong_setting_names_its_key() {
        assert_eq!(key_of(|c| c.server.listen = "8182".into()), "server.listen");
        assert_eq!(
            key_of(|c| c.server.listen = "::1:80".into()),
            "server.listen"
        );
        assert_eq!(
            key_of(|c| c.admin.listen = "x:99999".into()),
            "admin.listen"
        );
        assert_eq!(key_of(|c| c.server.tls.key = "k.pem".into()), "server.tls");
        assert_eq!(
            key_of(|c| c.server.max_connections = 0),
            "server.max_connections"
        );
        assert_eq!(
            key_of(|c| c.server.max_target_bytes = 1 << 20),
            "server.max_target_bytes"
        );
        assert_eq!(
            key_of(|c| c.public.base_uri = "images.org".into()),
            "public.base_uri"
        );
        assert_eq!(
            key_of(|c| c.public.base_uri = "https://a/?q".into()),
            "public.base_uri"
        );
        assert_eq!(
            key_of(|c| c.public.prefix = "/a/../b".into()),
            "public.prefix"
        );
        assert_eq!(
            key_of(|c| c.public.slash_substitute = "%".into()),
            "public.slash_substitute"
        );
        assert_eq!(
            key_of(|c| c.public.trusted_proxies = vec!["10.0.0/8".into()]),
            "public.trusted_proxies"
        );
        assert_eq!(
            key_of(|c| c.cache_control.info = "a\nb".into()),
            "cache_control.info"
        );
    }

    #[test]
    fn an_empty_admin_listener_is_none() {
        let mut config = Config::default();
        config.admin.listen.clear();
        assert_eq!(config.check(), Ok(()));
    }

    #[test]
    fn slashes_around_prefix_and_base_do_not_count() {
        let mut config = Config::default();
        config.public.prefix = "a/b/".into();
        config.public.base_uri = "https://x.org/y/".into();
        let settings = Settings::new(config).expect("valid");
        assert_eq!(settings.prefix, "/a/b");
        assert_eq!(settings.base_uri.as_deref(), Some("https://x.org/y"));
    }

    #[test]
    fn settings_are_read_by_name_and_unknown_names_are_refused() {
        let text = "[public]\nversionless = \"2\"\nstart_page = \"admin\"\n[log]\naccess = \"combined\"\nclient_address = \"none\"\n";
        let config: Config = toml::from_str(text).expect("valid");
        assert_eq!(config.public.versionless, Versionless::Two);
        assert_eq!(config.public.start_page, StartPage::Admin);
        assert_eq!(config.log.access, AccessFormat::Combined);
        assert_eq!(config.log.client_address, ClientAddress::None);
        assert!(toml::from_str::<Config>("[server]\nlisten_on = \"a\"\n").is_err());
    }

    #[test]
    fn an_ipv4_peer_on_a_dual_stack_socket_is_still_in_its_network() {
        let mut config = Config::default();
        config.public.trusted_proxies = vec!["10.0.0.0/8".into(), "192.0.2.1".into()];
        let settings = Settings::new(config).expect("valid");
        for (address, trusted) in [
            ("10.1.2.3", true),
            ("::ffff:10.1.2.3", true),
            ("192.0.2.1", true),
            ("192.0.2.2", false),
        ] {
            let address = address.parse().expect("an address");
            assert_eq!(settings.trusts(address), trusted, "{address}");
        }
    }
}
