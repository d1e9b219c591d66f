//! What the servers hold in common: identifiers from a list, and what each server says about them.
//!
//! Tiles are those of the first server's documents, so that every server is asked the same. An image that
//! a server does not have, or describes with other dimensions, is left out and reported.

use std::time::Duration;

use serde_json::Value;

use super::client::Connection;
use super::question::stated;
use super::report::LeftOut;
use super::server::Server;
use super::target::{Target, version_of};
use crate::geometry::Dimensions;
use crate::iiif::Identifier;

/// An image that all servers have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Image {
    /// Its identifier.
    pub(super) identifier: Identifier,
    /// Its width and height.
    pub(super) dimensions: Dimensions,
    /// Edge of its tiles in pixels.
    pub(super) tile: u32,
    /// Scale factors of its tiles, growing.
    pub(super) factors: Vec<u32>,
    /// Whether every server gives it whole at its full size.
    pub(super) whole: bool,
}

/// Tiles of an image whose document publishes none.
const USUAL_TILE: u32 = 512;

/// Longest document or list that is read.
const DOCUMENT_BYTES: usize = 4 << 20;

/// How often a start page that still walks its folders is asked again, and how long it gets in between.
const PATIENCE: (usize, Duration) = (50, Duration::from_millis(200));

impl Image {
    /// An image with the usual tiles.
    #[cfg(test)]
    pub(super) fn plain(identifier: &str, dimensions: Dimensions) -> Self {
        Self {
            identifier: Identifier::new(identifier).expect("an identifier"),
            dimensions,
            tile: USUAL_TILE,
            factors: powers(dimensions, USUAL_TILE),
            whole: true,
        }
    }
}

/// The images of `identifiers` that all `servers` have, and those that are left out.
pub(super) async fn learn(
    servers: &mut [Server],
    identifiers: &[Identifier],
    tile: Option<u32>,
) -> (Vec<Image>, Vec<LeftOut>) {
    let (mut images, mut left_out) = (Vec::new(), Vec::new());
    let mut connections: Vec<_> = servers.iter().map(Server::connection).collect();
    for identifier in identifiers {
        let mut image = None;
        let mut fault = None;
        for (server, connection) in servers.iter_mut().zip(&mut connections) {
            let said = described(server, connection, identifier).await;
            let joined = said.and_then(|info| join(image.take(), identifier, &info, tile));
            match joined {
                Ok(joined) => image = Some(joined),
                Err(reason) => {
                    fault = Some(format!("{}: {reason}", server.target.name));
                    break;
                }
            }
        }
        match (fault, image) {
            (None, Some(image)) => images.push(image),
            (fault, _) => left_out.push(LeftOut {
                identifier: identifier.to_string(),
                reason: fault.unwrap_or_default(),
            }),
        }
    }
    (images, left_out)
}

/// A server's document about an image; the first one also says which version the server speaks.
async fn described(
    server: &mut Server,
    connection: &mut Connection,
    identifier: &Identifier,
) -> Result<Value, String> {
    let path = server.target.path(identifier, "info.json");
    let reply = connection.get(&path, "*/*", DOCUMENT_BYTES).await;
    let reply = reply.map_err(|trouble| trouble.name().to_owned())?;
    if reply.status != 200 {
        return Err(format!("HTTP {} for info.json", reply.status));
    }
    server.software = reply.server.or(server.software.take());
    let info: Value =
        serde_json::from_slice(&reply.head).map_err(|_cause| "info.json is no JSON".to_owned())?;
    if server.version.is_none() {
        server.version = version_of(&info);
    }
    if server.version.is_none() {
        return Err("its Image API is neither 2 nor 3 (--api NAME=3 says which)".to_owned());
    }
    Ok(info)
}

/// What earlier servers say about an image, and what one more says.
fn join(
    known: Option<Image>,
    identifier: &Identifier,
    info: &Value,
    tile: Option<u32>,
) -> Result<Image, String> {
    let dimensions = stated(info).ok_or("info.json states no dimensions")?;
    let whole = allows_whole(info, dimensions);
    let Some(mut image) = known else {
        let (tile, factors) = tiles(info, dimensions, tile);
        return Ok(Image {
            identifier: identifier.clone(),
            dimensions,
            tile,
            factors,
            whole,
        });
    };
    if image.dimensions != dimensions {
        return Err(format!(
            "{dimensions} pixels in place of {}",
            image.dimensions
        ));
    }
    image.whole &= whole;
    Ok(image)
}

/// Edge and factors of the first tiles that a document publishes, or those of `asked`.
fn tiles(info: &Value, dimensions: Dimensions, asked: Option<u32>) -> (u32, Vec<u32>) {
    let published = &info["tiles"][0];
    let number = |value: &Value| u32::try_from(value.as_u64()?).ok().filter(|n| *n > 0);
    let edge = asked
        .or_else(|| number(&published["width"]))
        .unwrap_or(USUAL_TILE);
    let factors = published["scaleFactors"].as_array();
    let mut factors: Vec<u32> = factors.into_iter().flatten().filter_map(number).collect();
    factors.sort_unstable();
    factors.dedup();
    if asked.is_some() || factors.is_empty() {
        factors = powers(dimensions, edge);
    }
    (edge, factors)
}

/// 1, 2, 4 … up to the first at which one tile holds the image.
fn powers(dimensions: Dimensions, tile: u32) -> Vec<u32> {
    let longest = dimensions.width.max(dimensions.height);
    let mut factors = vec![1];
    let mut factor = 1_u32;
    while longest.div_ceil(factor) > tile && factor < 1 << 30 {
        factor *= 2;
        factors.push(factor);
    }
    factors
}

/// Whether the limits in a document let `full/max` be the whole image.
///
/// Source: Image API 3.0 section 5.2; 2.1 section 5.3, where they stand in the profile.
fn allows_whole(info: &Value, dimensions: Dimensions) -> bool {
    let profile = info["profile"].as_array();
    let places = profile.into_iter().flatten().chain([info]);
    places.into_iter().all(|place| {
        let limit = |name: &str| place[name].as_u64().unwrap_or(u64::MAX);
        let width = limit("maxWidth");
        let height = place["maxHeight"].as_u64().unwrap_or(width);
        u64::from(dimensions.width) <= width
            && u64::from(dimensions.height) <= height
            && dimensions.area() <= limit("maxArea")
    })
}

/// The identifiers of a start page's list, as this program serves it, up to `most`.
///
/// # Errors
///
/// Says what the server answers in place of a list.
pub(super) async fn listed(
    target: &Target,
    connection: &mut Connection,
    most: usize,
) -> Result<Vec<Identifier>, String> {
    let mut identifiers = Vec::new();
    let mut page = 1;
    let mut patience = PATIENCE.0;
    while identifiers.len() < most {
        let list = list(target, connection, page).await?;
        if list["building"] == true && patience > 0 {
            patience -= 1;
            tokio::time::sleep(PATIENCE.1).await;
            continue;
        }
        let images = list["images"]
            .as_array()
            .ok_or("the start page has no list")?;
        let names = images
            .iter()
            .filter_map(|image| image["identifier"].as_str());
        identifiers.extend(names.filter_map(|name| Identifier::new(name).ok()));
        if images.is_empty()
            || list["pages"]
                .as_u64()
                .is_none_or(|pages| pages <= page as u64)
        {
            break;
        }
        page += 1;
    }
    Ok(identifiers)
}

async fn list(target: &Target, connection: &mut Connection, page: usize) -> Result<Value, String> {
    let path = target.list(page);
    let reply = connection
        .get(&path, "application/json", DOCUMENT_BYTES)
        .await;
    let reply = reply.map_err(|trouble| trouble.name().to_owned())?;
    if reply.status != 200 {
        return Err(format!("HTTP {} for the start page", reply.status));
    }
    serde_json::from_slice(&reply.head).map_err(|_cause| "the start page is no JSON".to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn size(width: u32, height: u32) -> Dimensions {
        Dimensions::new(width, height).expect("not empty")
    }

    #[test]
    fn tiles_are_those_of_the_document_unless_others_are_asked_for() {
        let info = json!({ "tiles": [{ "width": 256, "scaleFactors": [4, 1, 2] }] });
        assert_eq!(tiles(&info, size(1000, 700), None), (256, vec![1, 2, 4]));
        assert_eq!(tiles(&info, size(1000, 700), Some(512)), (512, vec![1, 2]));
        assert_eq!(
            tiles(&json!({}), size(2049, 1), None),
            (512, vec![1, 2, 4, 8])
        );
    }

    #[test]
    fn limits_of_either_version_decide_whether_a_whole_picture_is_given() {
        let image = size(4000, 3000);
        for (info, whole) in [
            (json!({}), true),
            (json!({ "maxArea": 11_999_999 }), false),
            (json!({ "maxWidth": 3999 }), false),
            (json!({ "maxWidth": 4000, "maxHeight": 2999 }), false),
            (
                json!({ "profile": ["level2", { "maxArea": 10_000_000 }] }),
                false,
            ),
            (json!({ "profile": ["level2", { "maxWidth": 4000 }] }), true),
        ] {
            assert_eq!(allows_whole(&info, image), whole, "{info}");
        }
    }

    #[test]
    fn servers_have_to_agree_about_an_image() {
        let name = Identifier::new("i").expect("an identifier");
        let info = |width: u32| json!({ "width": width, "height": 9 });
        let first = join(None, &name, &info(8), None).expect("an image");
        assert_eq!(
            join(Some(first.clone()), &name, &info(8), None),
            Ok(first.clone())
        );
        let other = join(Some(first), &name, &info(9), None);
        assert_eq!(other, Err("9×9 pixels in place of 8×9".to_owned()));
    }
}
