//! Reading whatever bytes say that they are an image: what fuzzers and tests begin with.

use super::{DifferenceReader, Image, Record};

/// How much of an image is read, in bytes; what is said of the rest is looked at only.
const MOST: u64 = 16 << 20;
/// How many runs are looked at.
const RUNS: usize = 100_000;

/// Opens an image that is in memory, goes through its mapping and reads its data, without regard to
/// what comes of it. Returns whether all of it could be read.
///
/// Whatever the bytes are, this comes back, soon and in bounded memory.
#[must_use]
pub fn examine_image(bytes: &[u8]) -> bool {
    let Ok(image) = Image::from_bytes(bytes.to_vec()) else {
        return false;
    };
    let (mut at, mut read, mut seen) = (0, 0, 0);
    let mut buffer = Vec::new();
    while at < image.size() && seen < RUNS {
        let Ok(runs) = image.runs(at) else {
            return false;
        };
        let Some(last) = runs.last() else {
            return false;
        };
        at = last.offset + last.length;
        seen += runs.len();
        for run in runs.iter().filter(|run| run.data) {
            let n = run.length.min(1 << 20);
            if read + n > MOST {
                break;
            }
            read += n;
            buffer.resize(n as usize, 0);
            if image.read(run.offset, &mut buffer).is_err() {
                return false;
            }
        }
    }
    true
}

/// Reads a difference that is in memory to its end, without regard to what comes of it. Returns
/// whether it is whole and has its seal.
///
/// Whatever the bytes are, this comes back, soon and in bounded memory.
#[must_use]
pub fn examine_difference(bytes: &[u8]) -> bool {
    let Ok(mut reader) = DifferenceReader::open(bytes) else {
        return false;
    };
    let mut buffer = vec![0; 1 << 16];
    loop {
        match reader.next_record() {
            Ok(Some(Record::Data { .. })) => {
                if reader.data(&mut buffer).is_err() {
                    return false;
                }
            }
            Ok(Some(Record::Zeroes { .. })) => {}
            Ok(None) => break,
            Err(_) => return false,
        }
    }
    matches!(reader.seal(), Ok(Some(_)))
}
