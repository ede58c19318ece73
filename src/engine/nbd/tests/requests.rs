//! Each request does what the protocol document says, and refuses what it says.

use super::client::{Client, SIZE, option, request, served};
use crate::engine::Source;

const FUA: u16 = 1;
const NO_HOLE: u16 = 2;
const DF: u16 = 4;
const REQ_ONE: u16 = 8;
const FAST_ZERO: u16 = 16;

/// The error number of a reply to a request without content; 0 for success.
fn outcome(client: &mut Client) -> u32 {
    let head = client.read(16);
    if head[..4] == [0x67, 0x44, 0x66, 0x98] {
        return u32::from_be_bytes(head[4..8].try_into().unwrap());
    }
    assert_eq!(head[..4], [0x66, 0x8e, 0x33, 0xef]);
    assert!(head[6] & 0x80 != 0, "content where none was expected");
    let length = client.read(4);
    let length = u32::from_be_bytes(length.try_into().unwrap());
    let body = client.read(length as usize);
    u32::from_be_bytes(body[..4].try_into().unwrap())
}

fn ask(client: &mut Client, flags: u16, kind: u16, offset: u64, length: u32) -> u32 {
    client.send(&request(flags, kind, offset, length));
    outcome(client)
}

/// A structured read that comes as one chunk of data.
fn read(client: &mut Client, offset: u64, length: u32) -> Vec<u8> {
    client.send(&request(DF, 0, offset, length));
    client.read(28 + length as usize)[28..].to_vec()
}

/// The states of a range in one context.
fn status(client: &mut Client, flags: u16, offset: u64, length: u32) -> Vec<(u32, u32)> {
    client.send(&request(flags, 7, offset, length));
    let head = client.read(20);
    assert_eq!(head[4..8], [0, 1, 0, 5]);
    let length = u32::from_be_bytes(head[16..].try_into().unwrap());
    let body = client.read(length as usize);
    let (numbers, _) = body[4..].as_chunks();
    let numbers: Vec<u32> = numbers.iter().map(|n| u32::from_be_bytes(*n)).collect();
    numbers.chunks(2).map(|pair| (pair[0], pair[1])).collect()
}

#[test]
fn what_is_written_is_read_at_any_offset() {
    let served = served();
    let mut client = Client::begun(&served.export, &[]);
    client.send(&request(FUA, 1, 5000, 3));
    client.send(b"abc");
    assert_eq!(outcome(&mut client), 0);
    assert_eq!(read(&mut client, 4999, 5), b"\0abc\0");
    assert_eq!(ask(&mut client, 0, 3, 0, 0), 0);
    // Zeroes, trims, and the flags that go with them.
    assert_eq!(ask(&mut client, FUA, 6, 5001, 1), 0);
    assert_eq!(read(&mut client, 4999, 5), b"\0a\0c\0");
    assert_eq!(ask(&mut client, FAST_ZERO, 6, 5000, 3), 95);
    assert_eq!(read(&mut client, 5000, 3), b"a\0c");
    assert_eq!(ask(&mut client, FAST_ZERO | NO_HOLE, 6, 4096, 4096), 0);
    assert_eq!(read(&mut client, 5000, 3), b"\0\0\0");
    assert_eq!(ask(&mut client, FUA, 4, 8192, 4096), 0);
    assert_eq!(read(&mut client, 8192, 4096), [0; 4096]);
    client.finish().1.unwrap();
    let mut bytes = [0; 3];
    served
        .store
        .read(Source::Volume(served.volume), 5000, &mut bytes)
        .unwrap();
    assert_eq!(bytes, [0; 3]);
}

#[test]
fn what_cannot_be_done_is_refused_and_the_connection_goes_on() {
    let served = served();
    let mut client = Client::begun(&served.export, &[]);
    // Beyond the end.
    assert_eq!(ask(&mut client, 0, 0, SIZE - 1, 2), 22);
    assert_eq!(ask(&mut client, 0, 0, u64::MAX, 2), 22);
    client.send(&request(0, 1, SIZE - 1, 2));
    client.send(b"no");
    assert_eq!(outcome(&mut client), 28);
    assert_eq!(ask(&mut client, 0, 4, u64::MAX, 2), 28);
    assert_eq!(ask(&mut client, 0, 6, SIZE, 1), 28);
    // Commands and flags that are not known, or go with another command.
    assert_eq!(ask(&mut client, 0, 99, 0, 0), 22);
    assert_eq!(ask(&mut client, 0, 5, 0, 1), 22);
    assert_eq!(ask(&mut client, 0x8000, 0, 0, 1), 22);
    assert_eq!(ask(&mut client, DF, 4, 0, 4096), 22);
    assert_eq!(ask(&mut client, NO_HOLE, 4, 0, 4096), 22);
    // No context was agreed on.
    assert_eq!(ask(&mut client, 0, 7, 0, 4096), 22);
    // Longer than a payload may be; a write's is read over.
    assert_eq!(ask(&mut client, 0, 0, 0, (32 << 20) + 1), 22);
    client.send(&request(0, 1, 0, (32 << 20) + 1));
    client.send(&vec![1; (32 << 20) + 1]);
    assert_eq!(outcome(&mut client), 22);
    // Nothing at all is no fault.
    for kind in [1, 3, 4, 6] {
        assert_eq!(ask(&mut client, 0, kind, 0, 0), 0);
    }
    assert_eq!(read(&mut client, 8192, 1), [7]);
    client.finish().1.unwrap();
}

#[test]
fn a_snapshot_can_only_be_read() {
    let served = served();
    let mut client = Client::begun(&served.snapshot, &[]);
    client.send(&request(0, 1, 0, 2));
    client.send(b"no");
    assert_eq!(outcome(&mut client), 1);
    assert_eq!(ask(&mut client, 0, 4, 0, 4096), 1);
    assert_eq!(ask(&mut client, 0, 6, 0, 4096), 1);
    assert_eq!(ask(&mut client, 0, 3, 0, 0), 0);
    assert_eq!(read(&mut client, 8192, 1), [7]);
    client.finish().1.unwrap();
}

#[test]
fn the_states_of_blocks() {
    let served = served();
    let (store, volume) = (&served.store, served.volume);
    store.write(volume, 1 << 20, &[1; 8192]).unwrap();
    store.discard(volume, 8192, 4096).unwrap();
    let mut client = Client::begun(&served.export, &["snapdeck:dirty-since:s"]);
    let dirty = status(&mut client, 0, 0, SIZE as u32);
    let mib = 1 << 20;
    assert_eq!(
        dirty,
        [
            (8192, 0),
            (4096, 1),
            (mib - 12288, 0),
            (8192, 1),
            (7 * mib - 8192, 0)
        ]
    );
    assert_eq!(status(&mut client, REQ_ONE, 9000, 4000), [(3288, 1)]);
    assert_eq!(ask(&mut client, 0, 7, 0, 0), 22);
    client.finish().1.unwrap();

    // Zeroes that were asked for without holes are allocated zeroes.
    let mut client = Client::begun(&served.export, &["base:allocation"]);
    assert_eq!(ask(&mut client, NO_HOLE, 6, 1 << 20, 4096), 0);
    assert_eq!(
        status(&mut client, 0, 1 << 20, 12288),
        [(4096, 2), (4096, 0), (4096, 3)]
    );
    assert_eq!(ask(&mut client, 0, 6, 1 << 20, 4096), 0);
    assert_eq!(
        status(&mut client, 0, 1 << 20, 12288),
        [(4096, 3), (4096, 0), (4096, 3)]
    );
    client.finish().1.unwrap();
}

#[test]
fn options_that_are_not_known_or_malformed_are_refused_and_the_talk_goes_on() {
    let served = served();
    let mut client = Client::connect(&served.export);
    client.read(18);
    client.send(&3_u32.to_be_bytes());
    let mut refused = |kind: u32, data: &[u8]| {
        client.send(&option(kind, data));
        let head = client.read(20);
        let length = u32::from_be_bytes(head[16..].try_into().unwrap());
        client.read(length as usize);
        assert_eq!(head[8..12], kind.to_be_bytes());
        u32::from_be_bytes(head[12..16].try_into().unwrap()) & !(1 << 31)
    };
    assert_eq!(refused(5, &[]), 1);
    assert_eq!(refused(11, &[]), 1);
    assert_eq!(refused(4711, b"what"), 1);
    assert_eq!(refused(3, b"data"), 3);
    assert_eq!(refused(7, b""), 3);
    assert_eq!(refused(7, b"\0\0\0\x05wrong\0\0"), 6);
    assert_eq!(refused(9, &[0; 8]), 3, "no structured replies yet");
    assert_eq!(refused(10, &vec![0; 100_000]), 9);
    client.send(&option(2, &[]));
    client.read(20);
    let (rest, ended) = client.finish();
    assert!(rest.is_empty());
    ended.unwrap();
}

#[test]
fn requests_sent_together_are_all_answered() {
    let served = served();
    let mut client = Client::begun(&served.export, &[]);
    let mut together = Vec::new();
    for i in 0..500_u64 {
        together.extend(request(
            if i % 50 == 0 { FUA } else { 0 },
            1,
            i * 4096,
            4096,
        ));
        together.extend([i as u8; 4096]);
    }
    let mut sending = client.stream.try_clone().unwrap();
    let sent = std::thread::spawn(move || std::io::Write::write_all(&mut sending, &together));
    for _ in 0..500 {
        assert_eq!(outcome(&mut client), 0);
    }
    sent.join().unwrap().unwrap();
    for i in 0..500 {
        assert_eq!(read(&mut client, i * 4096, 1), [i as u8]);
    }
    client.finish().1.unwrap();
}
