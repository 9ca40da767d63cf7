//! The mixer: what one listener hears in 20 ms, as the sum of its sources.
//!
//! Pure. Each listener of a call has a sum of its own: what it says itself is not subtracted but
//! never added, so that nothing of it is left where the sum was clipped.

/// The sum under way. One is used for all listeners of a worker, one after the other.
#[derive(Clone, Debug, Default)]
pub struct Mix {
    /// Wider than a sample: 65,536 sources at full scale fit, and only the result is clipped.
    sum: Vec<i32>,
}

impl Mix {
    /// Begins with silence.
    pub fn clear(&mut self) {
        self.sum.clear();
    }

    /// Adds a source. One that is shorter than the others is followed by silence.
    pub fn add(&mut self, samples: &[i16]) {
        if self.sum.len() < samples.len() {
            self.sum.resize(samples.len(), 0);
        }
        for (sum, &sample) in self.sum.iter_mut().zip(samples) {
            *sum += i32::from(sample);
        }
    }

    /// Writes a frame of so many samples in place of what was there. What is too loud for a sample
    /// stays at full scale and does not wrap around.
    pub fn write(&self, frame: usize, samples: &mut Vec<i16>) {
        let clipped = |&sum: &i32| sum.clamp(i16::MIN.into(), i16::MAX.into()) as i16;
        samples.clear();
        samples.extend(self.sum.iter().take(frame).map(clipped));
        samples.resize(frame, 0);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn mixed(sources: &[Vec<i16>], frame: usize) -> Vec<i16> {
        let mut mix = Mix::default();
        sources.iter().for_each(|source| mix.add(source));
        let mut samples = vec![7; 3];
        mix.write(frame, &mut samples);
        samples
    }

    fn sources(quietest: i16, loudest: i16) -> impl Strategy<Value = Vec<Vec<i16>>> {
        prop::collection::vec(prop::collection::vec(quietest..=loudest, 0..=40), 0..=8)
    }

    proptest! {
        #[test]
        fn each_sample_is_the_sum_of_all_sources(sources in sources(-4_000, 4_000)) {
            let mixed = mixed(&sources, 40);

            for (n, sample) in mixed.iter().enumerate() {
                let sum: i16 = sources.iter().filter_map(|source| source.get(n)).sum();
                prop_assert_eq!(*sample, sum);
            }
        }

        #[test]
        fn what_is_too_loud_stays_at_full_scale(sources in sources(i16::MIN, i16::MAX)) {
            let mixed = mixed(&sources, 40);

            for (n, sample) in mixed.iter().enumerate() {
                let all = sources.iter().filter_map(|source| source.get(n));
                let sum: i64 = all.map(|&sample| i64::from(sample)).sum();
                let full_scale = if sum < 0 { i16::MIN } else { i16::MAX };
                let expected = i16::try_from(sum).unwrap_or(full_scale);
                prop_assert_eq!(*sample, expected);
            }
        }

        #[test]
        fn the_order_of_the_sources_changes_nothing(sources in sources(i16::MIN, i16::MAX)) {
            let backwards: Vec<_> = sources.iter().rev().cloned().collect();

            prop_assert_eq!(mixed(&sources, 40), mixed(&backwards, 40));
        }
    }

    #[test]
    fn a_frame_is_whole_whatever_its_sources_have() {
        assert_eq!(mixed(&[], 3), [0, 0, 0]);
        assert_eq!(mixed(&[vec![1], vec![2, 2]], 3), [3, 2, 0]);
        assert_eq!(mixed(&[vec![1, 2, 3, 4, 5]], 3), [1, 2, 3]);
    }
}
