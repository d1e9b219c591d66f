//! A job that no buffer of the device holds, as bands of its result that are jobs of their own.

use super::{Part, Weight};
use crate::geometry::Window;

/// One band, from top to bottom one of several.
#[derive(Debug, Clone, PartialEq)]
pub struct Band {
    /// Its rows.
    pub part: Part,
    /// What it is made of, in the whole job's source.
    pub window: Window,
    /// What it takes.
    pub weight: Weight,
}
