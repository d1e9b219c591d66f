//! Both decoders against the `weezl` crate's: on its own streams, on others that it reads, on damage.

use proptest::collection::vec;
use proptest::prelude::*;
use weezl::{BitOrder, LzwStatus};

use super::{Pieces, Whole};
use crate::error::{ErrorKind, Result};

fn packed(plain: &[u8]) -> Vec<u8> {
    weezl::encode::Encoder::with_tiff_size_switch(BitOrder::Msb, 8)
        .encode(plain)
        .expect("any bytes can be packed")
}

/// The first `count` bytes by `weezl`; none where it finds fewer or damage before.
fn reference(stream: &[u8], count: usize) -> Option<Vec<u8>> {
    let mut decoder = weezl::decode::Configuration::with_tiff_size_switch(BitOrder::Msb, 8)
        .with_yield_on_full_buffer(true)
        .build();
    let mut out = vec![0; count];
    let (mut at, mut done) = (0, 0);
    while done < count {
        let result = decoder.decode_bytes(&stream[at..], &mut out[done..]);
        at += result.consumed_in;
        done += result.consumed_out;
        match result.status {
            Ok(LzwStatus::Ok) if result.consumed_in + result.consumed_out > 0 => {}
            _ if done == count => {}
            Ok(_) | Err(_) => return None,
        }
    }
    Some(out)
}

fn whole(stream: &[u8], count: usize) -> Option<Vec<u8>> {
    let mut out = vec![0xAA; count];
    Whole::new().fill(stream, &mut out).then_some(out)
}

/// The first `count` bytes, with at most `input` bytes in and `output` bytes out at a time.
fn pieces(stream: &[u8], count: usize, input: usize, output: usize) -> Result<Option<Vec<u8>>> {
    let mut decoder = Pieces::new();
    let mut out = vec![0; count];
    let (mut at, mut done) = (0, 0);
    while done < count {
        let end = stream.len().min(at + input);
        let until = count.min(done + output);
        let (used, made) = decoder.step(&stream[at..end], &mut out[done..until])?;
        if made == 0 && used == 0 {
            return Ok(None);
        }
        (at, done) = (at + used, done + made);
    }
    Ok(Some(out))
}

fn both_agree(stream: &[u8], count: usize) {
    let wanted = reference(stream, count);
    assert!(whole(stream, count) == wanted, "whole, {count} bytes");
    let in_pieces = pieces(stream, count, usize::MAX - stream.len(), count);
    match in_pieces {
        Ok(got) => assert!(got == wanted, "pieces, {count} bytes"),
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::Corrupt);
            assert!(wanted.is_none(), "pieces call it damaged");
        }
    }
}

/// Codes as a stream, wide as a reader expects them.
fn coded(codes: &[u16]) -> Vec<u8> {
    let (mut stream, mut buffer, mut count) = (Vec::new(), 0_u32, 0);
    let mut growth = super::Growth::START;
    for code in codes {
        buffer = buffer << growth.width | u32::from(*code) & ((1 << growth.width) - 1);
        count += growth.width;
        while count >= 8 {
            count -= 8;
            stream.push(u8::try_from(buffer >> count & 0xff).unwrap());
        }
        if usize::from(*code) == super::CLEAR {
            growth = super::Growth::START;
        } else {
            growth.advance();
        }
    }
    stream.push(u8::try_from((buffer << 8 >> count) & 0xff).unwrap());
    stream
}

/// Bytes that repeat themselves in `period` ways, enough for several tables.
fn pattern(len: usize, period: usize) -> Vec<u8> {
    let mut state = 1_u32;
    let mut noise = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    };
    let mut all: Vec<u8> = (0..period.min(len)).map(|_| noise()).collect();
    while all.len() < len {
        let byte = all[all.len() - period];
        let now = noise();
        all.push(if now < 20 { now } else { byte });
    }
    all
}

#[test]
fn streams_of_every_kind_give_their_bytes_whole_and_in_pieces() {
    for len in [0, 1, 2, 15, 16, 17, 25, 4000, 70_000, 300_000] {
        for plain in [
            vec![7; len],
            pattern(len, 1),
            pattern(len, 3),
            pattern(len, 1000),
        ] {
            let stream = packed(&plain);
            assert!(whole(&stream, len).as_ref() == Some(&plain));
            for (input, output) in [(1, 1), (7, 100), (4096, 4096), (1 << 20, 1 << 20)] {
                let got = pieces(&stream, len, input, output).unwrap();
                assert!(
                    got.as_ref() == Some(&plain),
                    "{len}: {input} in, {output} out"
                );
            }
        }
    }
}

#[test]
fn a_decoder_that_has_been_used_starts_afresh() {
    let (first, second) = (pattern(5000, 7), pattern(6000, 11));
    let (mut whole, mut pieces) = (Whole::new(), Pieces::new());
    for plain in [&first, &second, &first] {
        let stream = packed(plain);
        let mut out = vec![0; plain.len()];
        assert!(whole.fill(&stream, &mut out) && out == **plain);
        pieces.reset();
        // Left in the middle of a string the second time.
        let (_, made) = pieces.step(&stream, &mut out[..4321]).unwrap();
        assert!(made == 4321 && out[..4321] == plain[..4321]);
    }
}

#[test]
fn a_stream_may_lack_its_first_clear_code() {
    let plain = pattern(3000, 5);
    let codes: Vec<u16> = plain.iter().take(200).map(|byte| (*byte).into()).collect();
    let stream = coded(&codes);
    both_agree(&stream, 200);
    assert_eq!(whole(&stream, 200).unwrap(), plain[..200]);
}

#[test]
fn a_full_table_serves_until_it_is_cleared() {
    // 5000 codes without a clear code, from all parts of the table; then a table anew.
    let mut codes = vec![256];
    for n in 0_u16..5000 {
        let newest = 256 + n.min(3839);
        codes.push(if n % 3 == 0 || newest < 300 {
            n & 0xff
        } else {
            258 + n.wrapping_mul(77) % (newest - 258)
        });
    }
    codes.extend([256, 1, 2, 258, 260, 257]);
    let stream = coded(&codes);
    let mut most = 0;
    while reference(&stream, most + 500).is_some() {
        most += 500;
    }
    assert!(most > 10_000, "{most} bytes");
    for count in [most, most - 1, most - 13] {
        both_agree(&stream, count);
    }
    for count in most..most + 500 {
        both_agree(&stream, count);
    }
}

#[test]
fn streams_that_end_early_and_codes_without_a_string_are_told() {
    for codes in [
        &[256, 257][..],
        &[256, 65, 257],
        &[256, 258],
        &[256, 65, 259],
        &[256, 65, 66, 256, 258],
        &[256, 256, 256],
        &[],
    ] {
        let stream = coded(codes);
        both_agree(&stream, 40);
        assert_eq!(whole(&stream, 40), None, "{codes:?}");
    }
    let refused = pieces(&coded(&[256, 65, 259]), 40, 100, 100).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Corrupt);
    let stream = packed(&pattern(9000, 9));
    for len in (0..stream.len()).step_by(37) {
        both_agree(&stream[..len], 9000);
    }
}

#[test]
fn what_is_too_large_for_the_whole_way_is_left_to_the_other() {
    let plain = pattern((1 << 20) + 1, 50);
    let stream = packed(&plain);
    assert_eq!(whole(&stream, plain.len()), None);
    assert!(whole(&stream, 1 << 20).unwrap() == plain[..1 << 20]);
    let got = pieces(&stream, plain.len(), 1000, 1 << 18).unwrap();
    assert!(got.unwrap() == plain);
}

proptest! {
    #[test]
    fn any_bytes_come_back(plain in vec(any::<u8>(), 0..6000), few in vec(0_u8..3, 0..6000)) {
        for plain in [plain, few] {
            let stream = packed(&plain);
            both_agree(&stream, plain.len());
            both_agree(&stream, plain.len() + 1);
            both_agree(&stream, plain.len() / 2);
        }
    }

    #[test]
    fn any_codes_are_read_as_weezl_reads_them(
        codes in vec(prop_oneof![3 => 0_u16..256, 4 => 258_u16..300, 1 => 256_u16..600], 1..900),
        count in 1_usize..3000,
    ) {
        both_agree(&coded(&codes), count);
    }

    #[test]
    fn damage_is_told_alike(
        period in 1_usize..40,
        at in any::<prop::sample::Index>(),
        flip in 1_u8..=255,
        cut in any::<prop::sample::Index>(),
    ) {
        let plain = pattern(5000, period);
        let mut stream = packed(&plain);
        let place = at.index(stream.len());
        stream[place] ^= flip;
        stream.truncate(cut.index(stream.len()) + 1);
        for count in [1000, 5000] {
            both_agree(&stream, count);
        }
    }
}
