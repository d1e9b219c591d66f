/// Every setting, in the order of the document.
pub const KEYS: &[KeyInfo] = &[];
