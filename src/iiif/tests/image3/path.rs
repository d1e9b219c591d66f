//! The path and its encoding: I3-URI, I3-ENC.

use super::*;

#[test]
fn i3_uri_01_a_request_has_five_parts() {
    for segments in [
        &["id", "full", "max", "0"][..],
        &["id", "full", "max", "0", "default.jpg", "x"],
        &[],
    ] {
        let error = ImageRequest::parse(V3, segments, None).expect_err("wrong number of parts");
        assert_eq!(error.kind(), ErrorKind::BadRequest);
        assert_eq!(error.parameter(), None);
    }
}

#[test]
fn i3_uri_09_the_last_segment_splits_at_its_last_dot() {
    assert_bad_v3("full/max/0/default", Parameter::Format);
    assert_bad_v3("full/max/0/default.", Parameter::Format);
    assert_bad_v3("full/max/0/.jpg", Parameter::Quality);
    assert_bad_v3("full/max/0/default.png.jpg", Parameter::Quality);
    assert_bad_v3("full/max/0/", Parameter::Format);
}

#[test]
fn i3_uri_11_values_are_case_sensitive() {
    assert_bad_v3("FULL/max/0/default.jpg", Parameter::Region);
    assert_bad_v3("Square/max/0/default.jpg", Parameter::Region);
    assert_bad_v3("PCT:0,0,1,1/max/0/default.jpg", Parameter::Region);
    assert_bad_v3("full/Max/0/default.jpg", Parameter::Size);
    assert_bad_v3("full/Pct:5/0/default.jpg", Parameter::Size);
    assert_bad_v3("full/max/0/Default.jpg", Parameter::Quality);
    assert_bad_v3("full/max/0/default.JPG", Parameter::Format);
}

#[test]
fn i3_enc_04_encoded_characters_are_those_characters() {
    let rules = up_to_width(600);
    for (raw, plain) in [
        (
            "0%2C0%2c150,100/%5Emax/%2190/gray%2Ejpg",
            "0,0,150,100/^max/!90/gray.jpg",
        ),
        (
            "pct%3A0,0,50,50/%2110,10/0/%64efault.jpg",
            "pct:0,0,50,50/!10,10/0/default.jpg",
        ),
    ] {
        assert_eq!(parse(V3, raw).expect(raw), parse(V3, plain).expect(plain));
        assert!(resolve(V3, raw, &rules).is_ok());
    }
}

#[test]
fn i3_enc_05_every_segment_is_decoded_once() {
    assert_bad_v3("full/%255Emax/0/default.jpg", Parameter::Size);
    assert_bad_v3("%2566ull/max/0/default.jpg", Parameter::Region);
    let identifier = Identifier::parse_segment("a%252Fb").expect("an identifier");
    assert_eq!(identifier.as_str(), "a%2Fb");
}

#[test]
fn i3_enc_06_literal_percent_signs_survive() {
    let raw = "urn:sici:1046-8188(199501)13:1%253C69:FTTHBI%253E2.0.TX;2-4";
    let identifier = Identifier::parse_segment(raw).expect("an identifier");
    assert_eq!(
        identifier.as_str(),
        "urn:sici:1046-8188(199501)13:1%3C69:FTTHBI%3E2.0.TX;2-4"
    );
    assert_eq!(identifier.encoded(), raw);
}

#[test]
fn i3_enc_07_the_examples_of_the_specification_travel() {
    for (plain, raw) in [
        ("ark:/12025/654xz321", "ark:%2F12025%2F654xz321"),
        ("urn:foo:a123,456", "urn:foo:a123,456"),
        (
            "http://example.com/?54#a",
            "http:%2F%2Fexample.com%2F%3F54%23a",
        ),
    ] {
        assert_eq!(Identifier::new(plain).expect(plain).encoded(), raw);
        assert_eq!(Identifier::parse_segment(raw).expect(raw).as_str(), plain);
    }
}

#[test]
fn i3_enc_08_a_plus_in_an_identifier_is_a_plus() {
    assert_eq!(
        Identifier::parse_segment("a+b")
            .expect("an identifier")
            .as_str(),
        "a+b"
    );
}

#[test]
fn i3_enc_11_what_cannot_be_decoded_is_a_bad_request_about_its_segment() {
    for bad in ["%", "%2", "%zz", "%00", "%0A", "%FF", "%C0%AF"] {
        let error = Identifier::parse_segment(bad).expect_err(bad);
        assert_eq!(
            (error.kind(), error.parameter()),
            (ErrorKind::BadRequest, Some(Parameter::Identifier))
        );
        assert_bad_v3(&format!("{bad}/max/0/default.jpg"), Parameter::Region);
        assert_bad_v3(&format!("full/{bad}/0/default.jpg"), Parameter::Size);
        assert_bad_v3(&format!("full/max/{bad}/default.jpg"), Parameter::Rotation);
        assert_bad_v3(&format!("full/max/0/default{bad}.jpg"), Parameter::Quality);
    }
}

#[test]
fn i3_sec_02_an_identifier_is_neither_empty_nor_endless() {
    assert!(Identifier::parse_segment("").is_err());
    assert!(Identifier::new("").is_err());
    assert!(Identifier::new("a\nb").is_err());
    assert!(Identifier::new(&"é".repeat(2048)).is_ok());
    assert!(Identifier::new(&"a".repeat(4097)).is_err());
}
