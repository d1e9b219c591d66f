//! The `meta` box of a HEIF file → its items: where their bytes stand, what is said of them, and how they
//! belong together.
//!
//! Source: ISO/IEC 14496-12:2022, 8.11; ISO/IEC 23008-12:2022, clause 6.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::error::{Error, ErrorKind, Result};

use super::fields::Fields;
use super::property::Property;

/// Most items, places, properties and references of a file: twice what a grid of 256 × 256 parts takes. Some of
/// them take no bytes, so that the file's length bounds nothing.
const MAX_ENTRIES: usize = 1 << 19;

/// Most properties of one item, each of which is looked at for every reference to it.
const MAX_PROPERTIES: usize = 256;

/// A range of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Extent {
    pub(super) at: u64,
    /// 0 stands for all that follows.
    pub(super) length: u64,
}

/// One item.
#[derive(Debug, Clone, Default)]
pub(super) struct Item {
    pub(super) kind: [u8; 4],
    /// What a `mime` item holds.
    pub(super) content: Vec<u8>,
    pub(super) extents: Arc<[Extent]>,
    /// Whether its bytes are put together of other items'.
    pub(super) assembled: bool,
    /// Places in the list of properties, and whether a reader has to know them.
    properties: Vec<(usize, bool)>,
    /// What it refers to, in the order of the file.
    references: Vec<([u8; 4], Vec<u32>)>,
}

/// All items.
#[derive(Debug, Clone, Default)]
pub(super) struct Items {
    pub(super) primary: u32,
    pub(super) all: BTreeMap<u32, Item>,
    pub(super) properties: Vec<Property>,
    /// How much has been read.
    entries: usize,
}

impl Items {
    /// Parses the content of a `meta` box.
    pub(super) fn parse(mut meta: Fields<'_>) -> Result<Self> {
        meta.version()?;
        let mut items = Self::default();
        items.information(meta.expect(*b"iinf")?)?;
        let data = meta.find(*b"idat")?.map(|data| data.at());
        items.locations(meta.expect(*b"iloc")?, data)?;
        if let Some(properties) = meta.find(*b"iprp")? {
            items.properties(properties)?;
        }
        if let Some(references) = meta.find(*b"iref")? {
            items.references(references)?;
        }
        let mut primary = meta.expect(*b"pitm")?;
        let (version, _) = primary.version()?;
        items.primary = number(&mut primary, version == 0)?;
        Ok(items)
    }

    /// Holds if so many entries more are not too many.
    fn count(&mut self, more: usize) -> Result<()> {
        self.entries = self.entries.saturating_add(more);
        if self.entries <= MAX_ENTRIES {
            return Ok(());
        }
        let words = "the source image is made of too many parts";
        Err(Error::new(ErrorKind::TooLarge, words))
    }

    fn information(&mut self, mut fields: Fields<'_>) -> Result<()> {
        let (version, _) = fields.version()?;
        number(&mut fields, version == 0)?;
        while let Some(mut entry) = fields.part()? {
            let (version, _) = entry.content.version()?;
            if &entry.kind != b"infe" || version < 2 {
                continue;
            }
            let id = number(&mut entry.content, version == 2)?;
            entry.content.u16()?;
            let kind = entry.content.kind()?;
            entry.content.text()?;
            let content = match &kind {
                b"mime" => entry.content.text()?.to_vec(),
                _ => Vec::new(),
            };
            self.count(1)?;
            let item = self.all.entry(id).or_default();
            (item.kind, item.content) = (kind, content);
        }
        Ok(())
    }

    fn locations(&mut self, mut fields: Fields<'_>, data: Option<u64>) -> Result<()> {
        let (version, _) = fields.version()?;
        let sizes = fields.u16()?;
        let nibble = |shift: u32| u8::try_from(sizes >> shift & 15).unwrap_or(0);
        let (offset_bytes, length_bytes, base_bytes) = (nibble(12), nibble(8), nibble(4));
        let index_bytes = if version == 0 { 0 } else { nibble(0) };
        if [offset_bytes, length_bytes, base_bytes, index_bytes]
            .iter()
            .any(|size| *size > 8)
        {
            return Err(Error::corrupt(
                "places in it have numbers of too many bytes",
            ));
        }
        for _ in 0..number(&mut fields, version < 2)? {
            let id = number(&mut fields, version < 2)?;
            let method = if version == 0 { 0 } else { fields.u16()? & 15 };
            let foreign = fields.u16()? != 0;
            let base = fields.number(base_bytes)?;
            let origin = match (method, data) {
                (0, _) => Some(0),
                (1, Some(data)) => Some(data),
                (1, None) => return Err(Error::corrupt("it has no idat box")),
                _ => None,
            };
            let mut extents = Vec::new();
            let count = fields.u16()?;
            self.count(count.into())?;
            for _ in 0..count {
                fields.number(index_bytes)?;
                let (at, length) = (fields.number(offset_bytes)?, fields.number(length_bytes)?);
                let at = at
                    .checked_add(base)
                    .and_then(|at| at.checked_add(origin.unwrap_or(0)));
                let at = at.ok_or_else(|| Error::corrupt("a place in it is beyond all files"))?;
                extents.push(Extent { at, length });
            }
            if let Some(item) = self.all.get_mut(&id) {
                (item.extents, item.assembled) = (extents.into(), foreign || origin.is_none());
            }
        }
        Ok(())
    }

    fn properties(&mut self, fields: Fields<'_>) -> Result<()> {
        let mut list = fields.expect(*b"ipco")?;
        while let Some(part) = list.part()? {
            self.count(1)?;
            self.properties.push(Property::parse(part)?);
        }
        let mut all = fields;
        while let Some(part) = all.part()? {
            if &part.kind == b"ipma" {
                self.associations(part.content)?;
            }
        }
        Ok(())
    }

    fn associations(&mut self, mut fields: Fields<'_>) -> Result<()> {
        let (version, flags) = fields.version()?;
        for _ in 0..fields.u32()? {
            let id = number(&mut fields, version == 0)?;
            let mut properties = Vec::new();
            for _ in 0..fields.u8()? {
                let (value, essential) = if flags & 1 == 0 {
                    let value = fields.u8()?;
                    (u16::from(value & 0x7f), value & 0x80 != 0)
                } else {
                    let value = fields.u16()?;
                    (value & 0x7fff, value & 0x8000 != 0)
                };
                if let Some(index) = usize::from(value).checked_sub(1) {
                    properties.push((index, essential));
                }
            }
            self.count(properties.len())?;
            if let Some(item) = self.all.get_mut(&id) {
                item.properties.extend(properties);
                if item.properties.len() > MAX_PROPERTIES {
                    return Err(Error::corrupt("a picture in it has too many properties"));
                }
            }
        }
        Ok(())
    }

    fn references(&mut self, mut fields: Fields<'_>) -> Result<()> {
        let (version, _) = fields.version()?;
        while let Some(mut part) = fields.part()? {
            let from = number(&mut part.content, version == 0)?;
            let mut targets = Vec::new();
            let count = part.content.u16()?;
            self.count(usize::from(count) + 1)?;
            for _ in 0..count {
                targets.push(number(&mut part.content, version == 0)?);
            }
            if let Some(item) = self.all.get_mut(&from) {
                item.references.push((part.kind, targets));
            }
        }
        Ok(())
    }

    /// The item of this number.
    pub(super) fn item(&self, id: u32) -> Result<&Item> {
        let none = || Error::corrupt("it refers to a picture that it does not hold");
        self.all.get(&id).ok_or_else(none)
    }

    /// What is said of `item`, in its order.
    pub(super) fn of<'a>(&'a self, item: &'a Item) -> impl Iterator<Item = &'a Property> + 'a {
        let places = item.properties.iter();
        places.filter_map(|(index, _)| self.properties.get(*index))
    }

    /// Refuses an item of which more has to be known than is known here.
    pub(super) fn check(&self, item: &Item) -> Result<()> {
        for (index, essential) in &item.properties {
            let Some(property) = self.properties.get(*index) else {
                return Err(Error::corrupt(
                    "it refers to a property that it does not hold",
                ));
            };
            if let (true, Property::Unknown(kind)) = (essential, property) {
                let name = String::from_utf8_lossy(kind).into_owned();
                return Err(Error::unsupported(format!(
                    "it asks for the property {name}"
                )));
            }
        }
        Ok(())
    }

    /// Items that refer to `to` as `kind`.
    pub(super) fn referring(&self, kind: [u8; 4], to: u32) -> impl Iterator<Item = (u32, &Item)> {
        let all = self.all.iter().map(|(id, item)| (*id, item));
        all.filter(move |(_, item)| item.targets(kind).any(|target| target == to))
    }
}

impl Item {
    /// What it refers to as `kind`.
    pub(super) fn targets(&self, kind: [u8; 4]) -> impl Iterator<Item = u32> + '_ {
        let own = self.references.iter().filter(move |(own, _)| *own == kind);
        own.flat_map(|(_, targets)| targets.iter().copied())
    }
}

/// A number of two bytes, or of four.
fn number(fields: &mut Fields<'_>, short: bool) -> Result<u32> {
    if short {
        fields.u16().map(u32::from)
    } else {
        fields.u32()
    }
}
