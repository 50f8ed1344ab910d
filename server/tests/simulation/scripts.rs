//! The product's scripts as a simulation loads them: with its clock, and with what they publish put
//! where the simulation takes it from.

use std::collections::BTreeMap;
use std::sync::Arc;

use plenary_server::store::redis::{Scripts, texts};

use crate::mistake::{Mistake, Wrong};

/// Where the simulated time stands.
pub const NOW: &str = "simulated:now";

/// Where it stands what was published.
pub const PUBLISHED: &str = "simulated:published";

/// What is changed in every script.
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

/// What servers run: the product's own, or that with a mistake in it.
#[derive(Debug)]
pub struct Product {
    /// What is done in another way than the product does it.
    pub wrong: Wrong,
    /// The scripts' names and texts.
    pub texts: Vec<(&'static str, String)>,
    /// The scripts as servers have them.
    pub scripts: Scripts,
    /// Their names by their hashes, for the trace.
    pub names: BTreeMap<String, &'static str>,
}

impl Product {
    /// With this mistake or without one; made once for many runs.
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

/// The scripts' texts, with a mistake in them or without.
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
        let (_, text) = script.unwrap_or_else(|| panic!("there is no {name}.lua"));
        assert!(text.contains(from), "{name}.lua does not have: {from}");
        *text = text.replace(from, to);
    }
    scripts
}
