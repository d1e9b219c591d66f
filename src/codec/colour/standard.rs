//! The profile of what leaves here: sRGB, or gray with its curve.

use std::sync::OnceLock;

use moxcms::ColorProfile;

/// The ICC profile of rows in sRGB, or of gray ones.
pub fn standard_profile(gray: bool) -> Option<Vec<u8>> {
    static PROFILES: OnceLock<[Option<Vec<u8>>; 2]> = OnceLock::new();
    let [colour, luminance] = PROFILES.get_or_init(|| {
        let colour = ColorProfile::new_srgb();
        let mut luminance = ColorProfile::new_gray_with_gamma(2.2);
        luminance.gray_trc.clone_from(&colour.red_trc);
        [colour.encode().ok(), luminance.encode().ok()]
    });
    let profile = if gray { luminance } else { colour };
    profile.clone()
}

#[cfg(test)]
mod tests {
    use moxcms::DataColorSpace;

    use super::*;

    #[test]
    fn the_profiles_are_read_as_what_they_are() {
        for (gray, space) in [(false, DataColorSpace::Rgb), (true, DataColorSpace::Gray)] {
            let bytes = standard_profile(gray).expect("a profile");
            let profile = ColorProfile::new_from_slice(&bytes).expect("readable");
            assert_eq!(profile.color_space, space);
        }
    }
}
