//! A picture of when each part of a bundle or a chain is valid, and when all are.
//!
//! Parts live for minutes, days and years side by side, so a picture to scale would show nothing of what people look
//! for: who ends before whom, and on which side of now. So times stand in their order, at even distances.

use std::fmt;

use kliento::veraid::{Period, Timestamp, Validity};
use serde::Serialize;

use crate::duration::Duration;
use crate::terminal::{BAD, FAINT, GOOD, Printable, STRONG};

/// Columns of a terminal that is as narrow as they come.
const COLUMNS: usize = 80;
/// Columns that a bar needs to show anything.
const MIN_BAR: usize = 13;
const MARGIN: usize = 2;

/// Parts and their validity, around a moment.
pub(crate) struct Timeline {
    at: Timestamp,
    parts: Vec<Part>,
}

/// One thing that has to hold.
struct Part {
    label: String,
    validity: Validity,
}

/// A period as `--json` has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Window {
    pub(crate) from: String,
    pub(crate) until: String,
}

impl From<Period> for Window {
    fn from(period: Period) -> Self {
        Self {
            from: period.start().to_string(),
            until: period.end().to_string(),
        }
    }
}

/// The periods of a validity as `--json` has them.
pub(crate) fn windows(validity: &Validity) -> Vec<Window> {
    validity
        .periods()
        .iter()
        .copied()
        .map(Window::from)
        .collect()
}

/// A timeline as `--json` has it.
#[derive(Serialize)]
pub(crate) struct TimelineDocument {
    at: String,
    parts: Vec<PartDocument>,
    together: Vec<Window>,
    #[serde(rename = "holdsAt")]
    holds_at: bool,
}

#[derive(Serialize)]
struct PartDocument {
    part: String,
    validity: Vec<Window>,
    #[serde(rename = "holdsAt")]
    holds_at: bool,
}

impl Timeline {
    pub(crate) fn new(at: Timestamp) -> Self {
        Self {
            at,
            parts: Vec::new(),
        }
    }

    pub(crate) fn add(&mut self, label: impl Into<String>, validity: impl Into<Validity>) {
        self.parts.push(Part {
            label: label.into(),
            validity: validity.into(),
        });
    }

    /// The validity that all parts have in common.
    fn together(&self) -> Validity {
        self.parts
            .iter()
            .fold(Validity::always(), |together, part| {
                together.intersect(&part.validity)
            })
    }

    pub(crate) fn document(&self) -> TimelineDocument {
        let together = self.together();
        TimelineDocument {
            at: self.at.to_string(),
            parts: self
                .parts
                .iter()
                .map(|part| PartDocument {
                    part: part.label.clone(),
                    validity: windows(&part.validity),
                    holds_at: part.validity.contains(self.at),
                })
                .collect(),
            holds_at: together.contains(self.at),
            together: windows(&together),
        }
    }
}

/// The axis: the column of each moment in a row of the picture.
struct Axis {
    /// All that begins or ends, and the moment asked about, in order.
    moments: Vec<Timestamp>,
    width: usize,
}

impl Axis {
    fn new(timeline: &Timeline, width: usize) -> Self {
        let mut moments: Vec<Timestamp> = timeline
            .parts
            .iter()
            .flat_map(|part| part.validity.periods())
            .flat_map(|period| [period.start(), period.end()])
            .chain([timeline.at])
            .collect();
        moments.sort_unstable();
        moments.dedup();
        Self { moments, width }
    }

    fn column(&self, moment: Timestamp) -> usize {
        let rank = self.moments.partition_point(|&earlier| earlier < moment);
        let last = self.moments.len().saturating_sub(1).max(1);
        rank.saturating_mul(self.width.saturating_sub(1)) / last
    }

    /// A bar for each period, and a mark at `at`.
    fn draw(&self, validity: &Validity, at: Timestamp) -> Vec<Cell> {
        let mut cells = vec![Cell::Nothing; self.width];
        for period in validity.periods() {
            let (start, end) = (self.column(period.start()), self.column(period.end()));
            for (column, cell) in cells.iter_mut().enumerate() {
                if column == start && column == end {
                    *cell = Cell::Instant;
                } else if column == start {
                    *cell = Cell::Start;
                } else if column == end {
                    *cell = Cell::End;
                } else if (start..end).contains(&column) {
                    *cell = Cell::Valid;
                }
            }
        }
        if let Some(cell) = cells.get_mut(self.column(at)) {
            if validity.contains(at) {
                *cell = Cell::Holds;
            } else if *cell == Cell::Nothing {
                *cell = Cell::Misses;
            }
        }
        cells
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cell {
    Nothing,
    Start,
    Valid,
    End,
    Instant,
    Holds,
    Misses,
}

impl fmt::Display for Cell {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => formatter.write_str(" "),
            Self::Start => formatter.write_str("├"),
            Self::Valid => formatter.write_str("─"),
            Self::End => formatter.write_str("┤"),
            Self::Instant => formatter.write_str("│"),
            Self::Holds => write!(formatter, "{GOOD}●{GOOD:#}"),
            Self::Misses => write!(formatter, "{FAINT}╎{FAINT:#}"),
        }
    }
}

/// `11-21 12:00`, with the year where there is more than one.
struct ShortTime {
    moment: Timestamp,
    with_year: bool,
}

impl fmt::Display for ShortTime {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.moment.to_string();
        // From `2026-11-21T12:00:00Z`; a time out of the calendar has another form.
        match (text.get(..4), text.get(5..10), text.get(11..16)) {
            (Some(year), Some(date), Some(time)) if !text.starts_with('@') => {
                if self.with_year {
                    write!(formatter, "{year}-")?;
                }
                write!(formatter, "{date} {time}")
            }
            _ => formatter.write_str(&text),
        }
    }
}

impl Timeline {
    fn spans_years(&self) -> bool {
        let year = |moment: Timestamp| moment.to_string().get(..4).map(ToOwned::to_owned);
        let own = year(self.at);
        self.parts
            .iter()
            .flat_map(|part| part.validity.periods())
            .any(|period| year(period.start()) != own || year(period.end()) != own)
    }

    fn row(
        &self,
        formatter: &mut fmt::Formatter<'_>,
        part: &Part,
        axis: &Axis,
        label_width: usize,
        with_year: bool,
    ) -> fmt::Result {
        let label = cut(&part.label, label_width);
        write!(formatter, "  {:label_width$}  ", Printable(&label))?;
        for cell in axis.draw(&part.validity, self.at) {
            write!(formatter, "{cell}")?;
        }
        let Some(period) = nearest(&part.validity, self.at) else {
            return writeln!(formatter, "  {BAD}never{BAD:#}");
        };
        let style = if period.contains(self.at) {
            anstyle::Style::new()
        } else {
            BAD
        };
        let short = |moment| ShortTime { moment, with_year };
        let dates = format!("{} – {}", short(period.start()), short(period.end()));
        writeln!(formatter, "  {style}{dates}{style:#}")
    }
}

impl fmt::Display for Timeline {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        const TOGETHER: &str = "all together";
        let with_year = self.spans_years();
        let dates = if with_year { 2 * 16 + 3 } else { 2 * 11 + 3 };
        let label = self
            .parts
            .iter()
            .map(|part| part.label.chars().count())
            .chain([TOGETHER.len()])
            .max()
            .unwrap_or_default()
            .min(COLUMNS - MIN_BAR - dates - 3 * MARGIN);
        let bar = COLUMNS - label - dates - 3 * MARGIN;
        let axis = Axis::new(self, bar);

        writeln!(
            formatter,
            "{STRONG}Validity{STRONG:#} {FAINT}(UTC; order only, not to scale; {FAINT:#}{GOOD}●{GOOD:#}{FAINT} = {}){FAINT:#}",
            self.at
        )?;
        for part in &self.parts {
            self.row(formatter, part, &axis, label, with_year)?;
        }
        let together = Part {
            label: TOGETHER.to_owned(),
            validity: self.together(),
        };
        if self.parts.len() > 1 {
            writeln!(formatter, "  {FAINT}{}{FAINT:#}", "─".repeat(label))?;
            self.row(formatter, &together, &axis, label, with_year)?;
        }
        writeln!(
            formatter,
            "\n{}",
            Summary {
                at: self.at,
                together: &together.validity
            }
        )
    }
}

/// A sentence on when all holds.
struct Summary<'a> {
    at: Timestamp,
    together: &'a Validity,
}

impl fmt::Display for Summary<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(period) = nearest(self.together, self.at) else {
            return write!(formatter, "{BAD}These are never valid together.{BAD:#}");
        };
        write!(
            formatter,
            "All hold from {} to {}",
            period.start(),
            period.end()
        )?;
        let (start, end) = (period.start().unix_seconds(), period.end().unix_seconds());
        let at = self.at.unix_seconds();
        let rough = |seconds| Duration::from_seconds(seconds).rough();
        if at > end {
            write!(
                formatter,
                ",\n{BAD}which ended {} before {}.{BAD:#}",
                rough(at.abs_diff(end)),
                self.at
            )
        } else if at < start {
            write!(
                formatter,
                ",\n{BAD}which begins {} after {}.{BAD:#}",
                rough(start.abs_diff(at)),
                self.at
            )
        } else {
            write!(formatter, ",\n{} left.", rough(end.abs_diff(at)))
        }
    }
}

/// The period that contains `at`, or the one that is the least time away.
fn nearest(validity: &Validity, at: Timestamp) -> Option<Period> {
    let at = at.unix_seconds();
    validity.periods().iter().copied().min_by_key(|period| {
        let (start, end) = (period.start().unix_seconds(), period.end().unix_seconds());
        if at < start {
            start.abs_diff(at)
        } else if at > end {
            at.abs_diff(end)
        } else {
            0
        }
    })
}

fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let mut cut: String = text.chars().take(width.saturating_sub(1)).collect();
    cut.push('…');
    cut
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn period(from: &str, until: &str) -> Period {
        Period::new(time(from), time(until)).unwrap()
    }

    fn example(at: &str) -> Timeline {
        let mut timeline = Timeline::new(time(at));
        timeline.add(
            "example.com. DNSKEY",
            period("2026-11-20T00:00:00Z", "2026-11-27T00:00:00Z"),
        );
        timeline.add(
            "organisation certificate of some very long name",
            period("2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z"),
        );
        timeline.add(
            "token",
            period("2026-11-21T12:00:00Z", "2026-11-21T12:10:00Z"),
        );
        timeline
    }

    fn plain(timeline: &Timeline) -> String {
        anstream::adapter::strip_str(&timeline.to_string()).to_string()
    }

    #[test]
    fn fits_in_80_columns() {
        for at in ["2026-11-21T12:05:00Z", "2031-01-01T00:00:00Z"] {
            for line in plain(&example(at)).lines() {
                assert!(line.chars().count() <= 80, "{line}");
            }
        }
    }

    #[test]
    fn marks_the_moment_in_each_part_that_holds_then() {
        let drawn = plain(&example("2026-11-21T12:05:00Z"));
        assert_eq!(drawn.matches('●').count(), 1 + 3 + 1);
        let drawn = plain(&example("2026-11-21T12:10:01Z"));
        // Not in the token, nor in what all have in common.
        assert_eq!(drawn.matches('●').count(), 1 + 2);
        assert!(drawn.contains("ended 1s before"), "{drawn}");
    }

    #[test]
    fn shows_which_ended_before_the_moment_however_close_they_are() {
        let mut timeline = example("2026-11-21T12:05:00Z");
        timeline.add(
            "stale",
            period("2020-01-01T00:00:00Z", "2026-11-21T12:04:59Z"),
        );
        let drawn = plain(&timeline);
        let stale = drawn.lines().find(|line| line.contains("stale")).unwrap();
        let end = stale
            .chars()
            .position(|character| character == '┤')
            .unwrap();
        let mark = stale
            .chars()
            .position(|character| character == '╎')
            .unwrap();
        assert!(end < mark, "{drawn}");
    }

    #[test]
    fn says_when_parts_never_meet() {
        let mut timeline = example("2026-11-21T12:05:00Z");
        timeline.add(
            "later",
            period("2026-11-21T12:10:01Z", "2027-11-21T12:04:59Z"),
        );
        assert!(plain(&timeline).contains("never valid together"));
        assert!(timeline.document().together.is_empty());
        assert!(!timeline.document().holds_at);
    }

    #[test]
    fn draws_both_periods_of_a_validity_with_a_gap() {
        let mut timeline = Timeline::new(time("2026-11-15T00:00:00Z"));
        let gap: Validity = [
            period("2026-11-01T00:00:00Z", "2026-11-10T00:00:00Z"),
            period("2026-11-20T00:00:00Z", "2026-11-30T00:00:00Z"),
        ]
        .into_iter()
        .collect();
        timeline.add("gap", gap);
        assert_eq!(plain(&timeline).matches('├').count(), 2);
    }
}
