//! Clients that send anything: each is answered or let go, and what is stored stays right.

use std::io::Write as _;
use std::sync::OnceLock;

use proptest::collection::vec;
use proptest::prelude::*;

use super::super::export::Export;
use super::super::handshake::negotiate;
use super::super::input::Input;
use super::client::{Client, Served, option, request, served};
use crate::engine::Source;

fn export() -> &'static Export {
    static SERVED: OnceLock<Served> = OnceLock::new();
    &SERVED.get_or_init(served).snapshot
}

/// Sends all of it to a server, whether it listens or not.
fn pour(client: &Client, bytes: Vec<u8>) -> std::thread::JoinHandle<()> {
    let mut stream = client.stream.try_clone().unwrap();
    std::thread::spawn(move || {
        // It may be let go in the midst of it.
        let _ = stream.write_all(&bytes);
        let _ = stream.shutdown(std::net::Shutdown::Write);
    })
}

/// An option that is well made on the outside.
fn any_option() -> impl Strategy<Value = Vec<u8>> {
    let name = prop_oneof![Just(vec![0, 0, 0, 0]), Just(b"\0\0\0\x03v@s".to_vec())];
    let data = prop_oneof![
        vec(any::<u8>(), 0..40),
        (name, vec(any::<u8>(), 0..40)).prop_map(|(name, rest)| [name, rest].concat()),
        Just(b"\0\0\0\0\0\0\0\x01\0\0\0\x0fbase:allocation".to_vec()),
        Just(Vec::new()),
    ];
    (0..14_u32, data).prop_map(|(kind, data)| option(kind, &data))
}

/// A request whose header is well made.
fn any_request() -> impl Strategy<Value = Vec<u8>> {
    let offset = prop_oneof![any::<u64>(), 0..(9_u64 << 20)];
    let length = prop_oneof![any::<u32>(), 0..70_000_u32];
    (any::<u16>(), 0..9_u16, offset, length)
        .prop_map(|(flags, kind, offset, length)| request(flags % 64, kind, offset, length))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_bytes_end_the_handshake(bytes in vec(any::<u8>(), 0..200)) {
        let mut out = Vec::new();
        let _ = negotiate(&mut Input::new(&bytes[..], 64), &mut out, export());
        prop_assert!(out.len() >= 18);
    }

    #[test]
    fn any_options_are_answered_or_end_the_handshake(
        flags in prop_oneof![Just(3_u32), Just(1), any::<u32>()],
        options in vec(any_option(), 0..20),
        tail in vec(any::<u8>(), 0..30),
    ) {
        let bytes = [flags.to_be_bytes().to_vec(), options.concat(), tail].concat();
        let mut out = Vec::new();
        let _ = negotiate(&mut Input::new(&bytes[..], 64), &mut out, export());
        // What is answered is well made: magic, and lengths that agree.
        let mut rest = &out[18..];
        while rest.len() >= 20 && rest.starts_with(&0x0003_e889_0455_65a9_u64.to_be_bytes()) {
            let length = u32::from_be_bytes(rest[16..20].try_into().unwrap()) as usize;
            prop_assert!(rest.len() >= 20 + length);
            rest = &rest[20 + length..];
        }
        // `EXPORT_NAME` alone is answered otherwise, at the end of it all.
        prop_assert!([0, 10, 134].contains(&rest.len()), "{} bytes are left", rest.len());
    }

    #[test]
    fn any_requests_are_answered_or_end_the_connection(
        requests in vec(any_request(), 0..30),
        tail in vec(any::<u8>(), 0..60),
    ) {
        let client = Client::begun(export(), &["base:allocation"]);
        let pouring = pour(&client, [requests.concat(), tail].concat());
        let (replies, _) = client.finish_reading();
        pouring.join().unwrap();
        let mut rest = &replies[..];
        while !rest.is_empty() {
            let length = match rest[..4] {
                [0x67, 0x44, 0x66, 0x98] => 16,
                [0x66, 0x8e, 0x33, 0xef] => {
                    20 + u32::from_be_bytes(rest[16..20].try_into().unwrap()) as usize
                }
                _ => return Err(TestCaseError::fail("a reply without its magic number")),
            };
            prop_assert!(rest.len() >= length);
            rest = &rest[length..];
        }
    }
}

#[test]
fn writes_cut_short_write_nothing() {
    let served = served();
    let mut client = Client::begun(&served.export, &[]);
    client.send(&request(0, 1, 8192, 4096));
    client.send(&[9; 4095]);
    let (replies, ended) = client.finish();
    assert!(replies.is_empty());
    assert!(ended.is_err());
    let mut block = [0; 4096];
    let source = Source::Volume(served.volume);
    served.store.read(source, 8192, &mut block).unwrap();
    assert_eq!(block, [7; 4096]);
}
