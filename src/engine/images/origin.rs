//! The bytes that an image is made of.

use super::Run;

/// What an image is written from.
pub trait Origin {
    /// Why it cannot be read.
    type Error;

    /// The size in bytes.
    fn size(&self) -> u64;

    /// The runs from `offset` on, in order and without gaps; empty only at the end.
    ///
    /// # Errors
    /// Where it cannot be told.
    fn runs(&self, offset: u64) -> Result<Vec<Run>, Self::Error>;

    /// Fills `buffer` from `offset` on.
    ///
    /// # Errors
    /// Where it cannot be read.
    fn read(&self, offset: u64, buffer: &mut [u8]) -> Result<(), Self::Error>;
}

/// Calls `each` with the stretches, offset and length, in which a cluster of `cluster` bytes holds
/// any data, in order and apart from one another, from `from` (a whole number of clusters) on.
/// They are whole clusters, but for the last at the end.
///
/// # Errors
/// Those of the origin, and the first of `each`.
pub fn data_runs<O: Origin, E: From<O::Error>>(
    origin: &O,
    cluster: u64,
    from: u64,
    each: &mut dyn FnMut(u64, u64) -> Result<(), E>,
) -> Result<(), E> {
    let size = origin.size();
    let mut at = from;
    let mut open: Option<(u64, u64)> = None;
    while at < size {
        let runs = origin.runs(at)?;
        let Some(last) = runs.last() else {
            break;
        };
        at = last.offset + last.length;
        for run in runs.iter().filter(|run| run.data) {
            let begin = run.offset - run.offset % cluster;
            let end = (run.offset + run.length)
                .next_multiple_of(cluster)
                .min(size);
            match &mut open {
                Some((_, stop)) if begin <= *stop => *stop = end.max(*stop),
                _ => {
                    if let Some((begin, end)) = open.replace((begin, end)) {
                        each(begin, end - begin)?;
                    }
                }
            }
        }
    }
    if let Some((begin, end)) = open {
        each(begin, end - begin)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    struct Told(Vec<Run>);

    impl Origin for Told {
        type Error = Infallible;

        fn size(&self) -> u64 {
            self.0.last().map_or(0, |run| run.offset + run.length)
        }

        fn runs(&self, offset: u64) -> Result<Vec<Run>, Infallible> {
            let run = self.0.iter().find(|run| run.offset + run.length > offset);
            Ok(run.copied().into_iter().collect())
        }

        fn read(&self, _: u64, _: &mut [u8]) -> Result<(), Infallible> {
            Ok(())
        }
    }

    #[test]
    fn runs_are_rounded_out_to_clusters_and_joined() {
        let mut at = 0;
        let runs = [
            (10, false),
            (5, true),
            (10, false),
            (5, true),
            (100, false),
            (3, true),
        ];
        let runs = runs.map(|(length, data)| {
            let run = Run {
                offset: at,
                length,
                data,
            };
            at += length;
            run
        });
        let told = Told(runs.to_vec());
        let mut found = Vec::new();
        let all: Result<(), Infallible> = data_runs(&told, 8, 0, &mut |offset, length| {
            found.push((offset, length));
            Ok(())
        });
        all.unwrap();
        assert_eq!(found, [(8, 8), (24, 8), (128, 5)]);
    }
}
