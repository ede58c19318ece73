//! Differences, written, read, cut short and altered.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test says so by ending"
)]

use super::*;

/// Records with their data.
type Read = (Head, Vec<(Record, Vec<u8>)>, Option<Seal>);

fn read(bytes: &[u8]) -> Result<Read, DifferenceError> {
    let mut reader = DifferenceReader::open(bytes)?;
    let head = reader.head().clone();
    let mut records = Vec::new();
    while let Some(record) = reader.next_record()? {
        let mut data = Vec::new();
        let mut buffer = [0; 100];
        if matches!(record, Record::Data { .. }) {
            loop {
                let n = reader.data(&mut buffer)?;
                if n == 0 {
                    break;
                }
                data.extend(&buffer[..n]);
            }
        }
        records.push((record, data));
    }
    Ok((head, records, reader.seal()?))
}

fn seal() -> Seal {
    Seal {
        from: Some("1".into()),
        to: Some("2".into()),
        taken: None,
        volume: "v".into(),
    }
}

fn written() -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut writer = DifferenceWriter::begin(&mut bytes, Some("a"), Some("b"), 1 << 20).unwrap();
    writer.data(4096, &[7; 300]).unwrap();
    writer.zeroes(8192, 4096).unwrap();
    writer.end(&seal()).unwrap();
    bytes
}

#[test]
fn what_is_written_is_read() {
    let (head, records, found) = read(&written()).unwrap();
    assert_eq!(
        (head.from.as_deref(), head.to.as_deref(), head.size),
        (Some("a"), Some("b"), 1 << 20)
    );
    let data = Record::Data {
        offset: 4096,
        length: 300,
    };
    let zeroes = Record::Zeroes {
        offset: 8192,
        length: 4096,
    };
    assert_eq!(records, [(data, vec![7; 300]), (zeroes, Vec::new())]);
    assert_eq!(found, Some(seal()));
    let at_end = reader::seal_at_end(std::io::Cursor::new(written())).unwrap();
    assert_eq!(at_end, Some(seal()));
}

#[test]
fn the_bytes_are_those_of_the_format() {
    let mut expected = b"rbd diff v1\nf\x01\0\0\0at\x01\0\0\0bs\0\0\x10\0\0\0\0\0".to_vec();
    expected.extend(b"w\0\x10\0\0\0\0\0\0\x2c\x01\0\0\0\0\0\0");
    expected.extend([7; 300]);
    expected.extend(b"z\0\x20\0\0\0\0\0\0\0\x10\0\0\0\0\0\0e");
    assert!(written().starts_with(&expected));
    // What rbd writes ends there.
    let (_, records, seal) = read(&expected).unwrap();
    assert_eq!((records.len(), seal), (2, None));
}

#[test]
fn version_2_is_read_and_what_is_unknown_there_is_passed_over() {
    let mut bytes = b"rbd diff v2\n".to_vec();
    bytes.extend(b"t\x05\0\0\0\0\0\0\0\x01\0\0\0b");
    bytes.extend(b"p\x01\0\0\0\0\0\0\0\x01");
    bytes.extend(b"s\x08\0\0\0\0\0\0\0\0\0\x10\0\0\0\0\0");
    bytes.extend(b"w\x12\0\0\0\0\0\0\0\0\x10\0\0\0\0\0\0\x02\0\0\0\0\0\0\0hi");
    bytes.extend(b"e");
    let (head, records, _) = read(&bytes).unwrap();
    assert_eq!((head.from, head.to.as_deref()), (None, Some("b")));
    assert_eq!(records[0].1, b"hi");
    // The two lengths of a record agree.
    bytes[54] = 0x13;
    assert!(read(&bytes).is_err());
}

#[test]
fn a_part_of_one_is_never_taken_for_the_whole() {
    let bytes = written();
    let end = bytes.iter().rposition(|b| *b == b'e').unwrap();
    let e = bytes.len() - (8 + 4 + serde_json::to_vec(&seal()).unwrap().len() + 32 + 4);
    assert!(end >= e);
    for length in 0..bytes.len() {
        match read(&bytes[..length]) {
            Err(_) => {}
            // Only there is it whole as rbd has it, and has no seal.
            Ok((.., seal)) => assert!(seal.is_none() && length == e, "{length}"),
        }
    }
}

#[test]
fn no_altered_bit_goes_unseen() {
    let bytes = written();
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut other = bytes.clone();
            other[at] ^= 1 << bit;
            assert!(read(&other).is_err(), "bit {bit} of byte {at}");
        }
    }
    let mut longer = bytes.clone();
    longer.extend(b"more");
    assert!(read(&longer).is_err());
}
