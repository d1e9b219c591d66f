//! Addresses as the pages write them: paths on the page's own host, encoded so that they mean nothing
//! else in a path, a query, or an attribute.

use crate::iiif::Identifier;

/// Longest side of a thumbnail, in pixels: twice what a card shows, for dense screens.
const THUMBNAIL_PX: u32 = 400;

/// Longest side of the picture that is offered where scripts are off, in pixels.
const STILL_PX: u32 = 1200;

/// Where things are, from a browser's point of view.
#[derive(Debug, Clone, Copy)]
pub(super) struct Links<'a> {
    /// Path of the start page, with a slash at its end.
    pub(super) root: &'a str,
    /// What stands for a slash inside identifiers; empty for `%2F`.
    pub(super) substitute: &'a str,
}

impl Links<'_> {
    /// A file that pages load.
    pub(super) fn asset(self, name: &str) -> String {
        format!("{}assets/{name}", self.root)
    }

    /// The page that opens a picture.
    pub(super) fn view(self, identifier: &str) -> String {
        format!("{}view?id={}", self.root, encode(identifier))
    }

    /// A page of the collection; the ampersand is written for an attribute.
    pub(super) fn page(self, filter: &str, page: usize) -> String {
        format!("{}?q={}&amp;page={page}", self.root, encode(filter))
    }

    /// An information document.
    pub(super) fn info(self, identifier: &str) -> String {
        self.service(identifier) + "/info.json"
    }

    /// A small picture.
    pub(super) fn thumbnail(self, identifier: &str) -> String {
        self.within(identifier, THUMBNAIL_PX)
    }

    /// A picture that fits a screen.
    pub(super) fn still(self, identifier: &str) -> String {
        self.within(identifier, STILL_PX)
    }

    fn within(self, identifier: &str, side: u32) -> String {
        let service = self.service(identifier);
        format!("{service}/full/!{side},{side}/0/default.jpg")
    }

    fn service(self, identifier: &str) -> String {
        let encoded = encode(identifier);
        let encoded = match self.substitute {
            "" => encoded,
            substitute => encoded.replace("%2F", &encode(substitute)),
        };
        format!("{}iiif/3/{encoded}", self.root)
    }
}

/// `&` and `+` mean something in a query and `'` in an attribute; in a path they may be escaped too.
fn encode(text: &str) -> String {
    Identifier::new(text)
        .map(|identifier| identifier.encoded())
        .unwrap_or_default()
        .replace('&', "%26")
        .replace('+', "%2B")
        .replace('\'', "%27")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slash_in_a_name_has_its_substitute_in_paths_alone() {
        let links = Links {
            root: "/scans/",
            substitute: "~~",
        };
        assert_eq!(links.info("a/b.tif"), "/scans/iiif/3/a~~b.tif/info.json");
        assert_eq!(links.view("a/b.tif"), "/scans/view?id=a%2Fb.tif");
        let plain = Links {
            root: "/",
            substitute: "",
        };
        assert_eq!(plain.info("a/b.tif"), "/iiif/3/a%2Fb.tif/info.json");
    }

    #[test]
    fn names_mean_nothing_in_a_query() {
        assert_eq!(encode("a&b+c'd?e#f"), "a%26b%2Bc%27d%3Fe%23f");
    }
}
