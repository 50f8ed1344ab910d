//! Answers to questions before something is taken away.

/// Whether an answer means yes. Anything else, an empty answer included, means no.
pub fn is_yes(answer: &str) -> bool {
    matches!(answer.to_lowercase().as_str(), "y" | "yes")
}
