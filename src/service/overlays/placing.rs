//! Where a mark lies on an image: position, inset and scale → a rectangle of the upright full image.

use super::config::{Position, WatermarkConfig};
use crate::geometry::{Dimensions, Region};

/// The rectangle that a mark with sides like `mark` fills of an image; `None` where the image is too small
/// to have it. A mark that would not fit is made as small as it takes.
pub(super) fn place(
    config: &WatermarkConfig,
    mark: Dimensions,
    image: Dimensions,
) -> Option<Region> {
    if image.width.max(image.height) < config.min_image_px {
        return None;
    }
    let room = |side: u32| {
        let inset = u64::from(config.inset_px);
        u64::from(side).saturating_sub(2 * inset).max(1)
    };
    let (most_width, most_height) = (room(image.width), room(image.height));
    let (own_width, own_height) = (u64::from(mark.width), u64::from(mark.height));
    let wanted = wanted_width(config, mark, image).max(u64::from(config.min_width_px));
    // As wide as its height allows.
    let width = wanted
        .min(most_width)
        .min((most_height * own_width) / own_height)
        .max(1);
    let height = ((width * own_height + own_width / 2) / own_width).clamp(1, most_height);
    let (width, height) = (narrow(width, image.width), narrow(height, image.height));
    let inset = |side: u32, length: u32| config.inset_px.min((side - length) / 2);
    let (x, y) = (inset(image.width, width), inset(image.height, height));
    let (right, bottom) = (image.width - width - x, image.height - height - y);
    let (middle, centre) = ((image.width - width) / 2, (image.height - height) / 2);
    let (x, y) = match config.position {
        Position::TopLeft => (x, y),
        Position::Top => (middle, y),
        Position::TopRight => (right, y),
        Position::Left => (x, centre),
        Position::Center => (middle, centre),
        Position::Right => (right, centre),
        Position::BottomLeft => (x, bottom),
        Position::Bottom => (middle, bottom),
        Position::BottomRight => (right, bottom),
    };
    Some(Region {
        x,
        y,
        width,
        height,
    })
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share of a u32 that is at most 1"
)]
fn wanted_width(config: &WatermarkConfig, mark: Dimensions, image: Dimensions) -> u64 {
    if config.scale > 0.0 {
        (config.scale * f64::from(image.width)).round() as u64
    } else {
        u64::from(mark.width)
    }
}

fn narrow(length: u64, most: u32) -> u32 {
    u32::try_from(length).unwrap_or(most).min(most)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn placed(change: impl FnOnce(&mut WatermarkConfig), image: (u32, u32)) -> Option<[u32; 4]> {
        let mut config = WatermarkConfig::default();
        change(&mut config);
        let dimensions = |(width, height)| Dimensions { width, height };
        let region = place(&config, dimensions((100, 50)), dimensions(image))?;
        assert!(region.right() <= image.0 && region.bottom() <= image.1);
        Some([region.x, region.y, region.width, region.height])
    }

    #[test]
    fn a_mark_lies_where_it_should() {
        let at = |position| {
            placed(
                |config| {
                    config.position = position;
                    config.inset_px = 10;
                },
                (1000, 800),
            )
        };
        assert_eq!(at(Position::TopLeft), Some([10, 10, 200, 100]));
        assert_eq!(at(Position::Top), Some([400, 10, 200, 100]));
        assert_eq!(at(Position::TopRight), Some([790, 10, 200, 100]));
        assert_eq!(at(Position::Left), Some([10, 350, 200, 100]));
        assert_eq!(at(Position::Center), Some([400, 350, 200, 100]));
        assert_eq!(at(Position::Right), Some([790, 350, 200, 100]));
        assert_eq!(at(Position::BottomLeft), Some([10, 690, 200, 100]));
        assert_eq!(at(Position::Bottom), Some([400, 690, 200, 100]));
        assert_eq!(at(Position::BottomRight), Some([790, 690, 200, 100]));
    }

    #[test]
    fn sizes_have_bounds_and_images_are_never_too_small_for_them() {
        let own = placed(|config| config.scale = 0.0, (1000, 800));
        assert_eq!(own, Some([900, 750, 100, 50]));
        let least = placed(|config| config.min_width_px = 300, (1000, 800));
        assert_eq!(least, Some([700, 650, 300, 150]));
        let flat = placed(|config| config.scale = 1.0, (1000, 20));
        assert_eq!(flat, Some([960, 0, 40, 20]));
        let pixel = placed(|config| config.inset_px = 7, (1, 1));
        assert_eq!(pixel, Some([0, 0, 1, 1]));
        let inset = placed(|config| config.inset_px = u32::MAX, (101, 60));
        assert_eq!(inset, Some([50, 30, 1, 1]));
        assert_eq!(
            placed(|config| config.min_image_px = 1001, (1000, 800)),
            None
        );
        assert!(placed(|config| config.min_image_px = 1000, (1000, 800)).is_some());
    }
}
