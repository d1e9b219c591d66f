//! A request's path alone → the image request that it means, for those who have no connection.

use super::answers::identifier;
use super::config::Settings;
use super::router::Route;
use crate::error::Result;
use crate::iiif::ImageRequest;

/// The image request that `path` means under `settings`; `None` if it is another route.
///
/// # Errors
///
/// Those of the request's grammar.
pub fn image_request(path: &str, settings: &Settings) -> Result<Option<ImageRequest>> {
    let versionless = settings.config.public.versionless;
    let Route::Image(target, [region, size, rotation, last]) =
        Route::parse(path, &settings.prefix, versionless)
    else {
        return Ok(None);
    };
    let segments = [target.identifier, region, size, rotation, last];
    let mut request = ImageRequest::parse(target.version, &segments, None)?;
    request.identifier = identifier(settings, target.identifier)?;
    Ok(Some(request))
}
