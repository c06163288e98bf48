//! Pearson's test: whether counts fit the expected distribution.

use moceril::ecies::{CheckCode, DigitMode};

/// How far `observed` is from frequencies in proportion to `weights`.
fn chi_square(observed: &[u32], weights: &[u32]) -> f64 {
    assert_eq!(observed.len(), weights.len());
    let count = f64::from(observed.iter().sum::<u32>());
    let whole = f64::from(weights.iter().sum::<u32>());
    let term = |(&seen, &weight): (&u32, &u32)| {
        let expected = count * f64::from(weight) / whole;
        assert!(expected >= 5.0, "too few were counted");
        (f64::from(seen) - expected).powi(2) / expected
    };
    observed.iter().zip(weights).map(term).sum()
}

/// Fails when chance alone would be as far off as this in less than one case of a thousand.
#[track_caller]
fn assert_fits(what: &str, observed: &[u32], weights: &[u32]) {
    // By degrees of freedom, from 8 to 15.
    let limits = [26.12, 27.88, 29.59, 31.26, 32.91, 34.53, 36.12, 37.70];
    let statistic = chi_square(observed, weights);
    let limit = limits[observed.len() - 1 - 8];
    assert!(statistic < limit, "{what}: {statistic} is not below {limit}: {observed:?}");
}

/// How many of the 256 bytes have each remainder of a division by 10, and by 9.
const BY_10: [u32; 10] = [26, 26, 26, 26, 26, 26, 25, 25, 25, 25];
const BY_9: [u32; 9] = [29, 29, 29, 29, 28, 28, 28, 28, 28];

/// S-33: both bytes of these check codes are uniform, as far as half a byte shows it, and their
/// digits are as frequent as the proposals make them.
#[track_caller]
pub fn assert_codes_fit(codes: &[CheckCode], mode: DigitMode) {
    for byte in 0..2 {
        let (mut high, mut low) = ([0; 16], [0; 16]);
        for code in codes {
            high[usize::from(code.as_bytes()[byte] >> 4)] += 1;
            low[usize::from(code.as_bytes()[byte] & 15)] += 1;
        }
        assert_fits("upper half of a byte", &high, &[1; 16]);
        assert_fits("lower half of a byte", &low, &[1; 16]);
    }
    let (lowest, first_digit) = match mode {
        DigitMode::AllowLeadingZero => (0, BY_10.as_slice()),
        DigitMode::NoLeadingZero => (1, BY_9.as_slice()),
    };
    let (mut tens, mut units) = (vec![0; first_digit.len()], [0; 10]);
    for code in codes {
        let number = code.to_digit(mode);
        tens[usize::from(number / 10 - lowest)] += 1;
        units[usize::from(number % 10)] += 1;
    }
    assert_fits("first digit", &tens, first_digit);
    assert_fits("second digit", &units, &BY_10);
}
