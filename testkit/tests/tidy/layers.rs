//! Which module may use which: an ordered list of layers for each crate, and no import circles.
//!
//! The imports come from the parsed source: every `use` and every path that starts with `crate`, `self`
//! or `super`, also inside macros. Code under `#[cfg(test)]` does not count.

use std::collections::{BTreeMap, BTreeSet};

use petgraph::algo::tarjan_scc;
use petgraph::graph::DiGraph;
use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};

use crate::assert_none;
use crate::source::{self, Source};

/// One crate and its top-level modules.
struct Crate {
    /// The directory of its sources.
    source: &'static str,
    /// Its own name in its binaries.
    name: &'static str,
    /// Its layers, lowest first. A module may use modules of the layers before its own, never one of the same layer.
    layers: &'static [&'static [&'static str]],
}

const CRATES: &[Crate] = &[
    Crate {
        source: "shared/src/",
        name: "plenary_shared",
        layers: &[
            &["limits", "unicode"],
            &["openapi"],
            &["time"],
            &["ids"],
            &["text"],
            &["domain", "search"],
            &["protocol"],
            &["replica"],
        ],
    },
    Crate {
        source: "server/src/",
        name: "plenary_server",
        layers: &[
            &["clock", "error", "json", "peer", "rate_limits", "tasks"],
            &["metrics", "telemetry"],
            &["listener", "store"],
            &[
                "auth",
                "config",
                "hub",
                "read_positions",
                "request_limits",
                "rules",
            ],
            &["ctx", "dashboard"],
            &["archiver", "presence", "scheduler", "service"],
            &["http", "ws"],
            &["app"],
            &["command_line"],
        ],
    },
    Crate {
        source: "tui/src/",
        name: "plenary",
        layers: &[
            &[
                "clock",
                "command",
                "event_text",
                "key",
                "layout",
                "link",
                "notify_level",
                "pipe",
                "private_file",
                "server_url",
                "text",
            ],
            &[
                "cache",
                "drafts",
                "journal",
                "net",
                "notify_file",
                "sent",
                "session",
                "term",
            ],
            &["api", "config"],
            &["export", "theme"],
            &["command_line", "keymap", "widget"],
            &["effect", "msg", "shell"],
            &["model"],
            &["announcer", "view"],
            &["update"],
            &["runtime"],
        ],
    },
    Crate {
        source: "testkit/src/",
        name: "plenary_testkit",
        layers: &[
            &["frames", "openapi", "resources", "wait"],
            &["http", "process", "ws"],
            &["directory"],
            &["mariadb", "redis"],
            &["stores"],
            &["client", "disk", "proxy", "server"],
            &["pty", "fixture"],
        ],
    },
];

/// A module's path from the crate's root: `["store", "redis"]`.
type Module = Vec<String>;

/// The imports of one crate: module → the modules it uses.
type Imports = BTreeMap<Module, BTreeSet<Module>>;

#[test]
fn modules_use_only_lower_layers() {
    let mut findings = vec![];
    for member in CRATES {
        for (module, used) in imports(member, &source::code()) {
            // The root (lib.rs and main.rs) only declares and starts.
            let Some(from) = module.first() else { continue };
            let Some(own) = layer_of(member, from) else {
                findings.push(format!(
                    "{}{from}: add this module to its layer in testkit/tests/tidy/layers.rs",
                    member.source
                ));
                continue;
            };
            for to in used.iter().filter_map(|used| used.first()) {
                if to != from && layer_of(member, to).is_none_or(|layer| layer >= own) {
                    findings.push(format!(
                        "{}{}.rs uses `crate::{to}`, which is not in a lower layer than `{from}`: move what \
                         both need into a lower layer, or let a higher one connect them",
                        member.source,
                        module.join("/"),
                    ));
                }
            }
        }
    }
    findings.dedup();
    assert_none(&findings);
}

#[test]
fn no_modules_import_each_other_in_a_circle() {
    let mut findings = vec![];
    for member in CRATES {
        for circle in circles(&imports(member, &source::code())) {
            findings.push(format!(
                "{}: these modules import each other in a circle: {}",
                member.source,
                circle.join(", ")
            ));
        }
    }
    assert_none(&findings);
}

#[test]
fn a_circle_is_found() {
    let file = |path: &str, text: &str| Source {
        path: path.to_owned(),
        text: text.to_owned(),
    };
    let member = Crate {
        source: "server/src/",
        name: "plenary_server",
        layers: &[],
    };
    let files = [
        file("server/src/lib.rs", "mod a; mod b; mod c;"),
        file("server/src/a.rs", "use crate::{b::{self, X}, c};"),
        file(
            "server/src/b.rs",
            "fn f() { println!(\"{}\", super::c::g()) }",
        ),
        file(
            "server/src/c.rs",
            "pub fn g() -> crate::a::inner::Y { todo!() }",
        ),
        file(
            "server/src/a/inner.rs",
            "use super::Z; #[cfg(test)] mod tests { use crate::b; }",
        ),
    ];
    let found = imports(&member, &files);
    let used = |module: &str| -> Vec<String> {
        let used = found.get(&vec![module.to_owned()]).into_iter().flatten();
        used.map(|module| module.join("::")).collect()
    };
    assert_eq!(used("a"), ["b", "c"]);
    assert_eq!(used("b"), ["c"]);
    assert_eq!(used("c"), ["a::inner"]);
    // `a::inner` is part of `a`: the circle goes through its folder.
    assert_eq!(circles(&found), [["a", "b", "c"]]);
}

fn layer_of(member: &Crate, module: &str) -> Option<usize> {
    member
        .layers
        .iter()
        .position(|layer| layer.contains(&module))
}

/// Every group of sibling modules that import each other in a circle, each counted with its whole
/// folder. A module and its own descendants are one unit.
fn circles(imports: &Imports) -> Vec<Vec<String>> {
    // Edges between siblings: where two paths part, the two modules just below that point.
    let mut edges = BTreeSet::new();
    for (from, used) in imports {
        for to in used {
            let common = from.iter().zip(to).take_while(|(a, b)| a == b).count();
            if common < from.len() && common < to.len() {
                edges.insert((from[..=common].join("::"), to[..=common].join("::")));
            }
        }
    }
    let mut graph = DiGraph::<&str, ()>::new();
    let mut nodes = BTreeMap::new();
    for (from, to) in &edges {
        let from = *nodes.entry(from).or_insert_with(|| graph.add_node(from));
        let to = *nodes.entry(to).or_insert_with(|| graph.add_node(to));
        graph.add_edge(from, to, ());
    }
    let groups = tarjan_scc(&graph)
        .into_iter()
        .filter(|group| group.len() > 1);
    let named = groups.map(|group| {
        let mut names: Vec<String> = group.iter().map(|node| graph[*node].to_owned()).collect();
        names.sort();
        names
    });
    named.collect()
}

fn imports(member: &Crate, files: &[Source]) -> Imports {
    let own = files.iter().filter(|file| {
        file.path.starts_with(member.source) && file.extension() == "rs" && !file.is_test()
    });
    let files: Vec<(Module, &Source)> = own
        .map(|file| {
            let path = file.path.strip_prefix(member.source).unwrap_or_default();
            let path = path.strip_suffix(".rs").unwrap_or(path);
            let is_root = matches!(path, "lib" | "main");
            let module = path.split('/').filter(|_| !is_root).map(str::to_owned);
            (module.collect(), file)
        })
        .collect();
    let modules: BTreeSet<Module> = files.iter().map(|(module, _)| module.clone()).collect();
    let mut imports = Imports::new();
    for (module, file) in &files {
        let parsed = syn::parse_file(&file.text);
        let parsed = parsed.unwrap_or_else(|error| panic!("{}: {error}", file.path));
        let mut paths = Paths {
            name: member.name,
            module,
            found: vec![],
        };
        paths.visit_file(&parsed);
        let used = paths.found.into_iter().map(|mut path| {
            // The longest prefix that is a module; what follows is an item in it.
            while !modules.contains(&path) {
                path.pop();
            }
            path
        });
        imports.entry(module.clone()).or_default().extend(used);
    }
    imports
}

/// Collects the paths of one file that lead to the crate's own modules.
struct Paths<'a> {
    name: &'a str,
    module: &'a Module,
    found: Vec<Module>,
}

impl Paths<'_> {
    /// Notes a path, with `crate`, `self` and `super` resolved.
    fn add(&mut self, segments: &[String]) {
        let mut segments = segments.iter().map(String::as_str).peekable();
        let mut path = match segments.peek() {
            Some(&"crate") => vec![],
            Some(&name) if name == self.name => vec![],
            Some(&("self" | "super")) => self.module.clone(),
            Some(_) | None => return,
        };
        for segment in segments {
            match segment {
                "crate" | "self" => {}
                "super" => {
                    path.pop();
                }
                name if name == self.name && path.is_empty() => {}
                name => path.push(name.to_owned()),
            }
        }
        self.found.push(path);
    }

    fn add_tree(&mut self, before: &[String], tree: &syn::UseTree) {
        let with = |name: &syn::Ident| [before, &[name.to_string()]].concat();
        match tree {
            syn::UseTree::Path(path) => self.add_tree(&with(&path.ident), &path.tree),
            syn::UseTree::Name(name) => self.add(&with(&name.ident)),
            syn::UseTree::Rename(name) => self.add(&with(&name.ident)),
            syn::UseTree::Glob(_) => self.add(before),
            syn::UseTree::Group(group) => {
                for tree in &group.items {
                    self.add_tree(before, tree);
                }
            }
        }
    }

    /// The paths inside a macro call, where only tokens are known.
    fn add_tokens(&mut self, tokens: TokenStream) {
        let mut path: Vec<String> = vec![];
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Group(group) => {
                    self.add(&std::mem::take(&mut path));
                    self.add_tokens(group.stream());
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' => colons += 1,
                TokenTree::Ident(ident) => {
                    if colons != 2 {
                        self.add(&std::mem::take(&mut path));
                    }
                    path.push(ident.to_string());
                    colons = 0;
                }
                TokenTree::Punct(_) | TokenTree::Literal(_) => {
                    self.add(&std::mem::take(&mut path));
                    colons = 0;
                }
            }
        }
        self.add(&path);
    }
}

/// Whether an item is compiled for tests only.
pub fn is_test_only(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let condition = attribute.parse_args::<syn::Path>();
        attribute.path().is_ident("cfg") && condition.is_ok_and(|path| path.is_ident("test"))
    })
}

impl<'ast> Visit<'ast> for Paths<'_> {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if !is_test_only(&item.attrs) {
            visit::visit_item_mod(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        if !is_test_only(&item.attrs) {
            self.add_tree(&[], &item.tree);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments: Vec<String> = path.segments.iter().map(|s| s.ident.to_string()).collect();
        self.add(&segments);
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        self.add_tokens(call.tokens.clone());
        visit::visit_macro(self, call);
    }
}
