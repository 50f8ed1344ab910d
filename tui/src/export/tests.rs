//! Documents of a meeting with hostile text.

use plenary_shared::domain::{Event, InstanceState};
use plenary_shared::ids::{Cmid, Generation};
use plenary_shared::text::MessageBody;

use super::*;

fn user(n: u64) -> UserId {
    UserId::new(n).expect("small")
}

fn seq(n: u64) -> Seq {
    Seq::new(n).expect("small")
}

/// Returns the time this many seconds after 13:00.
fn at(seconds: i64) -> Timestamp {
    let start: Timestamp = "2026-05-06T13:00:00Z".parse().expect("a time");
    start.plus_ms(seconds * 1_000)
}

fn message(who: u64, body: &str, reply_to: Option<u64>) -> EventKind {
    EventKind::Message {
        user: user(who),
        cmid: Cmid(uuid::Uuid::nil()),
        body: MessageBody::parse(body).expect("a body"),
        reply_to: reply_to.map(seq),
        edited: None,
        deleted: None,
    }
}

fn join(who: u64) -> EventKind {
    EventKind::Join {
        user: user(who),
        name: String::new(),
    }
}

fn leave(who: u64, reason: Reason) -> EventKind {
    EventKind::Leave {
        user: user(who),
        reason,
    }
}

fn transcript(whats: Vec<EventKind>, state: InstanceState) -> Transcript {
    let id = "1/4".parse().expect("an instance");
    let events: Vec<Event> = whats
        .into_iter()
        .enumerate()
        .map(|(n, what)| Event {
            instance: id,
            generation: Generation::default(),
            seq: seq(n as u64 + 1),
            kind: what,
            timestamp: at(i64::try_from(n).expect("few") * 60),
        })
        .collect();
    let instance = Instance {
        title: "# =Plans\u{1b}[2J".to_owned(),
        description: "About <b>it</b>".to_owned(),
        is_public: false,
        fromdatetime: at(0),
        todatetime: at(3_600),
        id,
        state,
        participants: 0,
        joined: None,
        cancelled: false,
        ended_at: None,
    };
    let names = HashMap::from([
        (user(7), "ada".to_owned()),
        (user(8), "=cmd|'/c calc'!A1".to_owned()),
    ]);
    Transcript::new(instance, &events, &names, at(3_700))
}

fn hostile() -> Transcript {
    let whats = vec![
        EventKind::Opened,
        join(7),
        join(8),
        message(7, "hello, \"all\"\n  99  forged", None),
        message(8, "=1+1", Some(4)),
        message(8, "to be deleted", None),
        message(8, "@SUM(A1)\u{202e}", None),
        leave(8, Reason::ConnectionLost),
        EventKind::Edited {
            user: user(7),
            cmid: Cmid(uuid::Uuid::nil()),
            target: seq(4),
            body: MessageBody::parse("# hello, *all*\n1. one").expect("a body"),
        },
        EventKind::Deleted {
            user: user(8),
            cmid: Cmid(uuid::Uuid::nil()),
            target: seq(6),
        },
        join(8),
        leave(7, Reason::Scheduled),
        leave(8, Reason::Scheduled),
        EventKind::Closed {
            reason: Reason::Scheduled,
        },
    ];
    transcript(whats, InstanceState::Ended)
}

#[test]
fn all_stays_are_counted() {
    let ended = hostile();
    let totals: Vec<(u64, usize, i64)> = ended
        .attendance
        .iter()
        .map(|one| (one.user.get(), one.stays.len(), one.total_ms / 60_000))
        .collect();
    assert_eq!(totals, [(7, 1, 10), (8, 2, 7)]);
    assert_eq!(ended.reason, Some(Reason::Scheduled));
    // An open stay is counted up to the end.
    let live = transcript(vec![EventKind::Opened, join(7)], InstanceState::Active);
    assert_eq!(live.attendance[0].stays[0].to, None);
    assert_eq!(live.attendance[0].total_ms, 3_540_000);
    assert!(live.write(Format::Txt).contains("present"));
    assert_eq!(live.reason, None);
}

#[test]
fn csv_has_no_formulas() {
    insta::assert_snapshot!(hostile().write(Format::Csv).replace("\r\n", "⏎\n"), @r##"
    kind,seq,userID,name,from,to,length,text,replyTo,edited,deleted⏎
    meeting,,,# =Plans[2J,2026-05-06T13:00:00.000Z,2026-05-06T14:00:00.000Z,,1/4 ended: scheduled end,,,⏎
    stay,,7,ada,2026-05-06T13:01:00.000Z,2026-05-06T13:11:00.000Z,0:10:00,,,,⏎
    attendance,,7,ada,,,0:10:00,,,,⏎
    stay,,8,'=cmd|'/c calc'!A1,2026-05-06T13:02:00.000Z,2026-05-06T13:07:00.000Z,0:05:00,,,,⏎
    stay,,8,'=cmd|'/c calc'!A1,2026-05-06T13:10:00.000Z,2026-05-06T13:12:00.000Z,0:02:00,,,,⏎
    attendance,,8,'=cmd|'/c calc'!A1,,,0:07:00,,,,⏎
    message,4,7,ada,2026-05-06T13:03:00.000Z,,,"# hello, *all*
    1. one",,2026-05-06T13:08:00.000Z,⏎
    message,5,8,'=cmd|'/c calc'!A1,2026-05-06T13:04:00.000Z,,,'=1+1,4,,⏎
    message,6,8,'=cmd|'/c calc'!A1,2026-05-06T13:05:00.000Z,,,,,,2026-05-06T13:09:00.000Z⏎
    message,7,8,'=cmd|'/c calc'!A1,2026-05-06T13:06:00.000Z,,,'@SUM(A1)<U+202E>,,,⏎
    "##);
}

#[test]
fn markdown_escapes_user_text() {
    insta::assert_snapshot!(hostile().write(Format::Md), @r##"
    # \# =Plans\[2J

    About \<b\>it\</b\>

    - meeting: 1/4
    - from: 2026-05-06T13:00:00.000Z
    - to: 2026-05-06T14:00:00.000Z
    - state: ended
    - ended: scheduled end
    - exported: 2026-05-06T14:01:40.000Z

    ## Attendance

    | Name | From | To | Total |
    |---|---|---|---|
    | ada | 2026-05-06T13:01:00.000Z | 2026-05-06T13:11:00.000Z | 0:10:00 |
    | \=cmd\|'/c calc'\!A1 | 2026-05-06T13:02:00.000Z | 2026-05-06T13:07:00.000Z | 0:07:00 |
    |  | 2026-05-06T13:10:00.000Z | 2026-05-06T13:12:00.000Z |  |

    ## Messages

    - **ada** 2026-05-06T13:03:00.000Z · 4 · edited  
      \# hello, \*all\*  
      1\. one
    - **\=cmd\|'/c calc'\!A1** 2026-05-06T13:04:00.000Z · 5 · reply to 4  
      \=1+1
    - **\=cmd\|'/c calc'\!A1** 2026-05-06T13:05:00.000Z · 6  
      (deleted)
    - **\=cmd\|'/c calc'\!A1** 2026-05-06T13:06:00.000Z · 7  
      @SUM(A1)\<U+202E\>
    "##);
}

/// Texts that Markdown, tables or spreadsheets could change.
const TEXTS: &[&str] = &[
    "see https://example.org/a_b_c/?x=1&y=2#f, and https://example.org/*b*/c",
    "https://example.org/?a=1&copy;=2",
    "https://example.org/süß_(a)",
    "fn main() {\n    if x {\n\tprintln!(\"1\");\n    }\n}",
    "    indented code",
    "\tone tab",
    "```\nfenced\n```",
    "````` longer ``` fence",
    "two  blanks and   three",
    "a paragraph\n\nanother\n\n\nand one far below",
    "# no heading\n- no item\n+ no item\n1. no item\n2) no item\n> no quote\n=== no line\n--- no line",
    "*no* _emphasis_ `code` ~~deleted~~ [link](https://example.org/) ![image](x) <b>&amp;</b> a | b",
    "ends with a backslash\\",
    "\\* both",
    "a\"b,c;d\n\"quoted\"",
];

fn messages(texts: &[&str]) -> Transcript {
    let whats = texts.iter().map(|text| message(7, text, None));
    transcript(whats.collect(), InstanceState::Active)
}

#[test]
fn markdown_read_by_commonmark_gives_text_and_link_targets_back() {
    use pulldown_cmark::{Event, Parser, Tag, TagEnd};

    let document = messages(TEXTS).write(Format::Md);
    let list = document.split("## Messages").nth(1).expect("a list");
    let (mut texts, mut targets, mut text) = (vec![], vec![], String::new());
    for event in Parser::new(list) {
        match event {
            Event::Start(Tag::Item) => text.clear(),
            Event::End(TagEnd::Item) => texts.push(text.trim_end_matches('\0').to_owned()),
            Event::Start(Tag::Link { dest_url, .. }) => targets.push(dest_url.to_string()),
            Event::Text(piece) | Event::Code(piece) => text.push_str(&piece),
            Event::SoftBreak => text.push_str("<soft>"),
            // The line end before the closing fence is not part of the text.
            Event::HardBreak | Event::Start(Tag::CodeBlock(_)) => text.push('\n'),
            Event::End(TagEnd::CodeBlock) => {
                text.pop();
            }
            Event::Html(html) | Event::InlineHtml(html) => panic!("HTML: {html}"),
            _ => {}
        }
    }
    // The first line of an item names the author.
    let bodies: Vec<&str> = texts
        .iter()
        .map(|text| text.split_once('\n').expect("two lines").1)
        .collect();
    assert_eq!(bodies, TEXTS, "{list}");
    assert_eq!(
        targets,
        [
            "https://example.org/a_b_c/?x=1&y=2#f",
            "https://example.org/*b*/c",
            "https://example.org/?a=1&copy;=2",
            "https://example.org/süß_(a)",
            "https://example.org/",
        ]
    );
}

#[test]
fn csv_read_by_python_gives_text_back() {
    use std::io::Write as _;
    use std::process::{Command, Stdio};

    const READ: &str = "import csv, io, json, sys; \
        text = io.TextIOWrapper(sys.stdin.buffer, encoding='utf-8', newline=''); \
        rows = list(csv.DictReader(text, strict=True)); \
        print(json.dumps([row['text'] for row in rows if row['kind'] == 'message']))";
    let document = messages(TEXTS).write(Format::Csv);
    let mut python = Command::new("python3")
        .args(["-c", READ])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python3 is installed");
    let mut stdin = python.stdin.take().expect("a pipe");
    stdin.write_all(document.as_bytes()).expect("python reads");
    drop(stdin);
    let output = python.wait_with_output().expect("python ends");
    assert!(output.status.success());
    let found: Vec<String> = serde_json::from_slice(&output.stdout).expect("JSON");
    // Text that a spreadsheet would evaluate has an apostrophe before it.
    let found: Vec<&str> = found
        .iter()
        .map(|text| text.trim_start_matches('\''))
        .collect();
    assert_eq!(found, TEXTS);
}

#[test]
fn attendance_ends_with_the_meeting() {
    // Read 100 s after the end, with a stay that was never closed.
    let mut ended = transcript(vec![EventKind::Opened, join(7)], InstanceState::Ended);
    assert_eq!(ended.attendance[0].total_ms, 3_540_000);
    ended.instance.todatetime = at(600);
    assert!(ended.write(Format::Csv).contains("0:09:00"));
}

#[test]
fn unknown_format_is_an_error() {
    let of = |name: &str| Format::of_file(Path::new(name));
    assert_eq!(of("minutes.md"), Ok(Format::Md));
    assert_eq!(of("minutes.CSV"), Ok(Format::Csv));
    assert_eq!(of("minutes"), Ok(Format::Md));
    let error = of("minutes.pdf").expect_err("not a format");
    assert!(
        error.contains("'pdf'") && error.contains("md, json, csv or txt"),
        "{error}"
    );
}

#[test]
fn plain_text_entries_cannot_be_forged() {
    insta::assert_snapshot!(hostile().write(Format::Txt), @r##"
    # =Plans[2J
    About <b>it</b>

    meeting:  1/4
    from:     2026-05-06T13:00:00.000Z
    to:       2026-05-06T14:00:00.000Z
    state:    ended
    ended:    scheduled end
    exported: 2026-05-06T14:01:40.000Z

    Attendance

    ada (#7), 0:10:00 total
        2026-05-06T13:01:00.000Z to 2026-05-06T13:11:00.000Z
    =cmd|'/c calc'!A1 (#8), 0:07:00 total
        2026-05-06T13:02:00.000Z to 2026-05-06T13:07:00.000Z
        2026-05-06T13:10:00.000Z to 2026-05-06T13:12:00.000Z

    Messages

        4  2026-05-06T13:03:00.000Z  ada (edited)
           # hello, *all*
           1. one
        5  2026-05-06T13:04:00.000Z  =cmd|'/c calc'!A1 (reply to 4)
           =1+1
        6  2026-05-06T13:05:00.000Z  =cmd|'/c calc'!A1
           (deleted)
        7  2026-05-06T13:06:00.000Z  =cmd|'/c calc'!A1
           @SUM(A1)<U+202E>
    "##);
}

#[test]
fn json_is_the_transcript() {
    let json: serde_json::Value =
        serde_json::from_str(&hostile().write(Format::Json)).expect("JSON");
    assert_eq!(json["meetingID"], 1);
    assert_eq!(json["reason"], "scheduled");
    assert_eq!(
        json["attendance"][1]["stays"][0]["reason"],
        "connection_lost"
    );
    assert_eq!(json["messages"][0]["body"], "# hello, *all*\n1. one");
    assert_eq!(json["messages"][1]["replyTo"], 4);
    assert_eq!(json["messages"][2]["body"], "");
    assert!(json["messages"][2]["deleted"].is_string());
}

#[test]
fn documents_are_safe_for_terminals() {
    for format in [Format::Md, Format::Json, Format::Csv, Format::Txt] {
        let text = hostile().write(format);
        let is_unsafe = |c: char| (c.is_control() && c != '\n' && c != '\r') || c == '\u{202e}';
        assert_eq!(text.chars().find(|c| is_unsafe(*c)), None, "{format:?}");
    }
}
