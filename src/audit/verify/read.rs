//! Reads files in pieces, with as many threads as the machine has for it.

use std::collections::BTreeMap;
use std::io;
use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::thread;

use super::piece::{LENGTH, Piece, Source};

/// Threads at most; each holds one piece in memory.
const THREADS: usize = 8;

/// What each file proves by itself. `progress` is told the bytes read so far and those to read.
pub(super) fn read(
    sources: &[Source<'_>],
    progress: &mut dyn FnMut(u64, u64),
) -> Vec<io::Result<Piece>> {
    let pieces = |source: &Source<'_>| source.length.div_ceil(LENGTH).max(1);
    let tasks: Vec<(usize, u64)> = sources
        .iter()
        .enumerate()
        .flat_map(|(file, source)| (0..pieces(source)).map(move |piece| (file, piece)))
        .collect();
    let threads = thread::available_parallelism().map_or(1, NonZero::get).min(THREADS);
    let (next, (sender, results)) = (AtomicUsize::new(0), channel());
    let total = sources.iter().map(|source| source.length).sum();
    let mut read = BTreeMap::new();
    thread::scope(|scope| {
        for _ in 0..threads {
            let (sender, next, tasks) = (sender.clone(), &next, &tasks);
            // If no thread can be had, nothing is read, and that is what is reported.
            let _ = thread::Builder::new().spawn_scoped(scope, move || {
                let mut buffer = Vec::new();
                while let Some((file, piece)) = tasks.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let done = sources.get(*file).map(|source| source.piece(*piece, &mut buffer));
                    let _ = sender.send((*file, *piece, done));
                }
            });
        }
        drop(sender);
        let mut bytes: u64 = 0;
        for (file, number, piece) in results {
            let length = sources.get(file).map_or(0, |source| source.length);
            bytes += LENGTH.min(length.saturating_sub(number * LENGTH));
            progress(bytes, total);
            read.insert((file, number), piece);
        }
    });
    let mut take = |file, number| {
        let missing = || Err(io::Error::other("no thread to read it with"));
        read.remove(&(file, number)).flatten().unwrap_or_else(missing)
    };
    let mut whole = |(file, source)| {
        let mut joined = Piece::default();
        for number in 0..pieces(source) {
            joined.append(take(file, number)?);
        }
        Ok(joined)
    };
    sources.iter().enumerate().map(&mut whole).collect()
}
