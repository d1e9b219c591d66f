//! Tiles and sizes: what a viewer computes from the document is what the grammar resolves to.

use super::*;

/// A tile request as viewers compute it: region in the full image, dimensions of the answer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct TileRequest {
    pub(super) region: Region,
    pub(super) size: Dimensions,
}

/// All tile requests of an image at one scale factor, in reading order.
///
/// Source: I3-TRQ-01 to I3-TRQ-03.
pub(super) fn tile_requests(image: Dimensions, tile: u32, factor: u32) -> Vec<TileRequest> {
    let step = u64::from(tile) * u64::from(factor);
    let axis = |side: u32| {
        let starts = (0..)
            .map(move |n| n * step)
            .take_while(move |start| *start < u64::from(side));
        starts.map(move |start| {
            let rest = u64::from(side) - start;
            let out = if step <= rest {
                u64::from(tile)
            } else {
                rest.div_ceil(factor.into())
            };
            [start, rest.min(step), out]
                .map(|value| u32::try_from(value).expect("within the image"))
        })
    };
    let row = |[y, height, out_height]: [u32; 3]| {
        axis(image.width).map(move |[x, width, out_width]| TileRequest {
            region: region(x, y, width, height),
            size: dimensions(out_width, out_height),
        })
    };
    axis(image.height).flat_map(row).collect()
}

/// Asks for a tile in the way of 3.0: `x,y,w,h/w,h`.
pub(super) fn ask(
    version: Version,
    tile: TileRequest,
    image: Dimensions,
    rules: &SizeRules,
) -> Resolved {
    let Region {
        x,
        y,
        width,
        height,
    } = tile.region;
    let Dimensions {
        width: w,
        height: h,
    } = tile.size;
    let path = format!("{x},{y},{width},{height}/{w},{h}/0/color.jpg");
    let request = parse(version, &path).expect("a tile request");
    request
        .resolve(&color(image.width, image.height), rules)
        .expect("a tile that is offered")
}

#[test]
fn i3_trq_06_the_vectors_of_the_notes() {
    let rows = [
        (
            (6000, 4000),
            512,
            1,
            96,
            region(5632, 3584, 368, 416),
            (368, 416),
        ),
        (
            (6000, 4000),
            512,
            2,
            24,
            region(5120, 3072, 880, 928),
            (440, 464),
        ),
        (
            (6000, 4000),
            512,
            4,
            6,
            region(4096, 2048, 1904, 1952),
            (476, 488),
        ),
        (
            (6000, 4000),
            512,
            8,
            2,
            region(4096, 0, 1904, 4000),
            (238, 500),
        ),
        (
            (6000, 4000),
            512,
            16,
            1,
            region(0, 0, 6000, 4000),
            (375, 250),
        ),
        (
            (2501, 1667),
            512,
            2,
            6,
            region(2048, 1024, 453, 643),
            (227, 322),
        ),
        (
            (2501, 1667),
            512,
            4,
            2,
            region(2048, 0, 453, 1667),
            (114, 417),
        ),
        ((1025, 513), 256, 2, 6, region(1024, 512, 1, 1), (1, 1)),
        ((1025, 513), 256, 4, 2, region(1024, 0, 1, 513), (1, 129)),
    ];
    for ((width, height), tile, factor, count, last_region, last_size) in rows {
        let image = dimensions(width, height);
        let requests = tile_requests(image, tile, factor);
        assert_eq!(requests.len(), count, "{image} at {factor}");
        let last = *requests.last().expect("at least one tile");
        assert_eq!(last.region, last_region);
        assert_eq!(last.size, dimensions(last_size.0, last_size.1));
        for version in Version::ALL {
            for request in &requests {
                let resolved = ask(version, *request, image, &PLAIN);
                assert_eq!(
                    (resolved.region, resolved.size),
                    (request.region, request.size)
                );
            }
        }
    }
}

#[test]
fn i3_trq_05_one_tile_over_the_whole_image_is_full() {
    let request = parse(Version::V3, "full/375,250/0/default.jpg").expect("a request");
    let full = request
        .resolve(&color(6000, 4000), &PLAIN)
        .expect("it fits");
    let request = parse(Version::V3, "0,0,6000,4000/375,250/0/default.jpg").expect("a request");
    assert_eq!(
        request
            .resolve(&color(6000, 4000), &PLAIN)
            .expect("it fits"),
        full
    );
}

#[test]
fn i3_tiling_factors_go_on_until_one_tile_holds_the_image() {
    for (image, factors) in [
        (dimensions(6000, 4000), &[1, 2, 4, 8, 16][..]),
        (dimensions(512, 512), &[1]),
        (dimensions(513, 1), &[1, 2]),
        (dimensions(1024, 512), &[1, 2]),
        (dimensions(1025, 512), &[1, 2, 4]),
        (dimensions(1, 1), &[1]),
    ] {
        let (tile, found, _) = ImageInfo::tiling(image, None, &PLAIN);
        assert_eq!((tile, found.as_slice()), (512, factors), "{image}");
    }
}

#[test]
fn i3_tiling_takes_stored_tiles_that_are_square_and_usable() {
    let image = dimensions(6000, 4000);
    for (stored, expected) in [
        ((256, 256), 256),
        ((1024, 1024), 1024),
        ((300, 300), 300),
        ((255, 255), 512),
        ((1025, 1025), 512),
        ((512, 256), 512),
        ((6000, 1), 512),
    ] {
        let stored = dimensions(stored.0, stored.1);
        let (tile, ..) = ImageInfo::tiling(image, Some(stored), &PLAIN);
        assert_eq!(tile, expected, "{stored}");
    }
}

#[test]
fn i3_szs_04_sizes_ascend_one_for_each_factor_within_the_limits() {
    let image = dimensions(2501, 1667);
    let all = [(313, 209), (626, 417), (1251, 834), (2501, 1667)].map(|(w, h)| dimensions(w, h));
    let (_, factors, sizes) = ImageInfo::tiling(image, None, &PLAIN);
    assert_eq!(factors, [1, 2, 4, 8]);
    assert_eq!(sizes, all);
    let (_, factors, sizes) = ImageInfo::tiling(image, None, &up_to_width(1251));
    assert_eq!(factors, [1, 2, 4, 8]);
    assert_eq!(sizes, all[..3]);
    let by_area = SizeRules {
        max_area_px: Some(626 * 417),
        ..PLAIN
    };
    let (_, _, sizes) = ImageInfo::tiling(image, None, &by_area);
    // A full tile of 512 is above this area, so that tiles are 256 and one more factor follows.
    assert_eq!(sizes[0], dimensions(157, 105));
    assert_eq!(sizes[1..], all[..2]);
}

#[test]
fn i3_max_04_tiles_shrink_until_they_keep_the_limits() {
    let image = dimensions(6000, 4000);
    assert_eq!(ImageInfo::tiling(image, None, &up_to_width(511)).0, 256);
    assert_eq!(ImageInfo::tiling(image, None, &up_to_width(512)).0, 512);
    let by_area = |area| SizeRules {
        max_area_px: Some(area),
        ..PLAIN
    };
    assert_eq!(
        ImageInfo::tiling(image, None, &by_area(512 * 512 - 1)).0,
        256
    );
    assert_eq!(
        ImageInfo::tiling(image, Some(dimensions(1024, 1024)), &by_area(512 * 512)).0,
        512
    );
    // An image that is smaller than the tile is measured by itself.
    assert_eq!(
        ImageInfo::tiling(dimensions(300, 200), None, &up_to_width(300)).0,
        512
    );
    let (tile, factors, sizes) = ImageInfo::tiling(dimensions(300, 200), None, &up_to_width(299));
    assert_eq!((tile, factors), (256, vec![1, 2]));
    assert_eq!(sizes, [dimensions(150, 100)]);
}

#[test]
fn i3_siz_14_every_listed_size_is_served_exactly() {
    for image in [
        dimensions(6000, 4000),
        dimensions(2501, 1667),
        dimensions(10_000, 3),
    ] {
        for rules in [PLAIN, up_to_width(700)] {
            let (_, _, sizes) = ImageInfo::tiling(image, None, &rules);
            for size in sizes {
                let token = format!("{},{}", size.width, size.height);
                for version in Version::ALL {
                    assert_eq!(
                        size_of(version, &token, image, &rules).expect("it is listed"),
                        size
                    );
                }
            }
        }
    }
}
