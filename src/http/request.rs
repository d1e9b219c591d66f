//! A request's path → the image request that it means, with or without a connection.

use super::answers::with_slashes;
use super::config::Settings;
use super::router::{Route, Target};
use crate::error::Result;
use crate::iiif::{ImageRequest, Version};

/// The image request that `path` means under `settings`; `None` if it is another route.
///
/// # Errors
///
/// Those of the request's grammar.
pub fn image_request(path: &str, settings: &Settings) -> Result<Option<ImageRequest>> {
    let Route::Image(target, segments) = route(path, settings) else {
        return Ok(None);
    };
    parse(settings, target, segments, None).map(Some)
}

/// Whether `path` is one of Image API 1.x, which tells some errors in its own way.
pub(super) fn is_of_first_version(path: &str, settings: &Settings) -> bool {
    let version = route(path, settings).version();
    version.is_some_and(Version::is_1x)
}

fn route<'a>(path: &'a str, settings: &Settings) -> Route<'a> {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    Route::parse(path, &settings.prefix, settings.config.public.versionless)
}

/// Reads the segments of an image's route; `accept` chooses the format where a path may leave it open.
///
/// # Errors
///
/// Those of the request's grammar.
pub(super) fn parse(
    settings: &Settings,
    target: Target<'_>,
    segments: [&str; 4],
    accept: Option<&str>,
) -> Result<ImageRequest> {
    let [region, size, rotation, last] = segments;
    let path = [target.identifier, region, size, rotation, last];
    let mut request = ImageRequest::parse(target.version, &path, accept)?;
    request.identifier = with_slashes(settings, request.identifier)?;
    Ok(request)
}

#[cfg(test)]
mod tests {
    use super::super::config::Config;
    use super::*;

    #[test]
    fn a_path_is_read_as_the_server_reads_it() {
        let mut config = Config::default();
        config.public.prefix = "scans/".into();
        config.public.slash_substitute = "~~".into();
        let settings = Settings::new(config).expect("valid");
        let read = |path| image_request(path, &settings);
        let request = read("/scans/iiif/3/a~~b/full/max/0/default.jpg?x");
        let request = request.expect("good").expect("an image request");
        assert_eq!(request.identifier.as_str(), "a/b");
        assert!(matches!(read("/iiif/3/a/full/max/0/default.jpg"), Ok(None)));
        assert!(matches!(read("/scans/iiif/3/a/info.json"), Ok(None)));
        assert!(read("/scans/iiif/3/a/full/full/0/default.jpg").is_err());
    }
}
