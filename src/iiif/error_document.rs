//! The error document of Image API 1.0.

use super::xml::{NAMESPACE, escape};
use crate::error::Parameter;

/// An error as XML, to be sent as `text/xml`; `text` is for people.
///
/// Source: I10-ERR-01.
pub fn error_xml(parameter: Option<Parameter>, text: &str) -> String {
    let parameter = parameter.map_or("unknown", Parameter::name);
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <error xmlns=\"{NAMESPACE}\">\n\
         \x20 <parameter>{parameter}</parameter>\n\
         \x20 <text>{}</text>\n\
         </error>\n",
        escape(text)
    )
}
