//! All segments of a header that say how to decode → what holds for a tile and its components.
//!
//! A tile's own header stands before the main header, and in either a component's own segment before
//! the one for all.
//!
//! Source: ISO/IEC 15444-1 A.6, and the order of precedence in A.6.1 to A.6.6.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::error::{Error, Result};

use super::super::bytes::Bytes;
use super::marker;
use super::order::Change;
use super::quantisation::Quantisation;
use super::style::{Progression, Style};

/// A COD segment.
#[derive(Debug, Clone, PartialEq, Eq)]
struct ForAll {
    progression: Progression,
    /// 1 to 65,535.
    layers: u16,
    /// Whether a transform mixes the first three components.
    is_transformed: bool,
    /// Whether SOP segments may stand before packets.
    has_starts: bool,
    /// Whether EPH markers stand behind the headers of packets.
    has_ends: bool,
    style: Style,
}

/// How a tile is coded, or all that do not say so themselves.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in super::super) struct Coding {
    /// What holds where this header says nothing.
    main: Option<Arc<Self>>,
    default: Option<ForAll>,
    styles: BTreeMap<u16, Style>,
    quantisation: Option<Quantisation>,
    quantisations: BTreeMap<u16, Quantisation>,
    shifts: BTreeMap<u16, u8>,
    changes: Vec<Change>,
}

impl Coding {
    /// What holds for a tile before its own header is read.
    pub(super) fn of_tile(main: &Arc<Self>) -> Self {
        Self {
            main: Some(Arc::clone(main)),
            ..Self::default()
        }
    }

    /// Takes note of a segment, if it is about coding.
    pub(super) fn add(&mut self, code: u16, content: &[u8], components: usize) -> Result<()> {
        match code {
            marker::COD => self.default = Some(ForAll::parse(content)?),
            marker::COC => {
                let mut content = Bytes::new(content);
                let component = marker::component(&mut content, components)?;
                let flags = content.u8()?;
                let style = Style::parse(&mut content, flags & 1 != 0)?;
                self.styles.insert(component, style);
            }
            marker::QCD => {
                self.quantisation = Some(Quantisation::parse(&mut Bytes::new(content))?);
            }
            marker::QCC => {
                let mut content = Bytes::new(content);
                let component = marker::component(&mut content, components)?;
                let quantisation = Quantisation::parse(&mut content)?;
                self.quantisations.insert(component, quantisation);
            }
            marker::RGN => {
                let mut content = Bytes::new(content);
                let component = marker::component(&mut content, components)?;
                if content.u8()? != 0 {
                    return Err(Error::unsupported("its region of interest is not known"));
                }
                self.shifts.insert(component, content.u8()?);
            }
            marker::POC => Change::parse(content, components, &mut self.changes)?,
            _ => {}
        }
        Ok(())
    }

    /// # Errors
    ///
    /// [`crate::error::ErrorKind::Corrupt`] if a main header lacks what every stream has.
    pub(super) fn check_main(&self) -> Result<()> {
        let missing = |what: &str| Err(Error::corrupt(format!("its code stream has no {what}")));
        if self.default.is_none() {
            return missing("coding style");
        }
        if self.quantisation.is_none() {
            return missing("quantisation");
        }
        Ok(())
    }

    /// The nearest COD segment; every main header has one.
    fn nearest(&self) -> &ForAll {
        const NONE: &ForAll = &ForAll {
            progression: Progression::Lrcp,
            layers: 1,
            is_transformed: false,
            has_starts: false,
            has_ends: false,
            style: Style::PLAIN,
        };
        self.find(|coding| coding.default.as_ref()).unwrap_or(NONE)
    }

    /// What this header says, or else the main header.
    fn find<'c, T>(&'c self, pick: impl Fn(&'c Self) -> Option<T>) -> Option<T> {
        pick(self).or_else(|| pick(self.main.as_deref()?))
    }

    pub(in super::super) fn progression(&self) -> Progression {
        self.nearest().progression
    }

    /// 1 to 65,535.
    pub(in super::super) fn layers(&self) -> u16 {
        self.nearest().layers
    }

    /// Whether a transform mixes the first three components.
    pub(in super::super) fn is_transformed(&self) -> bool {
        self.nearest().is_transformed
    }

    /// Whether SOP segments may stand before packets.
    pub(in super::super) fn has_starts(&self) -> bool {
        self.nearest().has_starts
    }

    /// Whether EPH markers stand behind the headers of packets.
    pub(in super::super) fn has_ends(&self) -> bool {
        self.nearest().has_ends
    }

    /// How a component is coded.
    pub(in super::super) fn style(&self, component: u16) -> &Style {
        self.find(|coding| {
            let default = || coding.default.as_ref().map(|default| &default.style);
            coding.styles.get(&component).or_else(default)
        })
        .unwrap_or(&self.nearest().style)
    }

    /// How a component is quantised; every main header has a QCD segment.
    pub(in super::super) fn quantisation(&self, component: u16) -> Option<&Quantisation> {
        self.find(|coding| {
            let own = coding.quantisations.get(&component);
            own.or(coding.quantisation.as_ref())
        })
    }

    /// Bits by which the region of interest is shifted up (Table A.26).
    pub(in super::super) fn shift(&self, component: u16) -> u8 {
        self.find(|coding| coding.shifts.get(&component).copied())
            .unwrap_or(0)
    }

    /// Changes of the progression order; without any the whole tile has one.
    pub(in super::super) fn changes(&self) -> &[Change] {
        self.find(|coding| (!coding.changes.is_empty()).then_some(coding.changes.as_slice()))
            .unwrap_or(&[])
    }

    /// Reductions that every one of so many components has.
    pub(in super::super) fn reductions(&self, components: u16) -> u8 {
        let all = (0..components).map(|component| self.style(component).decompositions);
        all.min().unwrap_or(0)
    }

    /// The styles that this header itself gives.
    pub(in super::super) fn own_styles(&self) -> impl Iterator<Item = &Style> {
        let default = self.default.as_ref().map(|default| &default.style);
        default.into_iter().chain(self.styles.values())
    }
}

impl ForAll {
    fn parse(content: &[u8]) -> Result<Self> {
        let mut content = Bytes::new(content);
        let (flags, progression) = (content.u8()?, Progression::parse(content.u8()?)?);
        let layers = content.u16()?;
        if layers == 0 {
            return Err(Error::corrupt("it has no quality layer"));
        }
        let transform = content.u8()?;
        if transform > 1 {
            return Err(Error::unsupported("its component transform is not known"));
        }
        Ok(Self {
            progression,
            layers,
            is_transformed: transform == 1,
            has_starts: flags & 2 != 0,
            has_ends: flags & 4 != 0,
            style: Style::parse(&mut content, flags & 1 != 0)?,
        })
    }
}
