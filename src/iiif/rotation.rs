//! The rotation segment: a mirror, then degrees clockwise.

use super::token::quoted;
use super::{Decimal, Version};
use crate::error::{Error, Parameter, Result};

const FULL_TURN: Decimal = Decimal::from_integer(360);

/// A rotation as it was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Rotation {
    /// Left and right are exchanged before turning (I3-ROT-04).
    pub mirror: bool,
    /// Degrees clockwise, 0 to 360 (I3-ROT-03).
    pub degrees: Decimal,
}

impl Rotation {
    /// Reads a decoded rotation segment.
    ///
    /// # Errors
    ///
    /// A bad request about the rotation.
    pub(super) fn parse(version: Version, token: &str) -> Result<Self> {
        let (mirror, number) = match token.strip_prefix('!') {
            Some(number) if !version.is_1x() => (true, number),
            _ => (false, token),
        };
        let degrees =
            Decimal::parse(number).map_err(|error| refuse(version, token, error.rule()))?;
        if degrees > FULL_TURN {
            return Err(refuse(version, token, "the number is above 360"));
        }
        Ok(Self { mirror, degrees })
    }

    /// Degrees from 0 to below 360: a full turn is none (I3-ROT-10).
    pub fn effective_degrees(&self) -> Decimal {
        if self.degrees == FULL_TURN {
            Decimal::ZERO
        } else {
            self.degrees
        }
    }
}

fn refuse(version: Version, token: &str, reason: &str) -> Error {
    let form = if version.is_1x() {
        "degrees from 0 to 360"
    } else {
        "degrees from 0 to 360, after a ! to mirror first"
    };
    Error::bad_request(
        Parameter::Rotation,
        format!("the rotation {} is not {form}: {reason}", quoted(token)),
    )
}
