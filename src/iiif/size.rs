//! The size segment: how large the region comes out, before rotation.
//!
//! Turns the segment into a form, and the form into exact dimensions within the limits. An explicit
//! dimension is never altered; a derived one is rounded half up from the region's own sides.

use std::num::NonZeroU32;

use super::limits::scaled;
use super::token::{self, Uint, quoted};
use super::{Decimal, SizeRules, Version};
use crate::error::{Error, ErrorKind, Parameter, Result};
use crate::geometry::Dimensions;

/// How a size is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SizeForm {
    /// `full` of 1.x and 2.x: the region unscaled, and an error where that is above the limits.
    Full,
    /// `max`: the region, reduced where the limits require it; with a caret enlarged up to them.
    Max,
    /// `w,`: the height follows.
    Width(NonZeroU32),
    /// `,h`: the width follows.
    Height(NonZeroU32),
    /// `pct:n`: both sides in percent of the region's, above 0.
    Percent(Decimal),
    /// `w,h`: exactly so, even where that distorts.
    Exact(Dimensions),
    /// `!w,h`: the largest with the region's proportions inside this box.
    Within(Dimensions),
}

/// A size and whether it may exceed the region.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SizeRequest {
    /// The form.
    pub form: SizeForm,
    /// The caret of 3.0; older versions enlarge without a mark and leave it false.
    pub upscale: bool,
}

/// A size before the checks: its sides may be beyond every limit.
#[derive(Debug, Clone, Copy)]
struct Asked {
    width: u128,
    height: u128,
}

const FULL_PERCENT: Decimal = Decimal::from_integer(100);

impl SizeRequest {
    /// Reads a decoded size segment.
    ///
    /// # Errors
    ///
    /// A bad request about the size.
    pub(super) fn parse(version: Version, token: &str) -> Result<Self> {
        let (upscale, rest) = match token.strip_prefix('^') {
            Some(rest) if version == Version::V3 => (true, rest),
            _ => (false, token),
        };
        let form = match rest {
            "full" if version != Version::V3 => SizeForm::Full,
            "max" if !version.is_1x() => SizeForm::Max,
            _ => match rest.strip_prefix("pct:") {
                Some(number) => percent(token, number)?,
                None => sides(version, token, rest)?,
            },
        };
        Ok(Self { form, upscale })
    }

    /// The dimensions of `region` in this size, before rotation.
    ///
    /// Checked in this order: enlarging that is not asked for, enlarging that is not offered, limits
    /// (I3-SIZ-18). Source: I3-SIZ-01 to I3-SIZ-17, I3-MAX-01 to I3-MAX-09; I21-SIZ-01 to I21-SIZ-09.
    ///
    /// # Errors
    ///
    /// A bad request about the size when it enlarges without leave, is less than 1 pixel, or is above
    /// the limits; [`ErrorKind::NotImplemented`] when the caret asks for enlarging that is not offered.
    pub(super) fn resolve(
        &self,
        version: Version,
        region: Dimensions,
        rules: &SizeRules,
    ) -> Result<Dimensions> {
        let asked = self.scale(version, region, rules)?;
        if self.enlarges(asked, region) {
            self.check_enlarging(version, region, rules)?;
        }
        check_limits(asked, rules)
    }

    fn scale(&self, version: Version, region: Dimensions, rules: &SizeRules) -> Result<Asked> {
        let (w, h) = (u128::from(region.width), u128::from(region.height));
        Ok(match self.form {
            SizeForm::Full => region.into(),
            SizeForm::Max if self.upscale => rules.enlarged_max(region).into(),
            SizeForm::Max => rules.max(region).into(),
            SizeForm::Width(width) => Asked {
                width: width.get().into(),
                height: scaled(h, width.get().into(), w),
            },
            SizeForm::Height(height) => Asked {
                width: scaled(w, height.get().into(), h),
                height: height.get().into(),
            },
            SizeForm::Percent(percent) => scale_percent(percent, region)?,
            SizeForm::Exact(size) => size.into(),
            SizeForm::Within(bounds) => self.within(bounds, version, region, rules)?.into(),
        })
    }

    /// `!w,h`: the region bounds the result unless enlarging is asked for (3.0) or offered (before).
    fn within(
        &self,
        bounds: Dimensions,
        version: Version,
        region: Dimensions,
        rules: &SizeRules,
    ) -> Result<Dimensions> {
        let unfilled = bounds.width > region.width && bounds.height > region.height;
        if rules.strict_validator && version == Version::V3 && !self.upscale && unfilled {
            return Err(above_region(region, rules));
        }
        let limits = rules.limits().inside(bounds);
        let may_enlarge = self.upscale || version.enlarges_implicitly() && rules.upscaling;
        Ok(if may_enlarge {
            limits.fit(region)
        } else {
            limits.inside(region).fit(region)
        })
    }

    fn enlarges(&self, asked: Asked, region: Dimensions) -> bool {
        // A percentage just above 100 can round to the region's own sides: it is an error all the same.
        let unmarked_percent = match self.form {
            SizeForm::Percent(percent) => percent > FULL_PERCENT && !self.upscale,
            SizeForm::Full
            | SizeForm::Max
            | SizeForm::Width(_)
            | SizeForm::Height(_)
            | SizeForm::Exact(_)
            | SizeForm::Within(_) => false,
        };
        unmarked_percent || asked.width > region.width.into() || asked.height > region.height.into()
    }

    fn check_enlarging(
        &self,
        version: Version,
        region: Dimensions,
        rules: &SizeRules,
    ) -> Result<()> {
        if version == Version::V3 && !self.upscale {
            return Err(above_region(region, rules));
        }
        if rules.upscaling {
            return Ok(());
        }
        let kind = match version {
            Version::V3 => ErrorKind::NotImplemented,
            Version::V1_0 | Version::V1_1 | Version::V2 => ErrorKind::BadRequest,
        };
        Err(Error::new(
            kind,
            format!(
                "the size is above the region's {}, and this service does not enlarge",
                plain(region)
            ),
        )
        .about(Parameter::Size))
    }
}

impl Asked {
    fn narrowed(self) -> Option<Dimensions> {
        Dimensions::new(
            u32::try_from(self.width).ok()?,
            u32::try_from(self.height).ok()?,
        )
    }
}

impl From<Dimensions> for Asked {
    fn from(size: Dimensions) -> Self {
        Self {
            width: size.width.into(),
            height: size.height.into(),
        }
    }
}

fn check_limits(asked: Asked, rules: &SizeRules) -> Result<Dimensions> {
    let limits = rules.limits();
    let size = asked.narrowed().filter(|size| limits.admit(*size));
    size.ok_or_else(|| {
        Error::bad_request(
            Parameter::Size,
            format!(
                "the size is {}x{} pixels; the limits are {limits}",
                asked.width, asked.height
            ),
        )
    })
}

fn scale_percent(percent: Decimal, region: Dimensions) -> Result<Asked> {
    let asked = Asked {
        width: percent.percent_of(region.width),
        height: percent.percent_of(region.height),
    };
    if asked.width == 0 || asked.height == 0 {
        return Err(Error::bad_request(
            Parameter::Size,
            format!(
                "the size pct:{percent} of a region of {} is less than 1 pixel",
                plain(region)
            ),
        ));
    }
    Ok(asked)
}

fn percent(token: &str, number: &str) -> Result<SizeForm> {
    let percent = Decimal::parse(number).map_err(|error| {
        Error::bad_request(
            Parameter::Size,
            format!("the size {}: {}", quoted(token), error.rule()),
        )
    })?;
    if percent.is_zero() {
        return Err(empty(token));
    }
    Ok(SizeForm::Percent(percent))
}

fn sides(version: Version, token: &str, rest: &str) -> Result<SizeForm> {
    let (within, rest) = match rest.strip_prefix('!') {
        Some(bounds) => (true, bounds),
        None => (false, rest),
    };
    let [width, height] = token::list(rest).ok_or_else(|| syntax(version, token))?;
    let side = |text: &str| match Uint::parse(text) {
        None => Err(syntax(version, token)),
        Some(Uint::TooLarge) => Err(beyond(token)),
        Some(Uint::Value(value)) => NonZeroU32::new(value).ok_or_else(|| empty(token)),
    };
    match (width, height) {
        ("", "") => Err(syntax(version, token)),
        (_, "") if !within => side(width).map(SizeForm::Width),
        ("", _) if !within => side(height).map(SizeForm::Height),
        _ => {
            let bounds = Dimensions {
                width: side(width)?.get(),
                height: side(height)?.get(),
            };
            Ok(if within {
                SizeForm::Within(bounds)
            } else {
                SizeForm::Exact(bounds)
            })
        }
    }
}

fn plain(size: Dimensions) -> String {
    format!("{}x{} pixels", size.width, size.height)
}

fn above_region(region: Dimensions, rules: &SizeRules) -> Error {
    let remedy = if rules.upscaling {
        "to enlarge, put ^ before the size"
    } else {
        "this service does not enlarge"
    };
    Error::bad_request(
        Parameter::Size,
        format!("the size is above the region's {}; {remedy}", plain(region)),
    )
}

fn beyond(token: &str) -> Error {
    Error::bad_request(
        Parameter::Size,
        format!("the size {} is above every limit", quoted(token)),
    )
}

fn empty(token: &str) -> Error {
    Error::bad_request(
        Parameter::Size,
        format!("the size {} is less than 1 pixel", quoted(token)),
    )
}

fn syntax(version: Version, token: &str) -> Error {
    let forms = match version {
        Version::V1_0 | Version::V1_1 => "full, w, ,h pct:n w,h !w,h",
        Version::V2 => "full, max, w, ,h pct:n w,h !w,h",
        Version::V3 => "max, w, ,h pct:n w,h !w,h, each also after a ^ that allows enlarging",
    };
    Error::bad_request(
        Parameter::Size,
        format!("the size {} is not one of the forms {forms}", quoted(token)),
    )
}
