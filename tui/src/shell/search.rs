//! `plenary search`: what was said, over everything that one may read, newest first.

use plenary_shared::limits::SEARCH_PAGE_MAX;
use plenary_shared::protocol::{Found, SearchOk};

use super::print::{BOLD, Cell, DIM, GREEN, Style, cell, painted};
use super::{Failure, Shell, out};
use crate::command_line::Search;

/// One page, or all.
pub async fn run(shell: &mut Shell, search: Search) -> Result<(), Failure> {
    let api = shell.api()?;
    let query = search.query.join(" ");
    let query = match &search.within {
        Some(within) => format!("in:{within} {query}"),
        None => query,
    };
    let limit = match (search.all, search.limit) {
        (true, _) => Some(SEARCH_PAGE_MAX),
        (false, limit) => limit.map(usize::from),
    };
    let mut before = search.before;
    loop {
        let answer = api.search(&query, before, limit).await?;
        let page: SearchOk = answer.read(&api)?;
        if shell.json {
            shell.out.line(&answer.json())?;
        } else {
            let rows: Vec<Vec<Cell>> = page.found.iter().map(|one| row(shell.style, one)).collect();
            for line in shell.style.table(&rows) {
                shell.out.line(&line)?;
            }
        }
        // A page that does not go on would come again for ever.
        match page.next {
            Some(next) if search.all && before != Some(next) => before = Some(next),
            Some(next) if !search.all && !shell.json => {
                out::note(&format!("there are more: --before {next}"));
                return Ok(());
            }
            Some(_) | None => return Ok(()),
        }
    }
}

fn row(style: Style, found: &Found) -> Vec<Cell> {
    let message = &found.message;
    let edited = if message.edited.is_some() {
        " (edited)"
    } else {
        ""
    };
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
