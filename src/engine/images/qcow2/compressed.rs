//! Compressed clusters.

use std::io::{self, Read as _};

use flate2::{Decompress, FlushDecompress, Status};
use ruzstd::decoding::{FrameDecoder, StreamingDecoder};

use super::header::Compression;

/// The most memory that a frame of zstd may ask for, in bytes: no cluster has use for more.
const MAX_WINDOW: u64 = 8 << 20;

/// Fills `out`, a whole cluster, from compressed bytes; what follows them is of no interest.
pub(super) fn decompress(how: Compression, packed: &[u8], out: &mut [u8]) -> io::Result<()> {
    match how {
        Compression::Zlib => inflate(packed, out),
        Compression::Zstd => {
            let mut frames = FrameDecoder::new();
            frames.set_max_window_size(MAX_WINDOW);
            let mut decoder =
                StreamingDecoder::new_with_decoder(packed, frames).map_err(io::Error::other)?;
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
