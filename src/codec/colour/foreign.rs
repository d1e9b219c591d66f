//! Inks and L\*a\*b\* → sRGB: colours of models that rows do not hold.
//!
//! Decoders of such masters hand over their samples and go on with red, green and blue. Inks go
//! through the profile's tables, or without one through those of a press as they usually are;
//! L\*a\*b\* is what it says, relative to D50.

use std::fmt;
use std::sync::{Arc, LazyLock};

use moxcms::{ColorProfile, DataColorSpace};
use quick_cache::sync::Cache;

use crate::error::{Error, Result};
use crate::raster::{Channels, Raster, Rows, Samples, Shape};

use super::device::{D50, Tables, dot, xyz_of_lab};
use super::grid::{Grid, MOST};
use super::link::{Link, convert, level_8, level_16, srgb};
use super::{Intent, KEPT_PROFILES, is_usable, name_of};

/// Nodes along each ink of the colours without a profile.
const SIDE: usize = 9;

/// Red, green and blue of 9 × 9 × 9 × 9 mixtures of cyan, magenta, yellow and black, the last fastest:
/// a coated paper's, with its black moved to 0.
///
/// Made by `tests/tools/make_inks.py` from Graeme W. Gill's profile "Chemical proof", which is in the
/// public domain and stands in for a missing one in libvips too.
static PLAIN_INKS: &[u8] = include_bytes!("inks.bin");

static PLAIN: LazyLock<Arc<Way>> = LazyLock::new(|| plain_inks(4, 1));

/// The same without black.
static PLAIN_THREE: LazyLock<Arc<Way>> = LazyLock::new(|| plain_inks(3, SIDE));

/// The colours of the first `inks`; of the file's nodes every `step`th.
fn plain_inks(inks: usize, step: usize) -> Arc<Way> {
    let nodes = PLAIN_INKS.chunks_exact(3).step_by(step).flatten();
    let values = nodes.map(|level| f32::from(*level) / 255.0);
    let grid = Grid::new(vec![SIDE; inks], 3, values.collect());
    let grid = grid.expect("the file has a colour for each of its nodes");
    Arc::new(Way::Grid(Link::new(grid, SIDE)))
}

/// L\*a\*b\* as profiles hold them, at both depths.
///
/// Source: ICC.1:2022, 6.3.4.2.
const OF_PROFILES: LabRange = [(0.0, 100.0), (-128.0, 127.0), (-128.0, 127.0)];

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
    /// Inks, 0 for none, and whatever else tables are for.
    Grid(Link),
    /// L\*a\*b\*, and what makes them those of D50.
    Lab(LabRange, Option<[[f32; 3]; 3]>),
    /// L\*a\*b\* by the tables of a profile that says what becomes of them.
    LabTables(Tables),
}

/// How many samples a colour has under `profile`, as its header names its space; `None` where that is no
/// space.
///
/// # Errors
///
/// [`crate::error::ErrorKind::NotImplemented`] for more than four inks.
pub(in crate::codec) fn colours_of(profile: &[u8]) -> Result<Option<usize>> {
    Ok(match profile.get(16..20) {
        Some(b"GRAY") => Some(1),
        Some(b"2CLR") => Some(2),
        Some(
            b"RGB " | b"Lab " | b"CMY " | b"3CLR" | b"XYZ " | b"Luv " | b"YCbr" | b"Yxy " | b"HSV "
            | b"HLS ",
        ) => Some(3),
        Some(b"CMYK" | b"4CLR") => Some(4),
        Some([b'5'..=b'9' | b'A'..=b'F', b'C', b'L', b'R']) => {
            return Err(Error::unsupported(
                "its colour profile is for more than four inks",
            ));
        }
        Some(_) | None => None,
    })
}

impl Foreign {
    /// Cyan, magenta, yellow and black, 0 for no ink, under `profile`; one that is missing, damaged or
    /// not for four inks is replaced.
    pub fn inks(profile: Option<&[u8]>, intent: Intent) -> Self {
        let Some(bytes) = profile else {
            return Self::plain("CMYK, untagged");
        };
        Self::kept(bytes, intent, || {
            let usable = parsed(bytes).filter(|p| p.color_space == DataColorSpace::Cmyk);
            let found = usable.and_then(|profile| Self::by_tables(&profile, 4, "CMYK", intent));
            found.unwrap_or_else(|| Self::plain("CMYK, untagged (unusable profile)"))
        })
    }

    /// Cyan, magenta and yellow, 0 for no ink.
    pub(in crate::codec) fn three_inks() -> Self {
        Self {
            name: "CMY, untagged".into(),
            way: Arc::clone(&PLAIN_THREE),
        }
    }

    /// Colours of so many samples under `profile`; `None` where it is for gray, for RGB, for other numbers
    /// of samples, or for nothing.
    ///
    /// # Errors
    ///
    /// [`crate::error::ErrorKind::NotImplemented`] for a profile without tables for a space that nobody
    /// knows without, and for more than four inks.
    pub(in crate::codec) fn of_profile(
        bytes: &[u8],
        colours: usize,
        intent: Intent,
    ) -> Result<Option<Self>> {
        if colours_of(bytes)? != Some(colours) {
            return Ok(None);
        }
        Ok(match bytes.get(16..20) {
            Some(b"GRAY" | b"RGB ") | None => None,
            Some(b"CMYK") => Some(Self::inks(Some(bytes), intent)),
            Some(b"Lab ") => Some(Self::kept(bytes, intent, || {
                Self::of_lab_profile(bytes, intent)
            })),
            Some(space) => {
                let found = parsed(bytes)
                    .and_then(|profile| Self::by_tables(&profile, colours, "colours", intent));
                let is_known = space == b"CMY ";
                let found = found.or_else(|| is_known.then(Self::three_inks));
                let words = "its colour profile has no tables for its colours";
                Some(found.ok_or_else(|| Error::unsupported(words))?)
            }
        })
    }

    /// What `build` gives for a profile, which is kept.
    fn kept(bytes: &[u8], intent: Intent, build: impl FnOnce() -> Self) -> Self {
        let key = (*blake3::hash(bytes).as_bytes(), intent);
        let made = READY.get_or_insert_with(&key, || Ok::<_, std::convert::Infallible>(build()));
        match made {
            Ok(made) => made,
            Err(never) => match never {},
        }
    }

    fn by_tables(
        profile: &ColorProfile,
        inputs: usize,
        kind: &str,
        intent: Intent,
    ) -> Option<Self> {
        Some(Self {
            way: Arc::new(Way::Grid(Link::of_profile(profile, inputs, intent)?)),
            name: name_of(profile, kind).into(),
        })
    }

    /// L\*a\*b\* under a profile; one without tables changes nothing.
    fn of_lab_profile(bytes: &[u8], intent: Intent) -> Self {
        let found = parsed(bytes).and_then(|profile| {
            let tables = Tables::from_device(&profile, intent).filter(|t| t.inputs() == 3)?;
            Some((name_of(&profile, "L*a*b*"), tables))
        });
        match found {
            Some((name, tables)) => Self {
                name: name.into(),
                way: Arc::new(Way::LabTables(tables)),
            },
            None => Self::lab(OF_PROFILES),
        }
    }

    fn plain(name: &str) -> Self {
        Self {
            name: name.into(),
            way: Arc::clone(&PLAIN),
        }
    }

    /// L\*, a\* and b\* over `range`, relative to D50.
    pub fn lab(range: LabRange) -> Self {
        Self {
            name: "L*a*b*".into(),
            way: Arc::new(Way::Lab(range, None)),
        }
    }

    /// The same, relative to light of these chromaticities.
    ///
    /// Source: ICC.1:2022, annex E (Bradford's matrix).
    #[must_use]
    pub(in crate::codec) fn under(self, [x, y]: [f32; 2]) -> Self {
        let Way::Lab(range, _) = *self.way else {
            return self;
        };
        let white = [x / y, 1.0, (1.0 - x - y) / y];
        let (from, to) = (
            BRADFORD.map(|row| dot(row, white)),
            BRADFORD.map(|row| dot(row, D50)),
        );
        // From XYZ over D50's white to XYZ under the light, to cones, to those of D50, and back.
        let column = |axis: usize| {
            let mut xyz = [0.0; 3];
            xyz[axis] = white[axis] / D50[axis];
            let mut cones = BRADFORD.map(|row| dot(row, xyz));
            for ((cone, from), to) in cones.iter_mut().zip(from).zip(to) {
                *cone *= to / from;
            }
            BRADFORD_BACK.map(|row| dot(row, cones))
        };
        let [x, y, z] = [0, 1, 2].map(column);
        let matrix = [0, 1, 2].map(|row: usize| [x[row], y[row], z[row]]);
        Self {
            name: self.name,
            way: Arc::new(Way::Lab(range, Some(matrix))),
        }
    }

    /// The colour space as stored, for people.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How many samples a colour has.
    pub fn inputs(&self) -> usize {
        match &*self.way {
            Way::Grid(link) => link.inputs(),
            Way::Lab(..) | Way::LabTables(_) => 3,
        }
    }

    /// Pixels of `stride` samples, of which the first are the colour's, as red, green and blue with the
    /// other samples behind them.
    pub fn rgb(&self, samples: &Samples, stride: usize) -> Samples {
        let way = match &*self.way {
            Way::Grid(link) => return link.run(samples, stride),
            lab @ (Way::Lab(..) | Way::LabTables(_)) => lab,
        };
        match samples {
            Samples::U8(all) => Samples::U8(convert(all, stride, 3, |lab| {
                way.of_lab(lab.iter().map(|v| f32::from(*v) / 255.0))
                    .map(level_8)
            })),
            Samples::U16(all) => Samples::U16(convert(all, stride, 3, |lab| {
                way.of_lab(lab.iter().map(|v| f32::from(*v) / 65535.0))
                    .map(level_16)
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

impl Way {
    /// The sRGB of L\*a\*b\*, given as shares of their samples' range.
    fn of_lab(&self, shares: impl Iterator<Item = f32>) -> [f32; 3] {
        let mut values = [0.0; MOST];
        for (value, share) in values.iter_mut().zip(shares) {
            *value = share;
        }
        let [one, two, three, _] = values;
        match self {
            Self::Grid(_) => [0.0; 3],
            Self::LabTables(tables) => srgb(tables.xyz_of_shares([one, two, three])),
            Self::Lab(range, adapted) => {
                let mut lab = [one, two, three];
                for (value, (least, most)) in lab.iter_mut().zip(range) {
                    *value = least + (most - least) * *value;
                }
                let xyz = xyz_of_lab(lab);
                srgb(adapted.map_or(xyz, |matrix| matrix.map(|row| dot(row, xyz))))
            }
        }
    }
}

/// XYZ to the cones of the eye, and back.
const BRADFORD: [[f32; 3]; 3] = [
    [0.8951, 0.2664, -0.1614],
    [-0.7502, 1.7135, 0.0367],
    [0.0389, -0.0685, 1.0296],
];
const BRADFORD_BACK: [[f32; 3]; 3] = [
    [0.986_992_9, -0.147_054_3, 0.159_962_7],
    [0.432_305_3, 0.518_360_3, 0.049_291_2],
    [-0.008_528_7, 0.040_042_8, 0.968_486_7],
];

fn parsed(bytes: &[u8]) -> Option<ColorProfile> {
    let parsed = ColorProfile::new_from_slice(bytes).ok();
    parsed.filter(is_usable)
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
