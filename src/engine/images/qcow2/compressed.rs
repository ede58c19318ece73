//! Compressed clusters.

use std::io::{self, Read as _};

use flate2::{Decompress, FlushDecompress, Status};

use super::header::Compression;

/// Fills `out`, a whole cluster, from compressed bytes; what follows them is of no interest.
pub(super) fn decompress(how: Compression, packed: &[u8], out: &mut [u8]) -> io::Result<()> {
    match how {
        Compression::Zlib => inflate(packed, out),
        Compression::Zstd => {
            let mut decoder =
                ruzstd::decoding::StreamingDecoder::new(packed).map_err(io::Error::other)?;
            decoder.read_exact(out)
        }
    }
}

fn inflate(packed: &[u8], out: &mut [u8]) -> io::Result<()> {
    let short = || io::Error::other("it gives less than a cluster");
    let mut inflater = Decompress::new(false);
    while inflater.total_out() < out.len() as u64 {
        let (taken, given) = (inflater.total_in(), inflater.total_out());
        let (Some(from), Some(to)) = (packed.get(taken as usize..), out.get_mut(given as usize..))
        else {
            return Err(short());
        };
        let status = inflater
            .decompress(from, to, FlushDecompress::None)
            .map_err(io::Error::other)?;
        let stuck = inflater.total_in() == taken && inflater.total_out() == given;
        if (status == Status::StreamEnd || stuck) && inflater.total_out() < out.len() as u64 {
            return Err(short());
        }
    }
    Ok(())
}
