//! The product's scripts as the simulator loads them: with the simulated clock, and with published
//! items stored where the simulator reads them.

use std::collections::BTreeMap;
use std::sync::Arc;

use plenary_server::store::redis::{Scripts, texts};

use crate::mistake::{Mistake, Wrong};

/// The key of the simulated time.
pub const NOW: &str = "simulated:now";

/// The key of published items.
pub const PUBLISHED: &str = "simulated:published";

/// Changes made to every script.
const SIMULATED: &[(&str, &str)] = &[
    (
        "  local time = redis.call('TIME')\n  return time[1] * 1000 + math.floor(time[2] / 1000)\n",
        "  return tonumber(redis.call('GET', 'simulated:now'))\n",
    ),
    (
        "local function now_ms()",
        "local function publish(channel, payload)\n  \
           redis.call('RPUSH', 'simulated:published', channel .. ' ' .. payload)\n\
         end\n\
         local function now_ms()",
    ),
];

/// The server code that runs: the product's own, or with a planted mistake.
#[derive(Debug)]
pub struct Product {
    /// A step that differs from the product.
    pub wrong: Wrong,
    /// The scripts' names and texts.
    pub texts: Vec<(&'static str, String)>,
    /// The scripts as servers use them.
    pub scripts: Scripts,
    /// Script names by hash, for the trace.
    pub names: BTreeMap<String, &'static str>,
}

impl Product {
    /// With this mistake or without one; created once for many runs.
    pub fn new(mistake: Option<&Mistake>) -> Arc<Self> {
        let texts = simulated(mistake);
        let named = texts.iter().map(|(name, text)| {
            let hash = redis::Script::new(text).get_hash().to_owned();
            (hash, *name)
        });
        Arc::new(Self {
            wrong: mistake.map_or(Wrong::Nothing, |mistake| mistake.wrong),
            names: named.collect(),
            scripts: Scripts::new(texts.clone()),
            texts,
        })
    }
}

/// The scripts' texts, with or without a mistake.
fn simulated(mistake: Option<&Mistake>) -> Vec<(&'static str, String)> {
    let mut scripts = texts("simulated");
    for (name, text) in &mut scripts {
        for (from, to) in SIMULATED {
            assert!(text.contains(from), "{name}.lua does not have: {from}");
            *text = text.replace(from, to);
        }
        *text = text.replace("redis.call('SPUBLISH', channel, ", "publish(channel, ");
        assert!(
            !text.contains("'TIME'"),
            "{name}.lua has a clock of its own"
        );
        assert!(
            !text.contains("PUBLISH'"),
            "{name}.lua publishes in another way"
        );
    }
    for (name, from, to) in mistake.map(|mistake| mistake.lua).unwrap_or_default() {
        let script = scripts.iter_mut().find(|(script, _)| script == name);
        let (_, text) = script.unwrap_or_else(|| panic!("{name}.lua does not exist"));
        assert!(text.contains(from), "{name}.lua does not have: {from}");
        *text = text.replace(from, to);
    }
    scripts
}
