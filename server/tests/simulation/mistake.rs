//! Planted mistakes that the simulator must catch. Each is a change of the scripts' texts or of the
//! order of steps; none can be part of the product.

/// A known mistake.
#[derive(Debug)]
pub struct Mistake {
    /// Its description.
    pub name: &'static str,
    /// Changes of the scripts: script name, original text, replacement.
    pub lua: &'static [(&'static str, &'static str, &'static str)],
    /// A step that differs from the product.
    pub wrong: Wrong,
}

/// A step that differs from the product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// Only the scripts differ.
    Nothing,
    /// Missing scripts are reloaded automatically.
    ReloadsScripts,
    /// `durable` is published before the commit.
    PublishesBeforeCommit,
    /// The last step of an end comes before the archive is complete.
    DestroysEarly,
}

/// All planted mistakes.
pub const MISTAKES: &[Mistake] = &[
    Mistake {
        name: "scripts are loaded again when they are gone",
        lua: &[],
        wrong: Wrong::ReloadsScripts,
    },
    Mistake {
        name: "a new generation has no floor for its seqs",
        lua: &[("activate", "'seq', floor,", "'seq', 0,")],
        wrong: Wrong::Nothing,
    },
    Mistake {
        name: "a new generation does not know what was sent before",
        lua: &[(
            "activate",
            "for _, one in ipairs(cjson.decode(ARGV[at])) do redis.call('HSET', cmids, one[1], one[2]) end",
            "",
        )],
        wrong: Wrong::Nothing,
    },
    Mistake {
        name: "durable is published before it is committed",
        lua: &[],
        wrong: Wrong::PublishesBeforeCommit,
    },
    Mistake {
        name: "an instance is destroyed before the archive is complete",
        lua: &[(
            "destroy",
            "if found.state ~= 'closed' or found.archived ~= found.seq then return {'unarchived'} end",
            "",
        )],
        wrong: Wrong::DestroysEarly,
    },
    Mistake {
        name: "a lost connection removes its user although another holds the stay",
        lua: &[(
            "reap",
            "if redis.call('HINCRBY', bindings, '#' .. stay_key, -1) > 0 then return nil end",
            "redis.call('HINCRBY', bindings, '#' .. stay_key, -1)",
        )],
        wrong: Wrong::Nothing,
    },
    Mistake {
        name: "scripts do not look at the generation",
        lua: &[
            (
                "post",
                "if found[1] ~= gen then return nil, {'stale', found[1]} end",
                "",
            ),
            (
                "join",
                "if found[1] ~= gen then return nil, {'stale', found[1]} end",
                "",
            ),
            (
                "ack",
                "if found[1] ~= gen then return nil, {'stale', found[1]} end",
                "",
            ),
        ],
        wrong: Wrong::Nothing,
    },
    Mistake {
        name: "posts are taken after the end",
        lua: &[(
            "post",
            "if found.state ~= 'active' or now >= found.to then return {'ended'} end",
            "if found.state == 'closed' then return {'ended'} end",
        )],
        wrong: Wrong::Nothing,
    },
    Mistake {
        name: "a retry is refused after the end",
        lua: &[(
            "post",
            "if before then return before end",
            "if before and found.state == 'active' and now_ms() < found.to then return before end",
        )],
        wrong: Wrong::Nothing,
    },
];
