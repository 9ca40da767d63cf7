//! What a meeting of so many parties costs in 20 ms beside its codecs.

use divan::Bencher;
use tandem_engine::mix::Mix;

/// Samples of 20 ms of G.711.
const FRAME: usize = 160;

#[divan::bench(args = [3, 8])]
fn mix_a_meeting(bencher: Bencher<'_, '_>, parties: usize) {
    let voice = |party| (0..FRAME).map(|n| (n * party * 97 % 20_000) as i16).collect();
    let voices: Vec<Vec<i16>> = (0..parties).map(voice).collect();
    let (mut mix, mut heard) = (Mix::default(), Vec::new());
    bencher.bench_local(|| {
        for listener in 0..parties {
            mix.clear();
            let others = voices.iter().enumerate().filter(|(party, _)| *party != listener);
            others.for_each(|(_, voice)| mix.add(voice));
            mix.write(FRAME, &mut heard);
        }
        heard[0]
    });
}
