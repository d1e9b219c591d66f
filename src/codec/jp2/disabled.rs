//! A build without the wavelet decoder: headers are parsed, pixels are refused.

use std::sync::Arc;

use crate::codec::{DecodeLimits, Picture};
use crate::error::{Error, Result};
use crate::reader::RangeReader;

use super::header::Header;

/// Parses the headers, and refuses a master whose headers are good.
pub(super) fn picture(
    reader: Arc<dyn RangeReader>,
    limits: &DecodeLimits,
) -> Result<Arc<dyn Picture>> {
    let header = Header::read(reader.as_ref(), limits)?;
    let (facts, dimensions) = (&header.facts, header.facts.pyramid.dimensions());
    Err(Error::unsupported("JPEG 2000 is not in this build")
        .while_doing(format!("opening {}, {dimensions}", facts.description)))
}
