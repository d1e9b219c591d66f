//! What holds for every request, image and limit.

use proptest::prelude::*;

use super::tiles::{ask, tile_requests};
use super::*;

fn any_version() -> impl Strategy<Value = Version> {
    prop::sample::select(Version::ALL.to_vec())
}

/// A side of an image: mostly small, so that edges and roundings meet; sometimes as large as can be.
fn any_side() -> impl Strategy<Value = u32> {
    prop_oneof![4 => 1..40_u32, 4 => 1..5000_u32, 1 => 1..=u32::MAX]
}

fn any_image() -> impl Strategy<Value = ImageTraits> {
    (any_side(), any_side(), any::<bool>()).prop_map(|(width, height, is_gray)| ImageTraits {
        is_gray,
        ..color(width, height)
    })
}

fn any_rules() -> impl Strategy<Value = SizeRules> {
    let side = || prop::option::of(any_side());
    let area = prop::option::of(prop_oneof![1..5000_u64, 1..100_000_000_u64, 1..=u64::MAX]);
    (side(), side(), area, any::<bool>(), any::<bool>()).prop_map(
        |(max_width_px, max_height_px, max_area_px, upscaling, strict_validator)| SizeRules {
            max_width_px,
            max_height_px,
            max_area_px,
            upscaling,
            strict_validator,
        },
    )
}

fn any_percent() -> impl Strategy<Value = String> {
    prop_oneof![
        (0..=120_u32).prop_map(|whole| whole.to_string()),
        (0..=120_u32, 0..1000_u32).prop_map(|(whole, rest)| format!("{whole}.{rest:03}")),
        "[0-9]{0,3}\\.[0-9]{1,12}",
    ]
}

fn any_region(version: Version) -> BoxedStrategy<String> {
    let whole = if version.is_1x() {
        vec!["full"]
    } else {
        vec!["full", "square"]
    };
    prop_oneof![
        prop::sample::select(whole).prop_map(str::to_owned),
        (0..60_u32, 0..60_u32, any_side(), any_side())
            .prop_map(|(x, y, w, h)| format!("{x},{y},{w},{h}")),
        (any_percent(), any_percent(), any_percent(), any_percent())
            .prop_map(|(x, y, w, h)| format!("pct:{x},{y},{w},{h}")),
    ]
    .boxed()
}

fn any_size(version: Version) -> BoxedStrategy<String> {
    let words = match version {
        Version::V1_0 | Version::V1_1 => vec!["full"],
        Version::V2 => vec!["full", "max"],
        Version::V3 => vec!["max"],
    };
    let form = prop_oneof![
        2 => prop::sample::select(words).prop_map(str::to_owned),
        2 => any_side().prop_map(|w| format!("{w},")),
        2 => any_side().prop_map(|h| format!(",{h}")),
        2 => (any_side(), any_side()).prop_map(|(w, h)| format!("{w},{h}")),
        3 => (any_side(), any_side()).prop_map(|(w, h)| format!("!{w},{h}")),
        2 => any_percent().prop_map(|percent| format!("pct:{percent}")),
    ];
    let carets = if version == Version::V3 {
        vec!["", "^"]
    } else {
        vec![""]
    };
    (prop::sample::select(carets), form)
        .prop_map(|(caret, form)| format!("{caret}{form}"))
        .boxed()
}

fn any_path(version: Version) -> BoxedStrategy<String> {
    let mirrors = if version.is_1x() {
        vec![""]
    } else {
        vec!["", "!"]
    };
    let rotation = (
        prop::sample::select(mirrors),
        0..=360_u32,
        prop_oneof![Just(""), Just(".0"), Just(".250")],
    )
        .prop_filter_map("at most a full turn", |(mirror, degrees, rest)| {
            (degrees < 360 || rest != ".250").then(|| format!("{mirror}{degrees}{rest}"))
        });
    let qualities = [
        Quality::Default,
        Quality::Color,
        Quality::Gray,
        Quality::Bitonal,
    ];
    let quality = prop::sample::select(qualities.map(|quality| quality.token(version)).to_vec());
    let format = prop::sample::select(Format::offered(version).to_vec());
    (
        any_region(version),
        any_size(version),
        rotation,
        quality,
        format,
    )
        .prop_map(|(region, size, rotation, quality, format)| {
            format!("{region}/{size}/{rotation}/{quality}.{}", format.token())
        })
        .boxed()
}

fn any_request() -> impl Strategy<Value = (Version, String)> {
    any_version().prop_flat_map(|version| any_path(version).prop_map(move |path| (version, path)))
}

/// An image and rules: large images with limits that leave room for a tile, small ones with any.
fn any_tiled() -> impl Strategy<Value = (Dimensions, SizeRules)> {
    let roomy = any_rules().prop_map(|rules| SizeRules {
        max_width_px: rules.max_width_px.map(|width| width.max(64)),
        max_height_px: rules.max_height_px.map(|height| height.max(64)),
        max_area_px: rules.max_area_px.map(|area| area.max(64 * 64)),
        ..rules
    });
    prop_oneof![
        ((1..3000_u32, 1..3000_u32), roomy),
        ((1..60_u32, 1..60_u32), any_rules()),
    ]
    .prop_map(|((width, height), rules)| (dimensions(width, height), rules))
}

/// Whether `size` has the proportions of `shape` up to the rounding of one side, or of both sides down.
fn keeps_proportions(size: Dimensions, shape: Dimensions) -> bool {
    let (w, h) = (i128::from(size.width), i128::from(size.height));
    let (of_w, of_h) = (i128::from(shape.width), i128::from(shape.height));
    // |w / h - of_w / of_h| stays below one pixel of the derived side; a side of 1 may have been raised.
    let difference = (w * of_h - h * of_w).abs();
    difference <= of_w.max(of_h) * 2 || size.width == 1 || size.height == 1
}

fn assert_answer_is_sound(resolved: &Resolved, image: &ImageTraits, rules: &SizeRules) {
    let Region {
        x,
        y,
        width,
        height,
    } = resolved.region;
    assert!(width > 0 && height > 0);
    assert!(u64::from(x) + u64::from(width) <= u64::from(image.dimensions.width));
    assert!(u64::from(y) + u64::from(height) <= u64::from(image.dimensions.height));
    assert!(resolved.size.width > 0 && resolved.size.height > 0);
    let limits = rules.limits();
    assert!(
        limits.admit(resolved.size),
        "{} against {limits}",
        resolved.size
    );
    assert!(resolved.degrees < Decimal::from_integer(360));
    assert_ne!(resolved.quality, Quality::Default);
    assert!(!image.is_gray || resolved.quality != Quality::Color);
    let larger = resolved.size.width > width || resolved.size.height > height;
    assert!(
        rules.upscaling || !larger,
        "enlarged to {} although that is not offered",
        resolved.size
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn i3_can_06_the_canonical_form_is_a_fixed_point(
        (version, path) in any_request(),
        image in any_image(),
        rules in any_rules(),
    ) {
        if let Ok(request) = parse(version, &path) {
            match request.resolve(&image, &rules) {
                Ok(resolved) => {
                    assert_answer_is_sound(&resolved, &image, &rules);
                    let again = parse(version, &resolved.canonical).expect("a canonical form parses");
                    let again = again.resolve(&image, &rules).expect("a canonical form is served");
                    prop_assert_eq!(again, resolved, "{}", path);
                }
                Err(error) => {
                    let offered = version != Version::V3 || rules.upscaling;
                    let kinds: &[ErrorKind] = if offered { &[ErrorKind::BadRequest] } else { &[ErrorKind::BadRequest, ErrorKind::NotImplemented] };
                    prop_assert!(kinds.contains(&error.kind()), "{}", error);
                    prop_assert!(error.parameter().is_some());
                }
            }
        }
    }

    #[test]
    fn i3_siz_13_a_box_keeps_the_proportions_and_meets_a_bound(
        image in any_image(),
        bounds in (any_side(), any_side()),
        caret in any::<bool>(),
        rules in any_rules(),
    ) {
        let rules = SizeRules { upscaling: true, strict_validator: false, ..rules };
        let token = format!("{}!{},{}", if caret { "^" } else { "" }, bounds.0, bounds.1);
        let size = size_of(Version::V3, &token, image.dimensions, &rules).expect("a box is always served");
        let shape = image.dimensions;
        prop_assert!(keeps_proportions(size, shape), "{} of {}", size, shape);
        let limits = rules.limits();
        let mut width = limits.width.min(bounds.0);
        let mut height = limits.height.min(bounds.1);
        if !caret {
            width = width.min(shape.width);
            height = height.min(shape.height);
        }
        prop_assert!(size.width <= width && size.height <= height);
        // One more pixel on each side would leave the area, unless a side is at its bound already.
        let next = (u64::from(size.width) + 1).saturating_mul(u64::from(size.height) + 1);
        prop_assert!(size.width == width || size.height == height || next > limits.area, "{} in {}", size, token);
    }

    #[test]
    fn i3_max_05_max_never_enlarges_and_caret_max_is_never_smaller(
        image in any_image(),
        rules in any_rules(),
    ) {
        let of = |token| size_of(Version::V3, token, image.dimensions, &SizeRules { upscaling: true, ..rules }).expect("always served");
        let (max, enlarged) = (of("max"), of("^max"));
        prop_assert!(max.width <= image.dimensions.width && max.height <= image.dimensions.height);
        prop_assert!(enlarged.width >= max.width && enlarged.height >= max.height);
        if rules.limits().admit(image.dimensions) {
            prop_assert_eq!(max, image.dimensions);
        }
    }

    #[test]
    fn i3_trq_01_tiles_partition_the_image_and_come_in_their_size(
        (image, rules) in any_tiled(),
        stored in prop::option::of(256..=1024_u32),
    ) {
        let stored = stored.map(|edge| dimensions(edge, edge));
        let (tile, factors, sizes) = ImageInfo::tiling(image, stored, &rules);
        let mut expected = 1;
        for &factor in &factors {
            prop_assert_eq!(factor, expected);
            expected *= 2;
            let requests = tile_requests(image, tile, factor);
            let covered: u64 = requests.iter().map(|request| request.region.dimensions().area()).sum();
            prop_assert_eq!(covered, image.area());
            for request in &requests {
                let resolved = ask(Version::V3, *request, image, &rules);
                prop_assert_eq!(resolved.region, request.region);
                prop_assert_eq!(resolved.size, request.size);
            }
        }
        let last = *factors.last().expect("at least one factor");
        prop_assert_eq!(tile_requests(image, tile, last).len(), 1);
        prop_assert!(last == 1 || tile_requests(image, tile, last / 2).len() > 1);
        prop_assert!(!sizes.is_empty());
        prop_assert!(sizes.is_sorted());
        for size in sizes {
            prop_assert!(rules.limits().admit(size));
        }
    }

    #[test]
    fn i3_enc_identifiers_survive_their_encoding(text in "\\PC{1,40}") {
        if let Ok(identifier) = Identifier::new(&text) {
            let encoded = identifier.encoded();
            prop_assert!(encoded.is_ascii() && !encoded.contains(['/', '?', '#', ' ', '"', '<', '>']));
            prop_assert_eq!(Identifier::parse_segment(&encoded).expect("it decodes"), identifier);
        }
    }

    #[test]
    fn any_text_is_parsed_or_refused_without_a_panic(
        version in any_version(),
        segments in prop::collection::vec("[\\PC\\x00-\\x7f]{0,30}", 0..7),
        accept in prop::option::of("[ -~]{0,60}"),
    ) {
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        if let Ok(request) = ImageRequest::parse(version, &segments, accept.as_deref()) {
            let _ = request.resolve(&color(300, 200), &PLAIN);
        }
        let _ = info_media_type(version, accept.as_deref());
    }

    #[test]
    fn val_rnd_01_random_tokens_are_bad_requests(
        version in any_version(),
        token in "[0-z&&[^?#/]]{6}",
    ) {
        let (size, quality) = match version {
            Version::V1_0 | Version::V1_1 => ("full", "native"),
            Version::V2 => ("full", "default"),
            Version::V3 => ("max", "default"),
        };
        // A token of six characters can be `square`, and digits alone are a region or size of nothing.
        prop_assume!(token != "square");
        for (path, parameter) in [
            (format!("{token}/{size}/0/{quality}.jpg"), Parameter::Region),
            (format!("full/{token}/0/{quality}.jpg"), Parameter::Size),
            (format!("full/{size}/0/{token}.jpg"), Parameter::Quality),
        ] {
            assert_bad(version, &path, &PLAIN, parameter);
        }
    }

    #[test]
    fn exact_percentages_agree_with_long_division(percent in 1..=1_000_000_u64, length in 1..=u32::MAX) {
        // Ten-thousandths of the whole; the oracle divides and looks at the rest.
        let token = format!("{}.{:04}", percent / 10_000, percent % 10_000);
        let product = u128::from(percent) * u128::from(length);
        let (quotient, rest) = (product / 1_000_000, product % 1_000_000);
        let expected = quotient + u128::from(rest >= 500_000);
        prop_assert_eq!(Decimal::parse(&token).expect("a decimal").percent_of(length), expected);
    }
}
