//! The info document's model of one image.

use super::answer::InfoAnswer;
use super::image::newest;
use super::{Config, Master, Service, Shared, attached};
use crate::error::Result;
use crate::iiif::{Identifier, ImageInfo};

impl Service {
    /// What is published about an image; `http` adds the base URI.
    ///
    /// # Errors
    ///
    /// As the image request's: not found, source away, damaged, busy.
    pub async fn info(&self, identifier: &Identifier) -> Result<InfoAnswer> {
        let shared = self.shared();
        let seen = shared.masters.get(identifier, &shared.info_lane).await?;
        let master = seen.master;
        let mut info = describe(&shared, identifier, &master);
        if shared.config.iiif.physical_dimensions {
            info.pixel_mm = attached::pixel_mm(&shared, &master).await?;
        }
        Ok(InfoAnswer {
            info,
            last_modified: newest(&shared, &master),
        })
    }
}

fn describe(shared: &Shared, identifier: &Identifier, master: &Master) -> ImageInfo {
    let facts = master.facts();
    let dimensions = master.dimensions();
    let stored_tile = facts.pyramid.full().tile;
    let (tile, factors, sizes) = ImageInfo::tiling(dimensions, stored_tile, &shared.rules);
    let rights = &shared.config.iiif.rights;
    ImageInfo {
        id: String::new(),
        identifier: identifier.clone(),
        dimensions,
        is_gray: facts.pixel.channels.is_gray(),
        tile,
        factors,
        sizes,
        rules: shared.rules,
        preferred_formats: Config::formats(&shared.config.iiif.preferred_formats),
        rights: (!rights.is_empty()).then(|| rights.clone()),
        pixel_mm: None,
        pages: facts.pages,
    }
}
