//! What plans must be, from small pyramids and from random ones.

use proptest::prelude::*;

use super::*;
use crate::geometry::{Dimensions, Level};
use crate::iiif::{ImageRequest, ImageTraits, SizeRules, Version};
use crate::raster::Channels;

fn dimensions(width: u32, height: u32) -> Dimensions {
    Dimensions::new(width, height).expect("not empty")
}

fn level(factor: u32, width: u32, height: u32) -> Level {
    Level {
        factor: ScaleFactor::new(factor).expect("not zero"),
        dimensions: dimensions(width, height),
        tile: Some(dimensions(256, 256)),
    }
}

fn rules() -> SizeRules {
    SizeRules {
        max_width_px: None,
        max_height_px: None,
        max_area_px: Some(1 << 27),
        upscaling: true,
        strict_validator: false,
    }
}

struct Case {
    pyramid: Pyramid,
    orientation: Orientation,
    pixel: PixelFormat,
    reduction: Reduction,
    settings: Settings,
}

impl Case {
    fn new(pyramid: Pyramid) -> Self {
        Self {
            pyramid,
            orientation: Orientation::IDENTITY,
            pixel: PixelFormat::eight(Channels::Rgb),
            reduction: Reduction::NONE,
            settings: Settings::default(),
        }
    }

    fn published(&self) -> Dimensions {
        self.orientation
            .apply(self.reduction.of(self.pyramid.dimensions()))
    }

    fn plan(&self, request: &str) -> Plan {
        let segments: Vec<&str> = std::iter::once("id").chain(request.split('/')).collect();
        let request = ImageRequest::parse(Version::V3, &segments, None).expect("it parses");
        let traits = ImageTraits {
            dimensions: self.published(),
            is_gray: self.pixel.channels.is_gray(),
            has_alpha: self.pixel.channels.has_alpha(),
        };
        let resolved = request.resolve(&traits, &rules()).expect("it fits");
        let subject = Subject {
            pyramid: &self.pyramid,
            orientation: self.orientation,
            pixel: self.pixel,
            reduction: self.reduction,
        };
        Plan::new(&resolved, subject, &self.settings)
    }
}

fn flat(width: u32, height: u32) -> Case {
    Case::new(Pyramid::new(level(1, width, height), Vec::new()))
}

fn window(plan: &Plan) -> (u32, u32, u32, u32) {
    let w = plan.window;
    (w.x, w.y, w.width, w.height)
}

#[test]
fn a_tile_of_a_stored_level_is_that_level_alone() {
    let pyramid = Pyramid::new(
        level(1, 6000, 4000),
        vec![level(2, 3000, 2000), level(4, 1500, 1000)],
    );
    let plan = Case::new(pyramid).plan("2048,1024,1024,1024/256,256/0/default.jpg");
    assert_eq!((plan.level, plan.factor.get()), (2, 4));
    assert_eq!(window(&plan), (512, 256, 256, 256));
    assert!(plan.passes.is_empty());
}

#[test]
fn i3_trq_06_edge_tiles_of_a_level_that_was_rounded_down_repeat_its_last_samples() {
    // 2501 × 1667 at factor 2, stored as 1250 × 833: the last tile is 227 × 322 of 1251 × 834.
    let pyramid = Pyramid::new(level(1, 2501, 1667), vec![level(2, 1250, 833)]);
    let plan = Case::new(pyramid).plan("2048,1024,453,643/227,322/0/default.jpg");
    assert_eq!((plan.level, plan.factor.get()), (1, 2));
    assert_eq!(window(&plan), (1024, 512, 227, 322));
    assert!(plan.passes.is_empty());
}

#[test]
fn without_levels_a_tile_is_shrunk_and_not_resampled() {
    let plan = flat(1025, 513).plan("1024,0,1,513/1,129/0/default.jpg");
    assert_eq!((plan.level, plan.factor.get()), (0, 4));
    assert_eq!(window(&plan), (1024, 0, 1, 513));
    assert_eq!(plan.passes, [Pass::Shrink { times: 2 }]);
    assert_eq!(plan.output.dimensions, dimensions(1, 129));
}

#[test]
fn the_level_is_never_coarser_than_the_answer() {
    let pyramid = Pyramid::new(
        level(1, 4000, 4000),
        vec![level(2, 2000, 2000), level(4, 1000, 1000)],
    );
    let case = Case::new(pyramid);
    assert_eq!(case.plan("full/1000,/0/default.jpg").factor.get(), 4);
    assert_eq!(case.plan("full/1001,/0/default.jpg").factor.get(), 2);
    assert_eq!(case.plan("full/^5000,/0/default.jpg").factor.get(), 1);
    // One axis alone may not go below its pixels either.
    assert_eq!(case.plan("full/3000,500/0/default.jpg").factor.get(), 1);
}

#[test]
fn pixels_in_their_own_number_are_those_of_the_master() {
    let pyramid = Pyramid::new(
        level(1, 17, 8),
        vec![level(2, 9, 4), level(4, 5, 2), level(8, 3, 1)],
    );
    let case = Case::new(pyramid);
    for region in ["16,7,1,1", "0,0,1,1", "5,3,1,1", "5,3,4,1", "0,0,17,8"] {
        let plan = case.plan(&format!("{region}/max/0/default.png"));
        assert_eq!((plan.level, plan.factor.get()), (0, 1), "{region}");
        assert!(plan.passes.is_empty(), "{region}");
    }
}

#[test]
fn between_edges_samples_that_are_covered_in_part_do_not_count() {
    let pyramid = Pyramid::new(level(1, 1000, 1000), vec![level(2, 500, 500)]);
    let case = Case::new(pyramid);
    for (region, factor) in [
        ("100,100,512,512/256,256", 2),
        ("100,100,511,512/256,256", 1),
        ("100,100,512,511/256,256", 1),
        ("489,489,511,511/256,256", 2),
        ("0,0,511,511/256,256", 2),
        ("100,100,512,1/256,1", 1),
    ] {
        let plan = case.plan(&format!("{region}/0/default.jpg"));
        assert_eq!(plan.factor.get(), factor, "{region}");
    }
}

#[test]
fn the_last_column_of_a_level_that_lacks_it_is_the_one_before() {
    // Offsets on a reference grid can leave 3 × 5 pixels 1 × 2 at half their size.
    let pyramid = Pyramid::new(level(1, 3, 5), vec![level(2, 1, 2)]);
    let plan = Case::new(pyramid).plan("2,4,1,1/1,/0/default.png");
    assert_eq!(window(&plan), (2, 4, 1, 1));
    let pyramid = Pyramid::new(level(1, 3, 9), vec![level(2, 1, 4)]);
    let plan = Case::new(pyramid).plan("2,0,1,9/1,5/0/default.png");
    assert_eq!((plan.level, plan.factor.get()), (1, 2));
    assert_eq!(window(&plan), (0, 0, 1, 5));
}

#[test]
fn stored_levels_that_are_no_powers_of_two_serve_decoding() {
    let pyramid = Pyramid::new(level(1, 900, 900), vec![level(3, 300, 300)]);
    let plan = Case::new(pyramid).plan("full/290,/0/default.jpg");
    assert_eq!((plan.level, plan.factor.get()), (1, 3));
}

#[test]
fn i3_ord_01_region_and_size_come_before_mirror_rotation_and_quality() {
    let plan = flat(300, 200).plan("125,15,120,140/90,/!345/gray.png");
    let kinds: Vec<_> = plan.passes.iter().map(|pass| format!("{pass:?}")).collect();
    assert!(kinds[0].starts_with("Resample"), "{kinds:?}");
    assert!(
        kinds[1].starts_with("Orient(Orientation { mirror: true, turns: 0 })"),
        "{kinds:?}"
    );
    assert!(kinds[2].starts_with("Rotate"), "{kinds:?}");
    assert_eq!(kinds[3], "Gray");
    let Pass::Rotate(turn) = plan.passes[2] else {
        panic!("{kinds:?}");
    };
    assert_eq!(turn.canvas, dimensions(115, 125));
    assert_eq!(turn.background, None);
    assert_eq!(plan.output.format.channels, Channels::GrayAlpha);
}

#[test]
fn i3_rot_04_the_mirror_comes_before_the_turn_and_after_the_masters_own() {
    let mut case = flat(300, 200);
    case.orientation = Orientation::from_tag(6);
    let plan = case.plan("full/max/!90/default.jpg");
    // Upright by a quarter turn; then mirrored, which reverses it; then a quarter turn.
    let expected = Orientation {
        mirror: true,
        turns: 0,
    };
    assert_eq!(plan.passes, [Pass::Orient(expected)]);
    assert_eq!(plan.output.dimensions, dimensions(300, 200));
}

#[test]
fn regions_of_a_turned_master_are_read_where_they_are_stored() {
    let mut case = flat(300, 200);
    case.orientation = Orientation::from_tag(6);
    // Upright the image is 200 × 300; its upper left corner is the stored lower left.
    let plan = case.plan("0,0,50,20/max/0/default.jpg");
    assert_eq!(window(&plan), (0, 150, 20, 50));
    assert_eq!(plan.output.dimensions, dimensions(50, 20));
}

#[test]
fn i3_rot_08_formats_without_opacity_get_the_background() {
    let mut case = flat(300, 200);
    case.pixel = PixelFormat::eight(Channels::Rgba);
    let jpg = case.plan("full/max/30/default.jpg");
    assert!(matches!(
        jpg.passes[0],
        Pass::Flatten {
            background: [255, 255, 255]
        }
    ));
    assert!(matches!(
        jpg.passes[1],
        Pass::Rotate(Turn {
            background: Some([255, 255, 255]),
            ..
        })
    ));
    assert_eq!(jpg.output.format.channels, Channels::Rgb);
    let png = case.plan("full/max/30/default.png");
    assert_eq!(png.output.format.channels, Channels::Rgba);
    let bitonal = case.plan("full/max/30/bitonal.png");
    assert_eq!(bitonal.output.format.channels, Channels::Gray);
}

#[test]
fn a_master_published_at_half_its_size_is_read_from_its_half() {
    let pyramid = Pyramid::new(level(1, 4000, 2000), vec![level(2, 2000, 1000)]);
    let mut case = Case::new(pyramid);
    case.reduction = Reduction::new(1, 2).expect("a share");
    let plan = case.plan("512,256,256,256/max/0/default.jpg");
    assert_eq!((plan.level, plan.factor.get()), (1, 2));
    assert_eq!(window(&plan), (512, 256, 256, 256));
    assert!(plan.passes.is_empty());
}

#[test]
fn sixteen_bits_are_kept_until_after_resampling() {
    let mut case = flat(3000, 2000);
    case.pixel = PixelFormat::sixteen(Channels::Gray);
    let plan = case.plan("full/700,/90/default.jpg");
    let kinds: Vec<_> = plan.passes.iter().map(|pass| format!("{pass:?}")).collect();
    assert!(kinds[0].starts_with("Shrink"), "{kinds:?}");
    assert!(kinds[1].starts_with("Resample"), "{kinds:?}");
    assert_eq!(kinds[2], "Narrow");
    assert!(kinds[3].starts_with("Orient"), "{kinds:?}");
    assert_eq!(kinds.len(), 4, "gray stays gray without a pass");
}

#[test]
fn large_answers_of_formats_that_flow_are_streamed() {
    let case = flat(8000, 6000);
    assert!(case.plan("full/max/0/default.jpg").streamed);
    assert!(case.plan("full/max/0/default.png").streamed);
    assert!(!case.plan("full/max/0/default.webp").streamed);
    assert!(!case.plan("full/800,/0/default.jpg").streamed);
    let page = case.plan("full/max/0/default.jpg");
    assert!(
        page.working_bytes < 64 << 20,
        "{} bytes",
        page.working_bytes
    );
}

#[test]
fn what_the_encoder_of_avif_holds_is_reserved() {
    let mut case = flat(4096, 4096);
    let usual = case.plan("full/max/0/default.avif").working_bytes;
    // Measured: 35 bytes a pixel at quality 75, 61 at 100, both with opacity; twice that for small pictures.
    let area = 4096 * 4096;
    assert!(usual > 60 * area && usual < 90 * area, "{usual}");
    case.settings.avif.quality = 100;
    let fine = case.plan("full/max/0/default.avif").working_bytes;
    assert!(fine > 100 * area, "{fine}");
}

#[test]
fn halving_ends_where_one_pixel_is_left() {
    for (width, height, factor) in [(300, 200, 512), (256, 1, 256), (1, 257, 512), (2, 2, 2)] {
        let plan = flat(width, height).plan("full/1,1/0/default.jpg");
        assert_eq!(plan.factor.get(), factor, "{width} × {height}");
        assert_eq!(plan.output.dimensions, dimensions(1, 1));
    }
}

#[test]
fn sixteen_bits_stay_where_format_angle_and_quality_let_them() {
    let mut case = flat(300, 200);
    case.pixel = PixelFormat::sixteen(Channels::Rgb);
    for (request, stay) in [
        ("0/default.png", true),
        ("0/default.tif", true),
        ("0/default.jxl", true),
        ("!90/default.png", true),
        ("0/gray.png", true),
        ("22.5/default.png", false),
        ("0/bitonal.png", false),
        ("0/default.jpg", false),
        ("0/default.webp", false),
        ("0/default.gif", false),
        ("0/default.avif", false),
        ("0/default.pdf", false),
    ] {
        let plan = case.plan(&format!("full/max/{request}"));
        let depth = plan.output.format.depth;
        assert_eq!(depth == Depth::Sixteen, stay, "{request}");
        assert_eq!(plan.passes.contains(&Pass::Narrow), !stay, "{request}");
    }
    case.settings.sixteen_bits = false;
    let plan = case.plan("full/max/0/default.png");
    assert_eq!(plan.passes, [Pass::Narrow]);
}

#[test]
fn what_shows_below_opacity_is_the_setting_and_may_have_colour() {
    let background = [9, 9, 8];
    let flatten = |background| Pass::Flatten { background };
    let mut case = flat(300, 200);
    case.settings.background = background;
    case.pixel = PixelFormat::eight(Channels::Rgba);
    let passes = |case: &Case, request: &str| case.plan(&format!("full/max/{request}")).passes;
    assert_eq!(passes(&case, "0/default.jpg"), [flatten(background)]);
    assert_eq!(passes(&case, "0/default.png"), []);
    // Black and white have no opacity, whatever the format has.
    let bitonal = [flatten(background), Pass::Bitonal];
    assert_eq!(passes(&case, "0/bitonal.png"), bitonal);
    let turned = passes(&case, "30/default.jpg");
    let Some(Pass::Rotate(turn)) = turned.last() else {
        panic!("{turned:?}");
    };
    assert_eq!(turn.background, Some(background));
    // Gray over a colour is no gray.
    case.pixel = PixelFormat::eight(Channels::GrayAlpha);
    for (background, again) in [([9, 9, 8], true), ([8, 9, 9], true), ([9; 3], false)] {
        case.settings.background = background;
        let found = passes(&case, "0/gray.jpg");
        let wanted = [flatten(background), Pass::Gray];
        assert_eq!(found, wanted[..=usize::from(again)], "{background:?}");
    }
}

#[test]
fn the_kernel_for_larger_is_for_more_pixels_alone() {
    let case = flat(300, 200);
    for (size, filter) in [
        ("299,199", Filter::Lanczos3),
        ("^200,300", Filter::Lanczos3),
        ("^301,200", Filter::CatmullRom),
        ("^100,601", Filter::CatmullRom),
    ] {
        let plan = case.plan(&format!("full/{size}/0/default.jpg"));
        let [Pass::Resample { filter: found, .. }] = plan.passes[..] else {
            panic!("{size}: {:?}", plan.passes);
        };
        assert_eq!(found, filter, "{size}");
    }
}

#[test]
fn resampling_in_light_holds_words_of_both_pictures() {
    let mut case = flat(3000, 2000);
    let held = |case: &Case| case.plan("full/2500,/0/default.jpg").working_bytes;
    let encoded = held(&case);
    case.settings.light = Light::Linear;
    assert_eq!(held(&case) - encoded, 2 * 3 * (3000 * 2000 + 2500 * 1667));
    // Nothing is put together where nothing is resampled.
    let plain = case.plan("full/max/0/default.jpg").working_bytes;
    case.settings.light = Light::Encoded;
    assert_eq!(case.plan("full/max/0/default.jpg").working_bytes, plain);
}

#[test]
fn each_encoder_has_its_bytes_reserved() {
    let case = flat(1000, 1000);
    let (strip, whole) = (1000 * 256 * 3, 3_000_000);
    for (format, encoder) in [
        ("jpg", 2 * strip),
        ("png", 2 * strip),
        // The JPEG is made before the page.
        ("pdf", 2 * strip + 250_000),
        ("webp", 2 * whole),
        ("gif", 2 * whole),
        ("tif", 2 * whole),
        ("jxl", 2 * whole + 4 * whole),
        #[cfg(feature = "jp2-encode")]
        ("jp2", 2 * whole + 12 * whole),
    ] {
        let plan = case.plan(&format!("full/max/0/default.{format}"));
        assert_eq!(plan.working_bytes, strip + encoder, "{format}");
    }
}

/// Pyramids as masters have them: halved a number of times, rounded one way or the other.
fn pyramids() -> impl Strategy<Value = Pyramid> {
    (1_u32..5000, 1_u32..5000, 0_u32..6, any::<bool>()).prop_map(|(width, height, count, up)| {
        let side = |side: u32, factor: u32| {
            if up {
                side.div_ceil(factor)
            } else {
                (side / factor).max(1)
            }
        };
        let others = (1..=count)
            .map(|power| {
                level(
                    1 << power,
                    side(width, 1 << power),
                    side(height, 1 << power),
                )
            })
            .collect();
        Pyramid::new(level(1, width, height), others)
    })
}

proptest! {
    #[test]
    fn windows_lie_in_their_level_and_feed_the_passes(
        pyramid in pyramids(),
        tag in 1_u16..=8,
        share in (1_u32..4, 0_u32..4),
        (x, y) in (0_u32..5000, 0_u32..5000),
        (w, h) in (1_u32..5000, 1_u32..5000),
        (tw, th) in (1_u32..2000, 1_u32..2000),
        rotation in prop::sample::select(vec!["0", "!0", "90", "!180", "270", "33.3"]),
        quality in prop::sample::select(vec!["default", "gray", "bitonal"]),
        format in prop::sample::select(vec!["jpg", "png", "gif"]),
    ) {
        let mut case = Case::new(pyramid);
        case.orientation = Orientation::from_tag(tag);
        case.reduction = Reduction::new(share.0, share.0 + share.1).expect("a share");
        let published = case.published();
        let (x, y) = (x % published.width, y % published.height);
        let plan = case.plan(&format!("{x},{y},{w},{h}/^{tw},{th}/{rotation}/{quality}.{format}"));

        let base = case.pyramid.levels()[plan.level];
        let whole = case.pyramid.dimensions().reduced(base.factor);
        prop_assert!(plan.window.width > 0 && plan.window.height > 0);
        prop_assert!(plan.window.is_inside(whole), "{:?} of {whole}", plan.window);
        prop_assert_eq!(plan.decoded.dimensions, plan.window.dimensions());

        let mut shape = plan.decoded;
        for pass in &plan.passes {
            if let Pass::Resample { crop, .. } = pass {
                let (right, bottom) = (crop.x + crop.width, crop.y + crop.height);
                prop_assert!(crop.x >= 0.0 && crop.y >= 0.0 && crop.width > 0.0 && crop.height > 0.0);
                prop_assert!(right <= f64::from(shape.dimensions.width), "{crop:?} of {shape:?}");
                prop_assert!(bottom <= f64::from(shape.dimensions.height), "{crop:?} of {shape:?}");
            }
            shape = pass.shape_after(shape);
        }
        prop_assert_eq!(plan.output, shape);
        if rotation == "0" {
            prop_assert_eq!(shape.dimensions, dimensions(tw, th));
        }
    }

    #[test]
    fn every_tile_of_every_factor_is_samples_of_its_level(
        pyramid in pyramids(),
        power in 0_u32..5,
        tile in prop::sample::select(vec![64_u32, 256, 512]),
        (column, row) in (0_u32..40, 0_u32..40),
    ) {
        let case = Case::new(pyramid);
        let full = case.pyramid.dimensions();
        let (factor, step) = (1 << power, tile << power);
        let (x, y) = (column % full.width.div_ceil(step) * step, row % full.height.div_ceil(step) * step);
        let (w, h) = (step.min(full.width - x), step.min(full.height - y));
        let (tw, th) = (w.div_ceil(factor), h.div_ceil(factor));
        let plan = case.plan(&format!("{x},{y},{w},{h}/{tw},{th}/0/default.jpg"));
        prop_assert!(
            plan.passes.iter().all(|pass| matches!(pass, Pass::Shrink { .. })),
            "{:?}", plan.passes
        );
    }
}
