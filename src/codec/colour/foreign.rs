//! Inks and L\*a\*b\* → sRGB: colours of models that rows do not hold.
//!
//! Decoders of such masters hand over their samples and go on with red, green and blue. Inks go
//! through the profile's tables, or without one through those of a press as they usually are;
//! L\*a\*b\* is what it says, relative to D50.

use std::fmt;
use std::sync::{Arc, LazyLock};

use moxcms::{ColorProfile, DataColorSpace};
use quick_cache::sync::Cache;

use crate::error::Result;
use crate::raster::{Channels, Raster, Rows, Samples, Shape};

use super::device::xyz_of_lab;
use super::grid::Grid;
use super::link::{Link, convert, level_8, level_16, srgb};
use super::{Intent, KEPT_PROFILES, name_of};

/// Nodes along each ink of the colours without a profile.
const SIDE: usize = 9;

/// Red, green and blue of 9 × 9 × 9 × 9 mixtures of cyan, magenta, yellow and black, the last fastest:
/// a coated paper's, with its black moved to 0.
///
/// Made by `tests/tools/make_inks.py` from Graeme W. Gill's profile "Chemical proof", which is in the
/// public domain and stands in for a missing one in libvips too.
static PLAIN_INKS: &[u8] = include_bytes!("inks.bin");

static PLAIN: LazyLock<Arc<Way>> = LazyLock::new(|| {
    let values = PLAIN_INKS.iter().map(|level| f32::from(*level) / 255.0);
    let grid = Grid::new(vec![SIDE; 4], 3, values.collect());
    let grid = grid.expect("the file has a colour for each of its nodes");
    Arc::new(Way::Inks(Link::new(grid, SIDE)))
});

static READY: LazyLock<Cache<([u8; 32], Intent), Foreign>> =
    LazyLock::new(|| Cache::new(KEPT_PROFILES));

/// How samples of inks or L\*a\*b\* become sRGB's. Clones share their tables.
#[derive(Clone)]
pub struct Foreign {
    name: Arc<str>,
    way: Arc<Way>,
}

/// The numbers that the least and the largest sample of L\*, a\* and b\* stand for.
pub type LabRange = [(f32, f32); 3];

enum Way {
    /// Cyan, magenta, yellow, black; 0 is no ink.
    Inks(Link),
    Lab(LabRange),
}

impl Foreign {
    /// Cyan, magenta, yellow and black, 0 for no ink, under `profile`; one that is missing, damaged or
    /// not for four inks is replaced.
    pub fn inks(profile: Option<&[u8]>, intent: Intent) -> Self {
        let Some(bytes) = profile else {
            return Self::plain("CMYK, untagged");
        };
        let key = (*blake3::hash(bytes).as_bytes(), intent);
        let made = READY.get_or_insert_with(&key, || {
            Ok::<_, std::convert::Infallible>(Self::of_profile(bytes, intent))
        });
        match made {
            Ok(made) => made,
            Err(never) => match never {},
        }
    }

    fn of_profile(bytes: &[u8], intent: Intent) -> Self {
        let parsed = ColorProfile::new_from_slice(bytes).ok();
        let usable = parsed.filter(|profile| profile.color_space == DataColorSpace::Cmyk);
        let found = usable.and_then(|profile| {
            let link = Link::of_profile(&profile, 4, intent)?;
            Some((name_of(&profile, "CMYK"), link))
        });
        match found {
            Some((name, link)) => Self {
                name: name.into(),
                way: Arc::new(Way::Inks(link)),
            },
            None => Self::plain("CMYK, untagged (unusable profile)"),
        }
    }

    fn plain(name: &str) -> Self {
        Self {
            name: name.into(),
            way: Arc::clone(&PLAIN),
        }
    }

    /// L\*, a\* and b\* over `range`.
    pub fn lab(range: LabRange) -> Self {
        Self {
            name: "L*a*b*".into(),
            way: Arc::new(Way::Lab(range)),
        }
    }

    /// The colour space as stored, for people.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How many samples a colour has.
    pub fn inputs(&self) -> usize {
        match *self.way {
            Way::Inks(_) => 4,
            Way::Lab(_) => 3,
        }
    }

    /// Pixels of `stride` samples, of which the first are the colour's, as red, green and blue with the
    /// other samples behind them.
    pub fn rgb(&self, samples: &Samples, stride: usize) -> Samples {
        match (&*self.way, samples) {
            (Way::Inks(link), _) => link.run(samples, stride),
            (Way::Lab(range), Samples::U8(all)) => Samples::U8(convert(all, stride, 3, |lab| {
                of_lab(range, lab.iter().map(|v| f32::from(*v) / 255.0)).map(level_8)
            })),
            (Way::Lab(range), Samples::U16(all)) => Samples::U16(convert(all, stride, 3, |lab| {
                of_lab(range, lab.iter().map(|v| f32::from(*v) / 65535.0)).map(level_16)
            })),
        }
    }

    /// `rows` whose four channels are inks, as rows of red, green and blue; `inverted` where 0 is full ink.
    pub(in crate::codec) fn apply(&self, rows: Box<dyn Rows>, inverted: bool) -> Box<dyn Rows> {
        Box::new(Mixed {
            rows,
            foreign: self.clone(),
            inverted,
            failed: false,
        })
    }
}

impl fmt::Debug for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Foreign({})", self.name)
    }
}

fn of_lab(range: &LabRange, samples: impl Iterator<Item = f32>) -> [f32; 3] {
    let mut lab = [0.0; 3];
    for ((value, (least, most)), share) in lab.iter_mut().zip(range).zip(samples) {
        *value = least + (most - least) * share;
    }
    srgb(xyz_of_lab(lab))
}

/// Rows of inks on their way to sRGB.
struct Mixed {
    rows: Box<dyn Rows>,
    foreign: Foreign,
    inverted: bool,
    failed: bool,
}

impl Mixed {
    fn convert(&self, strip: Raster) -> Result<Raster> {
        let dimensions = strip.dimensions();
        let mut samples = strip.into_samples();
        if self.inverted {
            match &mut samples {
                Samples::U8(all) => all.iter_mut().for_each(|sample| *sample = !*sample),
                Samples::U16(all) => all.iter_mut().for_each(|sample| *sample = !*sample),
            }
        }
        Raster::new(dimensions, Channels::Rgb, self.foreign.rgb(&samples, 4))
    }
}

impl Rows for Mixed {
    fn shape(&self) -> Shape {
        let mut shape = self.rows.shape();
        shape.format.channels = Channels::Rgb;
        shape
    }

    fn next_strip(&mut self) -> Result<Option<Raster>> {
        if self.failed {
            return Ok(None);
        }
        let Some(strip) = self.rows.next_strip()? else {
            return Ok(None);
        };
        let converted = self.convert(strip);
        self.failed = converted.is_err();
        converted.map(Some)
    }
}
