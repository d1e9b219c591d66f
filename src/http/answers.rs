//! Routes → use cases: who answers what, and through which listener.
//!
//! Nothing of the admin listener is reachable on the public one except health.

use hyper::Response;
use hyper::header::{HeaderValue, LOCATION};
use hyper::http::StatusCode;
use tokio::sync::watch;

use super::body::Body;
use super::config::{Settings, StartPage};
use super::connection::Phase;
use super::front::{Answers, Door, Inquiry, set};
use super::problem::Problem;
use super::router::{Route, Target};
use super::{admin, explain, gpu, images, info, pages};
use crate::error::{Error, Result};
use crate::iiif::Identifier;
use crate::service::Service;

/// The use cases behind the routes.
#[derive(Debug, Clone)]
pub(super) struct UseCases {
    /// Images and their documents.
    pub(super) service: Service,
    /// What the server is doing.
    pub(super) phase: watch::Receiver<Phase>,
}

impl Answers for UseCases {
    async fn answer(&self, inquiry: &Inquiry, route: Route<'_>) -> Result<Response<Body>, Problem> {
        let start_page = inquiry.settings.config.public.start_page;
        if !reachable(inquiry.peer.door, start_page, route) {
            return Err(Problem::no_route());
        }
        match route {
            Route::Live => Ok(admin::live()),
            Route::Ready => Ok(self.ready(inquiry)),
            Route::Metrics => Ok(admin::metrics()),
            Route::Explain => Box::pin(explain::explain(&self.service, inquiry)).await,
            Route::Gpu => Ok(gpu::gpu(&self.service)),
            Route::Start => Ok(pages::start(&self.service, inquiry).await?),
            Route::View => pages::view(inquiry),
            Route::Asset(name) => pages::asset(name, &inquiry.head.headers),
            Route::Robots => Ok(admin::robots(&inquiry.settings.prefix)),
            Route::Base(target) => redirect(inquiry, target).map_err(Problem::from),
            Route::Info(target) => info::json(&self.service, inquiry, target).await,
            Route::InfoXml(target) => info::xml(&self.service, inquiry, target).await,
            Route::Image(target, segments) => {
                images::image(&self.service, inquiry, target, segments).await
            }
            Route::Unknown => Err(Problem::no_route()),
        }
    }
}

impl UseCases {
    fn ready(&self, inquiry: &Inquiry) -> Response<Body> {
        let phase = *self.phase.borrow();
        admin::ready(&self.service.readiness(), phase, inquiry.peer.door)
    }
}

/// Whether a listener has a route at all.
fn reachable(door: Door, start_page: StartPage, route: Route<'_>) -> bool {
    match route {
        Route::Live | Route::Ready => true,
        Route::Metrics | Route::Explain | Route::Gpu => door == Door::Admin,
        Route::Start | Route::View | Route::Asset(_) => match start_page {
            StartPage::On => door == Door::Public,
            StartPage::Admin => door == Door::Admin,
            StartPage::Off => false,
        },
        // Pages show pictures: where they are the operator's alone, his listener has pictures too.
        Route::Base(_) | Route::Info(_) | Route::Image(..) => {
            door == Door::Public || start_page == StartPage::Admin
        }
        Route::Robots | Route::InfoXml(_) | Route::Unknown => door == Door::Public,
    }
}

/// A base URI leads to its information document (I3-URI-04, I3-URI-08).
fn redirect(inquiry: &Inquiry, target: Target<'_>) -> Result<Response<Body>> {
    let identifier = identifier(&inquiry.settings, target.identifier)?;
    let location = format!("{}/info.json", service_uri(inquiry, target, &identifier));
    let location = HeaderValue::from_str(&location)
        .map_err(|error| Error::internal("writing an address").with_source(error))?;
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    response.headers_mut().insert(LOCATION, location);
    set(
        &mut response,
        hyper::header::CACHE_CONTROL,
        inquiry.settings.cache_info.as_ref(),
    );
    Ok(response)
}

/// The identifier that a raw segment names, with what stands for slashes put right.
///
/// # Errors
///
/// A bad request about the identifier.
pub(super) fn identifier(settings: &Settings, raw: &str) -> Result<Identifier> {
    with_slashes(settings, Identifier::parse_segment(raw)?)
}

/// `identifier` with what stands for slashes put right.
///
/// # Errors
///
/// A bad request about the identifier.
pub(super) fn with_slashes(settings: &Settings, identifier: Identifier) -> Result<Identifier> {
    match settings.config.public.slash_substitute.as_str() {
        "" => Ok(identifier),
        substitute => Identifier::new(&identifier.as_str().replace(substitute, "/")),
    }
}

/// The base URI of an image service, as it was asked for: scheme to identifier (I3-INF-05).
pub(super) fn service_uri(
    inquiry: &Inquiry,
    target: Target<'_>,
    identifier: &Identifier,
) -> String {
    let encoded = identifier.encoded();
    let encoded = match inquiry.settings.config.public.slash_substitute.as_str() {
        "" => encoded,
        substitute => encoded.replace("%2F", substitute),
    };
    inquiry.base.at(&target.path(&encoded))
}

#[cfg(test)]
mod tests {
    use super::super::config::{Config, Versionless};
    use super::*;

    #[test]
    fn nothing_of_the_admin_listener_is_public_except_health() {
        for route in [Route::Metrics, Route::Explain, Route::Gpu] {
            assert!(!reachable(Door::Public, StartPage::On, route));
            assert!(reachable(Door::Admin, StartPage::On, route));
        }
        for route in [Route::Live, Route::Ready] {
            assert!(reachable(Door::Public, StartPage::Off, route));
            assert!(reachable(Door::Admin, StartPage::Off, route));
        }
        assert!(!reachable(Door::Admin, StartPage::Admin, Route::Robots));
    }

    #[test]
    fn the_start_page_is_where_the_setting_says() {
        for (setting, public, admin) in [
            (StartPage::On, true, false),
            (StartPage::Admin, false, true),
            (StartPage::Off, false, false),
        ] {
            for route in [Route::Start, Route::View, Route::Asset("a.js")] {
                assert_eq!(reachable(Door::Public, setting, route), public);
                assert_eq!(reachable(Door::Admin, setting, route), admin);
            }
        }
    }

    #[test]
    fn pictures_are_where_the_pages_are() {
        let route = Route::parse("/iiif/3/a/info.json", "", Versionless::Off);
        assert!(matches!(route, Route::Info(_)));
        for (setting, admin) in [
            (StartPage::On, false),
            (StartPage::Admin, true),
            (StartPage::Off, false),
        ] {
            assert!(reachable(Door::Public, setting, route));
            assert_eq!(reachable(Door::Admin, setting, route), admin);
        }
    }

    #[test]
    fn a_slash_may_have_a_substitute() {
        let mut config = Config::default();
        config.public.slash_substitute = "~~".into();
        let settings = Settings::new(config).expect("valid");
        let name = |raw| identifier(&settings, raw).map(|id| id.as_str().to_owned());
        assert_eq!(name("a~~b%2Fc").ok().as_deref(), Some("a/b/c"));
        assert_eq!(name("a%7E~b").ok().as_deref(), Some("a/b"));
        assert!(name("%00").is_err());
    }
}
