//! A build without the wavelet decoder: headers are parsed, pixels are refused.

use std::sync::Arc;

use crate::codec::Picture;
use crate::error::{Error, Result};
use crate::reader::RangeReader;

use super::header::Header;

/// Refuses a master whose header was found to be good.
pub(super) fn picture(_reader: Arc<dyn RangeReader>, header: Header) -> Result<Arc<dyn Picture>> {
    let (facts, dimensions) = (&header.facts, header.facts.pyramid.dimensions());
    Err(Error::unsupported("JPEG 2000 is not in this build")
        .while_doing(format!("opening {}, {dimensions}", facts.description)))
}
