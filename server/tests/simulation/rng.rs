//! The randomness of a run, all derived from the seed (`SplitMix64`, Steele et al. 2014).

/// A generator whose numbers depend only on the seed.
#[derive(Debug)]
pub struct Rng(u64);

impl Rng {
    /// Starts at a seed.
    pub fn new(seed: u64) -> Self {
        let mut rng = Self(seed ^ 0x5EED_0F91_37A1_0D5E);
        rng.next();
        rng
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `bound`, or 0 if that is 0.
    pub fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound).unwrap_or(u64::MAX).max(1);
        usize::try_from(self.next() % bound).unwrap_or(0)
    }

    /// Milliseconds from `low` up to, but not including, `high`.
    pub fn ms(&mut self, low: i64, high: i64) -> i64 {
        let width = usize::try_from(high - low).unwrap_or(0);
        low + i64::try_from(self.below(width)).unwrap_or(0)
    }

    /// True with this probability in per cent.
    pub fn per_cent(&mut self, often: usize) -> bool {
        self.below(100) < often
    }

    /// One of these, with a probability proportional to its weight.
    pub fn weighted<T>(&mut self, mut from: Vec<(usize, T)>) -> Option<T> {
        let sum = from.iter().map(|(weight, _)| weight).sum();
        if sum == 0 {
            return None;
        }
        let mut at = self.below(sum);
        let found = from.iter().position(|(weight, _)| {
            let here = at < *weight;
            at = at.saturating_sub(*weight);
            here
        });
        found.map(|found| from.swap_remove(found).1)
    }
}
