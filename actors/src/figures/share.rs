//! A part of a whole, in percent.

use std::fmt;

/// A share, exact to a hundredth of a percent, rounded half up. Of nothing it is zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Share(u64);

impl Share {
    /// So many of so many.
    #[must_use]
    pub fn of(part: u64, whole: u64) -> Self {
        let (part, whole) = (u128::from(part), u128::from(whole));
        let hundredths = (part * 20_000 + whole).checked_div(whole * 2).unwrap_or_default();
        Self(u64::try_from(hundredths).unwrap_or(u64::MAX))
    }

    /// In percent.
    #[must_use]
    pub fn percent(self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "a share of people's calls is small")]
        let hundredths = self.0 as f64;
        hundredths / 100.0
    }
}

impl fmt::Display for Share {
    /// `38.46%`, `62.5%`, `50%`: without zeros at the end.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, rest) = (self.0 / 100, self.0 % 100);
        match (rest, rest % 10) {
            (0, _) => write!(f, "{whole}%"),
            (_, 0) => write!(f, "{whole}.{}%", rest / 10),
            _ => write!(f, "{whole}.{rest:02}%"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn q_325_vector_3_five_of_thirteen_in_time_are_38_46_percent() {
        assert_eq!(Share::of(5, 13).to_string(), "38.46%");
    }

    #[test]
    fn q_341_vector_4_sixteen_one_and_six_of_twenty_three() {
        let shown = [16, 1, 6].map(|part| Share::of(part, 23).to_string());
        assert_eq!(shown, ["69.57%", "4.35%", "26.09%"]);
        let shown = [5, 1, 2].map(|part| Share::of(part, 8).to_string());
        assert_eq!(shown, ["62.5%", "12.5%", "25%"], "the first row of the example");
    }

    #[test]
    fn q_246_vector_5_of_no_calls_none_were_in_time() {
        assert_eq!(Share::of(0, 0).to_string(), "0%");
        assert_eq!(Share::of(1, 2).to_string(), "50%");
        assert!((Share::of(5, 13).percent() - 38.46).abs() < 1e-9);
    }
}
