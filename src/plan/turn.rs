//! Turns by any angle: sine, cosine and the tight box around the result.
//!
//! Sine and cosine are computed here, from additions, multiplications and divisions alone, so that
//! every machine gets the same bits: the standard library's come from the platform's mathematics
//! library and may differ in the last place, and with it a pixel.

use super::pass::Turn;
use crate::geometry::Dimensions;

/// How far a side of the exact box may reach past a whole pixel before a pixel is added: sides that
/// are whole but for rounding do not grow. It is also the step of the positions that samples are
/// taken at (16.16), so nothing visible is cut off.
const SLACK_PX: f64 = 1.0 / 65536.0;

/// The tight box around a picture of `dimensions` turned by `degrees`, rounded up to whole pixels:
/// ⌈w·|cos| + h·|sin|⌉ × ⌈w·|sin| + h·|cos|⌉.
///
/// Units: degrees clockwise, any finite number; multiples of 90 give exact swaps.
/// Source: I3-ROT-06, I3-ROT-07.
pub fn canvas(dimensions: Dimensions, degrees: f64) -> Dimensions {
    let (sin, cos) = sin_cos(degrees);
    let (sin, cos) = (sin.abs(), cos.abs());
    let (w, h) = (f64::from(dimensions.width), f64::from(dimensions.height));
    Dimensions {
        width: whole_pixels(w * cos + h * sin),
        height: whole_pixels(w * sin + h * cos),
    }
}

impl Turn {
    /// Sine and cosine of the angle, the same bits on every machine; exact at multiples of 90.
    pub fn sin_cos(&self) -> (f64, f64) {
        sin_cos(self.degrees)
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "not negative, and a side above u32 saturates: no limit allows it"
)]
fn whole_pixels(side: f64) -> u32 {
    (side - SLACK_PX).ceil().max(1.0) as u32
}

fn sin_cos(degrees: f64) -> (f64, f64) {
    let turn = degrees.rem_euclid(360.0);
    // The nearest multiple of 90; what is left lies within 45 degrees of it, exactly.
    let quarter = (turn / 90.0).round();
    let (sin, cos) = near_zero((turn - 90.0 * quarter).to_radians());
    match quarter {
        1.0 => (cos, -sin),
        2.0 => (-sin, -cos),
        3.0 => (-cos, sin),
        _ => (sin, cos),
    }
}

/// Sine and cosine within an eighth turn, by their Taylor series: the first term left out is below
/// 2⁻⁶⁰.
fn near_zero(x: f64) -> (f64, f64) {
    let xx = x * x;
    let (mut sin, mut cos) = (1.0, 1.0);
    for n in [16.0, 14.0, 12.0, 10.0, 8.0, 6.0, 4.0, 2.0] {
        sin = 1.0 - sin * xx / (n * (n + 1.0));
        cos = 1.0 - cos * xx / (n * (n - 1.0));
    }
    (x * sin, cos)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn box_of(width: u32, height: u32, degrees: f64) -> (u32, u32) {
        let dimensions = Dimensions::new(width, height).expect("not empty");
        let canvas = canvas(dimensions, degrees);
        (canvas.width, canvas.height)
    }

    #[test]
    fn i3_rot_07_the_box_is_the_exact_one_rounded_up() {
        assert_eq!(box_of(300, 200, 22.5), (354, 300)); // 353.70 × 299.58
        assert_eq!(box_of(300, 200, 0.5), (302, 203)); // 301.73 × 202.61
        assert_eq!(box_of(90, 105, 345.0), (115, 125)); // I3-ORD-02: 114.11 × 124.72
        assert_eq!(box_of(100, 100, 45.0), (142, 142)); // 141.42
        assert_eq!(box_of(1, 1, 45.0), (2, 2));
    }

    #[test]
    fn i3_rot_07_quarter_turns_swap_exactly_and_nearly_so_do_their_neighbours() {
        for (degrees, swaps) in [(0.0, false), (90.0, true), (180.0, false), (270.0, true)] {
            let wanted = if swaps { (31, 47) } else { (47, 31) };
            assert_eq!(box_of(47, 31, degrees), wanted);
            assert_eq!(box_of(47, 31, degrees + 1e-9), wanted);
        }
    }

    #[test]
    fn i3_rot_06_opposite_turns_have_the_same_box() {
        for tenth in 1..3600 {
            let degrees = f64::from(tenth) / 10.0;
            assert_eq!(box_of(640, 480, degrees), box_of(640, 480, 360.0 - degrees));
            assert_eq!(box_of(640, 480, degrees), box_of(480, 640, degrees + 90.0));
        }
    }

    #[test]
    fn sine_and_cosine_agree_with_the_standard_library() {
        for hundredth in -40_000..80_000 {
            let degrees = f64::from(hundredth) / 100.0;
            let (sin, cos) = sin_cos(degrees);
            let (wanted_sin, wanted_cos) = degrees.to_radians().sin_cos();
            assert!((sin - wanted_sin).abs() < 4e-15, "sin {degrees}");
            assert!((cos - wanted_cos).abs() < 4e-15, "cos {degrees}");
        }
        for (degrees, wanted) in [
            (0.0, (0.0, 1.0)),
            (90.0, (1.0, 0.0)),
            (180.0, (0.0, -1.0)),
            (270.0, (-1.0, 0.0)),
            (360.0, (0.0, 1.0)),
        ] {
            assert_eq!(sin_cos(degrees), wanted);
        }
    }
}
