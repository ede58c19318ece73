//! When a call is made again, and after how long.

use std::time::Duration;

use super::request::Response;

/// The first pause; each one after is twice as long.
const FIRST: Duration = Duration::from_millis(200);
/// No pause of our own is longer.
const LONGEST: Duration = Duration::from_secs(10);
/// What a system may ask us to wait; beyond that the answer stands.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long to wait before the attempt after this one (from 1), of which nothing else is known: somewhere
/// between half of the pause and all of it, so that many who failed together do not come back together.
pub(super) fn pause(attempt: u32) -> Duration {
    let whole = FIRST
        .saturating_mul(2u32.saturating_pow(attempt.saturating_sub(1)))
        .min(LONGEST);
    // The last bits of a random id are as good a die as any.
    let die = uuid::Uuid::now_v7().as_u64_pair().1 & 0xffff;
    let part = 0.5 + (die as f64 / 65_536.0) / 2.0;
    whole.mul_f64(part)
}

/// How long to wait before an answer is asked for again; `None` where the answer stands.
pub(super) fn after(response: &Response, repeatable: bool, attempt: u32) -> Option<Duration> {
    let said = response
        .header("retry-after")
        .and_then(|text| text.trim().parse::<u64>().ok())
        .map(Duration::from_secs);
    match (response.status, said) {
        // Not done, and a time is named; a quota that is used up names none, or 0.
        (413 | 429 | 503, Some(wait)) if !wait.is_zero() => (wait <= PATIENCE).then_some(wait),
        (429, _) => Some(pause(attempt)),
        (500 | 502 | 503 | 504, _) if repeatable => Some(pause(attempt)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, retry: Option<&str>) -> Response {
        Response {
            status,
            headers: retry
                .map(|value| ("retry-after".to_owned(), value.to_owned()))
                .into_iter()
                .collect(),
            ..Response::default()
        }
    }

    #[test]
    fn pauses_grow_and_stay_bounded() {
        for attempt in 1..40 {
            let whole = FIRST.as_secs_f64() * 2f64.powi(attempt as i32 - 1);
            let whole = whole.min(LONGEST.as_secs_f64());
            let pause = pause(attempt).as_secs_f64();
            assert!(
                pause >= whole / 2.0 - 1e-9 && pause <= whole,
                "{attempt}: {pause}"
            );
        }
    }

    #[test]
    fn only_what_is_safe_is_asked_again() {
        let second = Some(Duration::from_secs(1));
        assert_eq!(after(&answer(429, Some("1")), false, 1), second);
        assert_eq!(after(&answer(503, Some("1")), false, 1), second);
        assert_eq!(after(&answer(413, Some("1")), false, 1), second);
        // A quota: waiting does not help.
        assert_eq!(after(&answer(413, Some("0")), true, 1), None);
        assert_eq!(after(&answer(413, None), true, 1), None);
        assert_eq!(after(&answer(500, None), false, 1), None);
        assert_eq!(after(&answer(503, None), false, 1), None);
        assert!(after(&answer(500, None), true, 1).is_some());
        assert_eq!(after(&answer(429, Some("3600")), true, 1), None);
        assert_eq!(after(&answer(404, None), true, 1), None);
    }
}
