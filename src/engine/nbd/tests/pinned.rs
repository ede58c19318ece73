//! The bytes of the handshake and of replies, as the protocol document has them.

use super::client::{Client, SIZE, option, request, served};

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

const OPTION_REPLY: &str = "0003e889045565a9";

#[test]
fn the_handshake() {
    let served = served();
    let mut client = Client::connect(&served.export);
    assert_eq!(
        hex(&client.read(18)),
        "4e42444d4147494349484156454f50540003"
    );
    client.send(&3_u32.to_be_bytes());
    client.send(&option(8, &[]));
    assert_eq!(
        hex(&client.read(20)),
        format!("{OPTION_REPLY}000000080000000100000000")
    );
    // LIST: the name, then a description.
    client.send(&option(3, &[]));
    let list = client.read(20 + 4 + 1 + served.export.description.len());
    assert_eq!(&hex(&list)[..32], format!("{OPTION_REPLY}0000000300000002"));
    assert_eq!(&list[20..25], b"\0\0\0\x01v");
    assert_eq!(&list[25..], served.export.description.as_bytes());
    client.read(20);
    // GO of the default export: size and flags, block sizes, ACK.
    client.send(&option(7, &[0; 6]));
    assert_eq!(
        hex(&client.read(86)),
        [
            OPTION_REPLY,
            "00000007000000030000000c",
            "0000",
            "0000000000800000",
            "09ed",
            OPTION_REPLY,
            "00000007000000030000000e",
            "0003",
            "000000010000100002000000",
            OPTION_REPLY,
            "000000070000000100000000",
        ]
        .concat()
    );
    // A soft disconnect.
    client.send(&request(0, 2, 0, 0));
    let (rest, ended) = client.finish();
    assert!(rest.is_empty());
    ended.unwrap();
}

#[test]
fn the_old_way_in_and_simple_replies() {
    let served = served();
    for (flags, zeroes) in [(1_u32, 124), (3, 0)] {
        let mut client = Client::connect(&served.snapshot);
        client.read(18);
        client.send(&flags.to_be_bytes());
        client.send(&option(1, b"v@s"));
        let answer = client.read(10 + zeroes);
        assert_eq!(answer[..8], SIZE.to_be_bytes());
        // Read-only, and no DF flag where replies are simple.
        assert_eq!(hex(&answer[8..10]), "010f");
        assert!(answer[10..].iter().all(|byte| *byte == 0));
        client.send(&request(0, 0, 8190, 4));
        assert_eq!(
            hex(&client.read(20)),
            format!("6744669800000000{}00000707", hex(b"a cookie"))
        );
        client.send(&request(0, 1, 0, 2));
        client.send(b"no");
        assert_eq!(
            hex(&client.read(16)),
            format!("6744669800000001{}", hex(b"a cookie"))
        );
        client.finish().1.unwrap();
    }
}

#[test]
fn structured_replies() {
    let served = served();
    let mut client = Client::begun(&served.export, &["base:allocation"]);
    let cookie = hex(b"a cookie");
    client.send(&request(0, 0, 8190, 4));
    assert_eq!(
        hex(&client.read(32)),
        format!("668e33ef00010001{cookie}0000000c0000000000001ffe00000707")
    );
    // A hole of 128 KiB.
    client.send(&request(0, 0, 1 << 20, 128 << 10));
    assert_eq!(
        hex(&client.read(32)),
        format!("668e33ef00010002{cookie}0000000c000000000010000000020000")
    );
    // An error, with its words.
    client.send(&request(0, 0, SIZE, 1));
    let words = "the range reaches beyond the end";
    let reply = client.read(26 + words.len());
    assert_eq!(
        hex(&reply[..26]),
        format!("668e33ef00018001{cookie}00000026000000160020")
    );
    assert_eq!(&reply[26..], words.as_bytes());
    // Three pieces: a hole that reads as zeroes, data, a hole.
    client.send(&request(0, 7, 4096, 16384));
    assert_eq!(
        hex(&client.read(48)),
        format!(
            "668e33ef00010005{cookie}0000001c00000001{}{}{}",
            "0000100000000003", "0000100000000000", "0000200000000003"
        )
    );
    client.finish().1.unwrap();
}
