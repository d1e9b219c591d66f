//! The text of the shaders: a file of its own for each, with what it imports in place of each
//! `#import` line.

/// What several shaders share, by name.
const SHARED: &[(&str, &str)] = &[
    (
        "arena",
        include_str!("../../../../shaders/shared/arena.wgsl"),
    ),
    (
        "pixels",
        include_str!("../../../../shaders/shared/pixels.wgsl"),
    ),
    ("tone", include_str!("../../../../shaders/shared/tone.wgsl")),
    ("jpeg", include_str!("../../../../shaders/shared/jpeg.wgsl")),
];

/// The shaders, ready to be compiled.
#[derive(Debug, Clone)]
pub(super) struct Shaders {
    /// Windows of tiles.
    pub(super) gather: String,
    /// Boxes of 2×2.
    pub(super) shrink: String,
    /// Resampling and what is fused with it.
    pub(super) resample: String,
    /// Any angle.
    pub(super) rotate: String,
    /// Coefficients of JPEG files.
    pub(super) jpeg_fdct: String,
    /// Codes of JPEG files.
    pub(super) jpeg_huffman: String,
}

impl Shaders {
    /// Those of the build.
    pub(super) fn new() -> Self {
        Self {
            gather: assembled(include_str!("../../../../shaders/gather.wgsl")),
            shrink: assembled(include_str!("../../../../shaders/shrink.wgsl")),
            resample: assembled(include_str!("../../../../shaders/resample.wgsl")),
            rotate: assembled(include_str!("../../../../shaders/rotate.wgsl")),
            jpeg_fdct: assembled(include_str!("../../../../shaders/jpeg_fdct.wgsl")),
            jpeg_huffman: assembled(include_str!("../../../../shaders/jpeg_huffman.wgsl")),
        }
    }

    /// The same with `change` made to each.
    pub(super) fn changed(&self, change: impl Fn(&str) -> String) -> Self {
        Self {
            gather: change(&self.gather),
            shrink: change(&self.shrink),
            resample: change(&self.resample),
            rotate: change(&self.rotate),
            jpeg_fdct: change(&self.jpeg_fdct),
            jpeg_huffman: change(&self.jpeg_huffman),
        }
    }
}

/// `text` with every `#import NAME` replaced by what is shared under that name. A name that is not
/// known stays, and no compiler takes it.
fn assembled(text: &str) -> String {
    let mut whole = String::new();
    for line in text.lines() {
        let shared = line.strip_prefix("#import ").and_then(shared);
        whole.push_str(shared.unwrap_or(line));
        whole.push('\n');
    }
    whole
}

fn shared(name: &str) -> Option<&'static str> {
    let known = SHARED.iter().find(|(known, _)| *known == name);
    known.map(|(_, text)| *text)
}

#[cfg(test)]
mod tests {
    use std::mem::{offset_of, size_of};

    use naga::valid::{Capabilities, ValidationFlags, Validator};

    use super::super::records::{Across, Columns, Entry, Gathering, Halving, Rotation, Turned};
    use super::*;

    fn parsed(text: &str) -> naga::Module {
        let module = naga::front::wgsl::parse_str(text);
        module.unwrap_or_else(|error| panic!("{}", error.emit_to_string(text)))
    }

    #[test]
    fn every_shader_is_valid_without_any_extension() {
        let Shaders {
            gather,
            shrink,
            resample,
            rotate,
            jpeg_fdct,
            jpeg_huffman,
        } = Shaders::new();
        for (text, entries) in [
            (gather, 1),
            (shrink, 1),
            (resample, 2),
            (rotate, 1),
            (jpeg_fdct, 1),
            (jpeg_huffman, 4),
        ] {
            let module = parsed(&text);
            assert_eq!(module.entry_points.len(), entries);
            let mut validator = Validator::new(ValidationFlags::all(), Capabilities::empty());
            let valid = validator.validate(&module);
            assert!(valid.is_ok(), "{:?}", valid.err());
        }
    }

    #[test]
    fn an_import_that_is_not_known_does_not_compile() {
        let text = assembled("#import nothing\n");
        assert!(naga::front::wgsl::parse_str(&text).is_err());
    }

    /// Members and offsets of a struct in a shader, and its size.
    fn layout(text: &str, name: &str) -> (Vec<(String, u32)>, u32) {
        let module = parsed(text);
        let found = module
            .types
            .iter()
            .find(|(_, kind)| kind.name.as_deref() == Some(name));
        let Some((_, kind)) = found else {
            panic!("{name} is not there");
        };
        let naga::TypeInner::Struct { members, span } = &kind.inner else {
            panic!("{name} is no struct");
        };
        let members = members.iter().map(|member| {
            let name = member.name.clone().expect("a member has a name");
            (name, member.offset)
        });
        (members.collect(), *span)
    }

    macro_rules! same_layout {
        ($text:expr, $record:ident { $($member:ident),+ $(,)? }) => {
            let (members, span) = layout(&$text, stringify!($record));
            let host = vec![$((stringify!($member).to_owned(), offset_of!($record, $member))),+];
            let members: Vec<(String, usize)> =
                members.into_iter().map(|(name, at)| (name, at as usize)).collect();
            assert_eq!(members, host, stringify!($record));
            assert_eq!(span as usize, size_of::<$record>(), stringify!($record));
        };
    }

    #[test]
    fn records_are_laid_out_as_shaders_read_them() {
        let shaders = Shaders::new();
        same_layout!(
            shaders.gather,
            Gathering {
                to_offset,
                to_stride,
                to_width,
                to_height,
                channels,
                left,
                top,
                cell_width,
                cell_height,
                columns,
                tiles,
            }
        );
        same_layout!(shaders.shrink, Entry { record, tile });
        same_layout!(
            shaders.rotate,
            Turned {
                record,
                tile,
                right,
                down
            }
        );
        same_layout!(
            shaders.shrink,
            Halving {
                from_offset,
                from_stride,
                from_width,
                from_height,
                to_offset,
                to_stride,
                to_width,
                to_height,
                channels,
            }
        );
    }

    #[test]
    fn records_of_resampling_and_turns_are_laid_out_as_shaders_read_them() {
        let shaders = Shaders::new();
        same_layout!(
            shaders.resample,
            Columns {
                from_offset,
                from_stride,
                channels,
                group_start,
                to_offset,
                to_stride,
                groups,
                height,
                starts,
                weights,
                taps,
                bits,
                multiply,
            }
        );
        same_layout!(
            shaders.resample,
            Across {
                from_offset,
                from_stride,
                channels,
                skip,
                width,
                height,
                starts,
                weights,
                taps,
                bits,
                mirror,
                turns,
                steps,
                tone,
                background,
                to_offset,
                to_stride,
                to_channels,
                to_width,
                to_height,
            }
        );
        same_layout!(
            shaders.rotate,
            Rotation {
                from_offset,
                from_stride,
                from_width,
                from_height,
                to_offset,
                to_stride,
                to_channels,
                to_width,
                to_height,
                cos,
                sin,
                outside,
                alpha,
                tone,
                phases,
            }
        );
    }

    #[test]
    fn flags_mean_the_same_on_both_sides() {
        use super::super::records::*;

        let text = Shaders::new().resample;
        for (name, value) in [
            ("MULTIPLY", MULTIPLY),
            ("DIVIDE", DIVIDE),
            ("FLATTEN", FLATTEN),
            ("SPREAD", SPREAD),
            ("MULTIPLY_AFTER", MULTIPLY_AFTER),
            ("OPAQUE", OPAQUE),
            ("GRAY", GRAY),
            ("BITONAL", BITONAL),
            ("IS_GRAY", IS_GRAY),
        ] {
            let line = format!("const {name}: u32 = {value}u;");
            assert!(text.contains(&line), "the shader lacks `{line}`");
        }
    }
}
