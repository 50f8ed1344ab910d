//! Files and functions stay small, and every file says in its first line what it holds.

use std::path::Path;

use syn::spanned::Spanned;
use syn::visit::{self, Visit};

use crate::assert_none;
use crate::layers::is_test_only;
use crate::source::{self, Source};

/// Lines of a file without its tests: a longer one has a second subject.
const FILE_LINES_MAX: usize = 500;

/// Longer files, each with the reason why splitting it would not help. At most three.
const LONG_FILES: &[(&str, &str)] = &[(
    "server/src/dashboard.rs",
    "one task and the watchers that it serves; its figures and details are in the folder already",
)];

/// Lines of a function, from `fn` to its closing brace.
const FUNCTION_LINES_MAX: usize = 70;

/// Longer functions, each with the reason why splitting it would not help. At most three.
const LONG_FUNCTIONS: &[(&str, &str, &str)] = &[(
    "server/src/store/redis_mysql/log.rs",
    "messages",
    "one loop over the border between the live log and the archive; every part needs its whole state",
)];

/// File names that do not say what the file holds.
const EMPTY_NAMES: &[&str] = &[
    "utils", "util", "common", "helpers", "helper", "manager", "base",
];

#[test]
fn files_have_one_subject_and_name_it() {
    let mut findings = vec![];
    for file in source::code()
        .iter()
        .filter(|file| file.extension() == "rs")
    {
        let name = Path::new(&file.path).file_stem().and_then(|n| n.to_str());
        let name = name.unwrap_or_default();
        let mut complain = |what: String| findings.push(format!("{}: {what}", file.path));
        if !file.text.starts_with("//!") {
            complain("start with `//!` and one sentence on what the file holds".to_owned());
        }
        if name == "mod" {
            complain("name it after its directory, beside it: `foo.rs` and `foo/`".to_owned());
        }
        if EMPTY_NAMES.contains(&name) {
            complain("name it after what it holds".to_owned());
        }
        let lines = file.product_lines().len();
        let is_excused = LONG_FILES.iter().any(|(path, _)| *path == file.path);
        if !file.is_test() && lines > FILE_LINES_MAX && !is_excused {
            complain(format!(
                "{lines} lines; the limit is {FILE_LINES_MAX}: move the second subject to its own file"
            ));
        }
    }
    assert_none(&findings);
}

#[test]
fn functions_fit_on_a_screen() {
    let mut findings = vec![];
    let product = |file: &&Source| file.extension() == "rs" && !file.is_test();
    for file in source::code().iter().filter(product) {
        let parsed = syn::parse_file(&file.text);
        let parsed = parsed.unwrap_or_else(|error| panic!("{}: {error}", file.path));
        let mut functions = Functions::default();
        functions.visit_file(&parsed);
        for (name, line, lines) in functions.found {
            let is_excused = LONG_FUNCTIONS
                .iter()
                .any(|(path, function, _)| *path == file.path && *function == name);
            if lines > FUNCTION_LINES_MAX && !is_excused {
                findings.push(format!(
                    "{}:{line}: `{name}` has {lines} lines; the limit is {FUNCTION_LINES_MAX}: split it",
                    file.path
                ));
            }
        }
    }
    assert_none(&findings);
}

#[test]
fn exceptions_are_few_and_needed() {
    assert!(LONG_FILES.len() <= 3 && LONG_FUNCTIONS.len() <= 3);
    let files = source::code();
    for (path, _) in LONG_FILES {
        let file = files.iter().find(|file| file.path == *path);
        let lines = file.map_or(0, |file| file.product_lines().len());
        assert!(lines > FILE_LINES_MAX, "{path} needs no exception");
    }
    for (path, name, _) in LONG_FUNCTIONS {
        let file = files.iter().find(|file| file.path == *path);
        let parsed = file.and_then(|file| syn::parse_file(&file.text).ok());
        let mut functions = Functions::default();
        functions.visit_file(&parsed.expect("the file exists"));
        let is_long = |(found, _, lines): &(String, usize, usize)| {
            found == name && *lines > FUNCTION_LINES_MAX
        };
        assert!(
            functions.found.iter().any(is_long),
            "{path}: `{name}` needs no exception"
        );
    }
}

/// Collects every function outside test modules: its name, first line and number of lines.
#[derive(Default)]
struct Functions {
    found: Vec<(String, usize, usize)>,
}

impl Functions {
    fn add(&mut self, signature: &syn::Signature, block: &syn::Block) {
        let first = signature.fn_token.span().start().line;
        let last = block.span().end().line;
        let name = signature.ident.to_string();
        self.found.push((name, first, last - first + 1));
    }
}

impl<'ast> Visit<'ast> for Functions {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if !is_test_only(&item.attrs) {
            visit::visit_item_mod(self, item);
        }
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.add(&item.sig, &item.block);
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.add(&item.sig, &item.block);
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        if let Some(block) = &item.default {
            self.add(&item.sig, block);
        }
        visit::visit_trait_item_fn(self, item);
    }
}
