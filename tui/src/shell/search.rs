//! `plenary search`: searches messages, newest first.

use plenary_shared::limits::SEARCH_PAGE_MAX;
use plenary_shared::protocol::{SearchHit, SearchOk};

use super::style::{BOLD, Cell, DIM, GREEN, Style, cell, painted};
use super::{Failure, Shell, output};
use crate::command_line::Search;

/// Prints one page, or all pages with `--all`.
pub async fn run(shell: &mut Shell, args: Search) -> Result<(), Failure> {
    let api = shell.api()?;
    let mut query = args.query.join(" ");
    if let Some(within) = &args.within {
        query = format!("in:{within} {query}");
    }
    let limit = if args.all {
        Some(SEARCH_PAGE_MAX)
    } else {
        args.limit.map(usize::from)
    };
    let mut before = args.before;
    loop {
        let response = api.search(&query, before, limit).await?;
        shell.print_table(&response, rows)?;
        let page: SearchOk = response.read()?;
        match page.next {
            // A page that does not advance would repeat forever.
            Some(next) if args.all && before != Some(next) => before = Some(next),
            Some(next) if !args.all && !shell.json => {
                output::note(&format!("for more matches: --before {next}"));
                return Ok(());
            }
            Some(_) | None => return Ok(()),
        }
    }
}

fn rows(style: Style, page: &SearchOk) -> Vec<Vec<Cell>> {
    page.hits.iter().map(|found| row(style, found)).collect()
}

fn row(style: Style, found: &SearchHit) -> Vec<Cell> {
    let message = &found.message;
    let edited = message.edited.map_or("", |_| " (edited)");
    vec![
        painted(
            if found.live { GREEN } else { "" },
            found.instance.to_string(),
        ),
        painted(DIM, message.seq.to_string()),
        painted(DIM, style.moment(message.timestamp)),
        painted(BOLD, &message.name),
        cell(format!("{}{edited}", message.body)),
    ]
}
