//! A file's directories → its pages, and of the selected one the levels.
//!
//! Three ways to store a level are known, and a directory that is none of them is another picture:
//!
//! 1. a directory of the main chain that carries the reduced-resolution bit (or the old value 2) and
//!    follows its page, as libvips, GDAL and `ImageMagick` write pyramids;
//! 2. a directory named by the page's `SubIFDs`, as OME-TIFF and `libvips --subifd` write them;
//! 3. in a file where no directory of the main chain carries a bit at all, every directory after the
//!    first, if they form one chain: each is an exact reduction of the first with the same samples,
//!    and factors grow from 2 on. One directory that breaks the chain makes all of them pages.
//!
//! In every case a level's sides have to be those of [`ScaleFactor::of_level`], with a factor of at
//! least 2 and samples of the same kind. What carries a bit and is no level, such as a thumbnail of
//! another aspect or a mask, is neither level nor page.

use std::sync::Arc;

use crate::codec::DecodeLimits;
use crate::error::{Error, ErrorKind, Result};
use crate::geometry::ScaleFactor;

use super::directory::{Directory, File, Visited};
use super::grid;
use super::layout::Layout;
use super::pixels::Pixels;
use super::tags;

/// Most `SubIFDs` of a page: one for each power of two would be 32.
const MAX_SUB_DIRECTORIES: u64 = 64;
/// Most directories of the main chain that are looked at as levels of one page.
const MAX_REDUCED: usize = 64;

/// The selected page.
#[derive(Debug)]
pub(super) struct Page {
    /// Its full image's directory.
    pub(super) directory: Directory,
    /// Its layouts by growing factor; the first is the full image's.
    pub(super) levels: Vec<(ScaleFactor, Arc<Layout>)>,
    /// How many pages the file has.
    pub(super) pages: u32,
}

/// What a directory of the main chain says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// Nothing.
    Plain,
    /// A page of several.
    Page,
    /// A smaller form of another picture.
    Reduced,
    /// A mask of another picture.
    Mask,
}

/// A page and what may be its levels, as places in the main chain.
#[derive(Debug, Default, PartialEq, Eq)]
struct Group {
    full: usize,
    reduced: Vec<usize>,
}

impl Page {
    /// Finds page `number`, counted from 1, and its levels.
    pub(super) fn read(file: &File, number: u32, limits: &DecodeLimits) -> Result<Self> {
        let mut visited = Visited::default();
        let chain = file.chain(&mut visited)?;
        let groups = groups(file, &chain)?;
        let selected = number.checked_sub(1).and_then(|at| groups.get(at as usize));
        let Some(selected) = selected else {
            return Err(Error::new(
                ErrorKind::NotFound,
                format!("the source image has {} pages", groups.len()),
            ));
        };
        let directory = chain[selected.full].clone();
        let full = Arc::new(Layout::read(file, &directory, limits)?);
        let mut candidates: Vec<_> = (selected.reduced.iter().take(MAX_REDUCED))
            .map(|at| chain[*at].clone())
            .collect();
        candidates.extend(sub_directories(file, &directory, &mut visited)?);
        let mut levels = vec![(ScaleFactor::ONE, Arc::clone(&full))];
        // The tables of all levels stay in memory: together they may name as many tiles again.
        let mut left = limits.clone();
        for candidate in &candidates {
            if let Some((factor, layout)) = level(file, candidate, &full, &levels, &left)? {
                left.max_tiles = left.max_tiles.saturating_sub(layout.tiles());
                levels.push((factor, layout));
            }
        }
        levels.sort_by_key(|(factor, _)| *factor);
        Ok(Self {
            directory,
            levels,
            pages: u32::try_from(groups.len()).expect("chains are bounded"),
        })
    }
}

/// The level that `candidate` is of the picture `full`, if it is one that can be read and is not among the
/// `known` ones.
fn level(
    file: &File,
    candidate: &Directory,
    full: &Layout,
    known: &[(ScaleFactor, Arc<Layout>)],
    limits: &DecodeLimits,
) -> Result<Option<(ScaleFactor, Arc<Layout>)>> {
    let Some(factor) = reduction(file, candidate, full.grid.image, &full.pixels)? else {
        return Ok(None);
    };
    if known.iter().any(|(known, _)| *known == factor) {
        return Ok(None);
    }
    match Layout::read(file, candidate, limits) {
        Ok(layout) => Ok(Some((factor, Arc::new(layout)))),
        Err(error) if error.kind() == ErrorKind::NotImplemented => Ok(None),
        Err(error) => Err(error.while_doing("reading a level of a pyramid")),
    }
}

/// By how much `candidate` is smaller than a picture of `full` with `pixels`, if it shows the same.
fn reduction(
    file: &File,
    candidate: &Directory,
    full: crate::geometry::Dimensions,
    pixels: &Pixels,
) -> Result<Option<ScaleFactor>> {
    if !candidate.has(tags::IMAGE_WIDTH) {
        return Ok(None);
    }
    let dimensions = grid::dimensions(file, candidate)?;
    let factor = ScaleFactor::of_level(full, dimensions).filter(|factor| factor.get() >= 2);
    let alike = match Pixels::read(file, candidate) {
        Ok(own) => own.alike(pixels),
        Err(error) if error.kind() == ErrorKind::NotImplemented => false,
        Err(error) => return Err(error),
    };
    Ok(factor.filter(|_| alike))
}

fn groups(file: &File, chain: &[Directory]) -> Result<Vec<Group>> {
    let roles: Vec<Role> = chain
        .iter()
        .map(|directory| role(file, directory))
        .collect::<Result<_>>()?;
    if roles.iter().all(|role| *role == Role::Plain) && is_one_chain(file, chain)? {
        return Ok(vec![Group {
            full: 0,
            reduced: (1..chain.len()).collect(),
        }]);
    }
    Ok(group(&roles))
}

/// Pages, each with the reduced directories behind it; those before the first page are its own too.
fn group(roles: &[Role]) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let mut leading = Vec::new();
    for (at, role) in roles.iter().enumerate() {
        match role {
            Role::Plain | Role::Page => groups.push(Group {
                full: at,
                reduced: std::mem::take(&mut leading),
            }),
            Role::Reduced => groups
                .last_mut()
                .map_or(&mut leading, |group| &mut group.reduced)
                .push(at),
            Role::Mask => {}
        }
    }
    if groups.is_empty() {
        // A file of nothing but reduced pictures shows its first.
        groups.push(Group::default());
    }
    groups
}

/// Whether all directories after the first are its reductions, by growing factors.
fn is_one_chain(file: &File, chain: &[Directory]) -> Result<bool> {
    let [first, others @ ..] = chain else {
        return Ok(false);
    };
    if others.is_empty() {
        return Ok(false);
    }
    let full = grid::dimensions(file, first)?;
    let pixels = Pixels::read(file, first)?;
    let mut last = ScaleFactor::ONE;
    for other in others {
        match reduction(file, other, full, &pixels) {
            Ok(Some(factor)) if factor > last => last = factor,
            Ok(_) => return Ok(false),
            // Whatever is wrong with a later picture is no matter of the first.
            Err(error) if error.kind() == ErrorKind::Corrupt => return Ok(false),
            Err(error) => return Err(error),
        }
    }
    Ok(true)
}

fn role(file: &File, directory: &Directory) -> Result<Role> {
    let flags = file.number(directory, tags::NEW_SUBFILE_TYPE)?.unwrap_or(0);
    let old = file.number(directory, tags::SUBFILE_TYPE)?.unwrap_or(0);
    Ok(match (flags, old) {
        (flags, _) if flags & 4 != 0 => Role::Mask,
        (flags, _) if flags & 1 != 0 => Role::Reduced,
        (flags, _) if flags & 2 != 0 => Role::Page,
        (_, 2) => Role::Reduced,
        (_, 3) => Role::Page,
        _ => Role::Plain,
    })
}

fn sub_directories(file: &File, page: &Directory, visited: &mut Visited) -> Result<Vec<Directory>> {
    let offsets = file.numbers(page, tags::SUB_IFDS, MAX_SUB_DIRECTORIES)?;
    let mut directories = Vec::new();
    for offset in offsets.unwrap_or_default() {
        let directory = file.directory(offset, visited)?;
        if role(file, &directory)? != Role::Mask {
            directories.push(directory);
        }
    }
    Ok(directories)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reduced_directories_belong_to_the_page_before_them() {
        use Role::{Mask, Page, Plain, Reduced};
        let group_of = |full, reduced: &[usize]| Group {
            full,
            reduced: reduced.to_vec(),
        };
        assert_eq!(
            group(&[Plain, Reduced, Reduced, Mask, Page, Reduced]),
            [group_of(0, &[1, 2]), group_of(4, &[5])]
        );
        assert_eq!(group(&[Reduced, Plain]), [group_of(1, &[0])]);
        assert_eq!(group(&[Reduced, Reduced]), [group_of(0, &[])]);
        assert_eq!(group(&[Plain, Plain]), [group_of(0, &[]), group_of(1, &[])]);
    }
}
